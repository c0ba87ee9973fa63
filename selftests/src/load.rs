// SPDX-License-Identifier: GPL-2.0

//! Requests that keep a channel busy: of a page each, by handle, many in flight.

use std::ops::Range;

use crate::abi::{self, pindma_entry};
use crate::check::{same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::queue::{done, entry, Queue};
use crate::region::within;
use crate::sys::Mapping;

/// How many are in flight.
pub(crate) const AT_ONCE: usize = 32;

/// A queue of requests for one channel.
pub(crate) struct Load {
    device: Device,
    queue: Queue,
    channel: u32,
    region: u32,
    memory: Mapping,
}

impl Load {
    pub(crate) fn new(channel: u32) -> Outcome<Load> {
        let (device, memory) = (Device::open()?, Mapping::anonymous(AT_ONCE * PAGE)?);
        memory.fill(0, memory.len(), 1);
        Ok(Load {
            queue: Queue::create(&device, AT_ONCE as u32)?,
            channel,
            region: device.register(&[seg(&memory, 0, memory.len())])?,
            device,
            memory,
        })
    }

    /// Makes so many requests, `each` with a call, and has as many in flight as it may.
    pub(crate) fn run(&self, requests: usize, each: usize) -> Outcome {
        let mut submitted = 0;
        while submitted < AT_ONCE {
            self.submit(submitted..submitted + each)?;
            submitted += each;
        }
        let mut reaped = 0;
        while reaped < requests {
            for end in self.queue.reap(each)? {
                done(&end, reaped as u64, PAGE)?;
                reaped += 1;
            }
            if submitted < requests {
                self.submit(submitted..submitted + each)?;
                submitted += each;
            }
        }
        Ok(())
    }

    pub(crate) fn end(self) -> Outcome {
        same("unregister", self.device.unregister(self.region), 0)?;
        drop(self.memory);
        Ok(())
    }

    fn submit(&self, numbers: Range<usize>) -> Outcome {
        let count = numbers.len();
        let batch: Vec<_> = numbers.map(|number| self.request(number)).collect();
        self.queue.submit(&self.device, &batch).all(count).map(drop)
    }

    fn request(&self, number: usize) -> pindma_entry {
        let at = number % AT_ONCE * PAGE;
        let part = within(self.region, at, PAGE);
        // Each channel has its part of the card's memory.
        let dev_addr = self.channel as usize * AT_ONCE * PAGE + at;
        pindma_entry {
            channel: self.channel,
            ..entry(number as u64, abi::TO_DEVICE, dev_addr, part)
        }
    }
}
