#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The build root: a Debian with compilers, cargo and QEMU, in a directory.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

# From the suite, and from its backports; NAME or NAME=VERSION.
packages=(
	"rustc=$(pin rustc)" "rust-src=$(pin rustc)" "rustfmt=$(pin rustc)" "rust-clippy=$(pin rustc)"
	"bindgen=$(pin bindgen)" "gcc-14=$(pin gcc)"
	gcc make flex bison bc libelf-dev libssl-dev libc6-dev cargo libclang-19-dev
	pahole kmod cpio rsync perl python3 xz-utils zstd
	busybox-static e2fsprogs shellcheck ca-certificates
)
newer=("qemu-system-x86=$(pin qemu)")

tmp=$ROOT.part scratch=$ROOT.tmp
rm -rf --one-file-system "$tmp" "$scratch"
mkdir -p "$tmp"

# An ordinary user's mmdebstrap works under another user id, which has to reach
# its working copy, the hook and the notes; a home directory is often closed.
mode=root
if is_root; then
	mkdir -p "$scratch"
	export TMPDIR=$scratch
else
	mode=unshare
	export TMPDIR=${TMPDIR:-/var/tmp}
fi
notes=$(mktemp -d)
trap 'rm -rf --one-file-system "$notes" "$scratch"' EXIT
chmod 777 "$notes"
hook=$notes/root-hook.sh
cp "$REPO/qemu/steps/root-hook.sh" "$hook"
chmod 755 "$hook"

export PINDMA_PACKAGES="${packages[*]}" PINDMA_NEWER="${newer[*]}" PINDMA_NOTES=$notes
PINDMA_SUITE=$(pin suite)
PINDMA_BACKPORTS=$(pin backports)
export PINDMA_SUITE PINDMA_BACKPORTS

mirror=()
[ -z "${PINDMA_MIRROR:-}" ] || mirror=("$PINDMA_MIRROR")
# Unpacked from a tar file as the caller, every file belongs to the caller and
# can be deleted by the caller, in both modes.
mmdebstrap --mode="$mode" --variant=apt --format=tar \
	--aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io \
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
	--setup-hook="bash '$hook' setup \"\$1\"" \
	--extract-hook="bash '$hook' extract \"\$1\"" \
	--customize-hook="bash '$hook' install \"\$1\"" \
	"$PINDMA_SUITE" - "${mirror[@]}" |
	tar -C "$tmp" -x --no-same-owner --exclude='./dev/*'

while read -r ms; do add_download "$ms"; done <"$notes/download"
if [ -s "$notes/said" ]; then cat "$notes/said"; fi
# These are bound over from the host when the root is entered.
rm -f "$tmp/etc/resolv.conf"
touch "$tmp/etc/resolv.conf"
mkdir -p "$tmp/etc/ssl/certs"
mv -T "$tmp" "$ROOT"
