// SPDX-License-Identifier: GPL-2.0

//! Regions of memory of all kinds, and what is done to its addresses later.

use std::fs::{self, File};
use std::os::fd::AsFd;

use rustix::fs::MemfdFlags;

use super::{device_memory, fill_device};
use crate::abi;
use crate::check::{same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pattern::{self, GUARD};
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "region_survives_what_is_done_to_its_addresses",
        "munmap, mremap, mprotect, and new memory there",
        remapped,
    ),
    case(
        "region_keeps_its_page_across_a_fork",
        "parent and child write after it",
        forked,
    ),
    case(
        "region_of_huge_pages_tells_their_size",
        "hugetlb and transparent, beside small ones",
        huge,
    ),
    case(
        "region_of_shared_memory_is_seen_by_others",
        "memfd, through another mapping",
        shared,
    ),
    case(
        "region_of_a_read_only_file_is_a_source",
        "private and shared",
        read_only_file,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const HUGE: usize = 2 << 20;

fn remapped(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(3 * PAGE)?;
    pattern::write(&memory, 0, 3 * PAGE, 2);
    let bytes = memory.read(0, 3 * PAGE);
    let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
    memory.relocate()?;
    memory.protect(PAGE, PAGE, libc::PROT_NONE)?;
    memory.punch(2 * PAGE, PAGE)?;
    // Perhaps where the others were.
    let other = Mapping::anonymous(3 * PAGE)?;
    other.fill(0, 3 * PAGE, GUARD);
    for page in 0..3 {
        let part = within(region, page * PAGE, PAGE);
        device.to_device(0, &[part]).succeeded(PAGE)?;
        pattern::expect(
            &device_memory(&device, PAGE)?,
            &bytes[page * PAGE..][..PAGE],
        )?;
    }
    // Into the page that has moved, the one that nobody may touch and the one
    // that nobody has any more.
    for page in 0..3 {
        fill_device(&device, PAGE, 10 + page as u64)?;
        let part = within(region, page * PAGE, PAGE);
        device.from_device(0, &[part]).succeeded(PAGE)?;
    }
    pattern::verify(&memory, 0, PAGE, 10)?;
    memory.protect(PAGE, PAGE, libc::PROT_READ)?;
    pattern::verify(&memory, PAGE, PAGE, 11)?;
    pattern::verify_guard(&other, 0, 3 * PAGE)
}

fn forked(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    flight::in_child(|| {
        memory.fill(0, PAGE, 2);
        Ok(())
    })?;
    // Who gets a copy is not the one that has registered.
    pattern::write(&memory, 0, PAGE, 5);
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::expect(&device_memory(&device, PAGE)?, &pattern::bytes(5, PAGE))?;
    fill_device(&device, PAGE, 6)?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&memory, 0, PAGE, 6)
}

/// A region of each, and what it says of its pages.
fn huge(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (transparent, at) = super::super::memory::huge_page()?;
    let region = device.register(&[seg(&transparent, at + 100, 8 * PAGE)])?;
    same(
        "transparent",
        device.region(region)?.out_page_sizes,
        HUGE as u64,
    )?;
    let small = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&transparent, at + HUGE - 9, 9), seg(&small, 0, 9)])?;
    let sizes = (HUGE | PAGE) as u64;
    same("both", device.region(region)?.out_page_sizes, sizes)?;
    pattern::write(&transparent, at + HUGE - 9, 9, 3);
    device.to_device(0, &[within(region, 0, 9)]).succeeded(9)?;
    pattern::expect(&device_memory(&device, 9)?, &pattern::bytes(3, 9))?;
    let _pool = super::super::memory::HugePool::of(1)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB;
    let read_write = libc::PROT_READ | libc::PROT_WRITE;
    let page = Mapping::new(HUGE, read_write, flags, None)?;
    let region = device.register(&[seg(&page, 5, HUGE / 2)])?;
    let info = device.region(region)?;
    same("hugetlb", info.out_page_sizes, HUGE as u64)?;
    same("pages", info.out_pages, (HUGE / 2 / PAGE + 1) as u64)?;
    fill_device(&device, PAGE, 8)?;
    device
        .from_device(0, &[within(region, 3 * PAGE, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&page, 5 + 3 * PAGE, PAGE, 8)?;
    same("unregister", device.unregister(region), 0)
}

fn shared(_: Leg) -> Outcome {
    let device = Device::open()?;
    let file = os::memfd(2 * PAGE, MemfdFlags::empty())?;
    let read_write = libc::PROT_READ | libc::PROT_WRITE;
    let map = || Mapping::new(2 * PAGE, read_write, libc::MAP_SHARED, Some(file.as_fd()));
    let (registered, other) = (map()?, map()?);
    let region = device.register(&[seg(&registered, 0, 2 * PAGE)])?;
    drop(registered);
    pattern::write(&other, 100, 1000, 4);
    device
        .to_device(0, &[within(region, 100, 1000)])
        .succeeded(1000)?;
    device
        .from_device(0, &[within(region, PAGE + 3, 1000)])
        .succeeded(1000)?;
    pattern::verify(&other, PAGE + 3, 1000, 4)
}

fn read_only_file(_: Leg) -> Outcome {
    let device = Device::open()?;
    fs::write("/tmp/region", pattern::bytes(9, PAGE))?;
    let file = File::open("/tmp/region")?;
    for kind in [libc::MAP_SHARED, libc::MAP_PRIVATE] {
        let memory = Mapping::new(PAGE, libc::PROT_READ, kind, Some(file.as_fd()))?;
        let region = device.register_for(abi::DEV_READ, &[seg(&memory, 0, PAGE)])?;
        device
            .to_device(0, &[within(region, 0, PAGE)])
            .succeeded(PAGE)?;
        pattern::expect(&device_memory(&device, PAGE)?, &pattern::bytes(9, PAGE))?;
        same("unregister", device.unregister(region), 0)?;
    }
    Ok(())
}
