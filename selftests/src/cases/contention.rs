// SPDX-License-Identifier: GPL-2.0

//! Several callers at once on the one channel.

use std::thread::JoinHandle;

use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight::{self, Background, Pair};
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pattern;
use crate::sys::{Mapping, Userfault};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "two_processes_copy_different_patterns",
        "nobody gets the other's data",
        two_processes,
    ),
    race(
        "four_threads_copy_on_one_file",
        "each its own bytes",
        four_threads,
    ),
    race(
        "four_threads_use_parts_of_device_memory",
        "transfers do not disturb each other",
        parts,
    ),
    race(
        "transfer_does_not_get_between_the_hops_of_a_copy",
        "the copy is right",
        hops,
    ),
    race(
        "caller_stuck_in_a_page_fault_blocks_nobody",
        "userfaultfd",
        stuck,
    ),
    race(
        "copy_out_of_memory_that_another_copy_writes",
        "no crash, no leak",
        tangled,
    ),
    // Kills the mutant that serves the last caller first.
    Case::new(
        "callers_get_the_channel_in_the_order_they_came",
        "behind one that never leaves it for long",
        order,
    )
    .needs(Needs::Memory),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// Rounds of a contest; a job is 100 ms of real time on some legs.
fn rounds(leg: Leg) -> u64 {
    if leg.counts_time() {
        12
    } else {
        3
    }
}

fn contest(leg: Leg, seed: u64) -> Outcome {
    let device = Device::open()?;
    for round in 0..rounds(leg) {
        let pair = Pair::new(PAGE + 4090, seed + round)?;
        pair.copy(&device).succeeded(pair.len)?;
        pair.verify(pair.len as u64)?;
    }
    Ok(())
}

fn two_processes(leg: Leg) -> Outcome {
    let first = flight::child(|| contest(leg, 1000))?;
    let second = flight::child(|| contest(leg, 2000))?;
    flight::finish(first)?;
    flight::finish(second)
}

fn four_threads(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pairs: Outcome<Vec<_>> = (0..4).map(|seed| Pair::new(2 * PAGE, seed)).collect();
    let pairs = pairs?;
    let calls: Outcome<Vec<_>> = pairs.iter().map(|pair| pair.start(&device)).collect();
    for (call, pair) in calls?.into_iter().zip(&pairs) {
        call.join()?.succeeded(pair.len)?;
        pair.verify(pair.len as u64)?;
    }
    same("calls", device.stats()?.out_calls, 4)
}

/// Each thread has a quarter of device memory to itself.
fn parts(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let threads: Vec<_> = (0..4)
        .map(|part| {
            let device = device.duplicate();
            std::thread::spawn(move || quarter(leg, &device?, part))
        })
        .collect();
    for thread in threads {
        let joined = thread.join();
        check(joined.is_ok(), "a thread panicked")?;
        joined.unwrap_or(Ok(()))?;
    }
    Ok(())
}

fn quarter(leg: Leg, device: &Device, part: usize) -> Outcome {
    let memory = Mapping::anonymous(2 * PAGE)?;
    for round in 0..rounds(leg) / 2 {
        let seed = round * 10 + part as u64;
        pattern::write(&memory, 50, 1024, seed);
        memory.fill(PAGE, PAGE, pattern::GUARD);
        let dev = part * 1024;
        device
            .to_device(dev, &[seg(&memory, 50, 1024)])
            .succeeded(1024)?;
        device
            .from_device(dev, &[seg(&memory, PAGE + 9, 1024)])
            .succeeded(1024)?;
        pattern::verify(&memory, PAGE + 9, 1024, seed)?;
    }
    Ok(())
}

fn hops(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(3 * PAGE, 1)?;
    let poison = Mapping::anonymous(PAGE)?;
    poison.fill(0, PAGE, 0xee);
    let call = pair.start(&device)?;
    flight::wait()?;
    for _ in 0..3 {
        device
            .to_device(0, &[seg(&poison, 0, PAGE)])
            .succeeded(PAGE)?;
    }
    call.join()?.succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

fn stuck(_: Leg) -> Outcome {
    let device = Device::open()?;
    let missing = Mapping::anonymous(PAGE)?;
    let fault = Userfault::register(&missing)?;
    let (other, segs) = (device.duplicate()?, [seg(&missing, 0, 100)]);
    let call = Background::start(move || other.from_device(0, &segs));
    flight::wait_for_stuck(&fault)?;
    // On the same file and on another one.
    for device in [&device, &Device::open()?] {
        let pair = Pair::new(PAGE, 2)?;
        pair.copy(device).succeeded(PAGE)?;
        pair.verify(PAGE as u64)?;
    }
    same("mapped", counters::driver("mapped_segments")?, 0)?;
    fault.resolve()?;
    call.join()?.succeeded(100)?;
    Ok(())
}

fn tangled(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(2 * PAGE, 3)?;
    let (src, dst) = pair.segs();
    let there = Background::copy(&device, src, dst)?;
    let back = Background::copy(&device, dst, src)?;
    there.join()?.succeeded(pair.len)?;
    back.join()?.succeeded(pair.len)?;
    Ok(())
}

/// A transfer in the background that returns when it ended, in ns; it is in line
/// for the channel when this returns.
fn in_line(device: &Device, memory: &Mapping) -> Outcome<JoinHandle<Outcome<i64>>> {
    let (device, segs) = (device.duplicate()?, [seg(memory, 0, 64)]);
    let mapped = counters::driver("mapped_segments")?;
    let call = std::thread::spawn(move || {
        device.to_device(0, &segs).succeeded(64)?;
        Ok(os::now())
    });
    flight::wait_until("the transfer was not mapped", || {
        Ok(counters::driver("mapped_segments")? > mapped || call.is_finished())
    })?;
    Ok(call)
}

fn order(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(8 * PAGE, 4)?;
    let memory = Mapping::anonymous(PAGE)?;
    let occupant = pair.start(&device)?;
    flight::wait()?;
    // All of it is mapped when its first job runs.
    pause(20);
    let first = in_line(&device, &memory)?;
    let second = in_line(&device, &memory)?;
    let ended = |call: JoinHandle<Outcome<i64>>| {
        let joined = call.join().map_err(|_| Fail::new("a thread panicked"));
        joined.and_then(|outcome| outcome)
    };
    let (first, second) = (ended(first)?, ended(second)?);
    occupant.join()?.succeeded(pair.len)?;
    check(first < second, "who came later had it first")
}
