// SPDX-License-Identifier: MIT OR GPL-2.0
//! Nor can the crate know what other processes do.

use pindma::{Region, RegionOptions};

fn misuse() -> RegionOptions {
    Region::options().shared(true)
}

fn main() {}
