// SPDX-License-Identifier: GPL-2.0

//! Every way of moving data, so that one and the same thing can be tried with each.

use crate::abi;
use crate::check::Outcome;
use crate::device::{copy, seg, transfer, Device};
use crate::pattern;
use crate::pool::{ask, from_device, to_device, Pool};
use crate::queue::{entry_of, Queue};
use crate::region::within;
use crate::rw;
use crate::sys::Mapping;

/// Bytes that are moved, in two jobs.
pub(crate) const LEN: usize = 256;
const HALF: usize = LEN / 2;

/// What is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Device memory gets what the memory has.
    ToDevice,
    /// The memory gets what the device has.
    FromDevice,
    /// The second half of the memory gets what the first has.
    Copy,
}

/// A way of moving data.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    what: What,
    /// Moves between the device and the memory; how many bytes it says that it has moved.
    pub(crate) call: fn(&Device, &Mapping) -> Outcome<u64>,
}

const fn way(name: &'static str, what: What, call: fn(&Device, &Mapping) -> Outcome<u64>) -> Way {
    Way { name, what, call }
}

/// All of them.
pub(crate) const WAYS: &[Way] = &[
    way("transfer to", What::ToDevice, |device, memory| {
        transferred(device, abi::TO_DEVICE, 0, memory)
    }),
    way("transfer from", What::FromDevice, |device, memory| {
        transferred(device, abi::FROM_DEVICE, 0, memory)
    }),
    way("copied to", What::ToDevice, |device, memory| {
        transferred(device, abi::TO_DEVICE, abi::MUST_COPY, memory)
    }),
    way("copied from", What::FromDevice, |device, memory| {
        transferred(device, abi::FROM_DEVICE, abi::MUST_COPY, memory)
    }),
    way("copy", What::Copy, copied),
    way("write", What::ToDevice, |device, memory| {
        Ok(rw::pwrite(device, rw::range(memory, 0, LEN), 0)
            .some()
            .unwrap_or(0) as u64)
    }),
    way("read", What::FromDevice, |device, memory| {
        Ok(rw::pread(device, rw::range(memory, 0, LEN), 0)
            .some()
            .unwrap_or(0) as u64)
    }),
    way("region to", What::ToDevice, |device, memory| {
        by_region(device, abi::TO_DEVICE, memory)
    }),
    way("region from", What::FromDevice, |device, memory| {
        by_region(device, abi::FROM_DEVICE, memory)
    }),
    way("request to", What::ToDevice, |device, memory| {
        requested(device, abi::TO_DEVICE, memory)
    }),
    way("request from", What::FromDevice, |device, memory| {
        requested(device, abi::FROM_DEVICE, memory)
    }),
    way("frame to", What::ToDevice, |device, memory| {
        framed(device, abi::TO_DEVICE, memory)
    }),
    way("frame from", What::FromDevice, |device, memory| {
        framed(device, abi::FROM_DEVICE, memory)
    }),
];

impl Way {
    /// Memory for a call, and a device whose memory has something else.
    pub(crate) fn prepare(&self, device: &Device, seed: u64) -> Outcome<Mapping> {
        let memory = Mapping::anonymous(2 * LEN)?;
        memory.fill(0, 2 * LEN, pattern::GUARD);
        let before = if self.what == What::FromDevice {
            seed
        } else {
            pattern::write(&memory, 0, LEN, seed);
            seed + 1_000_000
        };
        let other = Mapping::anonymous(LEN)?;
        pattern::write(&other, 0, LEN, before);
        rw::pwrite(device, rw::range(&other, 0, LEN), 0).moved(LEN)?;
        Ok(memory)
    }

    /// Checks that the first `bytes` bytes are where the call says.
    pub(crate) fn verify(
        &self,
        device: &Device,
        memory: &Mapping,
        bytes: u64,
        seed: u64,
    ) -> Outcome {
        let bytes = bytes as usize;
        match self.what {
            What::FromDevice => pattern::verify(memory, 0, bytes, seed),
            What::Copy => pattern::expect(&memory.read(LEN, bytes), &memory.read(0, bytes)),
            What::ToDevice if bytes == 0 => Ok(()),
            What::ToDevice => {
                let there = Mapping::anonymous(LEN)?;
                rw::pread(device, rw::range(&there, 0, LEN), 0).moved(LEN)?;
                pattern::verify(&there, 0, bytes, seed)
            }
        }
    }
}

fn halves(memory: &Mapping) -> [abi::pindma_seg; 2] {
    [seg(memory, 0, HALF), seg(memory, HALF, HALF)]
}

fn transferred(device: &Device, direction: u32, flags: u32, memory: &Mapping) -> Outcome<u64> {
    let segs = halves(memory);
    let mut request = transfer(direction, 0, &segs);
    request.flags = flags;
    Ok(device.transfer(request).out.bytes)
}

fn copied(device: &Device, memory: &Mapping) -> Outcome<u64> {
    let (src, dst) = (halves(memory), [seg(memory, LEN, LEN)]);
    Ok(device.copy(copy(&src, &dst)).out.bytes)
}

fn by_region(device: &Device, direction: u32, memory: &Mapping) -> Outcome<u64> {
    let region = device.register(&[seg(memory, 0, LEN)])?;
    let segs = [within(region, 0, HALF), within(region, HALF, HALF)];
    Ok(device.transfer(transfer(direction, 0, &segs)).out.bytes)
}

fn requested(device: &Device, direction: u32, memory: &Mapping) -> Outcome<u64> {
    let queue = Queue::create(device, 1)?;
    queue
        .submit(device, &[entry_of(1, direction, 0, &halves(memory))])
        .all(1)?;
    Ok(queue.reap_one()?.bytes)
}

fn framed(device: &Device, direction: u32, memory: &Mapping) -> Outcome<u64> {
    let pool = Pool::make(device, ask(1, LEN))?;
    let buffer = pool.map()?;
    if direction == abi::TO_DEVICE {
        buffer.write(0, &memory.read(0, LEN));
        pool.start(to_device(LEN))?;
    } else {
        pool.start(from_device(LEN))?;
    }
    pool.enqueue(pool.buffer(0)?)?;
    let bytes = pool.dequeue(1)?[0].bytes;
    memory.write(0, &buffer.read(0, bytes as usize));
    Ok(bytes)
}
