#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds driver/ with Kbuild, out of tree, warnings as errors. Usage:
# module.sh [check]; with check, clippy looks at it instead.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

kind=${1:-module}
tree=/kernel/out
if [ -n "${KDIR:-}" ]; then
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

# Kbuild cannot take a path with a space or a colon in it.
source=$REPO/driver
if [[ $REPO =~ [[:space:]:%] ]]; then
	ENTER_ARGS+=(--bind "$REPO" /pindma)
	source=/pindma/driver
fi
out=$WORK/$kind
mkdir -p "$out" "$BIN"
ENTER_ARGS+=(--bind "$out" /kernel/module)

args=(-j"$(nproc)" -C "$tree" M="$source" MO=/kernel/module "${compiler[@]}" KRUSTFLAGS=-Dwarnings
	KCFLAGS="-Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare")
[ -n "${V:-}" ] || args+=(-s)
[ "$kind" != check ] || args+=(CLIPPY=1)
enter make "${args[@]}" modules
case $kind in
module) cp "$out/pindma.ko" "$BIN/pindma.ko" ;;
kdir) say "built against $tree: $out/pindma.ko" ;;
esac
