// SPDX-License-Identifier: GPL-2.0

//! Every request ends exactly once: thousands of them are counted.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::abi::{self, pindma_completion};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::queue::{entry, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutants that post twice, or not at all.
    race(
        "every_request_ends_exactly_once",
        "three files, six queues, twelve threads, and who cancels",
        crowd,
    ),
    race(
        "every_request_ends_once_when_its_file_is_closed",
        "over and over, at any moment",
        closing,
    ),
    // Kills the mutant that numbers none.
    race(
        "completions_are_numbered_without_a_gap",
        "whoever ended them",
        numbers,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const MS: i64 = 1_000_000;
const BATCH: u64 = 16;

/// Batches of each queue; a job is 100 ms of real time on some legs.
fn batches(leg: Leg) -> u64 {
    if leg.counts_time() {
        60
    } else {
        10
    }
}

/// Names that have come back, each once.
#[derive(Default)]
struct Names(HashSet<u64>);

impl Names {
    fn add(&mut self, end: &pindma_completion) -> Outcome {
        let status = errno_name(-end.status);
        let known = [0, -libc::ECANCELED, -libc::ETIMEDOUT];
        check(known.contains(&end.status), format!("status {status}"))?;
        let new = self.0.insert(end.user_data);
        check(new, format!("request {} has ended twice", end.user_data))
    }

    fn are(&self, count: u64) -> Outcome {
        same("requests that have ended", self.0.len() as u64, count)?;
        let missing = (0..count).find(|name| !self.0.contains(name));
        check(missing.is_none(), format!("no end of {missing:?}"))
    }
}

type Worker = JoinHandle<Outcome>;

fn join(workers: Vec<Worker>) -> Outcome {
    let joined = workers.into_iter().map(|worker| {
        let joined = worker.join();
        joined.map_err(|_| Fail::new("a thread panicked"))?
    });
    // All of them, whatever one of them says.
    joined.collect::<Vec<_>>().into_iter().collect()
}

/// Submits requests 0 to `count` - 1; every third has a deadline that is near.
fn submit_all(device: &Device, queue: &Queue, count: u64) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let of = |name: u64| abi::pindma_entry {
        deadline: match name % 3 {
            0 => os::now() + 15 * MS,
            _ => abi::DEADLINE_NONE,
        },
        ..entry(name, abi::FROM_DEVICE, 0, seg(&memory, 0, 64))
    };
    let mut next = 0;
    while next < count {
        let entries: Vec<_> = (next..count.min(next + BATCH)).map(of).collect();
        let submitted = queue.submit(device, &entries);
        let full = submitted.out.status == -libc::EAGAIN;
        check(submitted.out.status == 0 || full, submitted)?;
        next += u64::from(submitted.count);
        if full {
            pause(1);
        }
    }
    // It is pinned still.
    std::mem::forget(memory);
    Ok(())
}

fn reap_all(queue: &Queue, count: u64) -> Outcome {
    let mut names = Names::default();
    while (names.0.len() as u64) < count {
        let waited = queue.wait(7, 3, os::now() + 50 * MS);
        let none = [libc::EAGAIN, libc::ETIMEDOUT].contains(&waited.errno);
        check(waited.errno == 0 || none, format!("{waited:?}"))?;
        for end in &waited.completions {
            names.add(end)?;
        }
    }
    names.are(count)?;
    let waited = queue.wait(7, 1, 0);
    same("in flight", waited.in_flight, 0)?;
    waited.nothing(libc::EAGAIN)
}

fn cancel_until(done: &AtomicBool, queues: &[Queue]) {
    let mut round = 0;
    while !done.load(Ordering::Relaxed) {
        round += 1;
        for queue in queues {
            // Mostly there is something to cancel, but it may all have ended.
            let _ = match round % 4 {
                0 => queue.cancel_all(),
                _ => queue.cancel(round),
            };
        }
        pause(3);
    }
}

fn crowd(leg: Leg) -> Outcome {
    let count = batches(leg) * BATCH;
    let (mut devices, mut queues, mut workers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let device = Device::open()?;
        for depth in [8, 64] {
            let queue = Queue::create(&device, depth)?;
            let (file, into) = (device.duplicate()?, queue.duplicate()?);
            workers.push(thread::spawn(move || submit_all(&file, &into, count)));
            let from = queue.duplicate()?;
            workers.push(thread::spawn(move || reap_all(&from, count)));
            queues.push(queue);
        }
        devices.push(device);
    }
    let done = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&done);
    let canceller = thread::spawn(move || cancel_until(&until, &queues));
    let joined = join(workers);
    done.store(true, Ordering::Relaxed);
    check(canceller.join().is_ok(), "the canceller panicked")?;
    joined?;
    for device in devices {
        let stats = device.stats()?;
        same("submitted", stats.out_submitted, 2 * count)?;
        same("ended", stats.out_ended, 2 * count)?;
    }
    Ok(())
}

fn closing(leg: Leg) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    for round in 0..2 * batches(leg) {
        let device = Device::open()?;
        let queue = Queue::create(&device, 32)?;
        let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
        let entries: Vec<_> = (0..32).map(of).collect();
        queue.submit(&device, &entries).all(32)?;
        if round % 2 == 0 {
            pause(round % 7);
        }
        let canceller = queue.duplicate()?;
        let other = thread::spawn(move || {
            let _ = canceller.cancel(round % 32);
            let _ = canceller.cancel_all();
        });
        drop(device);
        let joined = other.join();
        check(joined.is_ok(), "the canceller panicked")?;
        let mut names = Names::default();
        for end in queue.take() {
            names.add(&end)?;
        }
        names.are(32)?;
    }
    Ok(())
}

fn numbers(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 8)?;
    let memory = Mapping::anonymous(PAGE)?;
    let of = |name: u64| abi::pindma_entry {
        deadline: if name % 3 == 0 { 0 } else { abi::DEADLINE_NONE },
        ..entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64))
    };
    let mut next = 0;
    let mut last = 0;
    for round in 0..5 {
        let first = 6 * round;
        let entries: Vec<_> = (first..first + 6).map(of).collect();
        queue.submit(&device, &entries).all(6)?;
        queue.cancel(first + 5).ok();
        for end in queue.reap(6)? {
            same("number", end.seq, next)?;
            check(end.time_ns >= last, "times go back")?;
            (next, last) = (next + 1, end.time_ns);
        }
    }
    Ok(())
}
