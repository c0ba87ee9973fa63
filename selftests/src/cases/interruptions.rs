// SPDX-License-Identifier: GPL-2.0

//! What looks like a signal to a call that waits, and is none that the program would see: task work
//! of io_uring, a stop, a frozen cgroup, a debugger.

use std::time::Duration;

use rustix::process::Signal;

use crate::abi;
use crate::cgroup::Cgroup;
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{copy, seg, Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::pause;
use crate::pattern;
use crate::pool::{ask, from_device, Pool};
use crate::process::Process;
use crate::queue::{entry, Queue};
use crate::region::within;
use crate::rw::{device_holds, fill_device, gathered, preadv, scattered};
use crate::sys::uring::Ring;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that takes a notification for a signal.
    race(
        "eintr_never_by_task_work_during_a_transfer",
        "of ten jobs, either way",
        |_| with_task_work(transfers),
    )
    .slow(),
    race(
        "eintr_never_by_task_work_during_a_copy",
        "of four pages",
        |_| with_task_work(copies),
    )
    .slow(),
    race(
        "eintr_never_by_task_work_during_a_readv",
        "of four ranges",
        |_| with_task_work(reads),
    )
    .slow(),
    race(
        "eintr_never_by_task_work_during_a_wait",
        "it waits for all that it was told to wait for",
        |_| with_task_work(waits),
    )
    .slow(),
    race(
        "eintr_never_by_task_work_during_a_dequeue",
        "as with a queue",
        |_| with_task_work(dequeues),
    )
    .slow(),
    race(
        "eintr_never_by_task_work_during_an_unregister",
        "that waits for requests",
        |_| with_task_work(unregisters),
    )
    .slow(),
    // Kills the mutant that gives what there is whenever it looks as if there was a signal.
    stop(
        "eintr_never_by_a_stop_during_a_wait",
        "by a signal, a frozen cgroup, a debugger",
        |_| {
            with_stops(
                "stopped-wait",
                |device| flight::wait_for_ends(device, 1),
                waits,
            )
        },
    ),
    stop("eintr_never_by_a_stop_during_a_dequeue", "as above", |_| {
        with_stops("stopped-dequeue", two_jobs, dequeues)
    }),
    stop(
        "eintr_never_by_a_stop_during_an_unregister",
        "as above",
        |_| with_stops("stopped-unregister", two_jobs, unregisters),
    ),
    stop(
        "eintr_never_by_a_stop_before_the_first_job",
        "but waits for its channel",
        waiting,
    ),
    stop(
        "eintr_by_a_stop_between_jobs_with_exact_bytes",
        "a stop counts as a signal there",
        |_| with_stops("stopped-transfer", two_jobs, stopped_transfer),
    )
    .slow(),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const fn stop(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    race(name, about, run).not_on_debug("it has no cgroups, which freeze")
}

/// Bytes of a short job.
const SHORT: usize = 64;

// ---- task work ----

/// A job takes 100 ms.
const TICK: Duration = Duration::from_millis(50);

/// Makes calls while completions of io_uring come to their thread.
fn with_task_work(calls: fn(&Device) -> Outcome) -> Outcome {
    let device = Device::open()?;
    let mut ring = Ring::new()?;
    ring.tick(TICK, 1)?;
    calls(&device)?;
    check(ring.has_ended(), "nothing came meanwhile")
}

fn transfers(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(20 * PAGE)?;
    pattern::write(&memory, 0, 10 * PAGE, 31);
    let parts = |from: usize| -> Vec<_> {
        (0..10)
            .map(|page| seg(&memory, (from + page) * PAGE, SHORT))
            .collect()
    };
    device.to_device(0, &parts(0)).succeeded(10 * SHORT)?;
    device.from_device(0, &parts(10)).succeeded(10 * SHORT)?;
    for page in 0..10 {
        let (sent, got) = (
            memory.read(page * PAGE, SHORT),
            memory.read((10 + page) * PAGE, SHORT),
        );
        pattern::expect(&got, &sent)?;
    }
    Ok(())
}

fn copies(device: &Device) -> Outcome {
    let pair = Pair::new(4 * PAGE, 32)?;
    let (src, dst) = pair.segs();
    device.copy(copy(&[src], &[dst])).succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

fn reads(device: &Device) -> Outcome {
    fill_device(device, 33)?;
    let memory = Mapping::anonymous(4 * WINDOW + PAGE)?;
    let parts = scattered(&memory, 4);
    preadv(device, &parts, 0, 0).moved(WINDOW)?;
    pattern::expect(&gathered(&memory, &parts), &pattern::bytes(33, WINDOW))
}

/// Waits for all of sixteen requests at once.
fn waits(device: &Device) -> Outcome {
    let queue = Queue::create(device, 16)?;
    let memory = Mapping::anonymous(PAGE)?;
    let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, SHORT));
    queue
        .submit(device, &(0..16).map(of).collect::<Vec<_>>())
        .all(16)?;
    let waited = queue.wait(16, 16, abi::DEADLINE_NONE);
    same("errno", errno_name(waited.errno), errno_name(0))?;
    same("completions", waited.completions.len(), 16)
}

fn dequeues(device: &Device) -> Outcome {
    let pool = Pool::make(device, ask(8, PAGE))?;
    pool.enqueue_all()?;
    pool.start(from_device(PAGE))?;
    pool.dequeue(8).map(drop)
}

fn unregisters(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let queue = Queue::create(device, 8)?;
    let of = |name| entry(name, abi::TO_DEVICE, 0, within(region, 0, SHORT));
    queue
        .submit(device, &(0..8).map(of).collect::<Vec<_>>())
        .all(8)?;
    let errno = device.unregister_by(region, abi::DEADLINE_NONE);
    same("errno", errno_name(errno), errno_name(0))?;
    // A request lets go of the region just before it completes.
    let waited = queue.wait(8, 8, abi::DEADLINE_NONE);
    same("completions", waited.completions.len(), 8)
}

// ---- stops ----

/// What stops a process and lets it go on, so that it sees nothing of it.
enum Stop {
    Signal,
    Freezer(Cgroup),
    Debugger,
}

impl Stop {
    fn all(cgroup: &str) -> Outcome<[Stop; 3]> {
        Ok([
            Stop::Signal,
            Stop::Freezer(Cgroup::new(cgroup)?),
            Stop::Debugger,
        ])
    }

    fn prepare(&self, child: &Process) -> Outcome {
        match self {
            Stop::Freezer(cgroup) => Ok(cgroup.take(child)?),
            _ => Ok(()),
        }
    }

    /// Stops `child`, and lets it go on after a while.
    fn apply(&self, child: &Process) -> Outcome {
        match self {
            Stop::Signal => {
                child.signal(Signal::STOP)?;
                flight::wait_until("the child does not stop", || Ok(child.is_stopped()?))?;
                pause(50);
                Ok(child.signal(Signal::CONT)?)
            }
            Stop::Freezer(cgroup) => {
                cgroup.freeze()?;
                pause(50);
                Ok(cgroup.thaw()?)
            }
            Stop::Debugger => Ok(child.debug()?),
        }
    }
}

/// Has a child make calls, and stops it as soon as `begun`, in each way.
fn with_stops(
    cgroup: &str,
    begun: fn(&Device) -> Outcome,
    calls: fn(&Device) -> Outcome,
) -> Outcome {
    for stop in Stop::all(cgroup)? {
        let device = Device::open()?;
        let child = flight::child(|| calls(&device))?;
        stop.prepare(&child)?;
        begun(&device)?;
        stop.apply(&child)?;
        flight::finish(child)?;
    }
    Ok(())
}

/// The first job is done.
fn two_jobs(device: &Device) -> Outcome {
    flight::wait_until("two jobs were never started", || {
        Ok(device.stats()?.out_jobs >= 2)
    })
}

fn waiting(_: Leg) -> Outcome {
    for stop in Stop::all("stopped-in-line")? {
        let (hog, pair) = (Device::open()?, Pair::new(8 * PAGE, 34)?);
        let busy = pair.start(&hog)?;
        flight::wait_for_job(&hog)?;
        let child = flight::child(|| {
            let device = Device::open()?;
            let memory = Mapping::anonymous(PAGE)?;
            device
                .to_device(0, &[seg(&memory, 0, SHORT)])
                .succeeded(SHORT)
                .map(drop)
        })?;
        stop.prepare(&child)?;
        flight::wait_until("the child makes no call", || {
            Ok(child.sleeps_in(libc::SYS_ioctl)? || child.ended_within(Duration::ZERO)?)
        })?;
        // On a slow machine it has had its turn by now.
        if !child.ended_within(Duration::ZERO)? {
            stop.apply(&child)?;
        }
        flight::finish(child)?;
        busy.join()?.succeeded(pair.len)?;
    }
    Ok(())
}

fn stopped_transfer(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(10 * PAGE)?;
    pattern::write(&memory, 0, 10 * PAGE, 35);
    let parts: Vec<_> = (0..10)
        .map(|page| seg(&memory, page * PAGE, SHORT))
        .collect();
    let sent: Vec<u8> = (0..10)
        .flat_map(|page| memory.read(page * PAGE, SHORT))
        .collect();
    fill_device(device, 36)?;
    let mut want = pattern::bytes(36, WINDOW);
    let bytes = device.to_device(0, &parts).stopped(libc::EINTR)?.bytes as usize;
    same("bytes of a part", bytes % SHORT, 0)?;
    check(bytes > 0 && bytes < 10 * SHORT, format!("{bytes} bytes"))?;
    want[..bytes].copy_from_slice(&sent[..bytes]);
    device_holds(device, &want)
}
