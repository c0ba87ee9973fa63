// SPDX-License-Identifier: GPL-2.0

//! Signals while data moves: nothing is corrupted, and the bytes are exact.

use std::time::Duration;

use rustix::process::Signal;

use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::process::Exit;
use crate::sys::{signals, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "eintr_during_copy_with_exact_bytes",
        "a signal with a handler",
        during_copy,
    ),
    race(
        "eintr_while_waiting_for_the_channel",
        "nothing of it is started",
        waiting,
    ),
    race(
        "transfer_in_one_job_outlives_a_signal",
        "done or EINTR, never torn",
        one_job,
    ),
    race(
        "ignored_signal_changes_nothing",
        "SIGURG and SIGWINCH",
        ignored,
    ),
    race(
        "kill_9_during_copy_leaves_nothing",
        "dead soon, everything given back",
        killed,
    ),
    race(
        "kill_9_of_a_thread_group",
        "four threads in calls of their own",
        group,
    ),
    race(
        "unhandled_signal_during_copy_ends_the_process",
        "SIGTERM",
        terminated,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const LEN: usize = 16 * PAGE;

/// A child that runs `body` once it is in flight, given `signal` after `ms`.
fn signalled(signal: Signal, ms: u64, body: impl FnOnce() -> Outcome) -> Outcome<Exit> {
    let child = flight::child(body)?;
    flight::wait()?;
    pause(ms);
    child.signal(signal)?;
    Ok(child.wait()?)
}

fn during_copy(_: Leg) -> Outcome {
    let device = Device::open()?;
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        let pair = Pair::new(4 * LEN, 1)?;
        let out = pair.copy(&device).stopped(libc::EINTR)?;
        same("signals", signals::caught(), 1)?;
        check(out.bytes < pair.len as u64, "all of it was copied")?;
        let two = 2 * PAGE as u64;
        check(out.bytes >= two, format!("only {} bytes", out.bytes))?;
        same("bytes", device.stats()?.out_bytes_from_device, out.bytes)?;
        pair.verify(out.bytes)
    })?;
    // Each page is two jobs: the fifth belongs to the third page.
    flight::wait_for_jobs(&device, 5, &child)?;
    child.signal(Signal::USR1)?;
    flight::finish(child)
}

fn waiting(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(LEN, 2)?;
    let first = flight::child(|| pair.copy(&device).succeeded(pair.len).map(drop))?;
    flight::wait()?;
    // In line behind the first: a page of it takes 200 ms.
    let second = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        let memory = Mapping::anonymous(PAGE)?;
        let call = device.to_device(0, &[seg(&memory, 0, 64)]);
        let right = call.errno == libc::EINTR || call.out.status == 0;
        check(right, call)
    })?;
    for _ in 0..2000 {
        let ended = second.ended_within(Duration::ZERO)?;
        if ended || counters::driver("requests")? == 2 {
            break;
        }
        pause(5);
    }
    second.signal(Signal::USR1)?;
    flight::finish(second)?;
    first.kill()?;
    first.wait()?;
    Ok(())
}

fn one_job(_: Leg) -> Outcome {
    let exit = signalled(Signal::USR1, 20, || {
        signals::catch(libc::SIGUSR1)?;
        let device = Device::open()?;
        let pair = Pair::new(PAGE, 3)?;
        let call = device.to_device(0, &[pair.segs().0]);
        if call.errno == libc::EINTR {
            // On a slow machine the signal was faster than the start.
            return Ok(());
        }
        let whole = call.out.status == 0 || call.out.status == -libc::EINTR;
        check(call.errno == 0 && whole, call)?;
        // The one job was drained, so that all of it arrived.
        same("bytes", call.out.bytes, PAGE as u64)?;
        device.from_device(0, &[pair.segs().1]).succeeded(PAGE)?;
        pair.verify(PAGE as u64)
    })?;
    same("child", exit, Exit::Code(0))
}

fn ignored(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(2 * PAGE, 4)?;
    let child = flight::child(|| {
        pair.copy(&device).succeeded(pair.len)?;
        pair.verify(pair.len as u64)
    })?;
    flight::wait()?;
    child.signal(Signal::URG)?;
    child.signal(Signal::WINCH)?;
    flight::finish(child)
}

fn killed(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(4 * LEN, 5)?;
    let child = flight::child(|| pair.copy(&device).succeeded(pair.len).map(drop))?;
    flight::wait()?;
    pause(130);
    let before = os::now();
    child.kill()?;
    same("child", child.wait()?, Exit::KILLED)?;
    if leg.counts_time() {
        // One job is drained, and nothing more: drain_ms is 2 seconds.
        let took = os::now() - before;
        check(took < 2_500_000_000, format!("took {took} ns to die"))?;
    }
    flight::wait_for_rest()?;
    let next = Pair::new(PAGE, 6)?;
    next.copy(&device).succeeded(PAGE)?;
    next.verify(PAGE as u64)
}

fn group(_: Leg) -> Outcome {
    let device = Device::open()?;
    let child = flight::child(|| {
        let pairs: Outcome<Vec<_>> = (0..4).map(|seed| Pair::new(LEN, seed)).collect();
        let pairs = pairs?;
        let calls: Outcome<Vec<_>> = pairs.iter().map(|pair| pair.start(&device)).collect();
        for call in calls? {
            call.join()?;
        }
        Ok(())
    })?;
    flight::wait()?;
    pause(250);
    child.kill()?;
    same("child", child.wait()?, Exit::KILLED)
}

fn terminated(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(LEN, 7)?;
    let child = flight::child(|| pair.copy(&device).succeeded(pair.len).map(drop))?;
    flight::wait()?;
    child.signal(Signal::TERM)?;
    same("child", child.wait()?, Exit::Signal(libc::SIGTERM))
}
