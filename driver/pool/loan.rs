// SPDX-License-Identifier: GPL-2.0

//! Buffers of a pool in transfers, which name them by the pool's handle.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::Pool;
use crate::{
    kapi::pins::Direction,
    piece::{
        Piece,
        Place, //
    }, //
};

/// A use of a buffer by a transfer: it is the application's, and is not enqueued meanwhile.
pub(crate) struct Loan {
    pool: Arc<Pool>,
    index: usize,
}

impl Loan {
    /// Begins to use the buffer at `offset` of `pool`, on behalf of the calling process.
    ///
    /// # Errors
    ///
    /// `EPERM` if the process must not use the pool, `ERANGE` if there is no such buffer, `EBUSY`
    /// if it is not the application's.
    pub(crate) fn new(pool: &Arc<Pool>, offset: u64) -> Result<Self> {
        pool.maker.admit()?;
        let (index, _) = pool.locate(offset).ok_or(ERANGE)?;
        pool.state.lock().buffers.lend(index)?;
        Ok(Self {
            pool: pool.clone(),
            index,
        })
    }

    /// Whether byte `offset` of the pool lies in it.
    pub(crate) fn has(&self, offset: u64) -> bool {
        self.within(offset).is_some()
    }

    /// How far into it byte `offset` of the pool is, if it lies in it.
    fn within(&self, offset: u64) -> Option<u64> {
        let (index, within) = self.pool.locate(offset)?;
        (index == self.index).then_some(within)
    }

    /// What the device may do with it.
    pub(crate) fn direction(&self) -> Direction {
        self.pool.direction
    }

    /// Bytes from `offset` of the pool to its end, if that lies in it.
    pub(crate) fn rest(&self, offset: u64) -> Option<u64> {
        let within = self.within(offset)?;
        self.pool.stride().checked_sub(within)
    }

    /// `len` bytes from `offset` of the pool on, if that lies in it.
    pub(crate) fn piece(&self, offset: u64, len: u64) -> Option<Piece> {
        let memory = self.pool.memory.get(self.index)?;
        let place = Place {
            handle: memory.handle(),
            offset: self.within(offset)?,
            len,
        };
        Some(Piece::Part(place, memory.bounced()))
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.pool.state.lock().buffers.give_back(self.index);
        self.pool.changed.notify_all();
    }
}
