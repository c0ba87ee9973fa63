// SPDX-License-Identifier: GPL-2.0

//! Regions: memory that is registered once and used many times.

use crate::abi::{self, pindma_seg};
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::os;
use crate::pattern::{self, GUARD};
use crate::region::{within, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) mod bouncing;
pub(crate) mod costs;
pub(crate) mod errors;
pub(crate) mod kinds;
pub(crate) mod large;
pub(crate) mod limits;
pub(crate) mod lives;
pub(crate) mod owners;
mod registered;

pub(crate) const CASES: &[Case] = &[
    case(
        "region_round_trip",
        "out of one region and into another, by offset",
        round_trip,
    ),
    case(
        "region_is_its_ranges_one_after_the_other",
        "of odd lengths, across pages and ranges",
        ranges,
    ),
    case(
        "addresses_and_regions_mix_in_a_vector",
        "several of each, one region twice",
        mixed,
    ),
    case(
        "two_regions_over_the_same_memory",
        "each is given back by itself",
        twice,
    ),
    case(
        "region_with_a_page_many_times",
        "each time it counts",
        repeated,
    ),
    case(
        "region_info_counts_pages_and_segments",
        "pages, segments, length, page sizes, flags",
        info,
    ),
    case(
        "region_syncs_succeed_on_every_range",
        "begin and end, with nothing to do or something",
        syncs,
    ),
    case(
        "statistics_count_regions",
        "regions, pages pinned now and in all; no windows",
        statistics,
    ),
    case(
        "region_through_a_deadline_and_a_retry",
        "exact bytes, and the rest by offset",
        retry,
    )
    .slow(),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn round_trip(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let source = device.register_for(abi::DEV_READ, &[seg(&memory, 0, 2 * PAGE)])?;
    let destination = device.register_for(abi::DEV_WRITE, &[seg(&memory, 2 * PAGE, 2 * PAGE)])?;
    for turn in 0..3 {
        pattern::write(&memory, 100, 1000, turn);
        memory.fill(2 * PAGE, 2 * PAGE, GUARD);
        device
            .to_device(0, &[within(source, 100, 1000)])
            .succeeded(1000)?;
        let across = PAGE - 500;
        device
            .from_device(0, &[within(destination, across, 1000)])
            .succeeded(1000)?;
        pattern::verify(&memory, 2 * PAGE + across, 1000, turn)?;
        pattern::verify_guard(&memory, 2 * PAGE, across)?;
        pattern::verify_guard(&memory, 3 * PAGE + 500, PAGE - 500)?;
    }
    same("unregister", device.unregister(source), 0)?;
    same("unregister", device.unregister(destination), 0)
}

/// Reads `len` bytes of device memory, in the plain way.
fn device_memory(device: &Device, len: usize) -> Outcome<Vec<u8>> {
    let memory = Mapping::anonymous(PAGE)?;
    device
        .from_device(0, &[seg(&memory, 0, len)])
        .succeeded(len)?;
    Ok(memory.read(0, len))
}

/// Fills device memory with a pattern, in the plain way.
fn fill_device(device: &Device, len: usize, seed: u64) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, len, seed);
    device
        .to_device(0, &[seg(&memory, 0, len)])
        .succeeded(len)
        .map(drop)
}

fn ranges(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(8 * PAGE)?;
    pattern::write(&memory, 0, 8 * PAGE, 3);
    let parts = [
        (5 * PAGE - 3, 5),
        (2500, 1),
        (2 * PAGE, PAGE + 7),
        (1, 2000),
    ];
    let segs: Vec<_> = parts
        .iter()
        .map(|(at, len)| seg(&memory, *at, *len))
        .collect();
    let whole: Vec<u8> = parts
        .iter()
        .flat_map(|(at, len)| memory.read(*at, *len))
        .collect();
    let region = device.register(&segs)?;
    same("length", device.region(region)?.out_len, whole.len() as u64)?;
    for (offset, len) in [
        (0, WINDOW),
        (0, 1),
        (4, 3),
        (5, 1),
        (6, 4000),
        (whole.len() - 9, 9),
    ] {
        device
            .to_device(0, &[within(region, offset, len)])
            .succeeded(len)?;
        pattern::expect(&device_memory(&device, len)?, &whole[offset..offset + len])?;
    }
    fill_device(&device, 100, 4)?;
    device
        .from_device(0, &[within(region, 2, 100)])
        .succeeded(100)?;
    let now: Vec<u8> = parts
        .iter()
        .flat_map(|(at, len)| memory.read(*at, *len))
        .collect();
    pattern::expect(&now[..2], &whole[..2])?;
    pattern::expect(&now[2..102], &pattern::bytes(4, 100))?;
    pattern::expect(&now[102..], &whole[102..])
}

fn mixed(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(6 * PAGE)?;
    let (first, second) = (
        device.register(&[seg(&memory, 0, PAGE)])?,
        device.register(&[seg(&memory, PAGE, PAGE)])?,
    );
    // Where each segment lies in `memory`, and how it is called in the vector.
    let plan: Vec<(usize, pindma_seg)> = vec![
        (2 * PAGE + 5, seg(&memory, 2 * PAGE + 5, 100)),
        (30, within(first, 30, 200)),
        (PAGE, within(second, 0, 300)),
        (3 * PAGE - 20, seg(&memory, 3 * PAGE - 20, 40)),
        (5 * PAGE, seg(&memory, 5 * PAGE, 50)),
        (1000, within(first, 1000, 60)),
    ];
    let segs: Vec<_> = plan.iter().map(|(_, segment)| *segment).collect();
    let total = segs.iter().map(|segment| segment.len as usize).sum();
    for count in 1..=plan.len() {
        let len: usize = segs[..count].iter().map(|s| s.len as usize).sum();
        pattern::write(&memory, 0, 6 * PAGE, count as u64);
        let gathered: Vec<u8> = plan[..count]
            .iter()
            .flat_map(|(at, s)| memory.read(*at, s.len as usize))
            .collect();
        device.to_device(0, &segs[..count]).succeeded(len)?;
        pattern::expect(&device_memory(&device, len)?, &gathered)?;
    }
    fill_device(&device, total, 77)?;
    memory.fill(0, 6 * PAGE, GUARD);
    let out = device.from_device(0, &segs).succeeded(total)?;
    // 100 bytes in one page, 40 in two, 50 in one.
    same("pages pinned", out.pages, 4)?;
    let got: Vec<u8> = plan
        .iter()
        .flat_map(|(at, s)| memory.read(*at, s.len as usize))
        .collect();
    pattern::expect(&got, &pattern::bytes(77, total))?;
    let touched = (0..6 * PAGE)
        .filter(|at| memory.read(*at, 1)[0] != GUARD)
        .count();
    check(touched <= total, format!("{touched} bytes were written"))
}

fn twice(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    let segs = [seg(&memory, 0, 2 * PAGE)];
    let (first, second) = (device.register(&segs)?, device.register(&segs)?);
    check(first != second, "they have one handle")?;
    pattern::write(&memory, 0, PAGE, 1);
    device
        .to_device(0, &[within(first, 0, PAGE)])
        .succeeded(PAGE)?;
    same("unregister", device.unregister(first), 0)?;
    device
        .from_device(0, &[within(second, PAGE, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&memory, PAGE, PAGE, 1)?;
    same("unregister", device.unregister(second), 0)
}

fn repeated(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, 6);
    let segs = vec![seg(&memory, 10, 20); 1024];
    let region = device.register(&segs)?;
    let info = device.region(region)?;
    same("length", info.out_len, 20 * 1024)?;
    same("pages", info.out_pages, 1024)?;
    same("pages pinned", device.stats()?.out_pinned_pages, 1024)?;
    device
        .to_device(0, &[within(region, 20 * 1000 + 5, 30)])
        .succeeded(30)?;
    let want = [memory.read(15, 15), memory.read(10, 15)].concat();
    pattern::expect(&device_memory(&device, 30)?, &want)
}

fn info(leg: Leg) -> Outcome {
    let device = Device::open()?;
    same("limit", device.info()?.out_max_regions, 1024)?;
    let caps = device.info()?.out_caps;
    check(caps & abi::CAP_REGION != 0, "no capability of it")?;
    let memory = Mapping::anonymous(8 * PAGE)?;
    memory.advise(0, 8 * PAGE, libc::MADV_NOHUGEPAGE)?;
    let region = device.register(&[seg(&memory, PAGE - 1, 2), seg(&memory, 5 * PAGE, PAGE)])?;
    let info = device.region(region)?;
    same("length", info.out_len, PAGE as u64 + 2)?;
    same("pages", info.out_pages, 3)?;
    check(
        (1..=3).contains(&info.out_segments),
        format!("{} segments", info.out_segments),
    )?;
    same("page sizes", info.out_page_sizes, PAGE as u64)?;
    same("access", info.out_access, BOTH)?;
    same("users", info.out_users, 0)?;
    let bounced = if leg.bounces() { info.out_segments } else { 0 };
    same("bounced", info.out_bounced, bounced)?;
    let mut flags = abi::REGION_MAY_BOUNCE;
    if leg.bounces() {
        flags |= abi::REGION_IS_BOUNCED;
    }
    same("flags", info.out_flags, flags)
}

fn syncs(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let segs = [seg(&memory, 9, 2 * PAGE), seg(&memory, 3 * PAGE, 50)];
    for access in [abi::DEV_READ, abi::DEV_WRITE, BOTH] {
        pattern::write(&memory, 0, 4 * PAGE, access.into());
        let region = device.register_for(access, &segs)?;
        for flags in [abi::SYNC_END_CPU, abi::SYNC_BEGIN_CPU] {
            for range in [
                (0, 0),
                (0, 1),
                (8, 5000),
                (2 * PAGE as u64 - 1, 2),
                (8241, 0),
            ] {
                same("sync", device.sync(flags, region, range), 0)?;
            }
        }
        pattern::verify(&memory, 0, 4 * PAGE, access.into())?;
        same("unregister", device.unregister(region), 0)?;
    }
    Ok(())
}

fn statistics(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
    let other = device.register(&[seg(&memory, 0, PAGE)])?;
    for _ in 0..3 {
        let out = device
            .to_device(0, &[within(region, 5, PAGE)])
            .succeeded(PAGE)?;
        same("pages of the call", out.pages, 0)?;
        same("segments of the call", out.segments, 0)?;
    }
    let stats = device.stats()?;
    same("regions", stats.out_regions, 2)?;
    same("pages", stats.out_pages, 4)?;
    same("pages now", stats.out_pinned_pages, 4)?;
    same("windows", stats.out_windows, 0)?;
    same("calls", stats.out_calls, 3)?;
    same("bytes", stats.out_bytes_to_device, 3 * PAGE as u64)?;
    same("regions of all", counters::driver("regions")?, 2)?;
    same("unregister", device.unregister(region), 0)?;
    same("unregister", device.unregister(other), 0)?;
    let stats = device.stats()?;
    same("regions", stats.out_regions, 0)?;
    same("pages", stats.out_pages, 4)?;
    same("pages now", stats.out_pinned_pages, 0)
}

fn retry(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(8 * PAGE)?;
    pattern::write(&memory, 0, 8 * PAGE, 1);
    // Scattered, so that each is a job of its own.
    let segs: Vec<_> = (0..8)
        .rev()
        .map(|page| seg(&memory, page * PAGE, 256))
        .collect();
    let region = device.register(&segs)?;
    let vector = [within(region, 0, 8 * 256)];
    let mut request = crate::device::transfer(abi::TO_DEVICE, 0, &vector);
    request.deadline = os::now() + 350_000_000;
    let done = device.transfer(request).stopped(libc::ETIMEDOUT)?.bytes as usize;
    check(done > 0 && done < 8 * 256, format!("{done} bytes"))?;
    device
        .to_device(done, &[within(region, done, 8 * 256 - done)])
        .succeeded(8 * 256 - done)?;
    let want: Vec<u8> = (0..8)
        .rev()
        .flat_map(|page| memory.read(page * PAGE, 256))
        .collect();
    pattern::expect(&device_memory(&device, 8 * 256)?, &want)
}
