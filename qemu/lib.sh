# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every script here: where things are, how the build root is
# entered, how messages look.

set -euo pipefail

here=${BASH_SOURCE[0]%/*}
REPO=$(cd "$here/.." && pwd -P)
CACHE=${PINDMA_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or PINDMA_CACHE}/.cache}/pindma}
mkdir -p "$CACHE" || { echo "pindma: cannot create the cache $CACHE; set PINDMA_CACHE" >&2; exit 1; }
CACHE=$(cd "$CACHE" && pwd -P)
case $CACHE in
*[[:space:]:\'\"]*) echo "pindma: the path of the cache, $CACHE, has a character that Kbuild or mmdebstrap cannot take; set PINDMA_CACHE" >&2; exit 1 ;;
esac
LOCK=$REPO/qemu/versions.lock

say() { printf '%s\n' "$*"; }
warn() { printf 'pindma: %s\n' "$*" >&2; }
die() { warn "$*"; exit 1; }

# The value of one line of versions.lock.
pin() {
	sed -n "s/^$1=//p" "$LOCK" | grep . || die "versions.lock has no line for $1"
}

# Twelve hex digits that stand for all that the arguments' content is made of.
key_of() {
	cat -- "$@" | sha256sum | cut -c1-12
}

# Keys: what each cached directory was made of, so that a change makes a new
# one and two checkouts with different scripts do not spoil each other's.
root_key() {
	grep -vE '^(kernel_|clang|fio)' "$LOCK" | key_of - "$REPO/qemu/steps/root.sh" "$REPO/qemu/steps/root-hook.sh"
}
kernel_key() {
	grep -E '^(kernel_|suite|backports)' "$LOCK" | key_of - "$REPO/qemu/steps/packages.sh" "$REPO/qemu/steps/source.sh"
}
prepared_key() {
	{ root_key; kernel_key; } | key_of - "$REPO/qemu/steps/prepare.sh"
}
debug_key() {
	{ root_key; kernel_key; clang_key; } | key_of - "$REPO/qemu/debug/kernel.config" "$REPO/qemu/steps/debug.sh"
}
clang_key() {
	grep '^clang' "$LOCK" | key_of - "$REPO/qemu/steps/clang.sh"
}
fio_key() {
	grep '^fio' "$LOCK" | key_of - "$REPO/qemu/steps/fio.sh"
}
# Each checkout has its own outputs; what is slow to build is shared.
work_key() {
	printf '%s' "$REPO" | sha256sum | cut -c1-12
}

ROOT=$CACHE/root-$(root_key)
KERNEL=$CACHE/kernel-$(kernel_key)
PREPARED=$CACHE/prepared-$(prepared_key)
DEBUG=$CACHE/debug-$(debug_key)
# Says that clang is in the root.
# shellcheck disable=SC2034 # read by the scripts that source this
CLANG_MARK=$ROOT/var/lib/pindma-clang-$(clang_key)
# A program, where the others are directories.
# shellcheck disable=SC2034 # read by the scripts that source this
FIO=$CACHE/fio-$(fio_key)
WORK=$CACHE/work-$(work_key)
# shellcheck disable=SC2034 # read by the scripts that source this
BIN=$WORK/bin LOGS=$WORK/logs

# The stock kernel that was unpacked: its release, as uname -r says it.
kernel_release() {
	cat "$KERNEL/release"
}

# Whether this is the superuser; the host's package manager is used only then.
is_root() { [ "$(id -u)" = 0 ]; }

# Waits for whoever else is working on the same part of the cache, then holds
# it until the calling script ends.
hold() {
	exec 9>"$CACHE/$1.lock"
	flock -n 9 || { say "waiting for another pindma build in $CACHE ..."; flock 9; }
	[ "$1" != build ] || claim_target
}

# Cargo takes the packages of two checkouts for the same and then only looks at
# the files' times, so that one would be given what was built from the other.
claim_target() {
	local owner=$CACHE/target/.checkout
	[ "$(cat "$owner" 2>/dev/null)" != "$REPO" ] || return 0
	rm -rf "$CACHE"/target/{,*/,*/*/}{debug,release}/.fingerprint/pindma*
	mkdir -p "$CACHE/target"
	printf '%s\n' "$REPO" >"$owner"
}

# Runs a command in the build root. The root is read-only but for its var (apt's
# lists); the checkout and the cache appear at their own paths, the kernel's
# source and prepared tree at fixed ones, so that the cache can be moved.
enter() {
	local args=(
		--ro-bind "$ROOT/usr" /usr --ro-bind "$ROOT/etc" /etc --bind "$ROOT/var" /var
		--symlink usr/bin /bin --symlink usr/sbin /sbin
		--symlink usr/lib /lib --symlink usr/lib64 /lib64
		--dev /dev --proc /proc --tmpfs /tmp --tmpfs /run
		--unshare-pid --die-with-parent
		# A proxy with its own CA is found where the host keeps it.
		--ro-bind-try /etc/resolv.conf /etc/resolv.conf
		--ro-bind-try /etc/ssl/certs /etc/ssl/certs
		--bind "$CACHE" "$CACHE" --bind "$REPO" "$REPO" --chdir "$PWD"
		--setenv HOME /tmp --setenv LC_ALL C.UTF-8 --setenv PATH /usr/sbin:/usr/bin
		--setenv CARGO_TERM_COLOR never --setenv CARGO_HOME "$CACHE/cargo" --setenv CARGO_TARGET_DIR "$CACHE/target"
	)
	local name
	for name in MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES RUSTC RUSTFLAGS RUSTDOCFLAGS RUSTC_WRAPPER \
		CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET \
		RUSTUP_HOME RUSTUP_TOOLCHAIN CC CFLAGS LDFLAGS HOSTCC ARCH LLVM CROSS_COMPILE KRUSTFLAGS KCFLAGS KDIR TMPDIR; do
		args+=(--unsetenv "$name")
	done
	[ ! -d "$KERNEL/src" ] || args+=(--ro-bind "$KERNEL/src" /kernel/src)
	[ ! -d "$PREPARED" ] || args+=(--ro-bind "$PREPARED" /kernel/out)
	[ ! -d "$DEBUG" ] || args+=(--ro-bind "$DEBUG" /kernel/debug)
	bwrap "${args[@]}" "${ENTER_ARGS[@]}" -- "$@"
}
# More bwrap arguments for the next enter.
# shellcheck disable=SC2034 # set by the scripts that source this
ENTER_ARGS=()

# Times a download, so that it can be told apart from the machine's own work.
download() {
	local begin=$EPOCHREALTIME status=0
	"$@" || status=$?
	add_download "$(elapsed_ms "$begin")"
	return "$status"
}
add_download() {
	[ -z "${DOWNLOAD_TALLY:-}" ] || printf '%s\n' "$1" >>"$DOWNLOAD_TALLY"
}
# Milliseconds since an earlier value of EPOCHREALTIME.
elapsed_ms() {
	local now=${EPOCHREALTIME//[!0-9]/} then=${1//[!0-9]/}
	echo $(((now - then) / 1000))
}
