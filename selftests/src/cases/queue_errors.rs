// SPDX-License-Identifier: GPL-2.0

//! Requests of a queue on a device that has lost the bus.

use std::cmp::Ordering;

use crate::abi::{self, pindma_completion};
use crate::check::{check, same, Fail, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::module::pause;
use crate::pattern::{self, GUARD};
use crate::pci::Cleared;
use crate::pool::{of_pages, Pool};
use crate::queue::{done, ended, entry, entry_of, Queue};
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

use super::frames::load;

pub(crate) const CASES: &[Case] = &[
    race(
        "eio_for_requests_when_bus_mastering_goes",
        "once each, with the bytes of the jobs before",
        master_lost,
    )
    .refuses(),
    race(
        "eio_lets_go_of_what_a_request_uses",
        "memory, region and pool buffer are as good as before",
        let_go,
    )
    .refuses(),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// Jobs of the request during which the bus is lost.
const PARTS: usize = 6;
/// Bytes of each.
const PART: usize = 200;

/// A device with a pattern in its memory, a queue, and memory to read into.
struct Reader {
    device: Device,
    queue: Queue,
    memory: Mapping,
}

impl Reader {
    fn new(seed: u64) -> Outcome<Reader> {
        let device = Device::open()?;
        load(&device, seed)?;
        let queue = Queue::create(&device, 8)?;
        let memory = Mapping::anonymous((PARTS + 2) * PAGE)?;
        memory.fill(0, memory.len(), GUARD);
        Ok(Reader {
            device,
            queue,
            memory,
        })
    }

    /// Where part number `part` goes: each is a job of its own.
    fn place(part: usize) -> usize {
        part * PAGE + 8 * part
    }

    /// Submits request 0, of many jobs where one has no lists, and waits until its second one runs.
    fn start(&self, leg: Leg) -> Outcome {
        let jobs = if leg.is_fast() { 1 } else { 2 };
        let segs: Vec<_> = (0..PARTS)
            .map(|part| seg(&self.memory, Reader::place(part), PART))
            .collect();
        let before = self.device.stats()?.out_jobs;
        let request = entry_of(0, abi::FROM_DEVICE, 0, &segs);
        self.queue.submit(&self.device, &[request]).all(1)?;
        for _ in 0..5000 {
            if self.device.stats()?.out_jobs >= before + jobs {
                return Ok(());
            }
            pause(1);
        }
        Err(Fail::new("so many jobs were never started"))
    }

    /// The first `bytes` bytes have arrived, and no part after the job that failed.
    fn arrived(&self, leg: Leg, bytes: usize, seed: u64) -> Outcome {
        let want = pattern::bytes(seed, PARTS * PART);
        same("part of a job", bytes % PART, 0)?;
        for (part, want) in want.chunks(PART).enumerate() {
            let at = Reader::place(part);
            match part.cmp(&(bytes / PART)) {
                Ordering::Less => pattern::expect(&self.memory.read(at, PART), want)?,
                // The device may have been at work on it.
                Ordering::Equal => {}
                Ordering::Greater if leg.is_fast() => {}
                Ordering::Greater => pattern::verify_guard(&self.memory, at, PART)?,
            }
        }
        Ok(())
    }

    /// The queue has told everything, and works as before.
    fn goes_on(&self, ended: u64) -> Outcome {
        let waited = self.queue.wait(8, 1, abi::DEADLINE_NONE);
        same("in flight", waited.in_flight, 0)?;
        waited.nothing(libc::EAGAIN)?;
        let stats = self.device.stats()?;
        same("submitted", stats.out_submitted, ended)?;
        same("ended", stats.out_ended, ended)?;
        let request = entry(9, abi::FROM_DEVICE, 0, seg(&self.memory, 0, PART));
        self.queue.submit(&self.device, &[request]).all(1)?;
        let end = self.queue.reap_one()?;
        same("number", end.seq, ended)?;
        done(&end, 9, PART)
    }
}

/// The device was told to work, and did nothing.
#[track_caller]
fn failed(end: &pindma_completion, name: u64) -> Outcome {
    ended(end, name, libc::EIO)?;
    same("bytes", end.bytes, 0)?;
    check(end.flags & abi::OUT_STARTED != 0, "not started")
}

fn master_lost(leg: Leg) -> Outcome {
    let reader = Reader::new(1)?;
    reader.start(leg)?;
    let off = Cleared::bus_mastering()?;
    let of = |page: usize| {
        let seg = seg(&reader.memory, page * PAGE, PART);
        entry(page as u64, abi::FROM_DEVICE, 0, seg)
    };
    let later = [of(PARTS), of(PARTS + 1)];
    let submitted = reader.queue.submit(&reader.device, &later).all(2);
    let ends = reader.queue.reap(3);
    drop(off);
    submitted?;
    let ends = ends?;
    for (end, number) in ends.iter().zip(0..) {
        same("number", end.seq, number)?;
    }
    let bytes = ends[0].bytes as usize;
    if leg.counts_time() {
        same("bytes", bytes, PART)?;
    }
    match ends[0].status {
        // On a slow machine it may have been over.
        0 if !leg.counts_time() => done(&ends[0], 0, PARTS * PART)?,
        _ => ended(&ends[0], 0, libc::EIO)?,
    }
    check(ends[0].flags & abi::OUT_STARTED != 0, "not started")?;
    reader.arrived(leg, bytes, 1)?;
    failed(&ends[1], PARTS as u64)?;
    failed(&ends[2], PARTS as u64 + 1)?;
    pattern::verify_guard(&reader.memory, PARTS * PAGE, 2 * PAGE)?;
    reader.goes_on(3)
}

/// Requests 0, 1 and 2 by address, by region and by pool buffer, while the device cannot reach
/// memory.
fn fail_all(reader: &Reader, region: u32, pool: &Pool) -> Outcome {
    let Reader {
        device,
        queue,
        memory,
    } = reader;
    let segs = [
        seg(memory, PAGE, PART),
        within(region, 0, PART),
        within(pool.handle, 0, PART),
    ];
    let of = |name: usize| entry(name as u64, abi::FROM_DEVICE, 0, segs[name]);
    let _off = Cleared::bus_mastering()?;
    queue.submit(device, &[0, 1, 2].map(of)).all(3)?;
    for (end, name) in queue.reap(3)?.iter().zip(0..) {
        failed(end, name)?;
    }
    Ok(())
}

fn let_go(_: Leg) -> Outcome {
    let reader = Reader::new(2)?;
    let device = &reader.device;
    let region = device.register(&[seg(&reader.memory, 0, PAGE)])?;
    let pool = of_pages(device, 1)?;
    let buffers = pool.map()?;
    buffers.fill(0, PAGE, GUARD);
    fail_all(&reader, region, &pool)?;
    pattern::verify_guard(&reader.memory, 0, 2 * PAGE)?;
    pattern::verify_guard(&buffers, 0, PAGE)?;
    for handle in [region, pool.handle] {
        same("users", device.region(handle)?.out_users, 0)?;
    }
    same("pages pinned", device.stats()?.out_pinned_pages, 1)?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&reader.memory, 0, PAGE, 2)?;
    same("unregister", device.unregister(region), 0)?;
    pool.enqueue(pool.buffer(0)?)?;
    reader.goes_on(3)
}
