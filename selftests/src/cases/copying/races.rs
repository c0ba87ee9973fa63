// SPDX-License-Identifier: GPL-2.0

//! Copies while something else happens: signals, unbind, a device that lies.

use super::{ask, copied, gather, parts, pinned};
use crate::abi;
use crate::check::{check, same, Outcome};
use crate::device::{seg, Call, Device, PAGE, WINDOW};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::module::{self, with_parameters};
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::rw::fill_device;
use crate::sys::{signals, Mapping, Userfault};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "eintr_during_must_copy_with_exact_bytes",
        "what was handed out before the signal",
        interrupted,
    ),
    race(
        "unbind_does_not_wait_for_a_stuck_copy",
        "who gets ENODEV later",
        stuck_source,
    ),
    race(
        "unbind_while_a_copy_is_handed_out",
        "it was moved before",
        stuck_destination,
    ),
    // What edu says without its interrupt is not believed, so nothing is handed out.
    race(
        "copy_shows_nothing_of_others",
        "a device that says it has written, and has not",
        liar,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

fn interrupted(leg: Leg) -> Outcome {
    const PARTS: usize = 256;
    // Two pages, and one job.
    const STEP: usize = 2 * WINDOW / PARTS;
    with_parameters(leg, "window_kib=8", || {
        let device = Device::open()?;
        fill_device(&device, 8)?;
        let before = device.stats()?.out_jobs;
        let child = flight::child(|| {
            signals::catch(libc::SIGUSR1)?;
            let memory = Mapping::anonymous(PARTS * PAGE)?;
            memory.fill(0, PARTS * PAGE, GUARD);
            let segs = parts(&memory, PARTS);
            let call = ask(&device, abi::FROM_DEVICE, abi::MUST_COPY, &segs);
            let out = call.stopped(libc::EINTR)?;
            let bytes = out.bytes as usize;
            check(bytes < WINDOW, "all of it was copied")?;
            check(bytes >= 3 * STEP, format!("only {bytes} bytes"))?;
            same("part of a window", bytes % STEP, 0)?;
            let got = gather(&memory, &segs);
            pattern::expect(&got[..bytes], &pattern::bytes(8, bytes))?;
            pattern::expect(&got[bytes..], &vec![GUARD; WINDOW - bytes])?;
            same("copied", device.stats()?.out_copied, out.bytes)
        })?;
        // Three are over when the fourth begins.
        flight::wait_for_jobs(&device, before + 4, &child)?;
        child.signal(rustix::process::Signal::USR1)?;
        flight::finish(child)
    })
}

fn bind() -> Outcome {
    pci::bind()?;
    module::wait_for_node(true)
}

/// A copy that is stuck in user memory when the device is unbound.
fn stuck(direction: u32) -> Outcome<Call> {
    let device = Device::open()?;
    fill_device(&device, 9)?;
    let missing = Mapping::anonymous(PAGE)?;
    let fault = Userfault::register(&missing)?;
    let segs = [seg(&missing, 0, 100)];
    let call = Background::start(move || ask(&device, direction, abi::MUST_COPY, &segs));
    flight::wait_for_stuck(&fault)?;
    // If this waits for the caller, it waits for ever: the harness says so.
    pci::unbind()?;
    fault.resolve()?;
    let call = call.join()?;
    if call.errno == 0 {
        pattern::expect(&missing.read(0, 100), &pattern::bytes(9, 100))?;
    }
    bind()?;
    Ok(call)
}

fn stuck_source(_: Leg) -> Outcome {
    stuck(abi::TO_DEVICE)?.refused(libc::ENODEV).map(drop)
}

fn stuck_destination(_: Leg) -> Outcome {
    stuck(abi::FROM_DEVICE)?.succeeded(100).map(drop)
}

/// The pattern in the device's memory, which does not get out of it.
const HELD: u64 = 10;

fn liar(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let (secret, held) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    // What the next one to get the same pages must not see.
    secret.fill(0, PAGE, 0x5a);
    pattern::write(&held, 0, PAGE, HELD);
    for _ in 0..10 {
        let segs = [seg(&secret, 0, WINDOW)];
        copied(ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &segs), WINDOW)?;
        // What the device has itself is something else.
        let segs = [seg(&held, 0, WINDOW)];
        pinned(ask(&device, abi::TO_DEVICE, 0, &segs), WINDOW)?;
        if lies(leg, &device)? {
            break;
        }
    }
    Ok(())
}

/// Reads while the device writes nothing, and says that it has; whether it was so: on a
/// slow machine it may have written.
fn lies(leg: Leg, device: &Device) -> Outcome<bool> {
    let reader = device.duplicate()?;
    let into = Mapping::anonymous(PAGE)?;
    into.fill(0, PAGE, GUARD);
    let segs = [seg(&into, 0, WINDOW)];
    let call = Background::start(move || ask(&reader, abi::FROM_DEVICE, abi::MUST_COPY, &segs));
    flight::wait()?;
    {
        // The device does not notice, and says that it is done.
        let _off = pci::Cleared::bus_mastering()?;
        module::pause(150);
    }
    let call = call.join()?;
    if call.out.status == -libc::EIO {
        // The driver has looked while it was off.
        pattern::verify_guard(&into, 0, PAGE)?;
        return Ok(leg.counts_time());
    }
    call.succeeded(WINDOW)?;
    let got = into.read(0, PAGE);
    if !leg.counts_time() && got == pattern::bytes(HELD, PAGE) {
        return Ok(false);
    }
    pattern::expect(&got, &[0; PAGE])?;
    Ok(true)
}
