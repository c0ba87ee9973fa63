#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Two checkouts share a cache, and so cargo's target: each is given what was
# built from itself, whichever was built last and however old its files are.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

area=$WORK/two-checkouts
rm -rf --one-file-system "$area"

# A checkout of a program that says which one it is.
make_checkout() {
	mkdir -p "$area/$1/src"
	printf '[package]\nname = "pindma-says"\nversion = "0.1.0"\nedition = "2021"\n' >"$area/$1/Cargo.toml"
	printf 'fn main() {\n    println!("%s");\n}\n' "$1" >"$area/$1/src/main.rs"
	find "$area/$1" -exec touch -d @1000000000 {} +
}

# What the program of a checkout says when it is built as ours are.
said_by() (
	CACHE=$area REPO=$area/$1
	mkdir -p "$CACHE/cargo"
	cd "$REPO" || exit
	claim_target
	enter cargo run --quiet --offline
)

make_checkout one
make_checkout other
for name in one other one; do
	said=$(said_by "$name")
	[ "$said" = "$name" ] || die "the checkout '$name' was given the program of '$said'"
done
rm -rf --one-file-system "$area"
