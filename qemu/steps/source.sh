#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's source, unpacked from its package.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

tmp=$KERNEL/src.part
rm -rf "$tmp"
mkdir "$tmp"
series=$(pin kernel_series)
deb=("$KERNEL"/debs/linux-source-*.deb)
# One pass from the package to the tree: the tar file inside is never stored.
enter dpkg-deb --fsys-tarfile "${deb[0]}" |
	tar -xO "./usr/src/linux-source-$series.tar.xz" |
	enter xz -dc -T0 |
	tar -x -C "$tmp" --strip-components=1
mv -T "$tmp" "$KERNEL/src"
rm -r "$KERNEL/debs"
