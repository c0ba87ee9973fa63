// SPDX-License-Identifier: GPL-2.0

//! RLIMIT_MEMLOCK: what is charged, to whom, and who is exempt.

use rustix::process::Signal;

use crate::abi;
use crate::check::{same, Outcome};
use crate::compare::{flat, Bench};
use crate::counters;
use crate::device::{seg, Call, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::os;
use crate::process::Process;
use crate::sys::{signals, Mapping};
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "enomem_over_memlock_gives_the_numbers",
        "needed, used and limit",
        numbers,
    ),
    Case::new("enomem_at_memlock_zero", "a single byte", zero),
    Case::new(
        "memlock_counts_pages_not_bytes",
        "two bytes over a boundary",
        pages,
    ),
    Case::new(
        "memlock_refusal_charges_nothing",
        "used is zero afterwards",
        refusal,
    ),
    memory(
        "memlock_exactly_at_the_limit_works",
        "and one page less does not",
        exact,
    ),
    memory(
        "memlock_is_given_back",
        "used is zero after success and error",
        given_back,
    ),
    memory("root_is_exempt_from_memlock", "with a limit of zero", root),
    memory(
        "cap_ipc_lock_is_exempt_from_memlock",
        "an ordinary uid that has it",
        capable,
    ),
    // Kills the mutant that gives back to whoever lets go.
    memory(
        "charge_stays_with_the_user_who_registered",
        "in a process that is another user's when it unregisters",
        changed_user,
    ),
    race(
        "memlock_is_shared_over_passed_fds",
        "one user, two processes, one file",
        shared,
    ),
    race(
        "memlock_used_shows_calls_in_flight",
        "of the same user only",
        in_flight,
    ),
    race(
        "memlock_is_given_back_after_kill",
        "the user's charge too",
        after_kill,
    ),
    // Kills the mutant that uncharges the wrong mm.
    race(
        "vmpin_shows_pages_in_flight",
        "and is zero afterwards",
        vmpin,
    ),
    // Kills the mutant that uncharges the wrong mm.
    race(
        "charge_goes_to_the_caller_not_the_opener",
        "a child on its parent's file",
        caller,
    ),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

#[track_caller]
fn over_limit(call: Call, needed: usize, used: usize, limit: usize) -> Outcome {
    let out = call.refused(libc::ENOMEM)?;
    same("marked as memlock", out.flags & abi::OUT_MEMLOCK != 0, true)?;
    same("marked as fault", out.flags & abi::OUT_FAULT != 0, false)?;
    same("needed", out.memlock_needed, needed as u64)?;
    same("used", out.memlock_used, used as u64)?;
    same("limit", out.memlock_limit, limit as u64)
}

/// As an ordinary user with `limit` bytes, on a file that root opened.
fn as_user(limit: usize, body: impl FnOnce(Device) -> Outcome) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(limit as u64)?;
        body(device)
    })
}

fn numbers(_: Leg) -> Outcome {
    as_user(PAGE, |device| {
        let memory = Mapping::anonymous(2 * PAGE)?;
        let two = [seg(&memory, 100, PAGE)];
        over_limit(device.to_device(0, &two), 2 * PAGE, 0, PAGE)?;
        over_limit(device.from_device(0, &two), 2 * PAGE, 0, PAGE)
    })
}

fn zero(_: Leg) -> Outcome {
    as_user(0, |device| {
        let memory = Mapping::anonymous(PAGE)?;
        over_limit(device.to_device(0, &[seg(&memory, 9, 1)]), PAGE, 0, 0)
    })
}

fn pages(_: Leg) -> Outcome {
    as_user(2 * PAGE - 1, |device| {
        let memory = Mapping::anonymous(2 * PAGE)?;
        let bytes = [seg(&memory, PAGE - 1, 2)];
        over_limit(device.to_device(0, &bytes), 2 * PAGE, 0, 2 * PAGE - 1)
    })
}

fn refusal(_: Leg) -> Outcome {
    as_user(PAGE, |device| {
        let mut memory = Mapping::anonymous(2 * PAGE)?;
        device
            .to_device(0, &[seg(&memory, 1, PAGE)])
            .refused(libc::ENOMEM)?;
        same("used", device.info()?.out_memlock_used, 0)?;
        // Charged, and then not pinned.
        memory.punch(0, PAGE)?;
        device
            .to_device(0, &[seg(&memory, 0, 8)])
            .refused(libc::EFAULT)?;
        same("used", device.info()?.out_memlock_used, 0)
    })
}

fn exact(_: Leg) -> Outcome {
    as_user(2 * PAGE, |device| {
        let memory = Mapping::anonymous(3 * PAGE)?;
        device
            .to_device(0, &[seg(&memory, 1, PAGE)])
            .succeeded(PAGE)?;
        let three = [
            seg(&memory, 1, PAGE - 9),
            seg(&memory, PAGE, 4),
            seg(&memory, 0, 4),
        ];
        over_limit(device.from_device(0, &three), 3 * PAGE, 0, 2 * PAGE)
    })
}

fn given_back(_: Leg) -> Outcome {
    as_user(64 * PAGE, |device| {
        let mut bench = Bench::on(
            device.duplicate()?,
            Mapping::anonymous(4 * PAGE)?,
            Mapping::anonymous(4 * PAGE)?,
        );
        bench.round_trip(flat(PAGE))?;
        bench.copy(3, 5, 2 * PAGE)?;
        same("used", device.info()?.out_memlock_used, 0)?;
        same("VmPin", counters::pinned_kib("self")?, 0)
    })
}

fn root(_: Leg) -> Outcome {
    os::limit_memlock(0)?;
    Bench::new(4)?.copy(1, 2, 3 * PAGE)
}

fn capable(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_exempt(0)?;
        let (src, dst) = (Mapping::anonymous(4 * PAGE)?, Mapping::anonymous(4 * PAGE)?);
        Bench::on(device, src, dst).copy(1, 2, 3 * PAGE)
    })
}

/// Pages on each side of the copy that stays in flight for 3 seconds.
const SIDE: usize = 16;

/// What was `seen` of a copy in flight; nothing, if a slow machine has let the copy end
/// before anybody looked.
fn in_flight_still(leg: Leg, device: &Device, seen: Outcome) -> Outcome {
    let pinned = device.stats()?.out_pinned_pages;
    if leg.counts_time() || pinned == 2 * SIDE as u64 {
        seen
    } else {
        Ok(())
    }
}

/// A process of user `UID` that copies `SIDE` pages and so has twice as many
/// pinned; returns once they are.
fn copying_user(device: &Device, limit: usize) -> Outcome<Process> {
    let child = flight::child(|| {
        user::become_ordinary(limit as u64)?;
        let pair = Pair::new(SIDE * PAGE, 1)?;
        pair.copy(device).succeeded(pair.len)?;
        pair.verify(pair.len as u64)
    })?;
    flight::wait_for_job(device)?;
    Ok(child)
}

fn shared(leg: Leg) -> Outcome {
    let limit = 2 * SIDE * PAGE;
    let device = Device::open()?;
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    let first = copying_user(&device, limit)?;
    os::send_fd(&ours, device.fd())?;
    let second = flight::child(|| {
        user::become_ordinary(limit as u64)?;
        let passed = Device::from(os::receive_fd(&theirs)?);
        let memory = Mapping::anonymous(PAGE)?;
        let call = passed.to_device(0, &[seg(&memory, 0, 8)]);
        over_limit(call, PAGE, limit, limit)
    })?;
    let outcome = in_flight_still(leg, &device, flight::finish(second));
    first.kill()?;
    first.wait()?;
    outcome
}

fn in_flight(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let first = copying_user(&device, 100 * PAGE)?;
    let seen = |uid| {
        let device = &device;
        move || {
            os::become_user(uid, false)?;
            let want = if uid == user::UID { 2 * SIDE * PAGE } else { 0 };
            same("used", device.info()?.out_memlock_used, want as u64)
        }
    };
    let by_both =
        flight::in_child(seen(user::UID)).and_then(|()| flight::in_child(seen(user::UID + 1)));
    let outcome = in_flight_still(leg, &device, by_both);
    first.kill()?;
    first.wait()?;
    outcome
}

fn after_kill(_: Leg) -> Outcome {
    let device = Device::open()?;
    let first = copying_user(&device, 100 * PAGE)?;
    first.kill()?;
    first.wait()?;
    flight::wait_for_rest()?;
    flight::in_child(|| {
        os::become_user(user::UID, false)?;
        same("used", device.info()?.out_memlock_used, 0)
    })
}

/// Who has the pages of a copy that `child` makes on this file.
fn pinned_for(child: &Process, device: &Device) -> Outcome {
    let pages = 2 * SIDE as u64;
    let of_child = counters::pinned_kib(&child.pid().to_string())?;
    same("VmPin in flight", of_child, pages as i64 * 4)?;
    same(
        "pinned by the file",
        device.stats()?.out_pinned_pages,
        pages,
    )?;
    same(
        "pinned by the device",
        device.info()?.out_pinned_pages,
        pages,
    )?;
    same("charged", counters::driver("charged_pages")?, pages)
}

fn changed_user(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        let used = |want: usize| same("used", device.info()?.out_memlock_used, want as u64);
        let memory = Mapping::anonymous(2 * PAGE)?;
        let both = [seg(&memory, 0, 2 * PAGE)];
        os::limit_memlock(2 * PAGE as u64)?;
        os::act_as(user::UID)?;
        let first = device.register(&both)?;
        used(2 * PAGE)?;
        os::act_as(user::UID + 1)?;
        used(0)?;
        let second = device.register(&both)?;
        same("unregister", device.unregister(first), 0)?;
        used(2 * PAGE)?;
        let one = [seg(&memory, 0, 16)];
        over_limit(device.to_device(0, &one), PAGE, 2 * PAGE, 2 * PAGE)?;
        os::act_as(user::UID)?;
        used(0)?;
        same("unregister", device.unregister(second), 0)?;
        used(0)?;
        os::act_as(user::UID + 1)?;
        used(0)
    })
}

fn vmpin(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        let pair = Pair::new(SIDE * PAGE, 2)?;
        let call = pair.copy(&device);
        same("VmPin afterwards", counters::pinned_kib("self")?, 0)?;
        if !leg.counts_time() && call.out.status == 0 {
            // On a slow machine all of it was copied before the signal.
            return call.succeeded(pair.len).map(drop);
        }
        call.stopped(libc::EINTR).map(drop)
    })?;
    flight::wait_for_job(&device)?;
    in_flight_still(leg, &device, pinned_for(&child, &device))?;
    same("VmPin of the opener", counters::pinned_kib("self")?, 0)?;
    child.signal(Signal::USR1)?;
    flight::finish(child)?;
    same("pinned by the file", device.stats()?.out_pinned_pages, 0)
}

fn caller(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(SIDE * PAGE, 3)?;
    let child = flight::child(|| {
        // Whose file it is does not matter, and neither does who ends first.
        pair.copy(&device).succeeded(pair.len).map(drop)
    })?;
    flight::wait_for_job(&device)?;
    let memory = Mapping::anonymous(PAGE)?;
    same("VmPin of the opener", counters::pinned_kib("self")?, 0)?;
    in_flight_still(leg, &device, pinned_for(&child, &device))?;
    device.to_device(0, &[seg(&memory, 0, 64)]).succeeded(64)?;
    same("VmPin of the opener", counters::pinned_kib("self")?, 0)?;
    child.kill()?;
    child.wait()?;
    Ok(())
}
