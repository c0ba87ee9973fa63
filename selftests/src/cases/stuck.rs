// SPDX-License-Identifier: GPL-2.0

//! Callers that are stuck in a page fault while their memory is pinned for long: they hold
//! nothing that others need.

use std::thread::{self, JoinHandle};

use crate::abi;
use crate::cases::unbind::{gone, Unbound};
use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::pattern;
use crate::pool::of_pages;
use crate::queue::{done, entry, Queue};
use crate::region::{register, within, Registered, BOTH};
use crate::sys::{Mapping, Userfault};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "registration_stuck_in_a_page_fault_blocks_nobody",
        "on its own file or another; then it succeeds",
        registration,
    ),
    race(
        "submission_stuck_in_a_page_fault_blocks_nobody",
        "nor its queue; then the request is done",
        submission,
    ),
    race(
        "unbind_does_not_wait_for_a_stuck_registration",
        "who gets ENODEV later, and nothing is left",
        unbound,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// Memory that is missing until somebody makes it.
struct Missing {
    memory: Mapping,
    fault: Userfault,
}

impl Missing {
    fn new() -> Outcome<Missing> {
        let memory = Mapping::anonymous(2 * PAGE)?;
        let fault = Userfault::register(&memory)?;
        Ok(Missing { memory, fault })
    }

    /// Makes it, and waits for who was stuck.
    fn end<T>(self, caller: JoinHandle<T>) -> Outcome<(Mapping, T)> {
        self.fault.resolve()?;
        let ended = caller.join();
        let ended = ended.map_err(|_| Fail::new("the thread panicked"))?;
        Ok((self.memory, ended))
    }
}

/// Registers a page that is there and those that are not, in a thread that is stuck when this
/// returns.
fn register_stuck(
    device: &Device,
    there: &Mapping,
    missing: &Missing,
) -> Outcome<JoinHandle<Registered>> {
    let device = device.duplicate()?;
    let segs = [seg(there, 0, PAGE), seg(&missing.memory, 0, 2 * PAGE)];
    let caller = thread::spawn(move || {
        let mut request = register(BOTH, &segs);
        request.flags = abi::REGION_MAY_BOUNCE;
        device.register_with(request)
    });
    flight::wait_for_stuck(&missing.fault)?;
    Ok(caller)
}

/// Calls of every kind work on this file.
fn works(device: &Device, seed: u64) -> Outcome {
    let pair = Pair::new(PAGE, seed)?;
    pair.copy(device).succeeded(PAGE)?;
    pair.verify(PAGE as u64)?;
    device.info()?;
    let region = device.register(&[seg(&pair.src, 0, PAGE)])?;
    same("length", device.region(region)?.out_len, PAGE as u64)?;
    same("sync", device.sync(abi::SYNC_END_CPU, region, (0, 0)), 0)?;
    let queue = Queue::create(device, 1)?;
    let request = entry(seed, abi::TO_DEVICE, 0, within(region, 8, 100));
    queue.submit(device, &[request]).all(1)?;
    done(&queue.reap_one()?, seed, 100)?;
    same("unregister", device.unregister(region), 0)?;
    let pool = of_pages(device, 1)?;
    same("unregister", device.unregister(pool.handle), 0)
}

fn registration(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (there, missing) = (Mapping::anonymous(PAGE)?, Missing::new()?);
    let caller = register_stuck(&device, &there, &missing)?;
    for (device, seed) in [(&device, 1), (&Device::open()?, 2)] {
        works(device, seed)?;
    }
    check(!caller.is_finished(), "it was not stuck")?;
    same("regions", device.stats()?.out_regions, 0)?;
    let (made, registered) = missing.end(caller)?;
    let region = registered.succeeded()?;
    pattern::write(&made, PAGE, 64, 3);
    device
        .to_device(0, &[within(region, 2 * PAGE, 64)])
        .succeeded(64)?;
    device
        .from_device(0, &[within(region, 7, 64)])
        .succeeded(64)?;
    pattern::verify(&there, 7, 64, 3)?;
    same("unregister", device.unregister(region), 0)
}

fn submission(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 2)?;
    let (there, missing) = (Mapping::anonymous(PAGE)?, Missing::new()?);
    let request = entry(5, abi::FROM_DEVICE, 0, seg(&missing.memory, 0, 100));
    let (file, into) = (device.duplicate()?, queue.duplicate()?);
    let caller = thread::spawn(move || into.submit(&file, &[request]));
    flight::wait_for_stuck(&missing.fault)?;
    let other = entry(6, abi::TO_DEVICE, 0, seg(&there, 0, 64));
    queue.submit(&device, &[other]).all(1)?;
    done(&queue.reap_one()?, 6, 64)?;
    works(&device, 3)?;
    check(!caller.is_finished(), "it was not stuck")?;
    let (_made, submitted) = missing.end(caller)?;
    submitted.all(1)?;
    done(&queue.reap_one()?, 5, 100)
}

fn unbound(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (there, missing) = (Mapping::anonymous(PAGE)?, Missing::new()?);
    let caller = register_stuck(&device, &there, &missing)?;
    // If this waits for the caller, it waits for ever: the harness says so.
    let unbound = Unbound::now()?;
    gone(&device)?;
    check(!caller.is_finished(), "it was not stuck")?;
    let (_made, registered) = missing.end(caller)?;
    registered.refused(libc::ENODEV)?;
    for name in [
        "regions",
        "pinned_pages",
        "charged_pages",
        "mapped_segments",
    ] {
        same(name, counters::driver(name)?, 0)?;
    }
    same("VmPin in KiB", counters::pinned_kib("self")?, 0)?;
    unbound.end()
}
