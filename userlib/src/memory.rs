// SPDX-License-Identifier: MIT OR GPL-2.0
//! What can be moved into a queue.

use crate::ffi::segments::Describe;

/// Memory that can be moved into a [`Queue`](crate::Queue): a
/// [`Buffer`](crate::Buffer), a [`Region`](crate::Region) or a part of one, a
/// [`Block`](crate::Block) of a pool.
///
/// A `Vec` of them is one request with several segments.  A pair of memory and
/// anything else carries the latter along, untouched:
///
/// ```no_run
/// # use pindma::{Buffer, Deadline, Device, Transfer};
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = Device::open("/dev/pindma0")?;
/// let queue = device.queue(16)?;
/// queue.submit(Transfer::to_device(), (Buffer::zeroed(4096)?, "header"))?;
/// if let Some(completion) = queue.next(Deadline::NONE)? {
///     let (buffer, what) = completion.finish()?;
///     println!("{what}: {} bytes", buffer.len());
/// }
/// # Ok(())
/// # }
/// ```
///
/// Nobody else can implement it.
pub trait Memory: Describe {}

impl<M: Describe> Memory for M {}
