// SPDX-License-Identifier: GPL-2.0

//! What a process does with pools: its frames are in order, and none is lost
//! that is not reported.

use super::chance::Chance;
use super::work::well_or_late;
use crate::abi::{self, pindma_pool_record};
use crate::check::{check, same, Fail, Outcome};
use crate::device::{transfer, Device, PAGE, WINDOW};
use crate::module::pause;
use crate::os;
use crate::pool::{ask, from_device, stream, to_device, Pool};
use crate::region;
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
        let how = *chance.one_of(&[from_device(len), stream(len), to_device(len)]);
        pool.start(how)?;
        pool.enqueue_all()?;
        let next = 0;
        Ok(Consumer { pool, memory, next })
    }

    /// Takes what there is, looks at it, and gives it back.
    pub(super) fn consume(&mut self, device: &Device, chance: &mut Chance) -> Outcome {
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
            if chance.below(4) == 0 {
                self.send(device, record.index as usize, chance)?;
            }
            self.pool.enqueue(record.buffer)?;
        }
        Ok(())
    }

    /// Sends a part of a buffer that is ours.
    fn send(&self, device: &Device, index: usize, chance: &mut Chance) -> Outcome {
        let len = 1 + chance.below(WINDOW);
        let segs = [region::within(
            self.pool.handle,
            index * self.pool.stride,
            len,
        )];
        let mut request = transfer(abi::TO_DEVICE, 0, &segs);
        request.deadline = os::now() + chance.below(500) as i64 * 1_000_000;
        well_or_late(device.transfer(request))
    }

    /// The file that it was made with is closed: what was ready can be taken and
    /// looked at, and nothing more comes.
    pub(super) fn outlive(&mut self, chance: &mut Chance) -> Outcome {
        self.memory
            .read(chance.below(BUFFERS as usize) * PAGE, PAGE);
        loop {
            let (errno, records) = self.pool.try_dequeue(BUFFERS, 1, abi::DEADLINE_NONE);
            match errno {
                0 => self.see(&records)?,
                // io_uring lets go of a file a moment after it has read it.
                libc::EAGAIN | libc::EINTR => pause(1),
                _ => return same("errno of a closed pool", errno, libc::ECANCELED),
            }
        }
    }

    /// Frames that the device had begun with are in order.
    fn see(&mut self, records: &[pindma_pool_record]) -> Outcome {
        for record in records.iter().filter(|record| record.flags != 0) {
            same("number of a frame", record.seq, self.next + record.overruns)?;
            self.next = record.seq + 1;
        }
        Ok(())
    }

    /// Stops the device; what it says must fit what came.
    pub(super) fn stop(mut self) -> Outcome {
        let totals = self.pool.stop()?;
        let (_, records) = self.pool.try_dequeue(BUFFERS, 0, 0);
        self.see(&records)?;
        check(
            self.next <= totals.frames && totals.overruns <= totals.frames,
            format!("{} frames seen, {totals:?}", self.next),
        )
    }
}
