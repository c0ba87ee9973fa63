#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Stands for rustc where one small change after the other is built (QUICK=1
# module.sh): compiles again only the units that a change touches. rustc then has
# an object for each unit, and puts them only into an archive; Kbuild wants one.
set -euo pipefail

args=() object=''
for arg in "$@"; do
	case $arg in
	--emit=obj=*)
		object=${arg#--emit=obj=}
		arg=--emit=link=$object.rlib
		;;
	esac
	args+=("$arg")
done
if [ -z "$object" ]; then
	exec rustc "${args[@]}"
fi
# The last of each option counts, and Kbuild asks for one unit.
rustc "${args[@]}" -Cincremental=units -Ccodegen-units=256 -Cdebuginfo=0
ar d "$object.rlib" lib.rmeta
ld -r -o "$object" --whole-archive "$object.rlib"
