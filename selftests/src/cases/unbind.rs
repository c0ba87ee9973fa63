// SPDX-License-Identifier: GPL-2.0

//! The driver loses its device: idle, at work, with callers stuck elsewhere.

use std::os::fd::AsFd;
use std::path::Path;
use std::thread::{self, JoinHandle};

use crate::abi;
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, Call, Device, NODE, PAGE};
use crate::flight::{self, Background, Pair};
use crate::fuse::Server;
use crate::leg::Leg;
use crate::module;
use crate::pci;
use crate::process::Process;
use crate::sys::{self, Mapping, Userfault};
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    Case::new("unbind_removes_the_node", "and bind brings it back", node),
    Case::new(
        "enodev_after_unbind_with_idle_file",
        "every command",
        idle_file,
    ),
    Case::new(
        "enodev_stays_after_bind_for_old_file",
        "a new one works",
        old_file,
    ),
    Case::new(
        "unbind_and_bind_ten_times",
        "nothing is left behind",
        ten_times,
    ),
    race(
        "enodev_when_unbound_during_dma",
        "or complete; exact bytes",
        during_dma,
    ),
    race(
        "unbind_ends_callers_that_wait_for_the_channel",
        "each with ENODEV",
        in_line,
    ),
    race(
        "unbind_does_not_wait_for_a_stuck_caller",
        "who gets ENODEV later",
        stuck,
    ),
    race(
        "unbind_does_not_wait_for_locked_pages",
        "a file system that does not answer; callers get ENODEV all the same, others their pages",
        locked_pages,
    )
    .not_on_debug("it has no FUSE"),
    race("kill_9_after_unbind_during_dma", "both at once", killed),
    // Kills the mutant that uncharges the wrong mm: here somebody else ends
    // the request.
    race(
        "unbind_gives_the_charge_back_to_its_owner",
        "VmPin and memlock of either",
        charge,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const LEN: usize = 16 * PAGE;

/// The device is without driver while this lives.
pub(crate) struct Unbound;

impl Unbound {
    pub(crate) fn now() -> Outcome<Unbound> {
        pci::unbind()?;
        Ok(Unbound)
    }

    pub(crate) fn end(self) -> Outcome {
        drop(self);
        check(pci::bound(), "the device is not bound again")?;
        module::wait_for_node(true)
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        // `end` and the gate notice if this does not work.
        let _ = pci::bind();
    }
}

fn node(_: Leg) -> Outcome {
    let unbound = Unbound::now()?;
    check(!Path::new(NODE).exists(), "the node is there still")?;
    unbound.end()?;
    Device::open()?.info().map(drop)
}

/// Every command on this file is ENODEV.
pub(super) fn gone(device: &Device) -> Outcome {
    for (command, size) in [
        (abi::PINDMA_INFO, size_of::<abi::pindma_info>()),
        (
            abi::PINDMA_CHANNEL_INFO,
            size_of::<abi::pindma_channel_info>(),
        ),
        (abi::PINDMA_STATS, size_of::<abi::pindma_stats>()),
    ] {
        let mut bytes = vec![0; size];
        bytes[..4].copy_from_slice(&(size as u32).to_ne_bytes());
        let errno = errno_of(sys::ioctl(device.fd(), command, &mut bytes));
        let what = format!("command {command:#x}");
        same(&what, errno_name(errno), errno_name(libc::ENODEV))?;
    }
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 64)];
    device.to_device(0, &segs).refused(libc::ENODEV)?;
    device
        .copy(crate::device::copy(&segs, &segs))
        .refused(libc::ENODEV)?;
    Ok(())
}

fn idle_file(_: Leg) -> Outcome {
    let device = Device::open()?;
    device.info()?;
    let unbound = Unbound::now()?;
    gone(&device)?;
    unbound.end()
}

fn old_file(_: Leg) -> Outcome {
    let device = Device::open()?;
    Unbound::now()?.end()?;
    gone(&device)?;
    Device::open()?.info()?;
    gone(&device)
}

fn ten_times(_: Leg) -> Outcome {
    for _ in 0..10 {
        let device = Device::open()?;
        Unbound::now()?.end()?;
        drop(device);
    }
    counters::comes_to("files", 0)
}

/// ENODEV before or after it was started, or all of it.
#[track_caller]
pub(crate) fn ended(call: Call, len: usize) -> Outcome<u64> {
    let gone = call.errno == libc::ENODEV || call.out.status == -libc::ENODEV;
    let whole = call.errno == 0 && call.out.status == 0 && call.out.bytes == len as u64;
    check(gone || whole, call)?;
    Ok(call.out.bytes)
}

fn during_dma(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(LEN, 1)?;
    let call = pair.start(&device)?;
    flight::wait()?;
    module::pause(250);
    let unbound = Unbound::now()?;
    pair.verify(ended(call.join()?, LEN)?)?;
    gone(&device)?;
    unbound.end()?;
    let next = Pair::new(PAGE, 2)?;
    next.copy(&Device::open()?).succeeded(PAGE)?;
    next.verify(PAGE as u64)
}

fn in_line(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pairs: Outcome<Vec<_>> = (0..4).map(|seed| Pair::new(LEN, seed)).collect();
    let pairs = pairs?;
    let calls: Outcome<Vec<_>> = pairs.iter().map(|pair| pair.start(&device)).collect();
    let calls = calls?;
    flight::wait()?;
    module::pause(50);
    let unbound = Unbound::now()?;
    for (call, pair) in calls.into_iter().zip(&pairs) {
        pair.verify(ended(call.join()?, LEN)?)?;
    }
    unbound.end()
}

fn stuck(_: Leg) -> Outcome {
    let device = Device::open()?;
    let missing = Mapping::anonymous(PAGE)?;
    let fault = Userfault::register(&missing)?;
    let segs = [seg(&missing, 0, 100)];
    let caller = device.duplicate()?;
    let call = Background::start(move || caller.from_device(0, &segs));
    flight::wait_for_stuck(&fault)?;
    // If this waits for the caller, it waits for ever: the harness says so.
    let unbound = Unbound::now()?;
    gone(&device)?;
    fault.resolve()?;
    call.join()?.refused(libc::ENODEV)?;
    unbound.end()
}

fn killed(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(LEN, 3)?;
    let child = flight::child(|| ended(pair.copy(&device), LEN).map(drop))?;
    flight::wait()?;
    child.kill()?;
    let unbound = Unbound::now()?;
    child.wait()?;
    unbound.end()
}

fn charge(_: Leg) -> Outcome {
    let device = Device::open()?;
    let child = flight::child(|| {
        user::become_ordinary(1 << 20)?;
        let pair = Pair::new(LEN, 4)?;
        pair.verify(ended(pair.copy(&device), LEN)?)?;
        same("VmPin of the caller", counters::pinned_kib("self")?, 0)
    })?;
    flight::wait()?;
    let unbound = Unbound::now()?;
    flight::finish(child)?;
    same("VmPin of the unbinder", counters::pinned_kib("self")?, 0)?;
    unbound.end()?;
    // The user's own account, beside that of the memory.
    let next = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(1 << 20)?;
        same("used by the user", next.info()?.out_memlock_used, 0)
    })
}

/// Whether `thread` ends in time; if not, it is stuck.
fn ends<T>(thread: &JoinHandle<T>, what: &str) -> Outcome {
    flight::wait_until(what, || Ok(thread.is_finished()))
}

/// A process of an ordinary user with a region, which ends when its pages are given back.
fn bystander(device: &Device) -> Outcome<Process> {
    let child = flight::child(|| {
        user::become_ordinary(1 << 20)?;
        let memory = Mapping::anonymous(LEN)?;
        device.register(&[seg(&memory, 0, LEN)])?;
        flight::wait_until("pages of others stay pinned", || {
            Ok(counters::pinned_kib("self")? == 0)
        })
    })?;
    counters::comes_to("regions", 1)?;
    Ok(child)
}

/// Nothing is charged to the ordinary user any more.
fn others_are_free() -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(1 << 20)?;
        same("used by others", device.info()?.out_memlock_used, 0)
    })
}

fn locked_pages(_: Leg) -> Outcome {
    let server = Server::start(LEN)?;
    let file = server.file()?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let memory = Mapping::new(LEN, protection, libc::MAP_SHARED, Some(file.as_fd()))?;
    // A process that closes it writes back as well, and a child has it too.
    drop(file);
    memory.fill(0, LEN, 1);
    let device = Device::open()?;
    let src = Mapping::anonymous(LEN)?;
    // A process that ends writes back what it has mapped, and waits for that.
    memory.advise(0, LEN, libc::MADV_DONTFORK)?;
    let call = Background::copy(&device, seg(&src, 0, LEN), seg(&memory, 0, LEN))?;
    // With the second job the device writes to the file's pages, which are dirty then.
    flight::wait_until("it never wrote", || Ok(device.stats()?.out_jobs >= 2))?;
    let others = bystander(&device)?;
    let inval = server.invalidate();
    let stuck = || Ok(server.withholds());
    flight::wait_until("the kernel wrote nothing back", stuck)?;
    let unbind = thread::spawn(pci::unbind);
    let outcome = ends(&unbind, "unbind waits for the page")
        .and_then(|()| flight::wait_until("the caller waits for it", || Ok(call.is_over())))
        .and_then(|()| flight::finish(others))
        .and_then(|()| Unbound.end())
        .and_then(|()| others_are_free());
    let pinned = counters::driver("pinned_pages")?;
    server.release();
    // More may be written once the first is answered.
    flight::wait_until("it goes on", || {
        server.release();
        Ok(inval.is_finished() && unbind.is_finished() && call.is_over())
    })?;
    let unbound = Unbound;
    outcome?;
    check(pinned > 0, "the page was let go before")?;
    let call = call.join()?;
    same(
        "status",
        errno_name(-call.out.status),
        errno_name(libc::ENODEV),
    )?;
    flight::wait_until("pages stay pinned", || {
        server.release();
        Ok(counters::driver("pinned_pages")? == 0)
    })?;
    unbound.end()
}
