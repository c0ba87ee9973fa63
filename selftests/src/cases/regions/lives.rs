// SPDX-License-Identifier: GPL-2.0

//! Regions that are in use when something ends: themselves, their process, their
//! file, their device.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::abi;
use crate::cases::unbind::{ended, Unbound};
use crate::cases::unstoppable;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, transfer, Call, Device, PAGE};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::os;
use crate::pattern::{self, GUARD};
use crate::process::{Exit, Process};
use crate::region::{register, within, BOTH};
use crate::sys::{signals, Mapping};
use crate::table::{Case, Needs};

use super::registered::{Registered, Use, JOBS, LEN, PART};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that unregisters whatever is in flight.
    race(
        "ebusy_for_unregister_in_flight",
        "by whomever; and the transfer goes on",
        busy,
    ),
    race(
        "unregister_waits_for_the_transfers",
        "for all that use it",
        waits,
    ),
    race(
        "etimedout_for_unregister_that_waits",
        "nothing has changed",
        times_out,
    ),
    race(
        "eintr_for_unregister_that_waits",
        "nothing has changed",
        interrupted,
    ),
    race(
        "eagain_for_region_on_a_busy_channel",
        "O_NONBLOCK; it is not in use afterwards",
        nonblocking,
    ),
    race("exit_during_dma_of_a_region", "of another thread's", exit),
    race("exec_during_dma_of_a_region", "the new program runs", exec),
    race(
        "close_during_dma_of_a_region",
        "the transfer ends first",
        close,
    ),
    race(
        "kill_9_during_dma_of_a_region",
        "the freed memory is not written",
        kill,
    ),
    race(
        "close_gives_regions_back",
        "all of them, though nobody unregisters",
        given_back,
    ),
    race(
        "enodev_for_regions_after_unbind",
        "their memory was given back by then",
        unbind_idle,
    ),
    race(
        "unbind_during_dma_of_a_region",
        "ENODEV or complete; exact bytes",
        unbind_busy,
    ),
    race(
        "unbind_does_not_wait_for_who_waits_to_unregister",
        "the wait ends with the transfer",
        unbind_waiting,
    ),
    race(
        "enotrecoverable_for_regions_of_a_failed_device",
        "none is made or given back",
        failed,
    )
    .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error"),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const NS_PER_MS: i64 = 1_000_000;

fn busy(leg: Leg) -> Outcome {
    let registered = Registered::new(1)?;
    let using = registered.occupy(leg)?;
    same("users", registered.users()?, 1)?;
    registered.unregister(libc::EBUSY)?;
    flight::in_child(|| registered.unregister(libc::EBUSY))?;
    using.end()?;
    same("users", registered.users()?, 0)?;
    registered.works()?;
    registered.unregister(0)
}

fn waits(leg: Leg) -> Outcome {
    let registered = Registered::new(2)?;
    let uses = [registered.occupy(leg)?, registered.occupy(leg)?];
    flight::wait_until("nobody else uses it", || Ok(registered.users()? == 2))?;
    let told = Arc::new(AtomicBool::new(false));
    let telling = told.clone();
    let teller = thread::spawn(move || {
        pause(300);
        telling.store(true, Ordering::SeqCst);
        uses.into_iter().try_for_each(Use::end)
    });
    registered.unregister_by(abi::DEADLINE_NONE, 0)?;
    check(told.load(Ordering::SeqCst), "it has not waited")?;
    registered.unregister(libc::ENOENT)?;
    same("pages", registered.device.stats()?.out_pinned_pages, 0)?;
    let ended = teller.join();
    ended.map_err(|_| Fail::new("the thread panicked"))?
}

fn times_out(leg: Leg) -> Outcome {
    let registered = Registered::new(3)?;
    let using = registered.occupy(leg)?;
    registered.unregister_by(0, libc::ETIMEDOUT)?;
    registered.unregister_by(os::now() + 150 * NS_PER_MS, libc::ETIMEDOUT)?;
    using.end()?;
    registered.works()?;
    // Nobody uses it: there is nothing to wait for.
    registered.unregister_by(0, 0)
}

fn interrupted(leg: Leg) -> Outcome {
    let registered = Registered::new(4)?;
    let using = registered.occupy(leg)?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        // From now on it can be signalled.
        (&theirs).write_all(&[1])?;
        registered.unregister_by(abi::DEADLINE_NONE, libc::EINTR)
    })?;
    // Whoever reads hears of its end.
    drop(theirs);
    ours.read_exact(&mut [0])?;
    // It may not wait yet.
    flight::wait_until("it heeds no signal", || {
        child.signal(Signal::USR1)?;
        Ok(child.ended_within(Duration::from_millis(50))?)
    })?;
    flight::finish(child)?;
    using.end()?;
    registered.works()?;
    registered.unregister(0)
}

fn nonblocking(leg: Leg) -> Outcome {
    let registered = Registered::new(5)?;
    let other = Device::open_with(libc::O_NONBLOCK)?;
    let region = other.register(&[seg(&registered.memory, 0, LEN)])?;
    let using = registered.occupy(leg)?;
    other
        .to_device(0, &[within(region, 0, 16)])
        .refused(libc::EAGAIN)?;
    same("unregister", other.unregister(region), 0)?;
    using.end()
}

fn exit(_: Leg) -> Outcome {
    let child = flight::child(|| {
        let registered = Registered::new(6)?;
        let _running = registered.start(abi::FROM_DEVICE)?;
        pause(120);
        // Returning ends the process, and with it the other thread.
        std::mem::forget(registered);
        Ok(())
    })?;
    flight::finish(child)?;
    flight::wait_for_rest()
}

fn exec(_: Leg) -> Outcome {
    flight::in_child(|| {
        let registered = Registered::new(7)?;
        os::keep_across_exec(registered.device.fd())?;
        let _running = registered.start(abi::FROM_DEVICE)?;
        let error = Command::new("/bin/busybox").arg("true").exec();
        Err(Fail::new(error))
    })?;
    flight::wait_for_rest()
}

fn close(_: Leg) -> Outcome {
    let Registered {
        device,
        memory,
        region,
    } = Registered::new(8)?;
    let segs: Vec<_> = (0..JOBS)
        .map(|index| within(region, 2 * index * PART, PART))
        .collect();
    let other = device.duplicate()?;
    let call = Background::start(move || other.from_device(0, &segs));
    flight::wait_for_job(&device)?;
    drop(device);
    call.join()?.succeeded(LEN)?;
    // The parts between those that were moved.
    let want = pattern::bytes(8, 2 * LEN);
    pattern::expect(&memory.read(PART, PART), &want[PART..2 * PART])?;
    wait_for_no_region()
}

/// The kernel closes files a little late.
fn wait_for_no_region() -> Outcome {
    counters::comes_to("regions", 0)?;
    counters::comes_to("pinned_pages", 0)
}

/// Waits until there is a region, which is in use, or its user has ended.
fn wait_for_use(user: &Process) -> Outcome {
    flight::wait_until("no region is used", || {
        let used = counters::driver("requests")? > 0 && counters::driver("regions")? > 0;
        Ok(used || user.ended_within(Duration::ZERO)?)
    })
}

fn kill(_: Leg) -> Outcome {
    for after in [20, 150] {
        let child = flight::child(|| {
            let registered = Registered::new(9)?;
            let segs = registered.segs();
            loop {
                registered.device.from_device(0, &segs).succeeded(LEN)?;
            }
        })?;
        wait_for_use(&child)?;
        pause(after);
        child.kill()?;
        same("child", child.wait()?, Exit::KILLED)?;
        // The freed pages come back here; the device must not write to them.
        let memory = Mapping::anonymous(512 * PAGE)?;
        memory.fill(0, memory.len(), GUARD);
        pause(300);
        pattern::verify_guard(&memory, 0, memory.len())?;
        wait_for_no_region()?;
    }
    Ok(())
}

fn given_back(_: Leg) -> Outcome {
    let memory = Mapping::anonymous(4 * PAGE)?;
    let device = Device::open()?;
    for count in 1..=4 {
        device.register(&[seg(&memory, 0, count * PAGE)])?;
    }
    same("regions", counters::driver("regions")?, 4)?;
    same("pages", counters::driver("pinned_pages")?, 10)?;
    drop(device);
    wait_for_no_region()
}

/// Every command on regions is ENODEV.
fn gone(registered: &Registered) -> Outcome {
    let device = &registered.device;
    let segs = [seg(&registered.memory, 0, 16)];
    let call = device.register_with(register(BOTH, &segs));
    call.refused(libc::ENODEV)?;
    registered.unregister(libc::ENODEV)?;
    registered.unregister_by(abi::DEADLINE_NONE, libc::ENODEV)?;
    let errno = device.sync(abi::SYNC_BEGIN_CPU, registered.region, (0, 0));
    same("sync", errno_name(errno), errno_name(libc::ENODEV))?;
    let (errno, _) = device.ask_region(registered.region);
    same("info", errno_name(errno), errno_name(libc::ENODEV))?;
    device
        .to_device(0, &[within(registered.region, 0, 16)])
        .refused(libc::ENODEV)
        .map(drop)
}

fn unbind_idle(_: Leg) -> Outcome {
    let registered = Registered::new(10)?;
    let unbound = Unbound::now()?;
    same("mapped", counters::driver("mapped_segments")?, 0)?;
    // Unbind waits for what is given back, but not for ever.
    counters::comes_to("pinned_pages", 0)?;
    counters::comes_to("charged_pages", 0)?;
    counters::nothing_stays_pinned()?;
    gone(&registered)?;
    unbound.end()?;
    // The new binding does not know of the old one's.
    gone(&registered)?;
    pattern::verify(&registered.memory, 0, 2 * LEN, 10)
}

fn unbind_busy(_: Leg) -> Outcome {
    let registered = Registered::new(11)?;
    let source = Mapping::anonymous(PAGE)?;
    pattern::write(&source, 0, LEN, 12);
    registered
        .device
        .to_device(0, &[seg(&source, 0, LEN)])
        .succeeded(LEN)?;
    let (device, segs) = (registered.device.duplicate()?, registered.segs());
    let call = Background::start(move || device.from_device(0, &segs));
    pause(350);
    let unbound = Unbound::now()?;
    let bytes = ended(call.join()?, LEN)? as usize;
    let (before, after) = (pattern::bytes(11, 2 * LEN), pattern::bytes(12, LEN));
    for index in 0..JOBS {
        let at = 2 * index * PART;
        if (index + 1) * PART <= bytes {
            let want = &after[index * PART..][..PART];
            pattern::expect(&registered.memory.read(at, PART), want)?;
        }
        let untouched = &before[at + PART..][..PART];
        pattern::expect(&registered.memory.read(at + PART, PART), untouched)?;
    }
    gone(&registered)?;
    unbound.end()
}

fn unbind_waiting(_: Leg) -> Outcome {
    let registered = Registered::new(13)?;
    let call = registered.start(abi::TO_DEVICE)?;
    let child = flight::child(|| {
        let errno = registered
            .device
            .unregister_by(registered.region, abi::DEADLINE_NONE);
        check(
            [0, libc::ENODEV].contains(&errno),
            format!("unregister: {}", errno_name(errno)),
        )
    })?;
    pause(50);
    let unbound = Unbound::now()?;
    ended(call.join()?, LEN)?;
    flight::finish(child)?;
    unbound.end()
}

fn failed(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        let registered = Registered::new(14)?;
        let idle = registered
            .device
            .register(&[seg(&registered.memory, 0, 2 * PAGE)])?;
        let mut request = transfer(abi::FROM_DEVICE, 0, &[]);
        let segs = [within(registered.region, 0, PAGE)];
        (request.segs, request.nr_segs) = (segs.as_ptr() as u64, 1);
        let lost = unstoppable::lose_registers_of(leg, &registered.device, request)?;
        let Some(call) = lost else { return Ok(()) };
        check(call.out.status == -libc::ENOTRECOVERABLE, call)?;
        refuses(&registered, idle)?;
        let pages = registered.device.region(registered.region)?.out_pages;
        same("leaked", counters::driver("leaked_pages")?, pages)?;
        // What the device has nothing to do with is given back.
        let Registered { device, memory, .. } = registered;
        drop(device);
        std::mem::forget(memory);
        counters::comes_to("pinned_pages", pages)?;
        unstoppable::proved_at_last(before)
    })
}

fn refuses(registered: &Registered, idle: u32) -> Outcome {
    let device = &registered.device;
    let failed = libc::ENOTRECOVERABLE;
    let segs = [seg(&registered.memory, 0, 16)];
    device
        .register_with(register(BOTH, &segs))
        .refused(failed)?;
    registered.unregister(failed)?;
    let errno = device.unregister(idle);
    same("unregister", errno_name(errno), errno_name(failed))?;
    let errno = device.sync(abi::SYNC_BEGIN_CPU, idle, (0, 0));
    same("sync", errno_name(errno), errno_name(failed))?;
    let call: Call = device.to_device(0, &[within(idle, 0, 16)]);
    call.refused(failed)?;
    module::wait_for_node(true)
}
