// SPDX-License-Identifier: GPL-2.0

//! Whose each buffer of a pool is.
//!
//! ```text
//! Owned -- enqueue --> Queued -- begin --> Active -- end --> Ready -- dequeue --> Owned
//! ```

use kernel::prelude::*;

use super::fifo::Fifo;
use crate::{
    base::slots::{
        Format,
        Handle, //
    },
    kapi::{
        abi::{
            self,
            pindma_pool_record, //
        },
        gfp, //
    }, //
};

/// Whose a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The application's.
    Owned,
    /// The device's, which has not begun with it.
    Queued,
    /// The device works on it.
    Active,
    /// It can be dequeued.
    Ready,
}

impl Stage {
    /// As the ABI has it.
    pub(super) fn to_abi(self) -> abi::pindma_pool_state {
        match self {
            Self::Owned => abi::PINDMA_POOL_OWNED,
            Self::Queued => abi::PINDMA_POOL_QUEUED,
            Self::Active => abi::PINDMA_POOL_ACTIVE,
            Self::Ready => abi::PINDMA_POOL_READY,
        }
    }
}

struct Buffer {
    stage: Stage,
    /// Changes when it is enqueued: the handle that the application has is stale from then on.
    generation: u32,
    /// Transfers that use it, while it is the application's.
    users: u32,
    /// What was asked of the device, and then what came of it.
    record: pindma_pool_record,
}

/// The buffers of a pool.
pub(super) struct Buffers {
    buffers: KVVec<Buffer>,
    format: Format,
    queued: Fifo,
    active: usize,
    ready: Fifo,
    /// Uses by transfers, of all buffers.
    loans: usize,
}

impl Buffers {
    /// `count` buffers, all of them the application's.
    pub(super) fn new(count: usize) -> Result<Self> {
        let mut buffers = KVVec::with_capacity(count, gfp::for_user())?;
        for _ in 0..count {
            let buffer = Buffer {
                stage: Stage::Owned,
                generation: 1,
                users: 0,
                record: pindma_pool_record::default(),
            };
            buffers.push(buffer, gfp::for_user())?;
        }
        Ok(Self {
            buffers,
            format: Format::of(count),
            queued: Fifo::new(count)?,
            active: 0,
            ready: Fifo::new(count)?,
            loans: 0,
        })
    }

    /// Leaves the first `count`, none of which was enqueued yet.
    pub(super) fn truncate(&mut self, count: usize) {
        self.buffers.truncate(count);
    }

    /// The handle of a buffer, if it is the application's.
    fn handle(&self, index: usize) -> Option<Handle> {
        let buffer = self.buffers.get(index)?;
        let owned = buffer.stage == Stage::Owned;
        owned.then(|| self.format.handle(index, buffer.generation))
    }

    /// How many the device has: those that wait for it, and those on which it works.
    pub(super) fn with_device(&self) -> usize {
        self.queued.len() + self.active
    }

    /// How many can be dequeued.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whose a buffer is, and its handle if it is the application's.
    pub(super) fn look(&self, index: usize) -> Option<(Stage, Option<Handle>)> {
        let stage = self.buffers.get(index)?.stage;
        Some((stage, self.handle(index)))
    }

    /// How many are in a stage.
    pub(super) fn count(&self, stage: Stage) -> usize {
        let there = |buffer: &&Buffer| buffer.stage == stage;
        self.buffers.iter().filter(there).count()
    }

    /// Gives a buffer to the device, which is to move `bytes` of it; 0: all.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the handle is stale, `EBUSY` if a transfer uses the buffer.
    pub(super) fn enqueue(&mut self, handle: Handle, bytes: u64) -> Result {
        let index = self.format.index(handle).ok_or(ENOENT)?;
        if self.handle(index) != Some(handle) {
            return Err(ENOENT);
        }
        if self.buffers[index].users > 0 {
            return Err(EBUSY);
        }
        self.give(index, bytes);
        Ok(())
    }

    /// Gives all to the device that are the application's and not in use; returns how many.
    pub(super) fn enqueue_owned(&mut self) -> u32 {
        let mut given = 0;
        for index in 0..self.buffers.len() {
            let buffer = &self.buffers[index];
            if buffer.stage == Stage::Owned && buffer.users == 0 {
                self.give(index, 0);
                given += 1;
            }
        }
        given
    }

    fn give(&mut self, index: usize, bytes: u64) {
        let buffer = &mut self.buffers[index];
        buffer.stage = Stage::Queued;
        buffer.generation = buffer.generation.wrapping_add(1);
        buffer.record = pindma_pool_record {
            bytes,
            ..pindma_pool_record::default()
        };
        self.queued.push_back(index);
    }

    /// Takes the first that waits for the device, which begins with it now; and the bytes that it
    /// is to move.
    pub(super) fn begin(&mut self) -> Option<(usize, u64)> {
        let index = self.queued.pop_front()?;
        let buffer = &mut self.buffers[index];
        buffer.stage = Stage::Active;
        self.active += 1;
        Some((index, buffer.record.bytes))
    }

    /// The device is done with a buffer, as `record` says.
    pub(super) fn end(&mut self, index: usize, record: pindma_pool_record) {
        let buffer = &mut self.buffers[index];
        if buffer.stage == Stage::Active {
            self.active -= 1;
        }
        buffer.stage = Stage::Ready;
        buffer.record = record;
        self.ready.push_back(index);
    }

    /// The device will not begin with those that wait for it, as `record` says.
    pub(super) fn end_queued(&mut self, record: pindma_pool_record) {
        while let Some(index) = self.queued.pop_front() {
            self.end(index, record);
        }
    }

    /// Gives the first that is ready back to the application.
    pub(super) fn dequeue(&mut self) -> Option<pindma_pool_record> {
        let index = self.ready.pop_front()?;
        let buffer = &mut self.buffers[index];
        buffer.stage = Stage::Owned;
        let record = buffer.record;
        Some(pindma_pool_record {
            buffer: self.handle(index)?.to_abi(),
            index: index as u32,
            ..record
        })
    }

    /// The application was not told of what it was given: it is the first to be dequeued again. But
    /// not if somebody has found out and uses it.
    pub(super) fn undo_dequeue(&mut self, record: &pindma_pool_record) {
        let (handle, index) = (Handle::from_abi(record.buffer), record.index as usize);
        let untouched = self.handle(index) == Some(handle);
        let buffer = &mut self.buffers[index];
        if untouched && buffer.users == 0 {
            buffer.stage = Stage::Ready;
            self.ready.push_front(index);
        }
    }

    /// Gives all that are ready to the application: nobody is there any more to dequeue them.
    pub(super) fn reclaim(&mut self) {
        while self.dequeue().is_some() {}
    }

    /// Says that a transfer uses a buffer.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it is not the application's.
    pub(super) fn lend(&mut self, index: usize) -> Result {
        let buffer = self.buffers.get_mut(index).ok_or(ERANGE)?;
        if buffer.stage != Stage::Owned {
            return Err(EBUSY);
        }
        buffer.users = buffer.users.checked_add(1).ok_or(EBUSY)?;
        self.loans += 1;
        Ok(())
    }

    /// The transfer is done with it.
    pub(super) fn give_back(&mut self, index: usize) {
        if let Some(buffer) = self.buffers.get_mut(index) {
            buffer.users = buffer.users.saturating_sub(1);
            self.loans -= 1;
        }
    }

    /// How often transfers use one.
    pub(super) fn loans(&self) -> usize {
        self.loans
    }
}

#[kunit_tests(pindma_pool_buffers)]
mod tests {
    use super::*;

    fn handle(buffers: &Buffers, index: usize) -> Result<Handle> {
        buffers.look(index).and_then(|look| look.1).ok_or(ENOENT)
    }

    fn record(bytes: u64) -> pindma_pool_record {
        pindma_pool_record {
            bytes,
            ..pindma_pool_record::default()
        }
    }

    #[test]
    fn a_buffer_goes_round_and_gets_a_new_handle() -> Result {
        let mut buffers = Buffers::new(2)?;
        let first = handle(&buffers, 0)?;
        buffers.enqueue(first, 7)?;
        assert_eq!(buffers.look(0), Some((Stage::Queued, None)));
        assert_eq!(buffers.begin(), Some((0, 7)));
        assert_eq!(buffers.look(0), Some((Stage::Active, None)));
        buffers.end(0, record(7));
        assert_eq!(buffers.look(0), Some((Stage::Ready, None)));
        let got = buffers.dequeue().ok_or(ENOENT)?;
        assert_eq!((got.index, got.bytes), (0, 7));
        assert!(Handle::from_abi(got.buffer) != first);
        assert_eq!(handle(&buffers, 0)?.to_abi(), got.buffer);
        assert_eq!(buffers.enqueue(first, 0), Err(ENOENT));
        buffers.enqueue(Handle::from_abi(got.buffer), 0)
    }

    #[test]
    fn only_the_application_gives_what_is_its_own() -> Result {
        let mut buffers = Buffers::new(1)?;
        let only = handle(&buffers, 0)?;
        assert_eq!(buffers.enqueue(Handle::from_abi(0), 0), Err(ENOENT));
        assert_eq!(buffers.enqueue(Format::of(1).handle(1, 1), 0), Err(ENOENT));
        buffers.lend(0)?;
        assert_eq!(buffers.enqueue(only, 0), Err(EBUSY));
        assert_eq!(buffers.enqueue_owned(), 0);
        buffers.give_back(0);
        buffers.enqueue(only, 0)?;
        assert_eq!(buffers.enqueue(only, 0), Err(ENOENT));
        assert_eq!(buffers.lend(0), Err(EBUSY));
        assert_eq!(buffers.lend(1), Err(ERANGE));
        Ok(())
    }

    #[test]
    fn they_come_back_in_order() -> Result {
        let mut buffers = Buffers::new(3)?;
        assert_eq!(buffers.enqueue_owned(), 3);
        assert_eq!(buffers.begin(), Some((0, 0)));
        buffers.end(0, record(1));
        buffers.end_queued(record(0));
        assert_eq!((buffers.with_device(), buffers.ready()), (0, 3));
        for index in 0..3 {
            assert_eq!(buffers.dequeue().map(|record| record.index), Some(index));
        }
        assert!(buffers.dequeue().is_none());
        Ok(())
    }

    #[test]
    fn what_was_not_told_is_first_again() -> Result {
        let mut buffers = Buffers::new(2)?;
        buffers.enqueue_owned();
        buffers.end_queued(record(0));
        let first = buffers.dequeue().ok_or(ENOENT)?;
        buffers.undo_dequeue(&first);
        assert_eq!(buffers.dequeue().map(|record| record.index), Some(0));
        buffers.enqueue(Handle::from_abi(first.buffer), 0)?;
        // Too late: it is with the device.
        buffers.undo_dequeue(&first);
        assert_eq!(buffers.look(0), Some((Stage::Queued, None)));
        assert_eq!(buffers.ready(), 1);
        Ok(())
    }
}
