// SPDX-License-Identifier: GPL-2.0

//! What a process does with pools: its frames are in order, and none is lost
//! that is not reported.

use super::chance::Chance;
use crate::abi;
use crate::check::{check, same, Fail, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::os;
use crate::pool::{ask, from_device, stream, Pool};
use crate::sys::Mapping;

/// Buffers of a pool.
const BUFFERS: u32 = 3;

/// A pool in use, and what its consumer has seen so far.
pub(super) struct Consumer {
    pool: Pool,
    memory: Mapping,
    next: u64,
}

impl Consumer {
    /// Makes a pool on which the device works.
    pub(super) fn new(device: &Device, chance: &mut Chance) -> Outcome<Consumer> {
        let pool = Pool::make(device, ask(BUFFERS, PAGE))?;
        let memory = pool.map()?;
        let len = 1 + chance.below(WINDOW);
        let how = *chance.one_of(&[from_device(len), stream(len)]);
        pool.start(how)?;
        pool.enqueue_all()?;
        let next = 0;
        Ok(Consumer { pool, memory, next })
    }

    /// Takes what there is, looks at it, and gives it back.
    pub(super) fn consume(&mut self, chance: &mut Chance) -> Outcome {
        let until = os::now() + chance.below(500) as i64 * 1_000_000;
        let (errno, records) = self.pool.try_dequeue(BUFFERS, 1, until);
        let expected = [0, libc::ETIMEDOUT, libc::EAGAIN, libc::EINTR];
        if !expected.contains(&errno) {
            return Err(Fail::new(format!("dequeue: errno {errno}")));
        }
        for record in records {
            same("status of a frame", record.status, 0)?;
            same("number of a frame", record.seq, self.next + record.overruns)?;
            self.next = record.seq + 1;
            // It is ours: whatever is in it can be looked at.
            self.memory.read(record.index as usize * PAGE, PAGE);
            self.pool.enqueue(record.buffer)?;
        }
        Ok(())
    }

    /// The file that it was made with is closed: what was ready can be taken and
    /// looked at, and nothing more comes.
    pub(super) fn outlive(&mut self, chance: &mut Chance) -> Outcome {
        self.memory
            .read(chance.below(BUFFERS as usize) * PAGE, PAGE);
        let (_, records) = self.pool.try_dequeue(BUFFERS, 0, 0);
        for record in records.iter().filter(|record| record.flags != 0) {
            same("number of a frame", record.seq, self.next + record.overruns)?;
            self.next = record.seq + 1;
        }
        let (errno, _) = self.pool.try_dequeue(BUFFERS, 1, abi::DEADLINE_NONE);
        same("errno of a closed pool", errno, libc::ECANCELED)
    }

    /// Stops the device; what it says must fit what came.
    pub(super) fn stop(mut self) -> Outcome {
        let totals = self.pool.stop()?;
        let (_, records) = self.pool.try_dequeue(BUFFERS, 0, 0);
        let begun = records.iter().filter(|record| record.flags != 0);
        for record in begun {
            same("number of a frame", record.seq, self.next + record.overruns)?;
            self.next = record.seq + 1;
        }
        check(
            self.next <= totals.frames && totals.overruns <= totals.frames,
            format!("{} frames seen, {totals:?}", self.next),
        )
    }
}
