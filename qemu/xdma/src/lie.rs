// SPDX-License-Identifier: MIT OR GPL-2.0

//! Wrong numbers of descriptors that are done.

use crate::adversary::Strike;

/// Beyond any ring of 1023 descriptors.
const FAR: u32 = 5000;

/// A wrong number in place of the right one, of the kind that the amount names.
pub(crate) fn lie(right: u32, mut strike: Strike) -> u32 {
    let kind = match strike.amount {
        kind @ 1..=5 => kind,
        _ => strike.random.u64(1..=5),
    };
    let little = strike.random.u32(1..8);
    match kind {
        1 => right.wrapping_sub(1),
        2 => right.wrapping_add(little),
        3 => right.wrapping_add(FAR + little),
        4 => right / 2,
        _ => strike.random.u32(..),
    }
}
