// SPDX-License-Identifier: MIT OR GPL-2.0
//! So is one that was cut into parts.

use pindma::Region;

fn misuse(mut region: Region) {
    let (mut head, _) = region.split_at(10);
    head[0] = 1;
    region[0] = 2;
}

fn main() {}
