#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What mmdebstrap runs while it builds the root: PHASE ROOT.
set -euo pipefail

phase=$1 root=$2
notes=$PINDMA_NOTES

now() { echo "${EPOCHREALTIME//[!0-9]/}"; }
# Milliseconds since the time in the file named.
since() { echo $((($(now) - $(cat "$1")) / 1000)); }

# The sources.list that mmdebstrap wrote names the mirror that it has chosen.
add_backports() {
	local list=$root/etc/apt/sources.list mirror
	mirror=$(sed -n "s/^deb \(\[[^]]*\] \)\?\(\S\+\) $PINDMA_SUITE main.*/\2/p" "$list" | head -n 1)
	[ -n "$mirror" ] || { echo "no mirror found in the root's sources.list" >&2; exit 1; }
	echo "deb $mirror $PINDMA_BACKPORTS main" >>"$list"
}

# Prints NAME=VERSION when the mirror has it, else says so and prints NAME with
# the newest version that apt, given OPTIONS, would take.
resolve() {
	local name=${1%%=*} version=${1#*=} newest
	shift
	if chroot "$root" apt-cache madison "$name" | cut -d '|' -f 2 | tr -d ' ' | grep -Fxq -- "$version"; then
		echo "$name=$version"
		return
	fi
	newest=$(chroot "$root" apt-cache "$@" policy "$name" | sed -n 's/^ *Candidate: //p')
	echo "note: $name $version is gone from the mirror, taking $newest" >>"$notes/said"
	echo "$name=$newest"
}

# Installs the packages listed in the first argument, NAME or NAME=VERSION, with
# the options that follow it.
install() {
	local packages wanted=() package
	read -ra packages <<<"$1"
	shift
	for package in "${packages[@]}"; do
		[[ $package != *=* ]] || package=$(resolve "$package" "$@")
		wanted+=("$package")
	done
	local args=(-y -qq --no-install-recommends "$@")
	now >"$notes/begin"
	chroot "$root" apt-get install "${args[@]}" --download-only "${wanted[@]}"
	since "$notes/begin" >>"$notes/download"
	DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install "${args[@]}" --no-download "${wanted[@]}"
}

case $phase in
setup) add_backports; now >"$notes/begin" ;;
# Between the two lie the package lists and the base packages.
extract) since "$notes/begin" >>"$notes/download" ;;
install)
	install "$PINDMA_PACKAGES"
	# With their dependencies from there as well.
	install "$PINDMA_NEWER" -t "$PINDMA_BACKPORTS"
	;;
esac
