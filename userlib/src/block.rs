// SPDX-License-Identifier: MIT OR GPL-2.0
//! Buffers of a pool that are the program's.

use std::fmt;
use std::ops::{Deref, DerefMut, RangeBounds};

use crate::error::{decode, Operation};
use crate::ffi::claim::Claim;
use crate::{Done, Refused, Request, Result};

/// A buffer of a [`Pool`](crate::Pool) that is the program's now, and nobody
/// else's: it lends its bytes.
///
/// [`Pool::enqueue`](crate::Pool::enqueue) takes it and gives the buffer to the
/// device.  Dropping it leaves the buffer with the program, to be
/// [taken](crate::Pool::take) again.
///
/// It keeps the pool's memory alive, so it can go to another thread or task, and
/// be looked at after the [`Pool`](crate::Pool) has been dropped.
///
/// Looking at a block that [is lost](Self::is_lost) panics.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// let pool = device.pool(4096, 2, pindma::Access::BOTH)?;
/// if let Some(mut block) = pool.take(0)? {
///     block[..4].copy_from_slice(b"head");
///     block.send(..4, 0)?;
///     block.receive(4..8, 0)?;
///     assert_eq!(&block[4..8], b"head");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Block {
    claim: Claim,
}

impl Block {
    pub(crate) fn new(claim: Claim) -> Self {
        Self { claim }
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(crate) fn claim_mut(&mut self) -> &mut Claim {
        &mut self.claim
    }

    pub(crate) fn into_claim(self) -> Claim {
        self.claim
    }

    /// Gives the buffer to the device, which is to move its first `bytes`; 0: all.
    pub(crate) fn enqueue(self, bytes: u64) -> std::result::Result<(), Refused<Self>> {
        self.claim.enqueue(bytes).map_err(|(errno, claim)| {
            let error = decode::with_errno(Operation::Enqueue, errno);
            Refused::new(error, Self { claim })
        })
    }

    /// Whether it can go back to a device that works on the pool.
    pub(crate) fn is_wanted(&self) -> bool {
        self.claim.stock().is_running() && self.claim.may_enqueue().is_ok()
    }

    /// Its index in the pool.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.claim.index()
    }

    /// Bytes that it has, also if it [is lost](Self::is_lost).
    #[must_use]
    pub fn len(&self) -> usize {
        self.claim.len()
    }

    /// Whether it has no bytes: never, as no buffer of a pool is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the device did not stop and may write to it at any later time,
    /// so that nobody may look at it any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.claim.is_lost()
    }

    /// Has the device read `range` into its memory, from byte `at` on, over
    /// channel 0 and without a deadline; see [`Request::send_from`].
    ///
    /// # Errors
    ///
    /// See [`Request::send_from`].
    pub fn send(&self, range: impl RangeBounds<usize>, at: u64) -> Result<Done> {
        let node = self.claim.node();
        Request::new(&node).dev_addr(at).send_from(self, range)
    }

    /// Has the device write `range` from its memory, from byte `at` on, over
    /// channel 0 and without a deadline; see [`Request::receive_into`].
    ///
    /// # Errors
    ///
    /// See [`Request::receive_into`].
    pub fn receive(&mut self, range: impl RangeBounds<usize>, at: u64) -> Result<Done> {
        let node = self.claim.node();
        Request::new(&node).dev_addr(at).receive_into(self, range)
    }
}

/// # Panics
///
/// If the block [is lost](Block::is_lost).
impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.claim.bytes()
    }
}

/// # Panics
///
/// If the block [is lost](Block::is_lost).
impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.claim.bytes_mut()
    }
}

/// Says which one it is, not what is in it.
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("index", &self.index())
            .field("lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}
