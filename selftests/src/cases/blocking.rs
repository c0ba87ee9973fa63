// SPDX-License-Identifier: GPL-2.0

//! read(2) and write(2) that wait: for their turn, for the device, for memory;
//! and what ends them before their time.

use std::thread;

use rustix::process::Signal;

use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::process::{Exit, Process};
use crate::rw::{
    fill_device, gathered, pread, preadv, pwrite, pwritev, range, scattered, seek, Answer,
};
use crate::sys::rw::Range;
use crate::sys::{signals, Mapping, Userfault};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "eagain_for_read_of_a_busy_nonblocking_file",
        "and data when the channel is free",
        nonblocking,
    ),
    race(
        "signal_makes_a_read_short",
        "exactly the bytes that were moved",
        short,
    ),
    race(
        "eintr_for_read_that_waits_for_the_channel",
        "nothing of it is started",
        interrupted,
    ),
    // Kills the mutant that lets the number of a restart out.
    race(
        "eintr_unless_restarted_for_a_read_that_waits",
        "after a handler with SA_RESTART",
        restarted,
    ),
    race(
        "kill_9_during_read_leaves_nothing",
        "dead after the job that runs",
        killed,
    ),
    race(
        "unbind_makes_a_read_short",
        "or ENODEV, and then ENODEV for ever",
        unbound,
    ),
    race(
        "unbind_does_not_wait_for_a_stuck_read",
        "who gets ENODEV later",
        stuck,
    ),
    unstoppable(
        "enotrecoverable_for_read_is_the_end_of_its_process",
        "its memory may still change",
        |leg| no_stop(leg, &READ),
    ),
    unstoppable(
        "enotrecoverable_for_write_in_spite_of_bytes",
        "the device does not stop after a signal",
        |leg| no_stop(leg, &WRITE),
    ),
    Case::new(
        "enodev_for_read_write_lseek_after_unbind",
        "on a file that was idle",
        gone,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const fn unstoppable(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    race(name, about, run)
        .stubborn()
        .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error")
}

/// Jobs of a read that takes long: 100 ms for each.
const PARTS: usize = 16;
/// Bytes of each.
const PART: usize = WINDOW / PARTS;

/// A process that keeps the channel busy for seconds.
fn hog(device: &Device) -> Outcome<Process> {
    let pair = Pair::new(16 * PAGE, 99)?;
    let hog = flight::child(|| pair.copy(device).succeeded(pair.len).map(drop))?;
    flight::wait_for_job(device)?;
    Ok(hog)
}

fn end(process: Process) -> Outcome {
    process.kill()?;
    process.wait()?;
    flight::wait_for_rest()
}

/// Waits until `count` requests are under way, or `process` has ended.
fn wait_for_requests(count: u64, process: &Process) -> Outcome {
    for _ in 0..2000 {
        if counters::driver("requests")? == count
            || process.ended_within(std::time::Duration::ZERO)?
        {
            return Ok(());
        }
        pause(5);
    }
    Err(Fail::new("the call was never made"))
}

/// Ten bytes were not moved, as the channel is busy; on a slow machine it may be free
/// for a moment, between two turns or after the last.
#[track_caller]
fn busy(leg: Leg, answer: Answer) -> Outcome {
    if !leg.counts_time() && answer.errno() == 0 {
        return answer.moved(10);
    }
    answer.failed(libc::EAGAIN)
}

fn nonblocking(leg: Leg) -> Outcome {
    let device = Device::open_with(libc::O_NONBLOCK)?;
    fill_device(&device, 1)?;
    let memory = Mapping::anonymous(PAGE)?;
    let hog = hog(&Device::open()?)?;
    busy(leg, pread(&device, range(&memory, 0, 10), 0))?;
    busy(leg, pwrite(&device, range(&memory, 0, 10), 0))?;
    pread(&device, range(&memory, 0, 10), WINDOW as i64).moved(0)?;
    end(hog)?;
    fill_device(&device, 1)?;
    // More than one job: it is not given up between two of them.
    let long = Mapping::anonymous(4 * PAGE)?;
    let parts = scattered(&long, 4);
    preadv(&device, &parts, 0, 0).moved(WINDOW)?;
    pattern::expect(&gathered(&long, &parts), &pattern::bytes(1, WINDOW))
}

/// Reads in many jobs; whole ones arrive, and what did not arrive stays.
fn long_read(device: &Device, seed: u64) -> Outcome<usize> {
    let memory = Mapping::anonymous(PARTS * PAGE)?;
    memory.fill(0, PARTS * PAGE, GUARD);
    let parts = scattered(&memory, PARTS);
    let bytes = preadv(device, &parts, 0, 0).some()?;
    same("part of a job", bytes % PART, 0)?;
    let got = gathered(&memory, &parts);
    pattern::expect(&got[..bytes], &pattern::bytes(seed, bytes))?;
    pattern::expect(&got[bytes..], &vec![GUARD; WINDOW - bytes])?;
    Ok(bytes)
}

fn short(leg: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let before = device.stats()?.out_jobs;
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        let bytes = long_read(&device, 2)?;
        let moved = device.stats()?.out_bytes_from_device;
        same("bytes", moved, bytes as u64)?;
        if !leg.counts_time() && bytes == WINDOW {
            // On a slow machine the signal may come too late.
            return Ok(());
        }
        same("signals", signals::caught(), 1)?;
        check(bytes < WINDOW, "all of it was read")?;
        check(bytes >= 3 * PART, format!("only {bytes} bytes"))
    })?;
    // Three are over when the fourth begins.
    flight::wait_for_jobs(&device, before + 4, &child)?;
    child.signal(Signal::USR1)?;
    flight::finish(child)
}

/// A process in line behind another, that gets a signal.
fn in_line(body: impl FnOnce(&Device) -> Outcome) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 3)?;
    let first = hog(&Device::open()?)?;
    let second = flight::child(|| body(&device))?;
    wait_for_requests(2, &second)?;
    pause(20);
    second.signal(Signal::USR1)?;
    let outcome = flight::finish(second);
    end(first)?;
    outcome
}

fn interrupted(leg: Leg) -> Outcome {
    in_line(|device| {
        signals::catch(libc::SIGUSR1)?;
        let memory = Mapping::anonymous(PAGE)?;
        let answer = pread(device, range(&memory, 0, 64), 0);
        if !leg.counts_time() && answer.errno() == 0 {
            // On a slow machine its turn came before the signal.
            return answer.moved(64);
        }
        answer.failed(libc::EINTR)?;
        same("signals", signals::caught(), 1)
    })
}

fn restarted(leg: Leg) -> Outcome {
    in_line(|device| {
        signals::catch_and_restart(libc::SIGUSR1)?;
        let memory = Mapping::anonymous(PAGE)?;
        pread(device, range(&memory, 0, 64), 0).moved(64)?;
        let caught = signals::caught();
        // On a slow machine its turn came before the signal.
        let late = !leg.counts_time() && caught == 0;
        check(late || caught == 1, format!("{caught} signals"))
    })
}

fn killed(leg: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 4)?;
    let child = flight::child(|| long_read(&device, 4).map(drop))?;
    flight::wait()?;
    pause(130);
    child.kill()?;
    let exit = child.wait()?;
    // On a slow machine all of it was read before.
    let late = !leg.counts_time() && exit == Exit::Code(0);
    check(late || exit == Exit::KILLED, exit)?;
    flight::wait_for_rest()?;
    same("all of it", long_read(&device, 4)?, WINDOW)
}

/// Everything about the content of this file is ENODEV.
fn refuses(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let some = range(&memory, 0, 64);
    for at in [0, WINDOW as i64] {
        pread(device, some, at).failed(libc::ENODEV)?;
        pwrite(device, some, at).failed(libc::ENODEV)?;
    }
    preadv(device, &[some], 0, libc::RWF_NOWAIT).failed(libc::ENODEV)?;
    let want = -i64::from(libc::ENODEV);
    same("lseek", seek(device, 0, libc::SEEK_END), want)
}

fn bind() -> Outcome {
    pci::bind()?;
    module::wait_for_node(true)
}

fn gone(_: Leg) -> Outcome {
    let device = Device::open()?;
    pci::unbind()?;
    let outcome = refuses(&device);
    bind()?;
    outcome?;
    refuses(&device)
}

fn unbound(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 5)?;
    let reader = device.duplicate()?;
    let read = thread::spawn(move || {
        let memory = Mapping::anonymous(PARTS * PAGE)?;
        let parts = scattered(&memory, PARTS);
        let answer = preadv(&reader, &parts, 0, 0);
        if answer.errno() == libc::ENODEV {
            return Ok(());
        }
        let bytes = answer.some()?;
        let got = gathered(&memory, &parts);
        pattern::expect(&got[..bytes], &pattern::bytes(5, bytes))
    });
    flight::wait()?;
    pause(250);
    pci::unbind()?;
    let read = read.join().map_err(|_| Fail::new("the thread panicked"))?;
    let refused = refuses(&device);
    bind()?;
    read.and(refused)
}

fn stuck(_: Leg) -> Outcome {
    let device = Device::open()?;
    let missing = Mapping::anonymous(PAGE)?;
    let fault = Userfault::register(&missing)?;
    let into = range(&missing, 0, 100);
    let reader = device.duplicate()?;
    let read = thread::spawn(move || pread(&reader, into, 0).failed(libc::ENODEV));
    flight::wait_for_stuck(&fault)?;
    // If this waits for the caller, it waits for ever: the harness says so.
    pci::unbind()?;
    let refused = refuses(&device);
    fault.resolve()?;
    let read = read.join().map_err(|_| Fail::new("the thread panicked"))?;
    bind()?;
    read.and(refused)
}

/// A call of a process, and how that ends if the device does not stop.
struct Unstoppable {
    call: fn(&Device, &[Range], i64, i32) -> Answer,
    end: Exit,
}

const READ: Unstoppable = Unstoppable {
    call: preadv,
    end: Exit::KILLED,
};

const WRITE: Unstoppable = Unstoppable {
    call: pwritev,
    end: Exit::Code(TOLD),
};

/// Exit code of a process that was told that the device does not stop.
const TOLD: i32 = 2;

fn no_stop(leg: Leg, how: &Unstoppable) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        let mut failed = false;
        for _ in 0..10 {
            failed = failed || fails_to_stop(how)?;
        }
        // On a slow machine jobs may always be over before anybody looks.
        let late = !leg.counts_time();
        check(late || failed, "every signal came between two jobs")?;
        // Its job is over: now it can be proved that it is idle.
        pause(400);
        pci::unbind()?;
        counters::pins_come_to(before)?;
        bind()
    })
}

/// A call whose signal comes in the middle of a job, after others were done;
/// whether it did.
fn fails_to_stop(how: &Unstoppable) -> Outcome<bool> {
    fill_device(&Device::open()?, 6)?;
    let device = Device::open()?;
    let child = Process::fork(|| {
        let Ok(memory) = Mapping::anonymous(PARTS * PAGE) else {
            return 1;
        };
        let caught = signals::catch(libc::SIGUSR1);
        let answer = (how.call)(&device, &scattered(&memory, PARTS), 0, 0);
        // The device may work on it still.
        std::mem::forget(memory);
        match (caught, answer.errno()) {
            (Ok(()), libc::ENOTRECOVERABLE) => TOLD,
            (Ok(()), 0) => 0,
            _ => 1,
        }
    })?;
    flight::wait_for_job(&device)?;
    pause(350);
    child.signal(Signal::USR1)?;
    match child.wait()? {
        // Between two jobs, or after the last.
        Exit::Code(0) => Ok(false),
        exit if exit == how.end => Ok(true),
        exit => Err(Fail::new(format!("the call ended with {exit}"))),
    }
}
