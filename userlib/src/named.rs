// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that a transfer names by its handle.

use std::ops::{Bound, Range, RangeBounds};

use crate::ffi::named::Named;

/// Memory that is registered with a device, so that a transfer only has to name
/// it: a [`Region`](crate::Region) or a [`Block`](crate::Block) of a pool.
///
/// Nobody else can implement it.
pub trait Registered: Named {}

impl<R: Named> Registered for R {}

/// The range in numbers; whether it is inside is for others to say.
pub(crate) fn resolve(range: &impl RangeBounds<usize>, len: usize) -> Range<usize> {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => len,
    };
    start..end
}
