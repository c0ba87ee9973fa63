#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Adds clang to the build root, which only the debug kernel needs: Rust with
# KASAN is built by one LLVM. The root is shared and this only adds to it.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

series=$(pin clang_series) version=$(pin clang)
packages=()
apt=(-o APT::Sandbox::User=root -o Acquire::Retries=3 -o Dpkg::Options::=--force-unsafe-io
	-q -y --no-install-recommends)

# As the superuser of the root, whoever that is outside, and with write access.
root_apt() {
	local identity=()
	is_root || identity=(--unshare-user --uid 0 --gid 0)
	ENTER_ARGS=("${identity[@]}" --setenv DEBIAN_FRONTEND noninteractive
		--bind "$ROOT/usr" /usr --bind "$ROOT/etc" /etc
		--ro-bind-try /etc/resolv.conf /etc/resolv.conf --ro-bind-try /etc/ssl/certs /etc/ssl/certs)
	enter "$@"
}

# What an interrupted run has left half done.
root_apt dpkg --configure -a --force-unsafe-io
download enter apt-get "${apt[@]}" -o APT::Get::List-Cleanup=false update
for name in clang lld llvm; do
	package=$name-$series
	if enter apt-cache madison "$package" | cut -d '|' -f 2 | tr -d ' ' | grep -Fxq -- "$version"; then
		packages+=("$package=$version")
	else
		say "note: $package $version is gone from the mirror, taking the newest"
		packages+=("$package")
	fi
done
download root_apt apt-get "${apt[@]}" install --download-only "${packages[@]}"
root_apt apt-get "${apt[@]}" install --no-download "${packages[@]}"
root_apt apt-get clean
touch "$CLANG_MARK"
