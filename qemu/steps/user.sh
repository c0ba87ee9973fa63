#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds what runs in userspace: the crate, the command line tool, the
# selftests, the VM runner and the model of the card with cargo, roundtrip.c with gcc; all static.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

target=x86_64-unknown-linux-gnu
mkdir -p "$BIN"
cd "$REPO" || exit
rust_flags="-C target-feature=+crt-static"
download "$REPO/qemu/cargo.sh" fetch
# Tests and lint of another checkout use the target as well.
hold build
ENTER_ARGS=(--setenv RUSTFLAGS "$rust_flags")
enter cargo build --quiet --locked --offline --release --target "$target" --workspace --bins
# The crate's examples are cases of the selftests.
enter cargo build --quiet --locked --offline --release --target "$target" -p pindma --features tokio --examples
# Copied while the lock is held: another checkout shares the target.
for name in pindma selftests rig xdma; do
	cp "$CACHE/target/$target/release/$name" "$BIN/$name.part"
	mv -T "$BIN/$name.part" "$BIN/$name"
done
mkdir -p "$BIN/examples"
for source in userlib/examples/*.rs; do
	name=$(basename "$source" .rs)
	cp "$CACHE/target/$target/release/examples/$name" "$BIN/examples/$name"
done
enter gcc -static -O2 -Wall -Wextra -Werror -I "$REPO/uapi" -o "$BIN/roundtrip" "$REPO/selftests/roundtrip.c"
