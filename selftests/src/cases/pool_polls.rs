// SPDX-License-Identifier: GPL-2.0

//! What poll(2) says of a pool, and why a run has ended.

use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::PollFlags;

use crate::abi;
use crate::check::{errno_name, same, Fail, Outcome};
use crate::device::{Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pool::{ask, from_device, of_pages, stream, to_device, Pool};
use crate::table::{Case, Needs};

use super::unbind::Unbound;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that never says so.
    memory(
        "pollerr_for_pool_that_is_not_started",
        "at first, with buffers enqueued, when it was stopped; not while something is ready",
        not_started,
    ),
    memory(
        "stop_wakes_who_polls_a_pool_without_buffers",
        "with POLLERR, while the application has all buffers",
        stop_wakes,
    ),
    // Kills the mutant that says so of every pool.
    memory(
        "pollout_for_pool_that_the_device_only_reads",
        "when a buffer can be dequeued, beside POLLIN; no other pool has it",
        sent,
    ),
    // Kills the mutant that forgets the reason.
    memory(
        "dequeue_tells_why_a_run_has_ended",
        "never started, running, stopped, the file closed; nothing was enqueued",
        reasons,
    ),
    Case::new(
        "dequeue_tells_that_a_run_ended_with_the_device",
        "with buffers or without, streaming or not; POLLERR and POLLHUP",
        gone,
    )
    .needs(Needs::Race),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// What poll(2) says now.
#[track_caller]
fn says(when: &str, pool: &Pool, flags: PollFlags) -> Outcome {
    let now = os::poll(pool.fd(), Duration::ZERO)?;
    same(when, now.bits(), flags.bits())
}

/// Nothing can be dequeued; whether the run is over, and why.
#[track_caller]
fn nothing(when: &str, pool: &Pool, errno: i32, end: Option<i32>) -> Outcome {
    let got = pool.dequeue_to(0, 1, 1, abi::DEADLINE_NONE);
    same(when, errno_name(got.errno), errno_name(errno))?;
    same(when, got.stopped, end.is_some())?;
    same(when, got.status, -end.unwrap_or(0))
}

/// Somebody who polls a pool, and sleeps.
struct Poller(JoinHandle<io::Result<PollFlags>>);

impl Poller {
    fn start(pool: &Pool) -> Outcome<Poller> {
        let (sender, receiver) = mpsc::channel();
        let pool = pool.duplicate()?;
        let thread = thread::spawn(move || {
            // Who has started it waits for that.
            let _ = sender.send(os::thread_id());
            os::poll(pool.fd(), Duration::from_secs(200))
        });
        let id = receiver.recv().map_err(|_| Fail::new("no poller"))?;
        flight::wait_until("nobody polls", || Ok(os::sleeps_in(id, libc::SYS_ppoll)?))?;
        Ok(Poller(thread))
    }

    fn told(self) -> Outcome<PollFlags> {
        let polled = self.0.join();
        Ok(polled.map_err(|_| Fail::new("the poller panicked"))??)
    }
}

fn not_started(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    says("at first", &pool, PollFlags::ERR)?;
    pool.enqueue_all()?;
    says("enqueued, but not started", &pool, PollFlags::ERR)?;
    pool.start(from_device(16))?;
    flight::wait_until("nothing is ready", || Ok(pool.state(0)? == abi::POOL_READY))?;
    says("ready", &pool, PollFlags::IN)?;
    pool.stop()?;
    says("stopped, and ready", &pool, PollFlags::IN)?;
    pool.dequeue(1)?;
    says("stopped", &pool, PollFlags::ERR)?;
    pool.start(from_device(16))?;
    says("started, nothing enqueued", &pool, PollFlags::empty())?;
    pool.stop()?;
    says("stopped again", &pool, PollFlags::ERR)
}

fn stop_wakes(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    pool.start(from_device(16))?;
    let poller = Poller::start(&pool)?;
    pool.stop()?;
    same("polled", poller.told()?.bits(), PollFlags::ERR.bits())
}

fn sent(_: Leg) -> Outcome {
    let device = Device::open()?;
    let both = PollFlags::IN | PollFlags::OUT;
    let filled = PollFlags::IN;
    for (access, start, ready) in [
        (abi::DEV_READ, to_device(16), both),
        (abi::DEV_WRITE, from_device(16), filled),
        (abi::DEV_READ | abi::DEV_WRITE, to_device(16), filled),
    ] {
        let mut request = ask(1, PAGE);
        request.access = access;
        let pool = Pool::make(&device, request)?;
        pool.start(start)?;
        says("the application has it", &pool, PollFlags::empty())?;
        pool.enqueue_all()?;
        let told = os::poll(pool.fd(), Duration::from_secs(200))?;
        same("polled", told.bits(), ready.bits())?;
    }
    Ok(())
}

fn reasons(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    nothing("at first", &pool, libc::EAGAIN, Some(0))?;
    pool.start(from_device(16))?;
    nothing("started", &pool, libc::EAGAIN, None)?;
    pool.stop()?;
    nothing("stopped", &pool, libc::EAGAIN, Some(libc::ECANCELED))?;
    pool.start(from_device(16))?;
    nothing("started again", &pool, libc::EAGAIN, None)?;
    drop(device);
    let canceled = libc::ECANCELED;
    nothing("without its file", &pool, canceled, Some(canceled))?;
    says("without its file", &pool, PollFlags::ERR | PollFlags::HUP)
}

fn gone(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pools = [
        of_pages(&device, 1)?,
        of_pages(&device, 1)?,
        of_pages(&device, 1)?,
    ];
    let [idle, fed, streaming] = &pools;
    idle.start(from_device(16))?;
    fed.enqueue_all()?;
    fed.start(from_device(16))?;
    fed.dequeue(1)?;
    streaming.start(stream(16))?;
    let poller = Poller::start(idle)?;
    let unbound = Unbound::now()?;
    let dead = PollFlags::ERR | PollFlags::HUP;
    same("polled", poller.told()?.bits(), dead.bits())?;
    for pool in &pools {
        let ended = || Ok(pool.dequeue_to(0, 1, 0, 0).stopped);
        flight::wait_until("the run goes on", ended)?;
        nothing("unbound", pool, libc::ENODEV, Some(libc::ENODEV))?;
        says("unbound", pool, dead)?;
    }
    drop(device);
    unbound.end()
}
