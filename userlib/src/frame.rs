// SPDX-License-Identifier: MIT OR GPL-2.0
//! Buffers that come back from the device.

use std::time::Duration;

use crate::error::{decode, Error, Operation};
use crate::ffi::claim::Claim;
use crate::{sys, Block, Result};

/// A buffer of a pool that has come back from the device.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Deadline, Start};
///
/// let pool = device.pool(4096, 4, Access::WRITE)?;
/// pool.enqueue_all()?;
/// pool.start(Start::from_device())?;
/// while let Some(frame) = pool.dequeue(Deadline::NONE)? {
///     println!("frame {}: {} bytes", frame.sequence, frame.data().len());
///     pool.enqueue(frame.finish()?)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a frame has a buffer of the pool"]
#[non_exhaustive]
pub struct Frame {
    /// The buffer, which is the program's now.
    pub block: Block,
    /// Whether it was done; else
    /// [`Cancelled`](crate::ErrorKind::Cancelled) (the pool was stopped before),
    /// [`DeviceError`](crate::ErrorKind::DeviceError),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone) or
    /// [`NotRecoverable`](crate::ErrorKind::NotRecoverable), and then the block
    /// [is lost](Block::is_lost).
    pub result: Result<()>,
    /// Bytes that the device has moved: the first ones of the block.
    pub bytes: usize,
    /// Its number since the start, lost frames counted as well.
    pub sequence: u64,
    /// Frames lost just before this one, since no buffer was enqueued.
    pub overruns: u64,
    /// When it ended, by `CLOCK_MONOTONIC`.
    pub time: Duration,
    /// Whether anything went through a bounce buffer.
    pub bounced: bool,
}

impl Frame {
    pub(crate) fn new(claim: Claim, record: &sys::pindma_pool_record) -> Self {
        let bytes = usize::try_from(record.bytes).unwrap_or(usize::MAX);
        Self {
            bytes: bytes.min(claim.len()),
            block: Block::new(claim),
            result: match record.status {
                0 => Ok(()),
                _ => Err(failure(record)),
            },
            sequence: record.seq,
            overruns: record.overruns,
            time: Duration::from_nanos(record.time_ns.unsigned_abs()),
            bounced: record.flags & sys::PINDMA_OUT_BOUNCED != 0,
        }
    }

    /// What the device has moved.
    ///
    /// # Panics
    ///
    /// If the block [is lost](Block::is_lost).
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.block[..self.bytes]
    }

    /// The block, if all is well.
    ///
    /// # Errors
    ///
    /// That of the frame; its buffer stays with the program.
    pub fn finish(self) -> Result<Block> {
        self.result.map(|()| self.block)
    }
}

fn failure(record: &sys::pindma_pool_record) -> Error {
    let result = sys::pindma_result {
        flags: record.flags,
        bytes: record.bytes,
        ..Default::default()
    };
    let errno = record.status.saturating_neg();
    decode::with_result(Operation::Frame, errno, &result)
}
