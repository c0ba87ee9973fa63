// SPDX-License-Identifier: GPL-2.0

//! Regions that the device does not see directly, and those that it must.
//!
//! Between the memory of such a region and the device there is a copy, which is
//! only as fresh as the last sync.

use crate::abi;
use crate::cases::reach::{out_of_reach, Pages};
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, transfer, Call, Device, PAGE};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::pattern::{self, GUARD};
use crate::region::{register, within, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    bounce(
        "enxio_for_region_that_must_not_be_bounced",
        "though all memory is, by force",
        refused,
    ),
    Case::new(
        "enxio_for_region_beyond_the_mask",
        "with index and address; nothing to bounce with either",
        beyond,
    )
    .needs(Needs::Only(
        &[Leg::Reach],
        "all memory is within the device's reach",
    )),
    Case::new(
        "transfer_of_a_region_tells_that_it_was_bounced",
        "where it was",
        told,
    )
    .needs(Needs::Memory),
    // Kills the mutants that skip a sync.
    Case::new(
        "region_is_in_sync_at_every_transfer",
        "in both directions, whatever is written in between",
        in_sync,
    )
    .needs(Needs::Memory),
    // Kills the mutant that syncs a region when it is unmapped.
    Case::new(
        "unregister_changes_no_memory",
        "what was written since the last transfer stays",
        unregister,
    )
    .needs(Needs::Memory),
    Case::new(
        "transfer_to_device_changes_no_memory",
        "what is written meanwhile stays",
        source,
    )
    .needs(Needs::Memory),
    Case::new(
        "transfer_syncs_what_it_uses_and_no_more",
        "what was written beside it stays",
        beside,
    )
    .needs(Needs::Memory),
    bounce(
        "sync_begin_brings_what_the_device_sees",
        "and end tells it what was written; ranges of either",
        begin_and_end,
    ),
    bounce(
        "sync_by_ranges_leaves_the_rest",
        "across segments",
        by_ranges,
    ),
];

const fn bounce(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Bounce], "nothing is bounced here"))
}

fn refused(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let segs = [seg(&memory, 9, PAGE), seg(&memory, 3 * PAGE, 5)];
    let out = device
        .register_with(register(BOTH, &segs))
        .refused(libc::ENXIO)?;
    same(
        "marked as fault",
        out.flags & abi::OUT_FAULT,
        abi::OUT_FAULT,
    )?;
    same("index", out.fault_index, 0)?;
    same("address", out.fault_addr, memory.addr(9))?;
    same("pages pinned", device.stats()?.out_pinned_pages, 0)?;
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_MAY_BOUNCE;
    let registered = device.register_with(request);
    let region = registered.succeeded()?;
    let bounced = registered.out.flags & abi::OUT_BOUNCED;
    same("told to be bounced", bounced, abi::OUT_BOUNCED)?;
    same("unregister", device.unregister(region), 0)
}

fn beyond(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let (near, far) = (pages.near(0, 0, 64), pages.far(0, 7, 64));
    for flags in [0, abi::REGION_MAY_BOUNCE] {
        let segs = [near, far];
        let mut request = register(BOTH, &segs);
        request.flags = flags;
        let registered = pages.device().register_with(request);
        let call = Call {
            errno: registered.errno,
            out: registered.out,
        };
        out_of_reach(call, 1, far.addr, false)?;
    }
    let region = pages
        .device()
        .register_with(register(BOTH, &[near]))
        .succeeded()?;
    pages
        .device()
        .to_device(0, &[within(region, 0, 64)])
        .succeeded(64)
        .map(drop)
}

/// A region of two pages, and the memory of it.
fn region() -> Outcome<(Device, Mapping, u32)> {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    memory.fill(0, 2 * PAGE, GUARD);
    let region = device.register(&[seg(&memory, 0, 2 * PAGE)])?;
    Ok((device, memory, region))
}

fn told(leg: Leg) -> Outcome {
    let (device, memory, region) = region()?;
    let want = if leg.bounces() { abi::OUT_BOUNCED } else { 0 };
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        let segs = [within(region, 4000, 100)];
        let out = device
            .transfer(transfer(direction, 0, &segs))
            .succeeded(100)?;
        same("flag", out.flags & abi::OUT_BOUNCED, want)?;
    }
    drop(memory);
    Ok(())
}

/// Device memory as it is.
fn device_memory(device: &Device, len: usize) -> Outcome<Vec<u8>> {
    let memory = Mapping::anonymous(PAGE)?;
    device
        .from_device(0, &[seg(&memory, 0, len)])
        .succeeded(len)?;
    Ok(memory.read(0, len))
}

fn in_sync(_: Leg) -> Outcome {
    let (device, memory, region) = region()?;
    let (at, len) = (PAGE - 700, 1500);
    for turn in 0..4 {
        pattern::write(&memory, at, len, turn);
        device
            .to_device(0, &[within(region, at, len)])
            .succeeded(len)?;
        pattern::expect(&device_memory(&device, len)?, &pattern::bytes(turn, len))?;
        memory.fill(0, 2 * PAGE, GUARD);
        device
            .from_device(0, &[within(region, 10, len)])
            .succeeded(len)?;
        pattern::verify(&memory, 10, len, turn)?;
        pattern::verify_guard(&memory, 0, 10)?;
        pattern::verify_guard(&memory, 10 + len, 2 * PAGE - 10 - len)?;
    }
    Ok(())
}

fn unregister(_: Leg) -> Outcome {
    let (device, memory, region) = region()?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::write(&memory, 0, 2 * PAGE, 5);
    same("unregister", device.unregister(region), 0)?;
    pattern::verify(&memory, 0, 2 * PAGE, 5)
}

fn source(_: Leg) -> Outcome {
    let (device, memory, region) = region()?;
    let other = device.duplicate()?;
    let call = Background::start(move || other.to_device(0, &[within(region, 0, PAGE)]));
    flight::wait_for_job(&device)?;
    pattern::write(&memory, 0, 2 * PAGE, 6);
    call.join()?.succeeded(PAGE)?;
    pattern::verify(&memory, 0, 2 * PAGE, 6)
}

fn beside(_: Leg) -> Outcome {
    let (device, memory, region) = region()?;
    pattern::write(&memory, 0, 2 * PAGE, 7);
    let want = memory.read(0, 2 * PAGE);
    let new = device_memory(&device, 1000)?;
    device
        .from_device(0, &[within(region, PAGE - 500, 1000)])
        .succeeded(1000)?;
    let got = memory.read(0, 2 * PAGE);
    pattern::expect(&got[..PAGE - 500], &want[..PAGE - 500])?;
    pattern::expect(&got[PAGE - 500..][..1000], &new)?;
    pattern::expect(&got[PAGE + 500..], &want[PAGE + 500..])
}

fn begin_and_end(_: Leg) -> Outcome {
    let (device, memory, region) = region()?;
    let sync = |flags| same("sync", device.sync(flags, region, (0, 0)), 0);
    check(counters::bounce_slots() > 0, "no bounce buffer")?;
    pattern::write(&memory, 0, 2 * PAGE, 1);
    sync(abi::SYNC_END_CPU)?;
    pattern::write(&memory, 0, 2 * PAGE, 2);
    // The device's view is that of the end; nothing tells it of what came after.
    sync(abi::SYNC_BEGIN_CPU)?;
    pattern::verify(&memory, 0, 2 * PAGE, 1)?;
    pattern::write(&memory, 0, 2 * PAGE, 3);
    sync(abi::SYNC_END_CPU)?;
    memory.fill(0, 2 * PAGE, GUARD);
    sync(abi::SYNC_BEGIN_CPU)?;
    pattern::verify(&memory, 0, 2 * PAGE, 3)
}

fn by_ranges(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let parts = [(3 * PAGE, 300), (0, 2 * PAGE)];
    let segs: Vec<_> = parts
        .iter()
        .map(|(at, len)| seg(&memory, *at, *len))
        .collect();
    let region = device.register(&segs)?;
    pattern::write(&memory, 0, 4 * PAGE, 1);
    same("sync", device.sync(abi::SYNC_END_CPU, region, (0, 0)), 0)?;
    let old = memory.read(0, 4 * PAGE);
    memory.fill(0, 4 * PAGE, GUARD);
    // The last 100 bytes of the first range, the first 5000 of the second.
    let range = (200, 5100);
    same("sync", device.sync(abi::SYNC_BEGIN_CPU, region, range), 0)?;
    let mut want = vec![GUARD; 4 * PAGE];
    want[3 * PAGE + 200..][..100].copy_from_slice(&old[3 * PAGE + 200..][..100]);
    want[..5000].copy_from_slice(&old[..5000]);
    pattern::expect(&memory.read(0, 4 * PAGE), &want)
}
