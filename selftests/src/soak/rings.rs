// SPDX-License-Identifier: GPL-2.0

//! What a process does with io_uring: reads and writes that go on while it does
//! other things.

use std::collections::HashMap;

use super::chance::Chance;
use super::memory::Memory;
use crate::abi;
use crate::check::{check, Fail, Outcome};
use crate::device::{Device, WINDOW};
use crate::sys::uring::{Request, Ring};

/// Reads and writes at a time.
const MOST: usize = 4;
/// The name of requests that cancel others.
const CANCEL: u64 = u64::MAX;

/// A ring, and what is in flight: its name, and the bytes that it is to move.
pub(super) struct Reads {
    ring: Ring,
    in_flight: HashMap<u64, u64>,
    cancels: usize,
    next: u64,
}

impl Reads {
    /// A ring that has `memory` registered.
    pub(super) fn new(memory: &Memory) -> Outcome<Reads> {
        let ring = Ring::new()?;
        ring.register(&memory.ranges())?;
        Ok(Reads {
            ring,
            in_flight: HashMap::new(),
            cancels: 0,
            next: 0,
        })
    }

    /// Whether nothing is in flight: then nothing of its own interrupts a process.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.cancels == 0
    }

    /// Begins a read or a write, by the ring's own registration or by address.
    pub(super) fn begin(
        &mut self,
        device: &Device,
        memory: &Memory,
        chance: &mut Chance,
    ) -> Outcome {
        if self.in_flight.len() == MOST {
            return self.end_one();
        }
        let part = memory.by_address(chance, WINDOW);
        let write = part.direction == abi::TO_DEVICE;
        let fixed = (chance.below(2) == 0).then_some(u16::from(!write));
        let at = chance.below(WINDOW) as u64;
        let request = Request {
            write,
            memory: (part.seg.addr, part.seg.len),
            at,
            fixed,
            flags: 0,
            name: self.next,
        };
        self.ring.submit(device.fd(), request)?;
        let bytes = part.seg.len.min(WINDOW as u64 - at);
        self.in_flight.insert(self.next, bytes);
        self.next += 1;
        Ok(())
    }

    /// Cancels the newest.
    pub(super) fn cancel(&mut self) -> Outcome {
        if self.cancels == 0 && !self.in_flight.is_empty() {
            self.ring.cancel(self.next - 1, CANCEL)?;
            self.cancels = 1;
        }
        Ok(())
    }

    /// Waits until one of them has ended.
    pub(super) fn end_one(&mut self) -> Outcome {
        if self.is_idle() {
            return Ok(());
        }
        let (name, result) = self.ring.wait()?;
        if name == CANCEL {
            self.cancels -= 1;
            return Ok(());
        }
        let Some(bytes) = self.in_flight.remove(&name) else {
            return Err(Fail::new(format!("read {name} ended twice")));
        };
        let stopped = [-libc::EINTR, -libc::ECANCELED].contains(&result);
        let moved = u64::try_from(result).is_ok_and(|moved| moved <= bytes);
        check(
            stopped || moved,
            format!("io_uring: {result} of {bytes} bytes"),
        )
    }

    /// Waits for all.
    pub(super) fn end_all(&mut self) -> Outcome {
        while !self.is_idle() {
            self.end_one()?;
        }
        Ok(())
    }
}
