// SPDX-License-Identifier: GPL-2.0

//! A device that cannot be reached for a moment, which it may not notice itself: bus mastering,
//! registers, a reset.

use std::fs;
use std::thread;

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight::{self, Pair};
use crate::kmsg::Log;
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::pattern;
use crate::pci::{self, Cleared};
use crate::pool::{from_device, of_pages, stream};
use crate::queue::{self, entry, Queue};
use crate::region::within;
use crate::rw;
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::ways::{Told, Way, WAYS};

pub(crate) mod at_random;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that believes the moment at which a job is settled.
    race(
        "eio_when_bus_mastering_was_off_for_a_moment",
        "each way of moving data: no false success",
        mastering_blinks,
    ),
    race(
        "estale_after_a_reset",
        "files from before it are told, new ones work",
        reset,
    ),
    race(
        "estale_for_what_waits_at_a_reset",
        "requests of a queue, and the run of a pool with its buffers",
        reset_with_requests,
    ),
    race(
        "reset_during_a_transfer_is_told",
        "never a false success",
        reset_in_a_job,
    ),
    race(
        "error_recovery_is_told",
        "a fatal error of the bus: never a false success, then it works",
        bus_error,
    )
    .not_on_debug("that kernel has no way to make such an error"),
    Case::new(
        "eio_after_error_without_recovery",
        "of the device that stays where it is; a reset brings it back",
        no_recovery,
    )
    .needs(Needs::Memory)
    .not_on_xdma("the way to lose it gives its messages the number of another bus")
    .not_on_debug("that kernel has no way to make such an error"),
    race(
        "nonfatal_error_leaves_files_good",
        "what the device works on may be lost; what it has is not",
        minor_error,
    )
    .not_on_debug("that kernel has no way to make such an error"),
    race(
        "eio_when_registers_are_off",
        "without a deadline as well, and the device works again",
        registers_off,
    ),
    race(
        "a_job_that_hangs_leads_to_recovery_for_others",
        "no registers in one call, the next in line is served",
        others,
    ),
    race(
        "device_is_restarted_after_sleep",
        "and works; a file stays good",
        sleep,
    )
    .not_on_debug("it does not sleep"),
    race(
        "estale_after_a_sleep_without_power",
        "as after a reset; new files work",
        deep_sleep,
    )
    .not_on_debug("it does not sleep"),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// The device works, for whoever opens it now.
fn still_works(seed: u64) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(PAGE, seed)?;
    pair.copy(&device).succeeded(PAGE)?;
    pair.verify(PAGE as u64)
}

/// Moves data in a way while `strike` does something to the device, and checks what was moved.
fn attempt(way: &Way, seed: u64, strike: impl FnOnce() -> Outcome) -> Outcome<Told> {
    let device = Device::open()?;
    let memory = way.prepare(&device, seed)?;
    let jobs = device.stats()?.out_jobs;
    let told = thread::scope(|scope| {
        let mover = scope.spawn(|| way.go(&device, &memory));
        // A job of this file is under way, or the call is over.
        flight::wait_until("no job was ever started", || {
            Ok(mover.is_finished() || device.stats()?.out_jobs > jobs)
        })?;
        let struck = strike();
        let told = mover.join();
        struck.and(told.map_err(|_| Fail::new("the thread panicked"))?)
    })?;
    let at = |Fail(why)| Fail::new(format!("{}, {} bytes told: {why}", way.name, told.bytes));
    drop(device);
    way.verify(&Device::open()?, &memory, told.bytes, seed)
        .map_err(at)?;
    Ok(told)
}

fn mastering_blinks(leg: Leg) -> Outcome {
    for (way, seed) in WAYS.iter().zip(1..) {
        let told = attempt(way, seed, || {
            let off = Cleared::bus_mastering()?;
            // A job takes 100 ms.
            pause(150);
            drop(off);
            Ok(())
        })?;
        if leg.counts_time() {
            same(way.name, told.bytes, 0)?;
        }
    }
    still_works(99)
}

fn reset(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(512, 1)?;
    let region = device.register(&[seg(&pair.src, 0, 512)])?;
    let pool = of_pages(&device, 1)?;
    let resets = device.info()?.out_resets;
    pci::reset()?;
    same("resets", device.info()?.out_resets, resets + 1)?;
    pair.copy(&device).refused(libc::ESTALE)?;
    for seg in [pair.segs().0, within(region, 0, 512)] {
        device.to_device(0, &[seg]).refused(libc::ESTALE)?;
    }
    rw::read(&device, rw::range(&pair.dst, 0, 512)).failed(libc::ESTALE)?;
    for start in [from_device(0), stream(0)] {
        let errno = pool.try_start(start);
        same("start", errno_name(errno), errno_name(libc::ESTALE))?;
    }
    // What it holds can be given back.
    same("unregister", device.unregister(region), 0)?;
    still_works(2)
}

/// More than the device gets done before it is reset.
const MANY: usize = 32;

fn reset_with_requests(_: Leg) -> Outcome {
    reset_with_a_queue()?;
    reset_with_a_pool()?;
    still_works(3)
}

fn reset_with_a_queue() -> Outcome {
    let (device, memory) = (Device::open()?, Mapping::anonymous(PAGE)?);
    let queue = Queue::create(&device, MANY as u32)?;
    let request = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, PAGE));
    let requests: Vec<_> = (0..MANY as u64).map(request).collect();
    queue.submit(&device, &requests).all(MANY)?;
    flight::wait_for_job(&device)?;
    pci::reset()?;
    let ended = queue.reap(MANY)?;
    queue::untouched(&ended[MANY - 1], MANY as u64 - 1, libc::ESTALE)?;
    // One at most was in work.
    let count = |errno: i32| ended.iter().filter(|end| end.status == -errno).count();
    let (done, lost, stale) = (count(0), count(libc::EIO), count(libc::ESTALE));
    check(lost <= 1, format!("{lost} requests were in work"))?;
    same("all that has ended", done + lost + stale, MANY)
}

fn reset_with_a_pool() -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, MANY as u32)?;
    same("enqueued", pool.enqueue_all()?, MANY as u32)?;
    pool.start(from_device(0))?;
    flight::wait_for_job(&device)?;
    pci::reset()?;
    let records = pool.dequeue(MANY)?;
    let last = records[MANY - 1];
    same("status", errno_name(-last.status), errno_name(libc::ESTALE))?;
    same("flags", last.flags, 0)?;
    let room = Mapping::anonymous(PAGE)?;
    let end = pool.dequeue_to(room.addr(0), 1, 0, 0);
    same("errno", errno_name(end.errno), errno_name(libc::EAGAIN))?;
    check(end.stopped, "the run goes on")?;
    same("reason", errno_name(-end.status), errno_name(libc::ESTALE))
}

fn reset_in_a_job(_: Leg) -> Outcome {
    for (way, seed) in WAYS.iter().zip(1..) {
        let told = attempt(way, seed, pci::reset)?;
        check(!told.is_all(), way.name)?;
    }
    still_works(99)
}

fn resets() -> Outcome<u64> {
    Ok(Device::open()?.info()?.out_resets)
}

/// Has the bus `report` an error, and waits until the device goes on.
fn recovered_from(report: fn() -> Outcome) -> Outcome {
    let restarts = counters::driver("restarts")?;
    report()?;
    flight::wait_until("nobody was told of the error", || {
        Ok(counters::driver("restarts")? > restarts)
    })
}

fn bus_error(_: Leg) -> Outcome {
    module::load_extra()?;
    for (way, seed) in WAYS.iter().zip(1..) {
        let before = resets()?;
        let told = attempt(way, seed, || recovered_from(pci::report_error))?;
        check(!told.is_all(), way.name)?;
        same("resets", resets()?, before + 1)?;
    }
    still_works(99)
}

/// The kernel gives a device up that is not on its bus after the reset.
fn no_recovery(_: Leg) -> Outcome {
    module::load_extra()?;
    let (device, pair) = (Device::open()?, Pair::new(PAGE, 4)?);
    let region = device.register(&[seg(&pair.src, 0, PAGE)])?;
    let resets = device.info()?.out_resets;
    let mut log = Log::open()?;
    let lost = pci::Lost::now()?;
    pci::report_error()?;
    flight::wait_until("it was not given up", || {
        let news = log.news();
        Ok(news
            .iter()
            .any(|line| line.contains("device recovery failed")))
    })?;
    drop(lost);
    check(device.info()?.out_resets > resets, "no reset is told")?;
    pair.copy(&device).refused(libc::ESTALE)?;
    same("unregister", device.unregister(region), 0)?;
    let after = Device::open()?;
    let call = pair.copy(&after);
    same(
        "status",
        errno_name(-call.out.status),
        errno_name(libc::EIO),
    )?;
    same("bytes", call.out.bytes, 0)?;
    pci::reset()?;
    still_works(5)
}

fn minor_error(_: Leg) -> Outcome {
    module::load_extra()?;
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let before = resets()?;
    for (way, seed) in WAYS.iter().zip(1..) {
        let told = attempt(way, seed, || recovered_from(pci::report_nonfatal_error))?;
        check(!told.is_all(), way.name)?;
    }
    same("resets", resets()?, before)?;
    pattern::write(&memory, 0, PAGE, 6);
    let within = within(region, 0, PAGE);
    device.to_device(0, &[within]).succeeded(PAGE)?;
    memory.fill(0, PAGE, 0);
    device.from_device(0, &[within]).succeeded(PAGE)?;
    pattern::verify(&memory, 0, PAGE, 6)?;
    same("unregister", device.unregister(region), 0)
}

/// A transfer without a deadline that loses the registers in its job.
fn without_registers(device: &Device, memory: &Mapping) -> Outcome<(i32, i32, u64)> {
    let caller = device.duplicate()?;
    let from = [seg(memory, 0, PAGE)];
    let call = flight::Background::start(move || caller.from_device(0, &from));
    flight::wait_for_job(device)?;
    let off = Cleared::registers()?;
    let call = call.join()?;
    drop(off);
    Ok((call.errno, call.out.status, call.out.bytes))
}

fn registers_off(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let (errno, status, bytes) = without_registers(&device, &memory)?;
    same("errno", errno_name(errno), errno_name(0))?;
    if leg.counts_time() || status != 0 {
        same("status", errno_name(-status), errno_name(libc::EIO))?;
        check(bytes < PAGE as u64, format!("{bytes} bytes"))?;
    }
    let pair = Pair::new(PAGE, 7)?;
    pair.copy(&device).succeeded(PAGE)?;
    pair.verify(PAGE as u64)
}

fn others(leg: Leg) -> Outcome {
    with_parameters(leg, "max_timeout_ms=1000 drain_ms=500", || {
        let (device, other) = (Device::open()?, Device::open()?);
        let memory = Mapping::anonymous(PAGE)?;
        memory.fill(0, PAGE, 1);
        let region = device.register(&[seg(&memory, 0, PAGE)])?;
        let caller = device.duplicate()?;
        let stuck =
            flight::Background::start(move || caller.from_device(0, &[within(region, 0, PAGE)]));
        flight::wait_for_job(&device)?;
        let off = Cleared::registers()?;
        let pair = Pair::new(512, 5)?;
        let next = pair.copy(&other);
        drop(off);
        let stuck = stuck.join()?;
        check(stuck.errno == 0, stuck)?;
        // It may have met the registers before they were on again.
        if next.out.status == 0 {
            next.succeeded(512)?;
            pair.verify(512)?;
        } else {
            same(
                "status",
                errno_name(-next.out.status),
                errno_name(libc::EIO),
            )?;
        }
        still_works(8)
    })
}

/// Has the system go to sleep as far as `phase`, and wake up at once.
fn sleep_until(phase: &str) -> Outcome {
    const LEVEL: &str = "/sys/power/pm_test";
    // Seconds that it stays there.
    fs::write("/sys/module/suspend/parameters/pm_test_delay", "0")?;
    fs::write(LEVEL, phase)?;
    let slept = fs::write("/sys/power/state", "freeze");
    fs::write(LEVEL, "none")?;
    Ok(slept?)
}

fn sleep(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (restarts, before) = (counters::driver("restarts")?, resets()?);
    sleep_until("devices")?;
    same("restarts", counters::driver("restarts")?, restarts + 1)?;
    same("resets", resets()?, before)?;
    let pair = Pair::new(PAGE, 3)?;
    pair.copy(&device).succeeded(PAGE)?;
    pair.verify(PAGE as u64)
}

fn deep_sleep(_: Leg) -> Outcome {
    let (device, pair) = (Device::open()?, Pair::new(PAGE, 4)?);
    let region = device.register(&[seg(&pair.src, 0, PAGE)])?;
    let before = resets()?;
    sleep_until("platform")?;
    same("resets", resets()?, before + 1)?;
    pair.copy(&device).refused(libc::ESTALE)?;
    same("unregister", device.unregister(region), 0)?;
    still_works(5)
}
