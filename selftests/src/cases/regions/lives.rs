// SPDX-License-Identifier: GPL-2.0

//! Regions that are in use when something ends: themselves, their process, their
//! file, their device.

use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Signal;

use crate::abi::{self, pindma_seg};
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
use crate::process::Exit;
use crate::region::{register, within, BOTH};
use crate::sys::{signals, Mapping};
use crate::table::{Case, Needs};

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

/// Jobs of a long transfer.
const JOBS: usize = 12;
/// Bytes of each.
const PART: usize = 256;
const LEN: usize = JOBS * PART;
const NS_PER_MS: i64 = 1_000_000;

/// A region with a pattern in it.
struct Registered {
    device: Device,
    memory: Mapping,
    region: u32,
}

impl Registered {
    fn new(seed: u64) -> Outcome<Registered> {
        let device = Device::open()?;
        let memory = Mapping::anonymous(2 * LEN)?;
        pattern::write(&memory, 0, 2 * LEN, seed);
        let region = device.register(&[seg(&memory, 0, 2 * LEN)])?;
        Ok(Registered {
            device,
            memory,
            region,
        })
    }

    /// A transfer in many jobs, which leaves every other part alone.
    fn segs(&self) -> Vec<pindma_seg> {
        let part = |index| within(self.region, 2 * index * PART, PART);
        (0..JOBS).map(part).collect()
    }

    /// Starts it, and waits until it is at work.
    fn start(&self, direction: u32) -> Outcome<Background> {
        let (device, segs) = (self.device.duplicate()?, self.segs());
        let call = Background::start(move || device.transfer(transfer(direction, 0, &segs)));
        flight::wait_for_job(&self.device)?;
        Ok(call)
    }

    /// A short transfer works.
    #[track_caller]
    fn works(&self) -> Outcome {
        self.device
            .to_device(0, &[within(self.region, 7, 16)])
            .succeeded(16)
            .map(drop)
    }

    #[track_caller]
    fn unregister(&self, want: i32) -> Outcome {
        let errno = self.device.unregister(self.region);
        same("unregister", errno_name(errno), errno_name(want))
    }

    #[track_caller]
    fn unregister_by(&self, deadline: i64, want: i32) -> Outcome {
        let errno = self.device.unregister_by(self.region, deadline);
        same("unregister", errno_name(errno), errno_name(want))
    }

    fn users(&self) -> Outcome<u32> {
        Ok(self.device.region(self.region)?.out_users)
    }
}

fn busy(_: Leg) -> Outcome {
    let registered = Registered::new(1)?;
    let call = registered.start(abi::TO_DEVICE)?;
    same("users", registered.users()?, 1)?;
    registered.unregister(libc::EBUSY)?;
    flight::in_child(|| registered.unregister(libc::EBUSY))?;
    call.join()?.succeeded(LEN)?;
    same("users", registered.users()?, 0)?;
    registered.works()?;
    registered.unregister(0)
}

fn waits(_: Leg) -> Outcome {
    let registered = Registered::new(2)?;
    let first = registered.start(abi::TO_DEVICE)?;
    let (device, segs) = (registered.device.duplicate()?, registered.segs());
    let second = Background::start(move || device.to_device(0, &segs[..2]));
    for _ in 0..1000 {
        if registered.users()? == 2 {
            break;
        }
        pause(1);
    }
    same("users", registered.users()?, 2)?;
    registered.unregister_by(abi::DEADLINE_NONE, 0)?;
    registered.unregister(libc::ENOENT)?;
    same("pages", registered.device.stats()?.out_pinned_pages, 0)?;
    first.join()?.succeeded(LEN)?;
    second.join()?.succeeded(2 * PART).map(drop)
}

fn times_out(_: Leg) -> Outcome {
    let registered = Registered::new(3)?;
    let call = registered.start(abi::TO_DEVICE)?;
    registered.unregister_by(0, libc::ETIMEDOUT)?;
    registered.unregister_by(os::now() + 150 * NS_PER_MS, libc::ETIMEDOUT)?;
    call.join()?.succeeded(LEN)?;
    registered.works()?;
    // Nobody uses it: there is nothing to wait for.
    registered.unregister_by(0, 0)
}

fn interrupted(_: Leg) -> Outcome {
    let registered = Registered::new(4)?;
    let call = registered.start(abi::TO_DEVICE)?;
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        registered.unregister_by(abi::DEADLINE_NONE, libc::EINTR)
    })?;
    pause(250);
    child.signal(Signal::USR1)?;
    flight::finish(child)?;
    call.join()?.succeeded(LEN)?;
    registered.works()?;
    registered.unregister(0)
}

fn nonblocking(_: Leg) -> Outcome {
    let registered = Registered::new(5)?;
    let other = Device::open_with(libc::O_NONBLOCK)?;
    let region = other.register(&[seg(&registered.memory, 0, LEN)])?;
    let call = registered.start(abi::TO_DEVICE)?;
    other
        .to_device(0, &[within(region, 0, 16)])
        .refused(libc::EAGAIN)?;
    same("unregister", other.unregister(region), 0)?;
    call.join()?.succeeded(LEN).map(drop)
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
    for _ in 0..500 {
        if counters::driver("regions")? == 0 {
            return same("pages", counters::driver("pinned_pages")?, 0);
        }
        pause(10);
    }
    Err(Fail::new("a region stays"))
}

fn kill(_: Leg) -> Outcome {
    for after in [20, 150] {
        let child = flight::child(|| {
            let registered = Registered::new(9)?;
            let segs = registered.segs();
            let call = registered.device.from_device(0, &segs);
            check(false, call)
        })?;
        // One region, which is in use.
        while counters::driver("requests")? == 0 || counters::driver("regions")? == 0 {
            pause(1);
        }
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
    same("pages", counters::driver("pinned_pages")?, 0)?;
    same("charged", counters::driver("charged_pages")?, 0)?;
    same("mapped", counters::driver("mapped_segments")?, 0)?;
    same("VmPin", counters::pinned_kib("self")?, 0)?;
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
        let call = unstoppable::lose_registers_of(&registered.device, request)?;
        check(call.out.status == -libc::ENOTRECOVERABLE, call)?;
        refuses(&registered, idle)?;
        let pages = registered.device.region(registered.region)?.out_pages;
        same("leaked", counters::driver("leaked_pages")?, pages)?;
        // What the device has nothing to do with is given back.
        let Registered { device, memory, .. } = registered;
        drop(device);
        std::mem::forget(memory);
        for _ in 0..500 {
            if counters::driver("regions")? == 0 {
                break;
            }
            pause(10);
        }
        same("pinned", counters::driver("pinned_pages")?, pages)?;
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
