// SPDX-License-Identifier: MIT OR GPL-2.0
//! The bytes of a block are lent mutably once at a time.

use pindma::Block;

fn misuse(block: &mut Block) {
    let one = &mut block[..10];
    let other = &mut block[5..];
    one.swap_with_slice(other);
}

fn main() {}
