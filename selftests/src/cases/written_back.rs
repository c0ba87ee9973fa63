// SPDX-License-Identifier: GPL-2.0

//! Memory that belongs to a file on a disk or to whoever watches it: what a device may do there, and
//! what it does without anybody being told.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::FallocateFlags;

use crate::abi::{self, pindma_entry};
use crate::check::{check, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::queue::{done, entry, Queue};
use crate::region::{register, within};
use crate::rw::{fill_device, range};
use crate::sys::{self, Mapping, Userfault};
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
        "page_of_a_file_is_replaced_in_flight",
        "by a hole, by O_DIRECT: success, and its bytes are nowhere but in the old page",
        replaced,
    )
    .slow()
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

/// The device writes to the first page of a file while `replace` puts another into the file: the
/// call succeeds, and the file and the mapping have what `replace` has left. What the device wrote
/// comes out of a pipe that was given the old page.
fn in_flight(path: &str, replace: impl FnOnce() -> Outcome, left: &[u8]) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 2)?;
    let (file, memory) = file_of(path, 1)?;
    // What is dirty is not taken from the file.
    rustix::fs::fsync(&file)?;
    let (outlet, inlet) = rustix::pipe::pipe()?;
    same("given", memory.give_to_pipe(&inlet)?, PAGE)?;
    let (mover, page) = (device.duplicate()?, seg(&memory, 0, PAGE));
    let jobs = device.stats()?.out_jobs;
    let call = Background::start(move || mover.from_device(0, &[page]));
    flight::wait_until("no job was ever started", || {
        Ok(device.stats()?.out_jobs > jobs)
    })?;
    replace()?;
    check(!call.is_over(), "replaced too late")?;
    call.join()?.succeeded(PAGE)?;
    pattern::expect(&memory.read(0, PAGE), left)?;
    pattern::expect(&fs::read(path)?, left)?;
    let mut old = vec![0; PAGE];
    File::from(outlet).read_exact(&mut old)?;
    pattern::expect(&old, &pattern::bytes(2, PAGE))
}

fn replaced(_: Leg) -> Outcome {
    let disk = Disk::mount()?;
    let path = format!("{MOUNT}/replaced");
    let hole = |path: &str| {
        let other = OpenOptions::new().write(true).open(path)?;
        let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::fs::fallocate(&other, how, 0, PAGE as u64)?)
    };
    in_flight(&path, || hole(&path), &[0; PAGE])?;
    in_flight("/tmp/replaced", || hole("/tmp/replaced"), &[0; PAGE])?;
    fs::remove_file("/tmp/replaced")?;
    let bytes = Mapping::anonymous(PAGE)?;
    pattern::write(&bytes, 0, PAGE, 3);
    let direct = || {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .custom_flags(libc::O_DIRECT)
            .open(&path)?;
        let written = sys::rw::positioned(file.as_fd(), true, range(&bytes, 0, PAGE), 0)?;
        same("written", written, PAGE)
    };
    in_flight(&path, direct, &pattern::bytes(3, PAGE))?;
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
