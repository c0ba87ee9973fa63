// SPDX-License-Identifier: GPL-2.0

//! Regions of a GiB: in batches, so that others get the CPU and the device, and
//! that a kill ends it soon.
//!
//! Most of these take their GiB from little memory, which the vector names many
//! times: what is pinned and mapped is as much, and what ends a process does not
//! have to free a GiB.

use std::fs;

use crate::abi::{self, pindma_seg};
use crate::cases::unbind::Unbound;
use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::ktap::note;
use crate::leg::Leg;
use crate::module::{pause, with_parameters};
use crate::os;
use crate::pattern;
use crate::process::{Exit, Process};
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "region_of_a_gib_of_small_pages",
        "its first, middle and last bytes; and it is given back",
        small_pages,
    ),
    case(
        "region_of_a_gigantic_page",
        "one page of 1 GiB, and its size",
        gigantic,
    ),
    // Kills the mutant that does not look whether it is killed.
    case(
        "kill_9_ends_registration_of_a_gib_soon",
        "within 100 ms of guest time, at any stage",
        killed,
    ),
    case(
        "unbind_while_a_killed_registration_is_given_back",
        "all of it is, once",
        unbound,
    ),
    case(
        "close_gives_a_gib_back",
        "that a process has registered which is gone",
        closed,
    ),
    case(
        "others_transfer_while_a_gib_is_registered",
        "their 99th percentile at most doubles",
        others,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    let reason = "only this machine has memory and I/O addresses for a GiB";
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Wide], reason))
}

const GIB: usize = 1 << 30;
const MIB: usize = 1 << 20;
/// Pages of a GiB.
const WHOLE: u64 = (GIB / PAGE) as u64;
const NS_PER_MS: i64 = 1_000_000;
/// No limit before that of the addresses.
const PARAMETERS: &str = "max_pinned_pages=1000000 max_file_pages=1000000";

/// 1 GiB, which is 1 MiB many times.
fn many_times(memory: &Mapping) -> Vec<pindma_seg> {
    vec![seg(memory, 0, MIB); GIB / MIB]
}

/// A MiB of small pages, all of which are there.
fn a_mib() -> Outcome<Mapping> {
    let memory = Mapping::anonymous(MIB)?;
    memory.advise(0, MIB, libc::MADV_NOHUGEPAGE)?;
    memory.fill(0, MIB, 1);
    Ok(memory)
}

/// 16 bytes out of one place of a region and back into another.
fn moves(device: &Device, memory: &Mapping, region: u32, places: (usize, usize)) -> Outcome {
    let (from, to) = places;
    pattern::write(memory, from, 16, to as u64);
    device
        .to_device(0, &[within(region, from, 16)])
        .succeeded(16)?;
    device
        .from_device(0, &[within(region, to, 16)])
        .succeeded(16)?;
    pattern::verify(memory, to, 16, to as u64)
}

fn small_pages(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(GIB)?;
        memory.advise(0, GIB, libc::MADV_NOHUGEPAGE)?;
        let begin = os::now();
        let region = device.register(&[seg(&memory, 0, GIB)])?;
        note(&format!(
            "a GiB of small pages took {} ms, with the faults",
            (os::now() - begin) / NS_PER_MS
        ));
        let info = device.region(region)?;
        same("pages", info.out_pages, WHOLE)?;
        same("page sizes", info.out_page_sizes, PAGE as u64)?;
        for places in [
            (0, GIB - 16),
            (GIB / 2 - 8, 100),
            (GIB - 16, 16 * MIB - 8),
            (32 * MIB - 8, 48 * MIB - 8),
        ] {
            moves(&device, &memory, region, places)?;
        }
        let begin = os::now();
        same("unregister", device.unregister(region), 0)?;
        note(&format!(
            "and {} ms to be given back",
            (os::now() - begin) / NS_PER_MS
        ));
        same("pages now", device.stats()?.out_pinned_pages, 0)
    })
}

fn gigantic(leg: Leg) -> Outcome {
    let size = 30 << libc::MAP_HUGE_SHIFT;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB | size;
    with_parameters(leg, PARAMETERS, || {
        let device = Device::open()?;
        let memory = Mapping::new(GIB, libc::PROT_READ | libc::PROT_WRITE, flags, None)?;
        let region = device.register(&[seg(&memory, 0, GIB)])?;
        let info = device.region(region)?;
        same("page sizes", info.out_page_sizes, GIB as u64)?;
        same("pages", info.out_pages, WHOLE)?;
        // One for each chunk, if the device takes so long ones.
        check(
            info.out_segments <= 64,
            format!("{} segments", info.out_segments),
        )?;
        moves(&device, &memory, region, (GIB - 20, 5))?;
        same("unregister", device.unregister(region), 0)
    })
}

/// A process that registers a GiB, and then does nothing more.
fn registering_once(device: &Device) -> Outcome<Process> {
    flight::child(|| {
        let memory = a_mib()?;
        device.register_for(abi::DEV_WRITE, &many_times(&memory))?;
        loop {
            pause(1000);
        }
    })
}

/// A process that registers a GiB and gives it back, over and over.
fn registering(device: &Device) -> Outcome<Process> {
    flight::child(|| {
        let memory = a_mib()?;
        let segs = many_times(&memory);
        loop {
            let region = device.register_for(abi::DEV_WRITE, &segs)?;
            same("unregister", device.unregister(region), 0)?;
        }
    })
}

/// Waits until so many pages are pinned, or more; how many.
fn wait_for_pages(pages: u64) -> Outcome<u64> {
    let end = os::now() + 60_000 * NS_PER_MS;
    loop {
        let now = counters::driver("pinned_pages")?;
        if now >= pages {
            return Ok(now);
        }
        check(os::now() < end, "the region does not grow")?;
        std::thread::yield_now();
    }
}

/// Waits until nobody else wants the CPU: after boot the kernel tests its ciphers
/// for some seconds.
fn wait_for_quiet() -> Outcome {
    for _ in 0..1000 {
        let load = fs::read_to_string("/proc/loadavg")?;
        if load
            .split_whitespace()
            .nth(3)
            .is_some_and(|now| now.starts_with("1/"))
        {
            return Ok(());
        }
        pause(100);
    }
    check(false, "somebody always runs")
}

fn killed(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        wait_for_quiet()?;
        let mut worst = 0;
        for part in [0, 1, 4, 8, 12, 15] {
            let ms = kill_in_time((WHOLE * part / 16).max(1))?;
            worst = worst.max(ms);
        }
        check(worst <= 100, format!("{worst} ms"))
    })
}

/// Kills a process that registers, when it has got as far as `pages`; how many ms it
/// takes to end.
fn kill_in_time(pages: u64) -> Outcome<i64> {
    for _ in 0..5 {
        if let Some(ms) = kill_at(pages)? {
            return Ok(ms);
        }
    }
    Err(Fail::new("it always was faster"))
}

/// The same once; none if nothing was left to be registered.
fn kill_at(pages: u64) -> Outcome<Option<i64>> {
    let device = Device::open()?;
    let child = registering_once(&device)?;
    let pinned = wait_for_pages(pages)?;
    let begin = os::now();
    child.kill()?;
    same("child", child.wait()?, Exit::KILLED)?;
    let ms = (os::now() - begin) / NS_PER_MS;
    if pinned >= WHOLE {
        drop(device);
        return wait_for_none().map(|()| None);
    }
    note(&format!("killed with {pinned} pages pinned: {ms} ms"));
    same("regions", device.stats()?.out_regions, 0)?;
    wait_for_none()?;
    Ok(Some(ms))
}

/// What a process leaves that is killed is given back without it, soon.
fn wait_for_none() -> Outcome {
    counters::comes_to("pinned_pages", 0)?;
    counters::comes_to("charged_pages", 0)
}

fn unbound(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        let device = Device::open()?;
        let child = registering_once(&device)?;
        wait_for_pages(WHOLE / 2)?;
        child.kill()?;
        child.wait()?;
        // What is left of the region is given back by one or the other.
        let unbound = Unbound::now()?;
        wait_for_none()?;
        unbound.end()
    })
}

fn closed(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        let device = Device::open()?;
        let child = registering_once(&device)?;
        wait_for_pages(WHOLE)?;
        // The region belongs to the file, not to who made it.
        child.kill()?;
        child.wait()?;
        same("pages", counters::driver("pinned_pages")?, WHOLE)?;
        drop(device);
        wait_for_none()
    })
}

/// Times in ns that transfers of another file take, in order.
fn times(device: &Device, memory: &Mapping, count: usize) -> Outcome<Vec<i64>> {
    let mut all = Vec::new();
    for _ in 0..count {
        let begin = os::now();
        device
            .to_device(0, &[seg(memory, 0, PAGE)])
            .succeeded(PAGE)?;
        all.push(os::now() - begin);
    }
    all.sort_unstable();
    Ok(all)
}

fn others(leg: Leg) -> Outcome {
    const COUNT: usize = 200;
    with_parameters(leg, PARAMETERS, || {
        let (device, busy) = (Device::open()?, Device::open()?);
        let memory = Mapping::anonymous(PAGE)?;
        wait_for_quiet()?;
        let alone = times(&device, &memory, COUNT)?;
        let child = registering(&busy)?;
        wait_for_pages(1)?;
        let beside = times(&device, &memory, COUNT);
        child.kill()?;
        child.wait()?;
        let (alone, beside) = (alone[COUNT * 99 / 100], beside?[COUNT * 99 / 100]);
        note(&format!(
            "99th percentile: {alone} ns alone, {beside} ns beside"
        ));
        check(beside <= 2 * alone, format!("{alone} ns, then {beside} ns"))?;
        check(busy.stats()?.out_pages >= WHOLE, "no GiB was registered")
    })
}
