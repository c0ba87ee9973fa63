#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The stock kernel's packages: image, headers, modules and source, downloaded
# and all but the source unpacked.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

series=$(pin kernel_series) flavour=$(pin kernel_flavour)
version=$(pin kernel_version) release=$(pin kernel_release)
# As root inside bubblewrap there is no other user for apt to change to.
apt=(-o APT::Sandbox::User=root -o Acquire::Retries=3 -q)

tmp=$KERNEL.part
mkdir -p "$tmp/debs"
download enter apt-get "${apt[@]}" update

has() { enter apt-cache madison "$1" | cut -d '|' -f 2 | tr -d ' ' | grep -Fxq -- "$2"; }

# The newest release of the series that the suite has.
newest_release() {
	enter apt-cache pkgnames "linux-binary-$series." |
		sed -n "s/^linux-binary-\(${series//./\\.}\.[0-9]*+$flavour\)\$/\1/p" | sort -V | tail -n 1
}
if ! has "linux-binary-$release" "$version"; then
	gone=$release
	release=$(newest_release)
	[ -n "$release" ] || die "the suite has no kernel of the $series series any more"
	version=$(enter apt-cache madison "linux-binary-$release" | head -n 1 | cut -d '|' -f 2 | tr -d ' ')
	say "note: kernel $gone is gone from the suite, taking $release ($version)"
fi
has "linux-source-$series" "$version" || die "the suite has no source for kernel $version"

# What an interrupted run has downloaded is not downloaded again, but nothing of
# another version is taken for this one's.
find "$tmp/debs" -name '*.deb' ! -name "*_${version}_*" -delete
fetch() {
	cd "$tmp/debs" || return
	enter apt-get "${apt[@]}" download "linux-source-$series=$version" \
		"linux-binary-$release=$version" "linux-headers-$release=$version" "linux-modules-$release=$version"
}
download fetch

for deb in "$tmp"/debs/linux-{binary,headers,modules}-*.deb; do
	enter dpkg-deb -x "$deb" "$tmp/stock"
	rm -- "$deb"
done
# The packages leave this to their installation: the module dependencies.
enter depmod -b "$tmp/stock/usr" "$release"
printf '%s\n' "$release" >"$tmp/release"
mv -T "$tmp" "$KERNEL"
