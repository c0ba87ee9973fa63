// SPDX-License-Identifier: GPL-2.0

//! Memory of a pool in the hands of others: files, io_uring, regions.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use crate::abi::{self, pindma_pool_create};
use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module;
use crate::os;
use crate::pattern::{self, GUARD};
use crate::pool::{ask, from_device, Pool};
use crate::region::within;
use crate::sys::rw;
use crate::sys::uring::{Request, Ring};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "pool_memory_is_read_and_written_by_o_direct",
        "ext4 on a RAM disk; no page of it is copied",
        direct_io,
    )
    .not_on_debug("it has no disk"),
    // Kills the mutant that takes no reference for a mapping.
    case(
        "io_uring_registers_pool_memory",
        "at once; contiguous buffers too",
        uring,
    ),
    case(
        "pool_memory_is_registered_as_a_region",
        "and moves by both handles",
        region,
    ),
    case(
        "pool_memory_is_moved_by_address",
        "as any other memory",
        by_address,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

pub(super) const DISK: &str = "/dev/ram0";
pub(super) const MOUNT: &str = "/tmp/disk";

/// A file system on a RAM disk.
pub(super) struct Disk;

impl Disk {
    pub(super) fn mount() -> Outcome<Disk> {
        module::load_extra()?;
        let made = Command::new("/bin/busybox")
            .args(["mke2fs", DISK])
            .output()?;
        check(made.status.success(), format!("mke2fs: {made:?}"))?;
        fs::create_dir_all(MOUNT)?;
        os::mount_from(DISK, "ext4", MOUNT)
            .map_err(|e| Fail::new(format!("{DISK} at {MOUNT}: {e}")))?;
        Ok(Disk)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = os::unmount(MOUNT);
    }
}

fn open_direct(name: &str) -> Outcome<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    Ok(options
        .custom_flags(libc::O_DIRECT)
        .open(format!("{MOUNT}/{name}"))?)
}

fn direct_io(_: Leg) -> Outcome {
    const LEN: usize = 16 * PAGE;
    let disk = Disk::mount()?;
    let device = Device::open()?;
    for flags in [0, abi::POOL_CONTIGUOUS] {
        let request = pindma_pool_create {
            flags,
            ..ask(2, LEN)
        };
        let pool = Pool::make(&device, request)?;
        let memory = pool.map()?;
        memory.fill(0, pool.len(), GUARD);
        // The device fills the first page of one buffer ...
        pool.start(from_device(PAGE))?;
        pool.enqueue(pool.buffer(0)?)?;
        pool.dequeue(1)?;
        pattern::write(&memory, PAGE, LEN - PAGE, 31);
        let wanted = memory.read(0, LEN);
        // ... which goes into a file, and from there into the other.
        let file = open_direct("file")?;
        let acquired = counters::pins_acquired()?;
        let wrote = rw::positioned(file.as_fd(), true, (memory.addr(0), LEN as u64), 0)?;
        same("written", wrote, LEN)?;
        let read = rw::positioned(file.as_fd(), false, (memory.addr(LEN), LEN as u64), 0)?;
        same("read", read, LEN)?;
        let pinned = counters::pins_acquired()? - acquired;
        // Some more are pinned at first than a request takes.
        let least = 2 * LEN as i64 / PAGE as i64;
        check(pinned >= least, format!("{pinned} pages were pinned"))?;
        pattern::expect(&memory.read(LEN, LEN), &wanted)?;
        pattern::expect(&fs::read(format!("{MOUNT}/file"))?, &wanted)?;
        same("errno", device.unregister(pool.handle), 0)?;
    }
    drop(disk);
    Ok(())
}

fn uring(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let large = if leg.has_iommu() { 16 << 20 } else { 1 << 20 };
    for (flags, bytes) in [(0, 1 << 20), (abi::POOL_CONTIGUOUS, large)] {
        let request = pindma_pool_create {
            flags,
            ..ask(1, bytes)
        };
        let pool = Pool::make(&device, request)?;
        let memory = pool.map()?;
        pattern::write(&memory, 0, PAGE, 5);
        let mut ring = Ring::new()?;
        let before = os::now();
        ring.register(&[(memory.addr(0), bytes as u64)])?;
        let took = os::now() - before;
        check(took < 60_000_000_000, format!("it took {took} ns"))?;
        // What it has pinned are the pages of the pool, still so when they are
        // mapped no more.
        let file = File::from(os::memfd(PAGE, rustix::fs::MemfdFlags::empty())?);
        ring.submit(
            file.as_fd(),
            Request {
                write: true,
                memory: (memory.addr(0), PAGE as u64),
                at: 0,
                fixed: Some(0),
                flags: 0,
                name: 1,
            },
        )?;
        let (name, result) = ring.wait()?;
        same("name", name, 1)?;
        same("result", result, PAGE as i32)?;
        pattern::expect(&read_all(&file)?, &pattern::bytes(5, PAGE))?;
        let handle = pool.handle;
        drop(pool);
        drop(memory);
        same("errno", device.unregister(handle), 0)?;
        // They are charged for as long as the ring has them.
        let pages = (bytes / PAGE) as u64;
        same("pages", counters::driver("kernel_pages")?, pages)?;
        drop(ring);
        flight::wait_until("the ring's pages stay", || {
            Ok(counters::driver("kernel_pages")? == 0)
        })?;
    }
    Ok(())
}

fn region(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = Pool::make(&device, ask(2, 2 * PAGE))?;
    let memory = pool.map()?;
    let handle = device.register(&[seg(&memory, 0, pool.len())])?;
    pattern::write(&memory, 50, PAGE, 9);
    let at = 2 * PAGE + 7;
    device
        .to_device(0, &[within(handle, 50, PAGE)])
        .succeeded(PAGE)?;
    device
        .from_device(0, &[within(pool.handle, at, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&memory, at, PAGE, 9)?;
    same("errno", device.unregister(handle), 0)
}

fn by_address(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = Pool::make(&device, ask(2, 2 * PAGE))?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), GUARD);
    pattern::write(&memory, 1, 3000, 10);
    device
        .to_device(0, &[seg(&memory, 1, 3000)])
        .succeeded(3000)?;
    // Across two buffers.
    let at = 2 * PAGE - 1000;
    device
        .from_device(0, &[seg(&memory, at, 3000)])
        .succeeded(3000)?;
    pattern::verify(&memory, at, 3000, 10)?;
    pattern::verify_guard(&memory, at + 3000, 500)
}

fn read_all(file: &File) -> Outcome<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; PAGE];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
