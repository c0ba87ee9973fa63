// SPDX-License-Identifier: GPL-2.0

//! What regions are charged for, and where they end.

use crate::abi::{self, pindma_result};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::os;
use crate::region::{register, within, Registered, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    memory(
        "enomem_for_region_over_memlock",
        "needed, used and limit, of all of it",
        numbers,
    ),
    memory(
        "region_exactly_at_memlock_works",
        "and stays charged until it is unregistered",
        exact,
    ),
    // Kills the mutant that leaks the charge of a registration that fails.
    memory(
        "registration_that_fails_charges_nothing",
        "however far it got",
        failed,
    ),
    memory(
        "vmpin_shows_regions",
        "of who registered, whoever unregisters",
        vmpin,
    ),
    memory(
        "enospc_for_more_regions_than_a_file_may_have",
        "1024; another file has room, and so has this after one went",
        too_many,
    )
    .not_on_debug("a number is the same there"),
    memory(
        "enospc_for_region_over_the_devices_limit",
        "beside others; and it is given back",
        quota,
    ),
    Case::new(
        "refused_without_room_to_map_a_region",
        "what was mapped of it is given back",
        room,
    )
    .not_on_debug("the sweep of a registration in chunks watches what is given back")
    .needs(Needs::Only(
        &[Leg::Iommu, Leg::Bounce],
        "there is as much room to map as memory here",
    )),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

#[track_caller]
fn over_limit(registered: Registered, needed: u64, used: u64, limit: u64) -> Outcome {
    let out: pindma_result = registered.refused(libc::ENOMEM)?;
    same("marked", out.flags & abi::OUT_MEMLOCK, abi::OUT_MEMLOCK)?;
    same("needed", out.memlock_needed, needed)?;
    same("used", out.memlock_used, used)?;
    same("limit", out.memlock_limit, limit)
}

/// As an ordinary user who may lock `pages`, on a file that root opened.
fn as_user(pages: usize, body: impl FnOnce(&Device) -> Outcome) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary((pages * PAGE) as u64)?;
        body(&device)
    })
}

fn used(device: &Device) -> Outcome<u64> {
    Ok(device.info()?.out_memlock_used)
}

fn numbers(_: Leg) -> Outcome {
    // More than a chunk of a region.
    const PAGES: usize = 6000;
    as_user(PAGES - 1, |device| {
        let memory = Mapping::anonymous(PAGE)?;
        let limit = ((PAGES - 1) * PAGE) as u64;
        let all = (PAGES * PAGE) as u64;
        let whole = Mapping::anonymous(PAGES * PAGE)?;
        let segs = [seg(&whole, 0, PAGES * PAGE)];
        over_limit(device.register_with(register(BOTH, &segs)), all, 0, limit)?;
        let small = device.register(&[seg(&memory, 0, 1)])?;
        let page = PAGE as u64;
        let call = device.register_with(register(BOTH, &segs));
        over_limit(call, all, page, limit)?;
        same("used", used(device)?, page)?;
        same("unregister", device.unregister(small), 0)?;
        same("used", used(device)?, 0)
    })
}

fn exact(_: Leg) -> Outcome {
    as_user(3, |device| {
        let memory = Mapping::anonymous(4 * PAGE)?;
        let region = device.register(&[seg(&memory, 5, 2 * PAGE)])?;
        same("used", used(device)?, 3 * PAGE as u64)?;
        // Nothing is left for a transfer by address; one by handle needs nothing.
        let call = device.to_device(0, &[seg(&memory, 0, 16)]);
        call.refused(libc::ENOMEM)?;
        device
            .to_device(0, &[within(region, 0, PAGE)])
            .succeeded(PAGE)?;
        same("unregister", device.unregister(region), 0)?;
        same("used", used(device)?, 0)?;
        device.to_device(0, &[seg(&memory, 0, 16)]).succeeded(16)?;
        let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
        same("unregister", device.unregister(region), 0)
    })
}

fn failed(leg: Leg) -> Outcome {
    const PAGES: usize = 5000;
    // In the second chunk, if the first can be mapped, and then in the first.
    let first = !leg.bounces() || counters::bounce_bytes() as usize > PAGES * PAGE;
    let holes = [PAGES - 10, 10, 0].into_iter().skip(usize::from(!first));
    as_user(PAGES, |device| {
        let mut memory = Mapping::anonymous(PAGES * PAGE)?;
        for hole in holes {
            let segs = [seg(&memory, 0, PAGES * PAGE)];
            memory.punch(hole * PAGE, PAGE)?;
            let mut request = register(BOTH, &segs);
            request.flags = abi::REGION_MAY_BOUNCE;
            let out = device.register_with(request).refused(libc::EFAULT)?;
            same("pages before", out.pages_pinned, hole as u64)?;
            same("used", used(device)?, 0)?;
            same("VmPin", counters::pinned_kib("self")?, 0)?;
            memory = Mapping::anonymous(PAGES * PAGE)?;
        }
        same("device", device.info()?.out_pinned_pages, 0)
    })
}

fn vmpin(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let kib = 3 * PAGE as i64 / 1024;
    os::limit_memlock(1 << 20)?;
    os::drop_ipc_lock()?;
    let before = used(&device)?;
    let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
    same("VmPin", counters::pinned_kib("self")?, kib)?;
    let charged = before + 3 * PAGE as u64;
    same("used", used(&device)?, charged)?;
    flight::in_child(|| {
        same("VmPin of the child", counters::pinned_kib("self")?, 0)?;
        user::become_ordinary(1 << 20)?;
        same("used by another", used(&device)?, 0)?;
        same("unregister", device.unregister(region), 0)?;
        same("VmPin of the child", counters::pinned_kib("self")?, 0)?;
        same("used by another", used(&device)?, 0)
    })?;
    same("VmPin", counters::pinned_kib("self")?, 0)?;
    same("used", used(&device)?, before)
}

fn too_many(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 16)];
    let most = device.info()?.out_max_regions;
    let regions: Outcome<Vec<_>> = (0..most).map(|_| device.register(&segs)).collect();
    let regions = regions?;
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_MAY_BOUNCE;
    let out = device.register_with(request).refused(libc::ENOSPC)?;
    same("pages", out.pages, 0)?;
    same("regions", device.stats()?.out_regions, most.into())?;
    let other = Device::open()?;
    let one = other.register(&segs)?;
    same("unregister", other.unregister(one), 0)?;
    let middle = regions[most as usize / 2];
    same("unregister", device.unregister(middle), 0)?;
    let again = device.register(&segs)?;
    check(!regions.contains(&again), "a handle is given out again")?;
    for region in [regions[0], regions[most as usize - 1], again] {
        device
            .to_device(0, &[within(region, 0, 16)])
            .succeeded(16)?;
    }
    Ok(())
}

fn quota(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=10", || {
        let (device, other) = (Device::open()?, Device::open()?);
        let memory = Mapping::anonymous(11 * PAGE)?;
        let refused = |pages: usize| {
            let segs = [seg(&memory, 0, pages * PAGE)];
            let call = other.register_with(register(BOTH, &segs));
            call.refused(libc::ENOSPC).map(drop)
        };
        refused(11)?;
        let region = device.register(&[seg(&memory, 0, 6 * PAGE)])?;
        same("pinned", other.info()?.out_pinned_pages, 6)?;
        refused(5)?;
        let rest = other.register(&[seg(&memory, 0, 4 * PAGE)])?;
        let call = device.to_device(0, &[seg(&memory, 0, 16)]);
        same("errno", errno_name(call.errno), errno_name(libc::ENOSPC))?;
        device
            .to_device(0, &[within(region, 0, 16)])
            .succeeded(16)?;
        same("unregister", device.unregister(region), 0)?;
        same("unregister", other.unregister(rest), 0)?;
        same("pinned", other.info()?.out_pinned_pages, 0)?;
        let all = other.register(&[seg(&memory, 0, 10 * PAGE)])?;
        same("unregister", other.unregister(all), 0)
    })
}

fn room(leg: Leg) -> Outcome {
    const CHUNK: usize = 1 << 20;
    // I/O addresses of 28 bits; the usual pool of bounce buffers. An IOMMU does
    // not say whether addresses or memory for its tables are short.
    let (fits, errno) = if leg.bounces() {
        (counters::bounce_bytes() as usize / CHUNK, libc::ENOSPC)
    } else {
        (256, libc::ENOMEM)
    };
    with_parameters(
        leg,
        "max_pinned_pages=1000000 max_file_pages=1000000",
        || {
            let device = Device::open()?;
            let memory = Mapping::anonymous(CHUNK)?;
            memory.fill(0, CHUNK, 1);
            let segs = vec![seg(&memory, 0, CHUNK); fits + 1];
            let mut request = register(BOTH, &segs);
            request.flags = abi::REGION_MAY_BOUNCE;
            let slots = counters::bounce_slots();
            for _ in 0..3 {
                let out = device.register_with(request).refused(errno)?;
                // It is mapped 16 MiB at a time.
                let some = out.segments > 0 || fits <= 16;
                check(some, "nothing of it was mapped")?;
                same("mapped", counters::driver("mapped_segments")?, 0)?;
                same("pinned", device.stats()?.out_pinned_pages, 0)?;
                same("slots", counters::bounce_slots(), slots)?;
            }
            let part = fits / 2;
            let region = device.register(&segs[..part])?;
            device
                .to_device(0, &[within(region, (part - 1) * CHUNK, 16)])
                .succeeded(16)?;
            same("unregister", device.unregister(region), 0)
        },
    )
}
