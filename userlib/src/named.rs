// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that a transfer names by its handle.

use std::ops::{Bound, Range, RangeBounds};

use crate::ffi::named::Named;

/// Memory that is registered with a device, so that a transfer only has to name
/// it: a [`Region`](crate::Region) or a [`Block`](crate::Block) of a pool.
///
/// Nobody else can implement it.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Buffer, Registered};
///
/// fn send_header(device: &pindma::Device, memory: &impl Registered) -> pindma::Result<()> {
///     device.request().channel(1).send_from(memory, ..64).map(drop)
/// }
/// let region = device.register(Buffer::zeroed(4096)?, Access::READ)?;
/// send_header(&device, &region)?;
/// # Ok(())
/// # }
/// ```
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
