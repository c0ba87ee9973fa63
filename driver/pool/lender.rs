// SPDX-License-Identifier: GPL-2.0

//! The buffers of a pool in transfers, which name them by its handle.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        Arc,
        CondVarTimeoutResult, //
    }, //
};

use super::{
    memory::Memory,
    Pool, //
};
use crate::{
    base::{
        access,
        deadline::Deadline, //
    },
    card::flight::Mapping,
    kapi::{
        abi::{
            self,
            pindma_region_info, //
        },
        pins::Direction, //
    },
    memory::loan::Lender, //
};

/// How often who waits for the end of transfers looks at its deadline, at least.
const WAIT_SLICE_MS: u32 = 1000;

impl Lender for Pool {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn stride(&self) -> u64 {
        self.memory.first().map_or(0, Memory::len)
    }

    fn mapping(&self, index: usize) -> Option<(Arc<Mapping>, bool)> {
        let memory = self.memory.get(index)?;
        Some((memory.mapping().clone(), memory.bounced()))
    }

    fn lend(&self, index: usize) -> Result {
        self.maker.admit()?;
        self.state.lock().buffers.lend(index)
    }

    fn give_back(&self, index: usize) {
        self.state.lock().buffers.give_back(index);
        self.changed.notify_all();
    }

    fn loans(&self) -> usize {
        self.state.lock().buffers.loans()
    }

    fn wait_for_loans(&self, deadline: Deadline) -> Result {
        let mut state = self.state.lock();
        while state.buffers.loans() > 0 {
            if deadline.passed() {
                return Err(ETIMEDOUT);
            }
            let slice = deadline.slice(WAIT_SLICE_MS);
            let woken = self.changed.wait_interruptible_timeout(&mut state, slice);
            if matches!(woken, CondVarTimeoutResult::Signal { .. }) {
                return Err(EINTR);
            }
        }
        Ok(())
    }

    fn describe(&self, info: &mut pindma_region_info) {
        let sum = |of: fn(&Memory) -> usize| self.memory.iter().map(of).sum::<usize>() as u64;
        let bounced = sum(Memory::bounced_segments);
        let bit = |on, bit| if on { bit } else { 0 };
        info.out_flags = abi::PINDMA_REGION_IS_POOL
            | bit(self.maker.shared(), abi::PINDMA_REGION_SHARED)
            | bit(bounced > 0, abi::PINDMA_REGION_IS_BOUNCED);
        info.out_access = access::to_abi(self.direction);
        info.out_users = self.loans() as u32;
        info.out_pages = self.pages() as u64;
        info.out_len = info.out_pages * PAGE_SIZE as u64;
        info.out_segments = sum(Memory::segments);
        info.out_bounced = bounced;
        info.out_page_sizes = PAGE_SIZE as u64;
    }

    fn leave_file(&self) {
        // First, so that it cannot be started again meanwhile.
        let owner = self.state.lock().owner.take();
        self.stop_for_good();
        self.memory.iter().for_each(Memory::unmap);
        self.changed.notify_all();
        drop(owner);
    }
}
