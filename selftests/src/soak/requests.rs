// SPDX-License-Identifier: GPL-2.0

//! What a process does with queues: each request ends once, whatever is done to
//! it meanwhile.

use std::collections::HashSet;

use super::chance::Chance;
use super::memory::Memory;
use crate::abi::{pindma_completion, pindma_entry};
use crate::check::{check, Fail, Outcome};
use crate::device::{Device, WINDOW};
use crate::os;
use crate::queue::{entry, Queue};

/// Requests that a queue takes.
const DEPTH: u32 = 6;

/// A queue, and what is in flight.
pub(super) struct Requests {
    queue: Queue,
    in_flight: HashSet<u64>,
    next: u64,
}

impl Requests {
    pub(super) fn new(device: &Device) -> Outcome<Requests> {
        Ok(Requests {
            queue: Queue::create(device, DEPTH)?,
            in_flight: HashSet::new(),
            next: 0,
        })
    }

    /// Submits a batch of requests that read and write parts of `memory`, with
    /// deadlines or without.
    pub(super) fn submit(
        &mut self,
        device: &Device,
        memory: &Memory,
        chance: &mut Chance,
    ) -> Outcome {
        let count = 1 + chance.below(DEPTH as usize);
        let first = self.next;
        let batch: Vec<pindma_entry> = (first..)
            .take(count)
            .map(|name| one(name, memory, chance))
            .collect();
        let submitted = self.queue.submit(device, &batch);
        if submitted.errno != 0 && submitted.errno != libc::EAGAIN {
            return Err(Fail::new(submitted));
        }
        self.next += u64::from(submitted.count);
        self.in_flight.extend(first..self.next);
        Ok(())
    }

    /// Takes what has ended.
    pub(super) fn reap(&mut self, chance: &mut Chance) -> Outcome {
        let until = os::now() + chance.below(300) as i64 * 1_000_000;
        let waited = self.queue.wait(DEPTH, 1, until);
        let expected = [0, libc::EAGAIN, libc::ETIMEDOUT, libc::EINTR];
        if !expected.contains(&waited.errno) {
            return Err(Fail::new(format!("wait: errno {}", waited.errno)));
        }
        self.ended(&waited.completions)
    }

    fn ended(&mut self, completions: &[pindma_completion]) -> Outcome {
        for completion in completions {
            let name = completion.user_data;
            check(
                self.in_flight.remove(&name),
                format!("request {name} ended twice, or never began"),
            )?;
            let fine = [0, -libc::ECANCELED, -libc::ETIMEDOUT];
            check(
                fine.contains(&completion.status),
                format!("request {name} ended with {}", completion.status),
            )?;
        }
        Ok(())
    }

    /// Cancels one or all; what is told to end need not be in flight any more.
    pub(super) fn cancel(&mut self, chance: &mut Chance) -> Outcome {
        let result = match chance.below(2) {
            0 => self.queue.cancel_all(),
            _ => self.queue.cancel(self.next.saturating_sub(1)),
        };
        match result {
            Ok(_) | Err(libc::ENOENT) => Ok(()),
            Err(errno) => Err(Fail::new(format!("cancel: errno {errno}"))),
        }
    }

    /// The device file was closed: everything has ended, and can be reaped.
    pub(super) fn finish(mut self) -> Outcome {
        let completions = self.queue.reap(self.in_flight.len())?;
        self.ended(&completions)?;
        check(self.queue.take().is_empty(), "more ended than were begun")
    }
}

fn one(name: u64, memory: &Memory, chance: &mut Chance) -> pindma_entry {
    let part = memory.any(chance, WINDOW);
    let mut request = entry(name, part.direction, 0, part.seg);
    if chance.below(3) == 0 {
        request.deadline = os::now() + chance.below(2000) as i64 * 1_000_000;
    }
    request
}
