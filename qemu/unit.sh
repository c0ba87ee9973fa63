#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The tests that need no VM.
. "${BASH_SOURCE[0]%/*}/lib.sh"

say "unit tests"
hold build
cd "$REPO" || exit
log=$LOGS/unit.log
enter cargo test --quiet --locked --offline --workspace >"$log" 2>&1 9>&- || {
	cat "$log"
	die "unit tests failed"
}
"$REPO/qemu/unit/target.sh" >>"$log" 2>&1 9>&- || {
	tail "$log"
	die "two checkouts that share a cache get in each other's way"
}
grep -E '^test result' "$log" | awk '{ n += $4 } END { print n " unit tests passed" }'
