#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The tests that need no VM.
. "${BASH_SOURCE[0]%/*}/lib.sh"

say "unit tests"
hold build
cd "$REPO" || exit
log=$LOGS/unit.log
enter cargo test --quiet --locked --offline --workspace --all-features >"$log" 2>&1 9>&- || {
	cat "$log"
	die "unit tests failed"
}
"$REPO/qemu/unit/target.sh" >>"$log" 2>&1 9>&- || {
	tail "$log"
	die "two checkouts that share a cache get in each other's way"
}
grep -E '^test result' "$log" | awk '{ n += $4 } END { print n " unit tests passed" }'

# The crate's own once more with AddressSanitizer: its tests let a made-up device
# write to wherever it was told, so that memory that is freed or lent too early
# shows. The compiler is a stable one and has no run-time library for it; gcc's
# fits, and has to be the first library of the program.
say "the crate's tests with AddressSanitizer"
log=$LOGS/unit-asan.log
ENTER_ARGS=(--setenv RUSTC_BOOTSTRAP 1 --setenv CARGO_TARGET_DIR "$CACHE/target/asan"
	--setenv RUSTFLAGS "-Zsanitizer=address -Zexternal-clangrt -Zpre-link-args=-Wl,--no-as-needed -Zpre-link-args=-lasan"
	--setenv LSAN_OPTIONS "suppressions=$REPO/userlib/leaks.supp:print_suppressions=0")
enter cargo test --quiet --locked --offline --target x86_64-unknown-linux-gnu -p pindma --all-features --lib >"$log" 2>&1 9>&- || {
	cat "$log"
	die "the crate's tests failed with AddressSanitizer"
}
grep -E '^test result' "$log" | awk '{ n += $4 } END { print n " passed" }'
