// SPDX-License-Identifier: MIT OR GPL-2.0
//! Nobody else says what a queue can own.

use pindma::Memory;

struct Mine(Vec<u8>);

impl Memory for Mine {}

fn main() {}
