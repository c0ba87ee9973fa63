#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh: every check, all of them even if one fails. lint.sh fmt and lint.sh
# bindings put right what can be put right by itself.
. "${BASH_SOURCE[0]%/*}/lib.sh"

cd "$REPO" || exit
# What belongs to the project: files that git has or would add.
mapfile -t files < <(git -c safe.directory="$REPO" ls-files --cached --others --exclude-standard | sort)

# Prints the files whose name ends in one of the arguments.
named() {
	local file suffix
	for file in "${files[@]}"; do
		for suffix in "$@"; do
			[[ ! -e $file || $file != *"$suffix" ]] || echo "$file"
		done
	done
}
mapfile -t scripts < <(named .sh .ci/run)
mapfile -t driver < <(named .rs | grep '^driver/')

# The driver in the kernel's style, the rest in ours.
rustfmt_all() {
	[ ${#driver[@]} = 0 ] || enter rustfmt --config-path /kernel/src/.rustfmt.toml --edition 2021 "$@" "${driver[@]}"
	enter cargo fmt --all -- "$@"
}
check_rustfmt() {
	# The names of the files are enough: `make fmt` does the rest.
	rustfmt_all --check -l
}
check_kernel_clippy() {
	# Each time from the start: a warning is not repeated for what is built.
	rm -rf "$WORK/check"
	"$REPO/qemu/steps/module.sh" check
}
check_clippy() {
	"$REPO/qemu/cargo.sh" clippy --quiet --workspace --all-targets --all-features -- -D warnings
}
check_docs() {
	ENTER_ARGS=(--setenv RUSTDOCFLAGS "-D warnings")
	enter cargo doc --quiet --locked --offline --workspace --all-features --no-deps --document-private-items
	ENTER_ARGS=()
}
check_c() {
	local file
	for file in $(named .c .h | grep -v '^driver/'); do
		enter gcc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -x c -I uapi "$file"
	done
}
check_shellcheck() {
	enter shellcheck -x "${scripts[@]}"
}
check_bindings() {
	enter sh userlib/sys/bindings.sh --check
}
check_unsafe() {
	"$REPO/qemu/lint/unsafe.sh" "${files[@]}"
}
check_floors() {
	"$REPO/qemu/lint/floors.sh" "${files[@]}"
}
check_host() {
	"$REPO/qemu/lint/host.sh"
}
check_spdx() {
	"$REPO/qemu/lint/spdx.sh" "${files[@]}"
}

failed=()
# Runs one check; a failure is noted and shown, and the others run all the same.
run_check() {
	local log=$LOGS/lint-$1.log status=0 begin=$EPOCHREALTIME
	printf '%-14s ' "$1"
	# In a shell of its own, so that the first error ends it.
	"${BASH_SOURCE[0]}" --only "$1" >"$log" 2>&1 9>&- || status=$?
	if [ "$status" = 0 ]; then
		say "ok ($(($(elapsed_ms "$begin") / 1000)) s)"
		return
	fi
	say "FAILED"
	sed 's/^/    /' "$log"
	failed+=("$1")
}

main() {
	mkdir -p "$LOGS"
	hold build
	"$REPO/qemu/cargo.sh" fetch
	local name
	for name in spdx host unsafe floors shellcheck rustfmt bindings c clippy docs kernel_clippy; do
		run_check "$name"
	done
	[ ${#failed[@]} = 0 ] || die "lint failed: ${failed[*]}"
	say "lint passed"
}

case ${1:-} in
'') main ;;
--only) "check_$2" ;;
fmt) rustfmt_all ;;
bindings) enter sh userlib/sys/bindings.sh ;;
*) die "usage: lint.sh [fmt|bindings]" ;;
esac
