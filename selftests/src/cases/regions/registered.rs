// SPDX-License-Identifier: GPL-2.0

//! A region with a pattern in it, and what uses it for long.

use crate::abi::{self, pindma_seg};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{seg, transfer, Device};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::pattern;
use crate::queue::{ended, entry_of, Queue};
use crate::region::within;
use crate::sys::Mapping;

/// Jobs of a long transfer.
pub(super) const JOBS: usize = 12;
/// Bytes of each.
pub(super) const PART: usize = 256;
pub(super) const LEN: usize = JOBS * PART;
/// Jobs of a request that lasts until it is cancelled, and bytes of each: 100 seconds.
const MANY: usize = 1000;
const LITTLE: usize = 3;

/// A region with a pattern in it.
pub(super) struct Registered {
    pub(super) device: Device,
    pub(super) memory: Mapping,
    pub(super) region: u32,
}

/// What uses a region for long.
pub(super) enum Use {
    /// A call.
    Call(Background),
    /// A request, which lasts until it is cancelled.
    Request(Queue),
}

impl Registered {
    pub(super) fn new(seed: u64) -> Outcome<Registered> {
        let device = Device::open()?;
        let memory = Mapping::anonymous(2 * LEN)?;
        pattern::write(&memory, 0, 2 * LEN, seed);
        let region = device.register(&[seg(&memory, 0, 2 * LEN)])?;
        Ok(Registered {
            device,
            memory,
            region,
        })
    }

    /// Every other of `count` parts, so that each is a job.
    fn parts(&self, count: usize, len: usize) -> Vec<pindma_seg> {
        let part = |index| within(self.region, 2 * index * len, len);
        (0..count).map(part).collect()
    }

    /// A transfer in many jobs, which leaves every other part alone.
    pub(super) fn segs(&self) -> Vec<pindma_seg> {
        self.parts(JOBS, PART)
    }

    /// Starts it, and waits until it is at work.
    pub(super) fn start(&self, direction: u32) -> Outcome<Background> {
        let (device, segs) = (self.device.duplicate()?, self.segs());
        let call = Background::start(move || device.transfer(transfer(direction, 0, &segs)));
        flight::wait_for_job(&self.device)?;
        Ok(call)
    }

    /// Has it used for long enough: where nobody knows how long that is, until the
    /// use is told to end.
    pub(super) fn occupy(&self, leg: Leg) -> Outcome<Use> {
        if leg.counts_time() {
            return Ok(Use::Call(self.start(abi::TO_DEVICE)?));
        }
        let queue = Queue::create(&self.device, 1)?;
        let parts = self.parts(MANY, LITTLE);
        let request = entry_of(0, abi::TO_DEVICE, 0, &parts);
        queue.submit(&self.device, &[request]).all(1)?;
        flight::wait_for_job(&self.device)?;
        Ok(Use::Request(queue))
    }

    /// A short transfer works.
    #[track_caller]
    pub(super) fn works(&self) -> Outcome {
        self.device
            .to_device(0, &[within(self.region, 7, 16)])
            .succeeded(16)
            .map(drop)
    }

    #[track_caller]
    pub(super) fn unregister(&self, want: i32) -> Outcome {
        let errno = self.device.unregister(self.region);
        same("unregister", errno_name(errno), errno_name(want))
    }

    #[track_caller]
    pub(super) fn unregister_by(&self, deadline: i64, want: i32) -> Outcome {
        let errno = self.device.unregister_by(self.region, deadline);
        same("unregister", errno_name(errno), errno_name(want))
    }

    pub(super) fn users(&self) -> Outcome<u32> {
        Ok(self.device.region(self.region)?.out_users)
    }
}

impl Use {
    /// Ends it; a call was not disturbed.
    pub(super) fn end(self) -> Outcome {
        match self {
            Use::Call(call) => call.join()?.succeeded(LEN).map(drop),
            Use::Request(queue) => {
                check(queue.cancel_all() == Ok(1), "it is over")?;
                ended(&queue.reap_one()?, 0, libc::ECANCELED)
            }
        }
    }
}
