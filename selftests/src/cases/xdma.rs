// SPDX-License-Identifier: GPL-2.0

//! The engine for XDMA: what a job costs, and channels that work beside each other.

use std::thread;

use crate::abi::{self, pindma_transfer};
use crate::card::Card;
use crate::check::{check, same, Fail, Outcome};
use crate::device::{seg, transfer, Call, Device};
use crate::leg::Leg;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

const NEEDS: Needs = Needs::Only(&[Leg::Xdma], "no XDMA card here");

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "xdma_job_costs_two_writes_and_no_read",
        "of registers, also after an interrupt was lost",
        cost,
    )
    .needs(NEEDS),
    Case::new(
        "xdma_channels_work_beside_each_other",
        "four threads on two channels, both ways",
        channels,
    )
    .needs(NEEDS),
    Case::new(
        "xdma_error_of_a_card_is_eio_for_its_job_alone",
        "an address of the card that nobody answers for",
        error,
    )
    .needs(NEEDS),
    Case::new(
        "xdma_lies_are_no_data",
        "each way to misbehave: right bytes or EIO, and then all is well",
        lies,
    )
    .needs(NEEDS),
];

/// Jobs that are counted together.
const JOBS: u64 = 10;
const LEN: usize = 1024;

fn move_through(
    device: &Device,
    channel: u32,
    direction: u32,
    at: usize,
    memory: &Mapping,
) -> Call {
    let segs = [seg(memory, 0, LEN)];
    device.transfer(pindma_transfer {
        channel,
        ..transfer(direction, at, &segs)
    })
}

/// On a host that has no time for the guest, a job may be looked at because its interrupt is late: so
/// the cheapest of many rounds counts.
fn cost(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(LEN)?;
    memory.fill(0, LEN, 1);
    card.command("mode lost-message 1000")?;
    move_through(&device, 0, abi::TO_DEVICE, 0, &memory).succeeded(LEN)?;
    card.command("calm")?;
    let mut costs = Vec::new();
    for _ in 0..20 {
        let before = card.counts(["reads", "writes"])?;
        for _ in 0..JOBS {
            move_through(&device, 0, abi::TO_DEVICE, 0, &memory).succeeded(LEN)?;
        }
        let after = card.counts(["reads", "writes"])?;
        let (reads, writes) = (after[0] - before[0], after[1] - before[1]);
        if (reads, writes) == (0, 2 * JOBS) {
            return Ok(());
        }
        costs.push((reads, writes));
    }
    Err(Fail::new(format!(
        "reads and writes for {JOBS} jobs: {costs:?}"
    )))
}

fn channels(_: Leg) -> Outcome {
    let threads = 4;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || round_trips(number)))
            .collect();
        running.into_iter().try_for_each(|thread| {
            let panicked = |_| Err(Fail::new("a thread panicked"));
            thread.join().unwrap_or_else(panicked)
        })
    })
}

/// Sends and fetches through one channel, at a place of its own.
fn round_trips(number: u32) -> Outcome {
    let device = Device::open()?;
    let (channel, at) = (number % 2, number as usize * LEN);
    let (src, dst) = (Mapping::anonymous(LEN)?, Mapping::anonymous(LEN)?);
    for round in 0..50 {
        let seed = u64::from(number * 100 + round);
        pattern::write(&src, 0, LEN, seed);
        move_through(&device, channel, abi::TO_DEVICE, at, &src).succeeded(LEN)?;
        move_through(&device, channel, abi::FROM_DEVICE, at, &dst).succeeded(LEN)?;
        pattern::verify(&dst, 0, LEN, seed)?;
    }
    let moved = device.stats()?;
    check(moved.out_jobs >= 100, format!("{} jobs", moved.out_jobs))
}

fn error(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(LEN)?;
    memory.fill(0, LEN, 1);
    card.command("bad 0 1024 decode")?;
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        let failed = move_through(&device, 0, direction, 0, &memory);
        let beside = move_through(&device, 0, direction, 2 * LEN, &memory);
        same("bytes", failed.stopped(libc::EIO)?.bytes, 0)?;
        beside.succeeded(LEN)?;
    }
    card.command("good")?;
    move_through(&device, 0, abi::TO_DEVICE, 0, &memory).succeeded(LEN)?;
    Ok(())
}

/// Names of modes, and their amounts.
const LIES: &[(&str, u64)] = &[
    ("delay-descriptor", 1_000_000),
    ("delay-fetch", 1_000_000),
    ("delay-write-back", 1_000_000),
    ("delay-message", 1_000_000),
    ("reorder", 0),
    ("late-message", 0),
    ("error-goes-on", 0),
    ("busy-lag", 20),
    ("duplicate-message", 0),
    ("spurious-message", 0),
    ("wrong-vector", 0),
    ("early-message", 100_000),
    ("lost-message", 0),
    ("wrong-count", 0),
    ("wrong-word", 0),
    ("missing-word", 0),
    ("torn-word", 0),
    ("error-word", 0),
    ("magic-claim", 0),
    ("fetch-claim", 0),
    ("run-on", 0),
    ("ignore-stop", 1_000_000),
    ("wrong-credits", 0),
    ("stuck-credits", 0),
    ("some-ones", 0),
];

fn lies(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(LEN)?;
    for (mode, amount) in LIES {
        card.command("seed 1")?;
        card.command(&format!("mode {mode} 300 {amount}"))?;
        for seed in 0..4 {
            round_trip_or_eio(&device, &memory, seed).map_err(|fail| during(mode, &fail))?;
        }
        card.command("calm")?;
        for seed in 0..2 {
            let ended = round_trip_or_eio(&device, &memory, seed);
            let well = ended.map_err(|fail| during(mode, &fail))?;
            check(well, format!("an error after {mode}"))?;
        }
    }
    Ok(())
}

fn during(mode: &str, fail: &Fail) -> Fail {
    Fail::new(format!("{mode}: {}", fail.0))
}

/// Sends and fetches; whether no call has ended with an error, which may only be `EIO`.
fn round_trip_or_eio(device: &Device, memory: &Mapping, seed: u64) -> Outcome<bool> {
    pattern::write(memory, 0, LEN, seed);
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        let call = move_through(device, 0, direction, 0, memory);
        if call.out.status != 0 {
            call.stopped(libc::EIO)?;
            return Ok(false);
        }
        call.succeeded(LEN)?;
        if direction == abi::TO_DEVICE {
            memory.fill(0, LEN, 0);
        }
    }
    pattern::verify(memory, 0, LEN, seed)?;
    Ok(true)
}
