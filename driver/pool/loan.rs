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
        let index = usize::try_from(offset / pool.stride()).map_err(|_| ERANGE)?;
        pool.state.lock().buffers.lend(index)?;
        Ok(Self {
            pool: pool.clone(),
            index,
        })
    }

    /// Whether byte `offset` of the pool lies in it.
    pub(crate) fn has(&self, offset: u64) -> bool {
        offset / self.pool.stride() == self.index as u64
    }

    /// What the device may do with it.
    pub(crate) fn direction(&self) -> Direction {
        self.pool.direction
    }

    /// Bytes from `offset` of the pool, which lies in it, to its end.
    pub(crate) fn rest(&self, offset: u64) -> Option<u64> {
        self.has(offset)
            .then(|| self.pool.stride() - offset % self.pool.stride())
    }

    /// `len` bytes from `offset` of the pool on, which it has.
    pub(crate) fn piece(&self, offset: u64, len: u64) -> Piece {
        let memory = &self.pool.memory[self.index];
        let place = Place {
            handle: memory.handle(),
            offset: offset % self.pool.stride(),
            len,
        };
        Piece::Part(place, memory.bounced())
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.pool.state.lock().buffers.give_back(self.index);
        self.pool.changed.notify_all();
    }
}
