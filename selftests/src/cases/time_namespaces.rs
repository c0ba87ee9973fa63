// SPDX-License-Identifier: GPL-2.0

//! Time namespaces: what a process says and is told of times is in its own.

use std::fs;

use crate::abi;
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{copy, seg, transfer, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pool::{ask, from_device, Pool};
use crate::queue::{entry, Queue, RECORD};
use crate::region::within;
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that takes deadlines for times of the host.
    case(
        "deadlines_are_times_of_the_callers_namespace",
        "all calls with one; ahead of the host, and behind it",
        deadlines,
    )
    .slow(),
    // Kills the mutant that tells times of the host.
    case(
        "times_of_records_are_of_the_readers_namespace",
        "completions that are waited for and read, frames",
        records,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run)
        .needs(Needs::Memory)
        .not_on_debug("it has no time namespaces")
}

const SECOND: i64 = 1_000_000_000;

/// Seconds by which the namespaces differ from the host.
const OFFSETS: [i64; 2] = [1000, -10];

/// Runs `body` in a time namespace that is `offset` seconds ahead of the host.
fn ahead_by(offset: i64, body: fn() -> Outcome) -> Outcome {
    // No clock shows a time before 0.
    while os::now() < (2 - offset) * SECOND {
        pause(100);
    }
    let host = os::now();
    flight::in_child(|| {
        sys::new_time_namespace()?;
        fs::write("/proc/self/timens_offsets", format!("monotonic {offset} 0"))?;
        flight::in_child(|| {
            let moved = (os::now() - host) / SECOND;
            check(
                moved >= offset && (offset > 0 || moved < 0),
                "the clock is the host's",
            )?;
            body()
        })
    })
}

fn deadlines(_: Leg) -> Outcome {
    for offset in OFFSETS {
        ahead_by(offset, || {
            over()?;
            to_come(|| os::now() + 9 * SECOND)?;
            to_come(|| abi::DEADLINE_NONE)
        })?;
    }
    Ok(())
}

/// A deadline that is just over, in every call that has one.
fn over() -> Outcome {
    let past = || os::now() - 1;
    let device = Device::open()?;
    let pair = Pair::new(PAGE, 41)?;
    let (src, dst) = pair.segs();
    let (from, to) = ([src], [dst]);
    let mut send = transfer(abi::TO_DEVICE, 0, &from);
    send.deadline = past();
    device.transfer(send).refused(libc::ETIMEDOUT)?;
    let mut both = copy(&from, &to);
    both.deadline = past();
    device.copy(both).refused(libc::ETIMEDOUT)?;
    let region = device.register(&[src])?;
    let queue = Queue::create(&device, 8)?;
    let mut late = entry(0, abi::TO_DEVICE, 0, src);
    late.deadline = past();
    queue.submit(&device, &[late]).all(1)?;
    same("status", queue.reap_one()?.status, -libc::ETIMEDOUT)?;
    let busy = |name| entry(name, abi::TO_DEVICE, 0, within(region, 0, 64));
    queue
        .submit(&device, &(0..8).map(busy).collect::<Vec<_>>())
        .all(8)?;
    let errno = queue.wait(8, 8, past()).errno;
    check(errno == libc::ETIMEDOUT || errno == 0, errno_name(errno))?;
    let errno = device.unregister_by(region, past());
    same("unregister", errno_name(errno), errno_name(libc::ETIMEDOUT))?;
    let pool = Pool::make(&device, ask(4, PAGE))?;
    pool.enqueue_all()?;
    pool.start(from_device(PAGE))?;
    let (errno, records) = pool.try_dequeue(4, 4, past());
    let early = errno == libc::ETIMEDOUT || records.len() < 4;
    check(early, format!("{} of 4 frames", records.len()))
}

/// A deadline that nothing reaches.
fn to_come(deadline: fn() -> i64) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(PAGE, 42)?;
    let (src, dst) = pair.segs();
    let (from, to) = ([src], [dst]);
    let mut both = copy(&from, &to);
    both.deadline = deadline();
    device.copy(both).succeeded(PAGE)?;
    let mut send = transfer(abi::TO_DEVICE, 0, &from);
    send.deadline = deadline();
    device.transfer(send).succeeded(PAGE)?;
    let region = device.register(&[src])?;
    let queue = Queue::create(&device, 2)?;
    let mut request = entry(0, abi::TO_DEVICE, 0, within(region, 0, 64));
    request.deadline = deadline();
    queue.submit(&device, &[request]).all(1)?;
    let errno = device.unregister_by(region, deadline());
    same("unregister", errno_name(errno), errno_name(0))?;
    let waited = queue.wait(1, 1, deadline());
    same("wait", errno_name(waited.errno), errno_name(0))?;
    same("status", waited.completions[0].status, 0)?;
    let pool = Pool::make(&device, ask(1, PAGE))?;
    pool.enqueue_all()?;
    pool.start(from_device(PAGE))?;
    let (errno, _) = pool.try_dequeue(1, 1, deadline());
    same("dequeue", errno_name(errno), errno_name(0))
}

fn records(_: Leg) -> Outcome {
    for offset in OFFSETS {
        ahead_by(offset, of_records)?;
    }
    Ok(())
}

fn of_records() -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 2)?;
    let memory = Mapping::anonymous(PAGE)?;
    let request = || [entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 64))];
    let begin = os::now();
    queue.submit(&device, &request()).all(1)?;
    lies("waited for", queue.reap_one()?.time_ns, begin)?;
    let begin = os::now();
    queue.submit(&device, &request()).all(1)?;
    lies("read", queue.read(RECORD)?[0].time_ns, begin)?;
    let pool = Pool::make(&device, ask(1, PAGE))?;
    let begin = os::now();
    pool.enqueue_all()?;
    pool.start(from_device(PAGE))?;
    lies("frame", pool.dequeue(1)?[0].time_ns, begin)
}

/// `time` lies between `begin` and now.
fn lies(what: &str, time: i64, begin: i64) -> Outcome {
    let end = os::now();
    check(
        (begin..=end).contains(&time),
        format!("{what}: {time}, not in {begin} to {end}"),
    )
}
