// SPDX-License-Identifier: GPL-2.0

//! A device that loses interrupts, loses the bus, or does not stop.

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{copy, seg, Call, Device, PAGE};
use crate::flight::{self, Pair};
use crate::gate;
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::os;
use crate::pattern;
use crate::pci::{self, Cleared};
use crate::rw;
use crate::sys::Mapping;
use crate::table::{Case, Needs, EDU};

use super::deadlines::stopped_by_deadline;

pub(crate) const CASES: &[Case] = &[
    race(
        "eio_of_a_job_without_its_interrupt",
        "MSI off for one transfer, which ends all the same",
        lost_interrupt,
    )
    .not_on_xdma(EDU),
    race(
        "eio_without_bus_mastering",
        "never a false success",
        no_master,
    )
    .refuses(),
    race(
        "eio_when_bus_mastering_goes_during_dma",
        "the same, in flight",
        master_lost,
    )
    .refuses(),
    // Kills the mutant that unmaps before the device is idle: what is not
    // leaked would be unmapped while the device still writes.
    race(
        "enotrecoverable_when_the_device_does_not_stop",
        "pages leaked on purpose",
        no_stop,
    )
    .stubborn()
    .not_on_debug(LEAK_IS_AN_ERROR),
    race(
        "enotrecoverable_for_every_later_call",
        "until it is bound anew",
        failed,
    )
    .stubborn()
    .not_on_debug(LEAK_IS_AN_ERROR),
    race(
        "device_works_after_a_deadline",
        "nothing of the old job is left",
        after_deadline,
    ),
    // Kills the mutant that unmaps before the device is idle.
    race(
        "deadline_in_a_job_waits_for_the_device",
        "no fault, the job arrives whole",
        late_unmap,
    ),
];

/// Why a case that leaks on purpose cannot run with DMA-API debugging.
const LEAK_IS_AN_ERROR: &str =
    "DMA-API debugging takes a mapping that outlives its driver for an error";

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const MS: i64 = 1_000_000;
const IMPATIENT: &str = "drain_ms=1 stop_ms=1";

fn lost_interrupt(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(PAGE, 1)?;
    let total = counters::driver("lost_interrupts")?;
    {
        let _off = Cleared::msi()?;
        // Nothing else shows that the device has reached memory.
        let call = device.to_device(0, &[pair.segs().0]);
        same("bytes", call.stopped(libc::EIO)?.bytes, 0)?;
    }
    let lost = device.stats()?.out_lost_interrupts;
    same("lost interrupts", lost, 1)?;
    same(
        "of the module",
        counters::driver("lost_interrupts")?,
        total + 1,
    )?;
    pair.copy(&device).succeeded(PAGE)?;
    if leg.counts_time() {
        // On a slow machine the poll may be faster than the interrupt.
        same("lost interrupts", device.stats()?.out_lost_interrupts, 1)?;
    }
    pair.verify(PAGE as u64)
}

/// After trouble the device must work again.
fn still_works(device: &Device) -> Outcome {
    let pair = Pair::new(PAGE + 1, 99)?;
    pair.copy(device).succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

fn no_master(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, pattern::GUARD);
    let segs = [seg(&memory, 0, 512)];
    {
        let _off = Cleared::bus_mastering()?;
        for direction in [abi::FROM_DEVICE, abi::TO_DEVICE] {
            let call = device.transfer(crate::device::transfer(direction, 0, &segs));
            same("status", call.out.status, -libc::EIO)?;
            same("bytes", call.out.bytes, 0)?;
        }
    }
    pattern::verify_guard(&memory, 0, PAGE)?;
    still_works(&device)
}

fn master_lost(leg: Leg) -> Outcome {
    for _ in 0..3 {
        let device = Device::open()?;
        let pair = Pair::new(64 * PAGE, 2)?;
        let call = pair.start(&device)?;
        flight::wait_for_job(&device)?;
        let off = Cleared::bus_mastering()?;
        let call = call.join()?;
        drop(off);
        if !leg.counts_time() && call.succeeded(pair.len).is_ok() {
            // On a slow machine all of it may be copied by then.
            pair.verify(pair.len as u64)?;
            continue;
        }
        let out = call.stopped(libc::EIO)?;
        check(out.bytes < pair.len as u64, format!("{} bytes", out.bytes))?;
        pair.verify(out.bytes)?;
        return still_works(&device);
    }
    Err(Fail::new("nobody noticed"))
}

/// Calls whose deadline falls into a job, on a driver without patience, until
/// one is met: on a slow machine the job may be over just before.
fn give_up(device: &Device) -> Outcome {
    let mut last = 0;
    for _ in 0..10 {
        last = -impatient_copy(device)?.out.status;
        if last == libc::ENOTRECOVERABLE {
            return Ok(());
        }
    }
    Err(Fail::new(format!(
        "the last one ended {}",
        errno_name(last)
    )))
}

fn impatient_copy(device: &Device) -> Outcome<Call> {
    let (src, dst) = (Mapping::anonymous(3 * PAGE)?, Mapping::anonymous(3 * PAGE)?);
    // Written to, as pins of the zero page are not counted.
    src.fill(0, 3 * PAGE, 1);
    let (from, to) = ([seg(&src, 10, 2 * PAGE)], [seg(&dst, 20, 2 * PAGE)]);
    let mut request = copy(&from, &to);
    request.deadline = os::now() + 50 * MS;
    let call = device.copy(request);
    // The device may write to it still.
    std::mem::forget((src, dst));
    Ok(call)
}

/// Leaks, checks with `inspect`, and unbinds when the device is idle again.
fn leak(leg: Leg, inspect: impl FnOnce(&Device, u64) -> Outcome) -> Outcome {
    with_parameters(leg, IMPATIENT, || {
        let before = counters::pins_outstanding()?;
        {
            let device = Device::open()?;
            give_up(&device)?;
            let leaked = device.info()?.out_leaked_pages;
            check(leaked > 0, "nothing was leaked")?;
            let held = (counters::pins_outstanding()? - before) as u64;
            same("pins that stay", held, leaked)?;
            same(
                "counted as pinned",
                counters::driver("pinned_pages")?,
                leaked,
            )?;
            same(
                "counted as leaked",
                counters::driver("leaked_pages")?,
                leaked,
            )?;
            inspect(&device, leaked)?;
        }
        // Its job takes 100 ms; from then on it is idle.
        pause(400);
        pci::unbind()?;
        account(before)?;
        pci::bind()?;
        module::wait_for_node(true)?;
        same(
            "failed",
            Device::open()?.info()?.out_state & abi::STATE_FAILED,
            0,
        )?;
        still_works(&Device::open()?)
    })
}

/// What is still pinned is what is still counted as leaked, for good.
fn account(before: i64) -> Outcome {
    let mut held = 0;
    flight::wait_until("what is pinned is not what is leaked", || {
        held = (counters::pins_outstanding()? - before) as u64;
        Ok(counters::driver("leaked_pages")? == held)
    })?;
    gate::declare_leak(held)
}

fn no_stop(leg: Leg) -> Outcome {
    leak(leg, |device, leaked| {
        let info = device.info()?;
        same("failed", info.out_state & abi::STATE_FAILED != 0, true)?;
        // Both pages or three of a side that was in the device's hands.
        check((1..=6).contains(&leaked), format!("{leaked} pages leaked"))
    })
}

fn failed(leg: Leg) -> Outcome {
    leak(leg, |device, _| {
        let memory = Mapping::anonymous(PAGE)?;
        let segs = [seg(&memory, 0, 64)];
        device.to_device(0, &segs).refused(libc::ENOTRECOVERABLE)?;
        device
            .from_device(0, &segs)
            .refused(libc::ENOTRECOVERABLE)?;
        device
            .copy(copy(&segs, &segs))
            .refused(libc::ENOTRECOVERABLE)?;
        let other = Device::open()?;
        other.to_device(0, &segs).refused(libc::ENOTRECOVERABLE)?;
        // They have no flag that says that nothing was started.
        rw::read(&other, rw::range(&memory, 0, 64)).failed(libc::EIO)?;
        rw::write(&other, rw::range(&memory, 0, 64)).failed(libc::EIO)
    })
}

fn after_deadline(leg: Leg) -> Outcome {
    let device = Device::open()?;
    // Of 200 ms for each page.
    let pair = Pair::new(20 * PAGE, 3)?;
    stopped_by_deadline(leg, &device, &pair, 450)?;
    still_works(&device)
}

fn late_unmap(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(PAGE, 4)?;
    device.to_device(0, &[pair.segs().0]).succeeded(PAGE)?;
    let to = [pair.segs().1];
    let mut request = crate::device::transfer(abi::FROM_DEVICE, 0, &to);
    request.deadline = os::now() + 30 * MS;
    let call = device.transfer(request);
    if !leg.counts_time() && call.errno == libc::ETIMEDOUT {
        // On a slow machine the deadline was faster than the start.
        return Ok(());
    }
    let ended = [0, -libc::ETIMEDOUT].contains(&call.out.status);
    check(call.errno == 0 && ended, call)?;
    // It was on its way and was waited for, so that it is here.
    same("bytes", call.out.bytes, PAGE as u64)?;
    pair.verify(PAGE as u64)
}
