#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The stock kernel's build tree with what its headers package leaves out: the
# Rust metadata that a Rust module is compiled against.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

release=$(kernel_release)
headers=$KERNEL/stock/usr/src/linux-headers-$release

# The compiler that built the kernel, or none: Rust metadata is not compatible
# between versions.
series=$(pin rustc_series)
rustc=$(enter rustc --version)
[[ $rustc == "rustc $series."* ]] ||
	die "the build root has $rustc; kernel $release needs rustc $series (see rustc_series in qemu/versions.lock)"
built_by=$(sed -n 's/^CONFIG_RUSTC_VERSION_TEXT="\(.*\)"$/\1/p' "$headers/.config")
[[ $built_by == "rustc $series."* ]] ||
	die "kernel $release was built by '$built_by', not by rustc $series: its modules cannot be built with $rustc"

tmp=$PREPARED.part
rm -rf "$tmp"
mkdir -p "$tmp"
cp "$headers/.config" "$headers/Module.symvers" "$tmp/"
kmake() {
	ENTER_ARGS=(--bind "$tmp" /kernel/out)
	enter make -s -j"$(nproc)" -C /kernel/src O=/kernel/out CC=gcc-14 HOSTCC=gcc-14 "$@"
}
kmake olddefconfig
# Still the configuration of the package, but for how it names its compiler.
watched='^CONFIG_(RUST|MODVERSIONS|MODULE_SIG|GCC_VERSION|RUSTC_VERSION|RUSTC_VERSION_TEXT)='
diff <(grep -E "$watched" "$headers/.config") <(grep -E "$watched" "$tmp/.config") ||
	say "note: the kernel's configuration differs with this tool chain, see the log of this step"
grep -q '^CONFIG_RUST=y' "$tmp/.config" || die "CONFIG_RUST fell out of the configuration; 'make rustavailable' says why"
kmake KERNELRELEASE="$release" modules_prepare
mv -T "$tmp" "$PREPARED"
