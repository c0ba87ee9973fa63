#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# fio, for the VM, static, from Debian's source package: the binary one needs the
# clients of several storage clusters. It is not the source of the root's suite,
# which not every mirror has.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

version=$(pin fio) suite=$(pin fio_suite)
tmp=$FIO.part
rm -rf "$tmp"
mkdir -p "$tmp/lists/partial" "$tmp/debs" "$tmp/source"

# From the root's mirror, with the root's keys; what apt keeps goes with the rest.
sed -n "s/^deb \(.*\) $(pin suite) main.*/deb-src \1 $suite main/p" "$ROOT/etc/apt/sources.list" |
	head -n 1 >"$tmp/sources.list"
[ -s "$tmp/sources.list" ] || die "no mirror found in the root's sources.list"
apt=(-o APT::Sandbox::User=root -o Acquire::Retries=3 -q
	-o "Dir::Etc::SourceList=$tmp/sources.list" -o Dir::Etc::SourceParts=-
	-o "Dir::State::Lists=$tmp/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
cd "$tmp/debs" || exit
download enter apt-get "${apt[@]}" update

versions=$(enter apt-cache "${apt[@]}" showsrc --only-source fio | sed -n 's/^Version: //p' | sort -V)
if ! grep -Fxq -- "$version" <<<"$versions"; then
	gone=$version
	version=$(tail -n 1 <<<"$versions")
	[ -n "$version" ] || die "the suite $suite has no source of fio"
	say "note: the source of fio $gone is gone from the mirror, taking $version"
fi
download enter apt-get "${apt[@]}" source --download-only --only-source "fio=$version"

# For whatever processor the guest has, not for this one.
cd "$tmp/source" || exit
tar -x --strip-components=1 -f "$tmp"/debs/fio_*.orig.tar.gz
enter ./configure --cc=gcc-14 --build-static --disable-native --disable-lex \
	--disable-numa --disable-rdma --disable-rados --disable-rbd --disable-http --disable-gfapi \
	--disable-pmem --disable-libzbc --disable-xnvme --disable-tcmalloc --disable-libnfs --disable-dfs
enter make -s -j"$(nproc)" fio
enter strip -o "$tmp/fio" fio
mv -T "$tmp/fio" "$FIO"
rm -rf "$tmp"
