// SPDX-License-Identifier: GPL-2.0

//! How pools end: by close, by death, with the device.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{Device, PAGE};
use crate::flight;
use crate::gate;
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::os;
use crate::pattern;
use crate::pci::{self, Cleared};
use crate::pool::{from_device, of_pages, record, stream, Pool};
use crate::process::Exit;
use crate::table::{Case, Needs};

use super::frames::load;
use super::unbind::Unbound;

pub(crate) const CASES: &[Case] = &[
    race(
        "close_of_a_pool_stops_its_stream",
        "and nothing is left of it",
        closed,
    ),
    race(
        "close_of_the_file_ends_its_pools",
        "ECANCELED; what was filled can still be had",
        file_closed,
    ),
    // Kills the mutant that only ends what still has a handle.
    race(
        "close_of_the_file_ends_a_pool_without_handle",
        "whose descriptor is open",
        unnamed,
    ),
    race(
        "dequeue_tells_whether_the_pool_is_stopped",
        "and no caller of an older header is written to",
        stopped,
    ),
    // Kills the mutant that ends a frame which was not submitted yet.
    Case::new(
        "stop_of_a_stream_that_is_about_to_begin",
        "nothing is left of it, at whatever moment that comes",
        at_once,
    )
    .needs(Needs::Only(
        &[Leg::Smp, Leg::XdmaSmp],
        "two CPUs see what one does not",
    )),
    race("kill_9_while_a_pool_streams", "and while it waits", killed),
    race(
        "unbind_ends_pools_under_load",
        "every call ENODEV, the memory stays",
        unbound,
    ),
    race(
        "unbind_wakes_who_polls_an_idle_pool",
        "with EPOLLHUP",
        hung_up,
    ),
    race(
        "eio_in_a_record_without_bus_mastering",
        "the next frame is good again",
        no_master,
    )
    .refuses(),
    race(
        "enotrecoverable_in_a_record_when_the_device_does_not_stop",
        "the memory is kept",
        no_stop,
    )
    .stubborn()
    .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error"),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// A pool of 4 pages that streams, and has begun to.
fn streaming(device: &Device) -> Outcome<Pool> {
    let pool = of_pages(device, 4)?;
    pool.enqueue_all()?;
    pool.start(stream(0))?;
    flight::wait_until("nothing streams", || Ok(pool.state(0)? == abi::POOL_READY))?;
    Ok(pool)
}

/// What works for the pool lets go of it as the last, at some time.
fn nothing_is_left() -> Outcome {
    ["pools", "kernel_pages", "charged_pages", "mapped_segments"]
        .into_iter()
        .try_for_each(|name| counters::comes_to(name, 0))
}

fn closed(_: Leg) -> Outcome {
    let device = Device::open()?;
    for handle_first in [true, false] {
        let pool = streaming(&device)?;
        let handle = pool.handle;
        if handle_first {
            same("errno", device.unregister(handle), 0)?;
            drop(pool);
        } else {
            drop(pool);
            same("errno", device.unregister(handle), 0)?;
        }
        let frames = device.stats()?.out_frames;
        nothing_is_left()?;
        pause(300);
        same("frames", device.stats()?.out_frames, frames)?;
    }
    Ok(())
}

fn file_closed(_: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 6)?;
    let pool = streaming(&device)?;
    let memory = pool.map()?;
    drop(device);
    // What works for the pool has the file a little longer.
    counters::comes_to("files", 0)?;
    counters::comes_to("mapped_segments", 0)?;
    let canceled = errno_name(libc::ECANCELED);
    let mut filled = 0;
    let last = loop {
        let (errno, records) = pool.try_dequeue(1, 1, abi::DEADLINE_NONE);
        let Some(record) = records.first() else {
            break errno;
        };
        check(
            [0, -libc::ECANCELED].contains(&record.status),
            record.status,
        )?;
        if record.status == 0 {
            pattern::verify(&memory, record.index as usize * PAGE, PAGE, 6)?;
            filled += 1;
        }
    };
    check(filled > 0, "nothing was filled")?;
    same("at the end", errno_name(last), canceled.clone())?;
    let start = errno_name(pool.try_start(from_device(0)));
    same("start", start, canceled.clone())?;
    let (errno, _) = pool.try_enqueue(&[record(pool.buffer(0)?, 0)]);
    same("enqueue", errno_name(errno), canceled)?;
    // An exclusive open is possible: the pool does not hold the device open.
    drop(Device::open_with(libc::O_EXCL)?);
    drop(pool);
    pattern::verify(&memory, 0, PAGE, 6)
}

fn unnamed(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    same("unregister", device.unregister(pool.handle), 0)?;
    pool.start(stream(16))?;
    drop(device);
    let errno = errno_name(pool.try_start(stream(16)));
    same("start", errno, errno_name(libc::ECANCELED))?;
    counters::comes_to("mapped_segments", 0)
}

fn stopped(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    let expect = |when: &str, stopped: bool, queued: u32| {
        // Nothing is ready, so nothing is written there.
        let got = pool.dequeue_to(0, 1, 1, abi::DEADLINE_NONE);
        same(when, errno_name(got.errno), errno_name(libc::EAGAIN))?;
        same(when, got.stopped, stopped)?;
        same(when, got.queued, queued)
    };
    expect("at first", true, 0)?;
    pool.enqueue_all()?;
    expect("not started", true, 2)?;
    pool.start(from_device(16))?;
    pool.dequeue(2)?;
    expect("while it runs", false, 0)?;
    pool.stop()?;
    expect("when it was stopped", true, 0)
}

fn at_once(leg: Leg) -> Outcome {
    // A frame of edu takes 100 ms, and most begin with one.
    let rounds: u64 = if leg == Leg::Smp { 100 } else { 4000 };
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    let started = AtomicU64::new(0);
    let (next, told) = mpsc::channel::<()>();
    thread::scope(|scope| {
        // It sleeps after each, so that its CPU begins with the first frame.
        let starts = scope.spawn(|| {
            told.into_iter().try_for_each(|()| {
                pool.start(stream(16))?;
                started.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        });
        for round in 1..=rounds {
            let _ = next.send(());
            while started.load(Ordering::SeqCst) < round && !starts.is_finished() {}
            let began = Instant::now();
            while began.elapsed() < Duration::from_nanos(round % 400 * 250) {}
            pool.stop()?;
        }
        drop(next);
        starts
            .join()
            .unwrap_or_else(|_| Err(Fail::new("a thread panicked")))
    })?;
    same("unregister", device.unregister(pool.handle), 0)?;
    drop(pool);
    nothing_is_left()
}

fn killed(_: Leg) -> Outcome {
    for waits in [false, true] {
        let child = flight::child(|| {
            let device = Device::open()?;
            let pool = streaming(&device)?;
            let memory = pool.map()?;
            memory.fill(0, PAGE, 1);
            if waits {
                pool.dequeue(4)?;
                pool.enqueue_all()?;
                pool.try_dequeue(32, 32, abi::DEADLINE_NONE);
            }
            pause(1_000_000);
            Ok(())
        })?;
        flight::wait_until("there is no pool", || {
            Ok(counters::driver("pools")? > 0 || child.ended_within(Duration::ZERO)?)
        })?;
        pause(350);
        child.kill()?;
        let exit = child.wait()?;
        check(exit == Exit::KILLED, format!("the child ended with {exit}"))?;
        nothing_is_left()?;
    }
    Ok(())
}

/// Every call on the pool is ENODEV, once what was ready is dequeued.
pub(super) fn gone(pool: &Pool) -> Outcome<usize> {
    let enodev = errno_name(libc::ENODEV);
    let (look, ..) = pool.try_look(0);
    same("query", errno_name(look), enodev.clone())?;
    let (enqueue, _) = pool.try_enqueue(&[record(1, 0)]);
    same("enqueue", errno_name(enqueue), enodev.clone())?;
    let start = errno_name(pool.try_start(stream(0)));
    same("start", start, enodev.clone())?;
    same("stop", errno_name(pool.try_stop().0), enodev.clone())?;
    let mut ready = 0;
    for _ in 0..100 {
        let (errno, records) = pool.try_dequeue(8, 1, abi::DEADLINE_NONE);
        if errno != 0 {
            same("dequeue", errno_name(errno), enodev.clone())?;
            return Ok(ready);
        }
        let known = |status: &i32| [0, -libc::ENODEV, -libc::ECANCELED].contains(status);
        let statuses: Vec<_> = records.iter().map(|record| record.status).collect();
        check(statuses.iter().all(known), format!("{statuses:?}"))?;
        ready += statuses.len();
    }
    check(false, "buffers without end").map(|()| 0)
}

fn unbound(_: Leg) -> Outcome {
    let devices = [Device::open()?, Device::open()?, Device::open()?];
    load(&devices[0], 8)?;
    let pools: Vec<_> = devices.iter().map(streaming).collect::<Outcome<_>>()?;
    let memories: Vec<_> = pools.iter().map(Pool::map).collect::<Outcome<_>>()?;
    let waiting = pools[2].duplicate()?;
    let waiter = std::thread::spawn(move || loop {
        let (errno, _) = waiting.try_dequeue(8, 8, abi::DEADLINE_NONE);
        if errno != 0 && errno != libc::EAGAIN {
            return errno;
        }
    });
    let unbound = Unbound::now()?;
    let woken = waiter.join().unwrap_or(-1);
    same("who waited", errno_name(woken), errno_name(libc::ENODEV))?;
    for pool in &pools[..2] {
        check(gone(pool)? <= 4, "more buffers than there are")?;
    }
    gone(&pools[2])?;
    counters::comes_to("mapped_segments", 0)?;
    for memory in &memories {
        pattern::verify(memory, 0, PAGE, 8)?;
        memory.advise(0, 4 * PAGE, libc::MADV_DONTNEED)?;
        pattern::verify(memory, 0, PAGE, 8)?;
        memory.fill(0, 4 * PAGE, 1);
    }
    let late = pools[0].map()?;
    pattern::expect(&late.read(0, 8), &[1; 8])?;
    drop(devices);
    unbound.end()?;
    gone(&pools[1])?;
    drop(pools);
    pattern::expect(&late.read(PAGE, 8), &[1; 8])
}

fn hung_up(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let device = Device::open()?;
    let other = of_pages(&device, 1)?;
    other.start(from_device(0))?;
    let fd = other.duplicate()?;
    let poller = std::thread::spawn(move || os::hung_up_within(fd.fd(), Duration::from_secs(200)));
    pause(50);
    let unbound = Unbound::now()?;
    let woken = poller
        .join()
        .map_err(|_| crate::check::Fail::new("the poller panicked"))??;
    check(woken, "nobody told the poller")?;
    drop(pool);
    unbound.end()
}

fn no_master(_: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 4)?;
    let pool = of_pages(&device, 2)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), pattern::GUARD);
    pool.start(from_device(0))?;
    {
        let _off = Cleared::bus_mastering()?;
        pool.enqueue(pool.buffer(0)?)?;
        let record = pool.dequeue(1)?[0];
        same("status", record.status, -libc::EIO)?;
        same("bytes", record.bytes, 0)?;
    }
    pattern::verify_guard(&memory, 0, PAGE)?;
    pool.enqueue(pool.buffer(1)?)?;
    let record = pool.dequeue(1)?[0];
    same("status", record.status, 0)?;
    same("seq", record.seq, 1)?;
    pattern::verify(&memory, PAGE, PAGE, 4)
}

fn no_stop(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let device = Device::open()?;
        let pool = of_pages(&device, 2)?;
        let memory = pool.map()?;
        give_up(&pool)?;
        same("leaked", counters::driver("leaked_pages")?, 1)?;
        let start = errno_name(pool.try_start(from_device(0)));
        same("start", start, errno_name(libc::ENOTRECOVERABLE))?;
        drop(pool);
        drop(memory);
        drop(device);
        // The device may write to it still.
        same("pages", counters::driver("kernel_pages")?, 1)?;
        same("charged", counters::driver("charged_pages")?, 1)?;
        // Its job takes 100 ms; from then on it is idle, and that is proved.
        pause(400);
        pci::unbind()?;
        counters::comes_to("leaked_pages", 0)?;
        nothing_is_left()?;
        pci::bind()?;
        module::wait_for_node(true)?;
        load(&Device::open()?, 1)
    })?;
    gate::declare_leak(0)
}

/// Stops in the middle of a job, on a driver without patience, until that is met.
fn give_up(pool: &Pool) -> Outcome {
    for _ in 0..10 {
        pool.enqueue(pool.buffer(0)?)?;
        pool.start(from_device(0))?;
        flight::wait_until(
            "it stays in line",
            || Ok(pool.state(0)? != abi::POOL_QUEUED),
        )?;
        pause(20);
        pool.stop()?;
        let status = pool.dequeue(1)?[0].status;
        if status == -libc::ENOTRECOVERABLE {
            return Ok(());
        }
    }
    check(false, "the device always stopped")
}
