// SPDX-License-Identifier: GPL-2.0

//! Deadlines, and files that do not want to wait.

use crate::abi::{self, pindma_result};
use crate::check::{check, same, Fail, Outcome};
use crate::device::{copy, seg, transfer, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pattern;
use crate::process::Process;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "etimedout_for_deadline_in_the_past",
        "zero, one, just now",
        past,
    )
    .needs(Needs::Memory),
    race(
        "etimedout_during_dma_with_exact_bytes",
        "drained first, prefix right",
        during,
    ),
    race(
        "etimedout_while_the_channel_is_busy",
        "waiting for another call",
        waiting,
    ),
    Case::new(
        "deadline_in_the_future_changes_nothing",
        "a second and a year",
        future,
    )
    .needs(Needs::Memory),
    race(
        "eagain_for_nonblocking_file_on_busy_channel",
        "and nothing is started",
        busy,
    ),
    Case::new(
        "nonblocking_file_works_on_idle_channel",
        "it waits for its own DMA",
        idle,
    )
    .needs(Needs::Memory),
    Case::new(
        "retry_after_etimedout_completes",
        "the rest is copied by another call",
        retry,
    )
    .slow()
    .needs(Needs::Memory),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const MS: i64 = 1_000_000;
const LEN: usize = 16 * PAGE;

fn past(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 64)];
    for deadline in [0, 1, os::now() - 1] {
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let mut request = transfer(direction, 0, &segs);
            request.deadline = deadline;
            device.transfer(request).refused(libc::ETIMEDOUT)?;
        }
        let mut request = copy(&segs, &segs);
        request.deadline = deadline;
        device.copy(request).refused(libc::ETIMEDOUT)?;
    }
    same("jobs", device.stats()?.out_jobs, 0)
}

/// Copies a pair with a deadline `ms` from now.
fn copy_until(device: &Device, pair: &Pair, ms: i64) -> crate::device::Call {
    let (src, dst) = pair.segs();
    let (src, dst) = ([src], [dst]);
    let mut request = copy(&src, &dst);
    request.deadline = os::now() + ms * MS;
    device.copy(request)
}

/// A copy whose deadline comes `ms` from now, when it has begun: on a slow machine
/// that is later. It has to take more than eight times as long.
pub(crate) fn stopped_by_deadline(
    leg: Leg,
    device: &Device,
    pair: &Pair,
    ms: i64,
) -> Outcome<pindma_result> {
    for ms in [ms, 2 * ms, 4 * ms, 8 * ms] {
        let before = os::now();
        let call = copy_until(device, pair, ms);
        let took = os::now() - before;
        if leg.counts_time() || call.errno == 0 {
            let out = call.stopped(libc::ETIMEDOUT)?;
            check(took >= ms * MS, "ended before its deadline")?;
            return Ok(out);
        }
        call.refused(libc::ETIMEDOUT)?;
    }
    Err(Fail::new("it never began"))
}

fn during(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(4 * LEN, 1)?;
    let out = stopped_by_deadline(leg, &device, &pair, 750)?;
    check(out.bytes < pair.len as u64, "all of it was copied")?;
    if leg.counts_time() {
        // A page goes in and out in 200 ms, so that the fourth is on its way.
        check(
            out.bytes >= 2 * PAGE as u64,
            format!("only {} bytes", out.bytes),
        )?;
    }
    let stats = device.stats()?;
    same(
        "bytes out of the device",
        stats.out_bytes_from_device,
        out.bytes,
    )?;
    pair.verify(out.bytes)
}

/// A process that keeps the channel busy for 3 seconds if nobody kills it.
fn occupant(device: &Device) -> Outcome<Process> {
    let child = flight::child(|| {
        let pair = Pair::new(LEN, 2)?;
        pair.copy(device).succeeded(LEN).map(drop)
    })?;
    // Mapped is not enough: the channel is taken when the first job starts.
    for _ in 0..1000 {
        if device.stats()?.out_jobs > 0 {
            break;
        }
        pause(5);
    }
    Ok(child)
}

fn waiting(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 64)];
    let occupant = occupant(&device)?;
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    // The first half of the round trip of a page is not over then.
    request.deadline = os::now() + MS;
    let call = device.transfer(request);
    occupant.kill()?;
    occupant.wait()?;
    not_begun(leg, call, libc::ETIMEDOUT)
}

/// A transfer of 64 bytes was refused, as the channel is busy; on a slow machine it
/// may be free for a moment, between two turns or after the last.
#[track_caller]
fn not_begun(leg: Leg, call: crate::device::Call, errno: i32) -> Outcome {
    if !leg.counts_time() && call.errno == 0 {
        return call.succeeded(64).map(drop);
    }
    call.refused(errno).map(drop)
}

fn future(_: Leg) -> Outcome {
    let device = Device::open()?;
    for ms in [1000, 365 * 86_400_000] {
        let pair = Pair::new(PAGE + 1, 3)?;
        copy_until(&device, &pair, ms).succeeded(PAGE + 1)?;
        pair.verify(PAGE as u64 + 1)?;
    }
    Ok(())
}

fn busy(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let impatient = Device::open_with(libc::O_NONBLOCK)?;
    let memory = Mapping::anonymous(PAGE)?;
    let occupant = occupant(&device)?;
    let call = impatient.to_device(0, &[seg(&memory, 0, 64)]);
    occupant.kill()?;
    occupant.wait()?;
    not_begun(leg, call, libc::EAGAIN)?;
    let begun = u64::from(call.errno == 0);
    same("jobs", impatient.stats()?.out_jobs, begun)
}

fn idle(_: Leg) -> Outcome {
    let device = Device::open_with(libc::O_NONBLOCK)?;
    let pair = Pair::new(2 * PAGE + 1, 5)?;
    pair.copy(&device).succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

fn retry(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(6 * PAGE, 6)?;
    let done = copy_until(&device, &pair, 450)
        .stopped(libc::ETIMEDOUT)?
        .bytes as usize;
    let rest = pair.len - done;
    let (from, to) = ([seg(&pair.src, done, rest)], [seg(&pair.dst, done, rest)]);
    device.copy(copy(&from, &to)).succeeded(rest)?;
    pattern::expect(&pair.dst.read(0, pair.len), &pair.src.read(0, pair.len))
}
