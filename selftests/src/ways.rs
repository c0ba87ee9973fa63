// SPDX-License-Identifier: GPL-2.0

//! Every way of moving data, so that one and the same thing can be tried with each.

use crate::abi::{self, pindma_seg};
use crate::check::{check, Outcome};
use crate::device::{copy, seg, transfer, Call, Device};
use crate::pattern;
use crate::pool::{ask, from_device, to_device, Pool};
use crate::queue::{entry_of, Queue};
use crate::region::within;
use crate::rw::{self, Answer};
use crate::sys::uring::{Request, Ring};
use crate::sys::Mapping;
use crate::uring;

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

/// What a call has told of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// How many bytes it says that it has moved.
    pub(crate) bytes: u64,
    /// Whether it says that something went wrong.
    pub(crate) failed: bool,
}

impl Told {
    /// All of it was moved.
    pub(crate) fn is_all(self) -> bool {
        self.bytes == LEN as u64
    }

    /// A count alone says by its size that not all was moved.
    fn by_count(bytes: u64) -> Told {
        Told {
            bytes,
            failed: bytes < LEN as u64,
        }
    }
}

impl From<Call> for Told {
    fn from(call: Call) -> Told {
        Told {
            bytes: call.out.bytes,
            failed: call.errno != 0 || call.out.status != 0,
        }
    }
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Told {
        Told::by_count(answer.some().unwrap_or(0) as u64)
    }
}

/// Moves between the device and the memory.
type Move = fn(&Device, &Mapping) -> Outcome<Told>;

/// A way of moving data.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    what: What,
    call: Move,
}

const fn to(name: &'static str, call: Move) -> Way {
    let what = What::ToDevice;
    Way { name, what, call }
}

const fn from(name: &'static str, call: Move) -> Way {
    let what = What::FromDevice;
    Way { name, what, call }
}

const fn within_memory(name: &'static str, call: Move) -> Way {
    let what = What::Copy;
    Way { name, what, call }
}

const TO: u32 = abi::TO_DEVICE;
const FROM: u32 = abi::FROM_DEVICE;

/// All of them.
pub(crate) const WAYS: &[Way] = &[
    to("transfer to", |device, memory| {
        transferred(device, TO, 0, &halves(memory))
    }),
    from("transfer from", |device, memory| {
        transferred(device, FROM, 0, &halves(memory))
    }),
    to("copied to", |device, memory| {
        transferred(device, TO, abi::MUST_COPY, &halves(memory))
    }),
    from("copied from", |device, memory| {
        transferred(device, FROM, abi::MUST_COPY, &halves(memory))
    }),
    within_memory("copy", copied),
    to("write", |device, memory| {
        Ok(rw::pwrite(device, rw::range(memory, 0, LEN), 0).into())
    }),
    from("read", |device, memory| {
        Ok(rw::pread(device, rw::range(memory, 0, LEN), 0).into())
    }),
    to("ring to", |device, memory| {
        by_ring(
            device,
            memory,
            uring::request(true, rw::range(memory, 0, LEN), 0),
        )
    }),
    from("ring from", |device, memory| {
        by_ring(
            device,
            memory,
            uring::request(false, rw::range(memory, 0, LEN), 0),
        )
    }),
    to("ring's buffer to", |device, memory| {
        by_ring(
            device,
            memory,
            uring::fixed_request(true, rw::range(memory, 0, LEN), 0),
        )
    }),
    from("ring's buffer from", |device, memory| {
        by_ring(
            device,
            memory,
            uring::fixed_request(false, rw::range(memory, 0, LEN), 0),
        )
    }),
    to("region to", |device, memory| {
        transferred(device, TO, 0, &registered(device, memory)?)
    }),
    from("region from", |device, memory| {
        transferred(device, FROM, 0, &registered(device, memory)?)
    }),
    to("request to", |device, memory| {
        requested(device, TO, &halves(memory))
    }),
    from("request from", |device, memory| {
        requested(device, FROM, &halves(memory))
    }),
    to("request of a region to", |device, memory| {
        requested(device, TO, &registered(device, memory)?)
    }),
    from("request of a region from", |device, memory| {
        requested(device, FROM, &registered(device, memory)?)
    }),
    to("frame to", |device, memory| framed(device, TO, memory)),
    from("frame from", |device, memory| framed(device, FROM, memory)),
];

impl Way {
    /// Moves the data; what is told of that makes sense.
    pub(crate) fn go(&self, device: &Device, memory: &Mapping) -> Outcome<Told> {
        let told = (self.call)(device, memory)?;
        check(
            told.failed || told.is_all(),
            format!("{}: success with {} bytes", self.name, told.bytes),
        )?;
        Ok(told)
    }

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

fn halves(memory: &Mapping) -> [pindma_seg; 2] {
    [seg(memory, 0, HALF), seg(memory, HALF, HALF)]
}

/// The same of a region of it.
fn registered(device: &Device, memory: &Mapping) -> Outcome<[pindma_seg; 2]> {
    let region = device.register(&[seg(memory, 0, LEN)])?;
    Ok([within(region, 0, HALF), within(region, HALF, HALF)])
}

fn transferred(device: &Device, direction: u32, flags: u32, segs: &[pindma_seg]) -> Outcome<Told> {
    let mut request = transfer(direction, 0, segs);
    request.flags = flags;
    Ok(device.transfer(request).into())
}

fn copied(device: &Device, memory: &Mapping) -> Outcome<Told> {
    let (src, dst) = (halves(memory), [seg(memory, LEN, LEN)]);
    Ok(device.copy(copy(&src, &dst)).into())
}

fn by_ring(device: &Device, memory: &Mapping, request: Request) -> Outcome<Told> {
    let mut ring = Ring::new()?;
    ring.register(&[rw::range(memory, 0, memory.len())])?;
    let result = uring::run(&mut ring, device, request)?;
    Ok(Told::by_count(u64::try_from(result).unwrap_or(0)))
}

fn requested(device: &Device, direction: u32, segs: &[pindma_seg]) -> Outcome<Told> {
    let queue = Queue::create(device, 1)?;
    queue
        .submit(device, &[entry_of(1, direction, 0, segs)])
        .all(1)?;
    let end = queue.reap_one()?;
    Ok(Told {
        bytes: end.bytes,
        failed: end.status != 0,
    })
}

fn framed(device: &Device, direction: u32, memory: &Mapping) -> Outcome<Told> {
    let pool = Pool::make(device, ask(1, LEN))?;
    let buffer = pool.map()?;
    if direction == TO {
        buffer.write(0, &memory.read(0, LEN));
        pool.start(to_device(LEN))?;
    } else {
        pool.start(from_device(LEN))?;
    }
    pool.enqueue(pool.buffer(0)?)?;
    let frame = pool.dequeue(1)?[0];
    memory.write(0, &buffer.read(0, frame.bytes as usize));
    Ok(Told {
        bytes: frame.bytes,
        failed: frame.status != 0,
    })
}
