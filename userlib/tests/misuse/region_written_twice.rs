// SPDX-License-Identifier: MIT OR GPL-2.0
//! A region is written by one transfer at a time.

use pindma::Region;

fn misuse(region: &mut Region) {
    std::thread::scope(|scope| {
        scope.spawn(|| region.receive(..10, 0));
        scope.spawn(|| region.receive(5.., 0));
    });
}

fn main() {}
