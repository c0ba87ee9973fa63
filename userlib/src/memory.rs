// SPDX-License-Identifier: MIT OR GPL-2.0
//! What can be moved into a queue.

use std::ops::{Deref, DerefMut};

use crate::ffi::segments::Describe;
use crate::{Block, Buffer, Region};

/// Memory that can be moved into a [`Queue`](crate::Queue): a
/// [`Buffer`], a [`Region`] or a part of one, a
/// [`Block`] of a pool.
///
/// A `Vec` of them is one request with several segments; [`AnyMemory`] is for queues
/// of more than one kind.  A pair of memory and
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

/// Memory of any kind, for a [`Queue`](crate::Queue) of requests that are not all
/// alike; in a `Vec`, also for one request with several kinds.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, AnyMemory, Buffer, Queue, Transfer};
///
/// let queue: Queue<AnyMemory> = device.queue(8)?;
/// let region = device.register(Buffer::zeroed(4096)?, Access::BOTH)?;
/// queue.submit(Transfer::to_device(), region.into())?;
/// queue.submit(Transfer::to_device(), Buffer::zeroed(100)?.into())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub enum AnyMemory {
    /// Pinned for the request.
    Buffer(Buffer),
    /// Registered before.
    Region(Region),
    /// Of a pool.
    Block(Block),
}

/// # Panics
///
/// If it is lost, see [`Region`] and [`Block`].
impl Deref for AnyMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Buffer(buffer) => buffer,
            Self::Region(region) => region,
            Self::Block(block) => block,
        }
    }
}

/// # Panics
///
/// If it is lost, see [`Region`] and [`Block`].
impl DerefMut for AnyMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Buffer(buffer) => buffer,
            Self::Region(region) => region,
            Self::Block(block) => block,
        }
    }
}

impl From<Buffer> for AnyMemory {
    fn from(buffer: Buffer) -> Self {
        Self::Buffer(buffer)
    }
}

impl From<Region> for AnyMemory {
    fn from(region: Region) -> Self {
        Self::Region(region)
    }
}

impl From<Block> for AnyMemory {
    fn from(block: Block) -> Self {
        Self::Block(block)
    }
}
