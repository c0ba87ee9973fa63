#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds driver/ with Kbuild, out of tree, warnings as errors. Usage:
# module.sh [check|debug]; with check, clippy looks at it instead, with debug it
# is built for the debug kernel. With QUICK=1 that for the stock kernel comes without
# lines, but soon after a small change. With MUTANT=1 what nothing uses is no error.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

kind=${1:-module}
tree=/kernel/out
if [ -n "${KDIR:-}" ] && [ "$kind" != debug ]; then
	kind=kdir
	tree=$(cd "$KDIR" && pwd -P) || die "KDIR=$KDIR is not a directory"
	[ -e "$tree/include/config/auto.conf" ] || die "KDIR=$tree is not a prepared kernel tree (no include/config/auto.conf)"
	ENTER_ARGS+=(--bind "$tree" "$tree")
	if [ -d "$tree/source" ]; then
		source=$(cd "$tree/source" && pwd -P)
		ENTER_ARGS+=(--bind "$source" "$source")
	fi
fi
compiler=(CC=gcc-14 HOSTCC=gcc-14)
flags='' rust_flags=''
if [ "$kind" = debug ]; then
	tree=/kernel/debug
	# Lines for what the kernel reports, and coverage for who asks for it.
	# The kernel's headers have what -Wall makes clang complain of.
	flags='-g -Wno-frame-address' rust_flags=-Cdebuginfo=2
	compiler=("LLVM=-$(pin clang_series)" KCOV_INSTRUMENT=y)
fi

[ -z "${MUTANT:-}" ] || rust_flags+=' -Aunused'

# Kbuild cannot take a path with a space or a colon in it.
source=$REPO/driver
if [[ $REPO =~ [[:space:]:%] ]]; then
	ENTER_ARGS+=(--bind "$REPO" /pindma)
	source=/pindma/driver
fi
out=$WORK/$kind
mkdir -p "$out" "$BIN"
ENTER_ARGS+=(--bind "$out" /kernel/module)

args=(-j"$(nproc)" -C "$tree" M="$source" MO=/kernel/module "${compiler[@]}" KRUSTFLAGS="-Dwarnings $rust_flags"
	KCFLAGS="-Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare $flags")
# The debug kernel's objtool takes no object that was linked.
[ "$kind:${QUICK:-}" != module:1 ] || args+=(RUSTC="$REPO/qemu/steps/rustc.sh")
[ -n "${V:-}" ] || args+=(-s)
[ "$kind" != check ] || args+=(CLIPPY=1)
enter make "${args[@]}" modules
case $kind in
module)
	# Lines are of use to who reads a report, not to the kernel: they stay beside it.
	enter strip --strip-debug -o "$BIN/pindma.ko" "$out/pindma.ko"
	cp "$out/pindma.ko" "$BIN/pindma.lines"
	;;
debug)
	# The guest's memory is small: the lines stay outside.
	enter "llvm-strip-$(pin clang_series)" --strip-debug -o "$BIN/pindma-debug.ko" "$out/pindma.ko"
	cp "$out/pindma.ko" "$BIN/pindma-debug.lines"
	;;
kdir) say "built against $tree: $out/pindma.ko" ;;
esac
