#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every source file says its licence on line 1 (a script on line 2, after #!).
. "${BASH_SOURCE[0]%/*}/../lib.sh"

cd "$REPO" || exit
status=0
for file in "$@"; do
	case $file in
	*.rs | *.c | *.h | *.sh | *.toml | *.golden | *.fio | */Kbuild | Makefile | .ci/run | *.lock | *.allow) ;;
	*) continue ;;
	esac
	# cargo writes this one itself.
	[ "$file" != Cargo.lock ] || continue
	line=$(head -n 1 "$file")
	[[ $line != '#!'* ]] || line=$(sed -n 2p "$file")
	if [[ $line != *SPDX-License-Identifier:* ]]; then
		say "$file: no SPDX line at its top"
		status=1
	fi
done
exit "$status"
