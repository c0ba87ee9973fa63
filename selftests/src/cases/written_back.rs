// SPDX-License-Identifier: GPL-2.0

//! Memory that belongs to a file on a disk or to whoever watches it: what a device may do there, and
//! what it does without anybody being told.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;

use crate::abi::{self, pindma_entry};
use crate::check::{check, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::queue::{done, entry, Queue};
use crate::region::{register, within};
use crate::rw::fill_device;
use crate::sys::{Mapping, Userfault};
use crate::table::{Case, Needs};

use super::pool_guests::{Disk, MOUNT};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that pins for short whatever the deadline.
    case(
        "file_on_disk_is_no_destination_for_long",
        "of a region and of a request; of a transfer and of a request that ends soon it is",
        for_long,
    )
    .not_on_debug("it has no disk"),
    case(
        "write_protection_set_later_does_not_stop_a_region",
        "userfaultfd; nobody is told",
        protected,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// A file with a pattern in it, and a mapping of it, by which its pages came one by one: so that each
/// can go by itself.
fn file_of(path: &str, pages: usize) -> Outcome<(File, Mapping)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    let file = options.open(path)?;
    let len = pages * PAGE;
    file.set_len(len as u64)?;
    let memory = Mapping::new(len, READ_WRITE, libc::MAP_SHARED, Some(file.as_fd()))?;
    pattern::write(&memory, 0, len, 1);
    Ok((file, memory))
}

fn for_long(_: Leg) -> Outcome {
    let disk = Disk::mount()?;
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let (file, memory) = file_of(&format!("{MOUNT}/file"), 1)?;
    let page = seg(&memory, 0, PAGE);
    let request = register(abi::DEV_WRITE, &[page]);
    let out = device.register_with(request).refused(libc::EFAULT)?;
    same("address", out.fault_addr, memory.addr(0))?;
    let queue = Queue::create(&device, 1)?;
    let within = |ms: i64| pindma_entry {
        deadline: os::now() + ms * 1_000_000,
        ..entry(5, abi::FROM_DEVICE, 0, page)
    };
    queue
        .submit(&device, &[within(1500)])
        .only(0, libc::EFAULT)?;
    queue.submit(&device, &[within(900)]).all(1)?;
    done(&queue.reap_one()?, 5, PAGE)?;
    device.from_device(0, &[page]).succeeded(PAGE)?;
    drop((memory, file));
    pattern::expect(
        &fs::read(format!("{MOUNT}/file"))?,
        &pattern::bytes(2, PAGE),
    )?;
    drop(disk);
    Ok(())
}

fn protected(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let watcher = Userfault::protect(&memory)?;
    let call = device.from_device(0, &[within(region, 0, PAGE)]);
    call.succeeded(PAGE)?;
    pattern::verify(&memory, 0, PAGE, 2)?;
    let told = os::readable_within(watcher.fd(), std::time::Duration::ZERO)?;
    check(!told, "somebody was told of it")?;
    same("unregister", device.unregister(region), 0)
}
