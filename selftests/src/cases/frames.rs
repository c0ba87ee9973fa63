// SPDX-License-Identifier: GPL-2.0

//! Frames: what the device does with the buffers of a pool, and what is told of it.

use std::time::Duration;

use rustix::process::Signal;

use crate::abi::{self, pindma_pool_start};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pattern::{self, GUARD};
use crate::pool::{ask, from_device, of_pages, record, to_device, Pool, Totals};
use crate::sys::{signals, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutants of the syncs, where all is bounced.
    case(
        "pool_is_filled_in_order",
        "content, lengths, numbers, times",
        in_order,
    )
    .slow(),
    // Kills the mutants of the syncs, where all is bounced.
    case(
        "pool_is_emptied_in_order",
        "what was written last before the enqueue arrives",
        emptied,
    ),
    case(
        "frame_fills_only_its_part_of_a_buffer",
        "by frame_bytes, and less by bytes of the record",
        shorter,
    ),
    case(
        "frame_lies_anywhere_in_device_memory",
        "dev_addr of every frame",
        anywhere,
    ),
    case(
        "pool_is_filled_again_and_again",
        "start, stop, and the count begins anew",
        again,
    ),
    case(
        "device_waits_for_buffers",
        "unless it streams; nothing is lost",
        waits,
    ),
    // Kills the mutant that hands out what the device works on.
    case(
        "stop_gives_unfilled_buffers_back",
        "with ECANCELED, in their order",
        unfilled,
    )
    .slow(),
    case(
        "poll_says_when_a_buffer_is_ready",
        "and when none is any more",
        polled,
    ),
    case(
        "etimedout_for_buffer_that_comes_later",
        "it can be dequeued then",
        deadline,
    )
    .slow(),
    case(
        "eintr_for_dequeue_with_a_signal",
        "as soon as it comes; what is there already is returned",
        interrupted,
    )
    .needs(Needs::Only(
        &[Leg::Iommu, Leg::Direct],
        "where nothing is in between two buffers, and time stands still",
    )),
    case(
        "dequeue_takes_as_many_as_are_there",
        "from min to max",
        min_and_max,
    ),
    case(
        "pool_counts_in_the_statistics",
        "of the file, and in fdinfo of the pool",
        statistics,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Puts the pattern `seed` into the device's memory.
pub(crate) fn load(device: &Device, seed: u64) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, seed);
    device
        .to_device(0, &[seg(&memory, 0, PAGE)])
        .succeeded(PAGE)
        .map(drop)
}

/// What is in the device's memory.
fn unload(device: &Device) -> Outcome<Vec<u8>> {
    let memory = Mapping::anonymous(PAGE)?;
    device
        .from_device(0, &[seg(&memory, 0, PAGE)])
        .succeeded(PAGE)?;
    Ok(memory.read(0, PAGE))
}

fn in_order(leg: Leg) -> Outcome {
    const ORDER: [u32; 4] = [2, 0, 3, 1];
    let device = Device::open()?;
    load(&device, 5)?;
    let pool = of_pages(&device, 4)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), GUARD);
    for index in ORDER {
        pool.enqueue(pool.buffer(index as usize)?)?;
        same("state", pool.state(index as usize)?, abi::POOL_QUEUED)?;
    }
    pool.start(from_device(0))?;
    let mut before = os::now();
    for (seq, index) in ORDER.into_iter().enumerate() {
        let record = pool.dequeue(1)?[0];
        same("index", record.index, index)?;
        same("seq", record.seq, seq as u64)?;
        same("bytes", record.bytes, PAGE as u64)?;
        same("status", record.status, 0)?;
        same("overruns", record.overruns, 0)?;
        let bounced = if leg.bounces() { abi::OUT_BOUNCED } else { 0 };
        same("flags", record.flags, abi::OUT_STARTED | bounced)?;
        check(record.time_ns > before, "it was done before it began")?;
        check(record.time_ns <= os::now(), "it will be done")?;
        before = record.time_ns;
        same("handle", record.buffer, pool.buffer(index as usize)?)?;
        pattern::verify(&memory, index as usize * pool.stride, PAGE, 5)?;
    }
    let (frames, overruns) = (4, 0);
    same_totals(pool.stop()?, Totals { frames, overruns })
}

#[track_caller]
fn same_totals(got: Totals, want: Totals) -> Outcome {
    check(got == want, format!("{got:?}, not {want:?}"))
}

fn emptied(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    let memory = pool.map()?;
    pool.start(to_device(0))?;
    for round in 0..4 {
        let index = round % 2;
        pattern::write(&memory, index * PAGE, PAGE, round as u64);
        pool.enqueue(pool.buffer(index)?)?;
        let record = pool.dequeue(1)?[0];
        same("index", record.index, index as u32)?;
        same("status", record.status, 0)?;
        same("bytes", record.bytes, PAGE as u64)?;
        pattern::expect(&unload(&device)?, &pattern::bytes(round as u64, PAGE))?;
        // The device has only read it.
        pattern::verify(&memory, index * PAGE, PAGE, round as u64)?;
    }
    Ok(())
}

fn shorter(_: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 7)?;
    let pool = Pool::make(&device, ask(2, 3 * PAGE))?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), GUARD);
    pool.start(from_device(1000))?;
    let records = [record(pool.buffer(0)?, 0), record(pool.buffer(1)?, 300)];
    let (errno, taken) = pool.try_enqueue(&records);
    same("errno", errno_name(errno), errno_name(0))?;
    same("taken", taken, 2)?;
    for (record, bytes) in pool.dequeue(2)?.into_iter().zip([1000, 300]) {
        let start = record.index as usize * pool.stride;
        same("bytes", record.bytes, bytes as u64)?;
        pattern::verify(&memory, start, bytes, 7)?;
        pattern::verify_guard(&memory, start + bytes, pool.stride - bytes)?;
    }
    Ok(())
}

fn anywhere(_: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 8)?;
    let pool = of_pages(&device, 1)?;
    let memory = pool.map()?;
    let start = pindma_pool_start {
        dev_addr: 3000,
        ..from_device(1096)
    };
    pool.start(start)?;
    pool.enqueue(pool.buffer(0)?)?;
    same("bytes", pool.dequeue(1)?[0].bytes, 1096)?;
    pattern::expect(&memory.read(0, 1096), &pattern::bytes(8, PAGE)[3000..])
}

fn again(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 3)?;
    let memory = pool.map()?;
    for seed in 0..3 {
        load(&device, seed)?;
        memory.fill(0, pool.len(), GUARD);
        same("enqueued", pool.enqueue_all()?, 3)?;
        same("then", pool.enqueue_all()?, 0)?;
        pool.start(from_device(0))?;
        for (seq, record) in pool.dequeue(3)?.into_iter().enumerate() {
            same("seq", record.seq, seq as u64)?;
            pattern::verify(&memory, record.index as usize * PAGE, PAGE, seed)?;
        }
        let (frames, overruns) = (3, 0);
        same_totals(pool.stop()?, Totals { frames, overruns })?;
        // Stopped twice, it says the same.
        same_totals(pool.stop()?, Totals { frames, overruns })?;
    }
    Ok(())
}

fn waits(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    pool.start(from_device(0))?;
    for seq in 0..3 {
        let (errno, _) = pool.try_dequeue(1, 1, abi::DEADLINE_NONE);
        same("errno", errno_name(errno), errno_name(libc::EAGAIN))?;
        pause(300);
        pool.enqueue(pool.buffer(1)?)?;
        let record = pool.dequeue(1)?[0];
        same("seq", record.seq, seq)?;
        same("overruns", record.overruns, 0)?;
    }
    let (frames, overruns) = (3, 0);
    same_totals(pool.stop()?, Totals { frames, overruns })
}

fn unfilled(_: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 3)?;
    let pool = of_pages(&device, 8)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), GUARD);
    pool.enqueue_all()?;
    pool.start(from_device(0))?;
    let first = pool.dequeue(1)?[0];
    same("index", first.index, 0)?;
    let frames = pool.stop()?.frames;
    check((1..8).contains(&frames), format!("{frames} frames"))?;
    for (place, record) in (1..).zip(pool.dequeue(7)?) {
        let start = record.index as usize * PAGE;
        same("index", record.index, place)?;
        check(record.time_ns > first.time_ns, "time goes backwards")?;
        if u64::from(place) < frames {
            same("status", record.status, 0)?;
            pattern::verify(&memory, start, PAGE, 3)?;
        } else {
            same("status", record.status, -libc::ECANCELED)?;
            same("flags", record.flags, 0)?;
            same("bytes", record.bytes, 0)?;
            pattern::verify_guard(&memory, start, PAGE)?;
        }
        same("state", pool.state(record.index as usize)?, abi::POOL_OWNED)?;
    }
    let (errno, _) = pool.try_dequeue(1, 1, abi::DEADLINE_NONE);
    same("then", errno_name(errno), errno_name(libc::EAGAIN))
}

fn polled(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    pool.start(from_device(0))?;
    let readable = |time| os::readable_within(pool.fd(), time);
    check(!readable(Duration::ZERO)?, "readable without a buffer")?;
    pool.enqueue(pool.buffer(0)?)?;
    check(readable(Duration::from_secs(100))?, "it is never readable")?;
    let (errno, records) = pool.try_dequeue(1, 0, 0);
    same("errno", errno_name(errno), errno_name(0))?;
    same("records", records.len(), 1)?;
    check(!readable(Duration::ZERO)?, "readable still")
}

fn deadline(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    pool.start(from_device(0))?;
    pool.enqueue(pool.buffer(0)?)?;
    // A job takes 100 ms.
    let (errno, _) = pool.try_dequeue(1, 1, os::now() + 10_000_000);
    same("errno", errno_name(errno), errno_name(libc::ETIMEDOUT))?;
    let (errno, _) = pool.try_dequeue(1, 1, 0);
    same(
        "in the past",
        errno_name(errno),
        errno_name(libc::ETIMEDOUT),
    )?;
    let (errno, _) = pool.try_dequeue(1, 0, 0);
    same("not to wait", errno_name(errno), errno_name(libc::EAGAIN))?;
    same("status", pool.dequeue(1)?[0].status, 0)
}

fn interrupted(_: Leg) -> Outcome {
    let request = abi::pindma_pool_create {
        flags: abi::POOL_SHARED,
        ..ask(4, PAGE)
    };
    let device = Device::open()?;
    let pool = Pool::make(&device, request)?;
    // Into the first job, and then with two buffers there.
    for (after, expected) in [(0, 0), (2, 2)] {
        pool.enqueue_all()?;
        let child = flight::child(|| {
            signals::catch(libc::SIGUSR1)?;
            pool.start(from_device(0))?;
            let (errno, records) = pool.try_dequeue(4, 4, abi::DEADLINE_NONE);
            same("signals", signals::caught(), 1)?;
            same("records", records.len(), expected)?;
            let errno = errno_name(errno);
            let wanted = if expected == 0 { libc::EINTR } else { 0 };
            same("errno", errno, errno_name(wanted))?;
            records
                .iter()
                .try_for_each(|record| pool.enqueue(record.buffer))
        })?;
        while pool.state(after)? != abi::POOL_ACTIVE {
            pause(1);
        }
        // Long enough to wait in the dequeue, and far from the end of the job.
        pause(30);
        child.signal(Signal::USR1)?;
        flight::finish(child)?;
        pool.stop()?;
        pool.dequeue(4)?;
    }
    Ok(())
}

fn min_and_max(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 6)?;
    pool.enqueue_all()?;
    pool.start(from_device(0))?;
    let (errno, records) = pool.try_dequeue(6, 2, abi::DEADLINE_NONE);
    same("errno", errno_name(errno), errno_name(0))?;
    check(records.len() >= 2, format!("{} records", records.len()))?;
    let left = 6 - records.len();
    // More than will ever come: what comes is returned at the end.
    let (errno, records) = pool.try_dequeue(32, 32, abi::DEADLINE_NONE);
    same("errno", errno_name(errno), errno_name(0))?;
    same("records", records.len(), left)
}

fn statistics(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = Pool::make(&device, ask(3, 2 * PAGE))?;
    pool.enqueue(pool.buffer(1)?)?;
    pool.start(from_device(512))?;
    pool.dequeue(1)?;
    pool.enqueue(pool.buffer(0)?)?;
    while pool.state(0)? != abi::POOL_READY {
        pause(10);
    }
    let stats = device.stats()?;
    same("frames", stats.out_frames, 2)?;
    same("overruns", stats.out_overruns, 0)?;
    same("bytes", stats.out_bytes_from_device, 1024)?;
    let info = pool.fdinfo()?;
    for (name, value) in [
        ("stride", 2 * PAGE),
        ("buffers", 3),
        ("owned", 2),
        ("queued", 0),
        ("active", 0),
        ("ready", 1),
        ("started", 1),
        ("frames", 2),
        ("overruns", 0),
    ] {
        let line = format!("pindma-{name}:\t{value}\n");
        check(info.contains(&line), format!("no {line:?} in {info:?}"))?;
    }
    pool.stop().map(drop)
}
