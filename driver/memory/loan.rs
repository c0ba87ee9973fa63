// SPDX-License-Identifier: GPL-2.0

//! Buffers of a pool in transfers, which name them by the pool's handle.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::deadline::Deadline,
    card::{
        entry::Part,
        flight::Mapping, //
    },
    kapi::{
        abi::pindma_region_info,
        pins::Direction, //
    },
    memory::piece::Piece, //
};

/// Buffers of equal length, one after the other, which transfers may use one at a time.
pub(crate) trait Lender: Send + Sync {
    /// What the device may do with them.
    fn direction(&self) -> Direction;

    /// Bytes from one buffer to the next.
    fn stride(&self) -> u64;

    /// The mapping of buffer `index`, and whether that is bounced.
    fn mapping(&self, index: usize) -> Option<(Arc<Mapping>, bool)>;

    /// Begins to use buffer `index` on behalf of the calling process.
    ///
    /// # Errors
    ///
    /// `EPERM` if the process must not use the pool, `ERANGE` if there is no such buffer, `EBUSY`
    /// if it is not the application's.
    fn lend(&self, index: usize) -> Result;

    /// Ends a use of buffer `index`.
    fn give_back(&self, index: usize);

    /// How often transfers use a buffer of it.
    fn loans(&self) -> usize;

    /// Waits until no transfer uses a buffer of it.
    ///
    /// # Errors
    ///
    /// `EINTR`, `ETIMEDOUT`.
    fn wait_for_loans(&self, deadline: Deadline) -> Result;

    /// Fills in what it is, as if it were a region.
    fn describe(&self, info: &mut pindma_region_info);

    /// The file that it was made with is closed.
    fn leave_file(&self);
}

/// A use of a buffer by a transfer: it is the application's, and is not enqueued meanwhile.
pub(crate) struct Loan {
    lender: Arc<dyn Lender>,
    index: usize,
}

impl Loan {
    /// Begins to use the buffer at `offset` of a pool, on behalf of the calling process.
    ///
    /// # Errors
    ///
    /// As [`Lender::lend`].
    pub(crate) fn new(lender: &Arc<dyn Lender>, offset: u64) -> Result<Self> {
        let (index, _) = locate(&**lender, offset).ok_or(ERANGE)?;
        lender.lend(index)?;
        Ok(Self {
            lender: lender.clone(),
            index,
        })
    }

    /// Whether byte `offset` of the pool lies in it.
    pub(crate) fn has(&self, offset: u64) -> bool {
        self.within(offset).is_some()
    }

    /// How far into it byte `offset` of the pool is, if it lies in it.
    fn within(&self, offset: u64) -> Option<u64> {
        let (index, within) = locate(&*self.lender, offset)?;
        (index == self.index).then_some(within)
    }

    /// What the device may do with it.
    pub(crate) fn direction(&self) -> Direction {
        self.lender.direction()
    }

    /// Bytes from `offset` of the pool to its end, if that lies in it.
    pub(crate) fn rest(&self, offset: u64) -> Option<u64> {
        let within = self.within(offset)?;
        self.lender.stride().checked_sub(within)
    }

    /// `len` bytes from `offset` of the pool on, if that lies in it.
    pub(crate) fn piece(&self, offset: u64, len: u64) -> Option<Piece> {
        let (mapping, bounced) = self.lender.mapping(self.index)?;
        let part = Part {
            mapping,
            offset: self.within(offset)?,
            len,
        };
        Some(Piece::Part(part, bounced))
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.lender.give_back(self.index);
    }
}

/// Which buffer has byte `offset` of a pool, and how far into it that is.
fn locate(lender: &dyn Lender, offset: u64) -> Option<(usize, u64)> {
    let stride = lender.stride();
    let index = usize::try_from(offset.checked_div(stride)?).ok()?;
    Some((index, offset.checked_rem(stride)?))
}
