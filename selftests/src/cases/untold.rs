// SPDX-License-Identifier: GPL-2.0

//! Calls that cannot tell their caller what they have done: nothing is left of what was
//! made, and a pool is as it was. Those that have nothing to tell need not.

use std::mem::offset_of;
use std::os::fd::BorrowedFd;

use crate::abi::{
    self, pindma_pool_create, pindma_pool_enqueue, pindma_pool_stop, pindma_queue_eventfd,
    pindma_region_register, pindma_region_sync, pindma_region_unregister, pindma_transfer,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{copy, errno_of, seg, transfer, Device, PAGE};
use crate::leg::Leg;
use crate::pool::{ask, from_device, of_pages, record};
use crate::queue::Queue;
use crate::region::{register, BOTH};
use crate::sys::{self, Mapping, Plain};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "efault_for_transfer_that_cannot_be_told",
        "either way, and for a copy: nothing was moved",
        moves,
    )
    .needs(Needs::Memory),
    Case::new(
        "efault_for_region_that_cannot_be_told",
        "nothing stays pinned, and its handle names nothing",
        region,
    )
    .needs(Needs::Memory),
    Case::new(
        "efault_for_pool_that_cannot_be_told",
        "no descriptor is left, no handle and no memory",
        pool,
    ),
    Case::new(
        "efault_for_pool_calls_that_cannot_be_told",
        "no buffer was taken, and the pool runs on",
        pool_calls,
    ),
    Case::new(
        "calls_with_nothing_to_tell_only_read",
        "their argument may be in memory that is read-only",
        only_read,
    )
    .needs(Needs::Memory),
];

/// Makes a call whose argument can be read, but written only in its first `writable` bytes; its
/// errno, and what is in it then.
fn errno_and_rest<T: Plain>(
    file: BorrowedFd<'_>,
    command: u32,
    argument: &T,
    writable: usize,
) -> Outcome<(i32, T)> {
    let memory = Mapping::anonymous(2 * PAGE)?;
    let at = PAGE - writable;
    memory.write(at, &sys::bytes_of(argument));
    memory.protect(PAGE, PAGE, libc::PROT_READ)?;
    let called = sys::ioctl_at(file, command, memory.addr(at));
    let after = sys::from_bytes(&memory.read(at, size_of::<T>()));
    Ok((errno_of(called), after))
}

/// The same, which is to fail since it cannot tell; what is in its argument then.
#[track_caller]
fn call<T: Plain>(file: BorrowedFd<'_>, command: u32, argument: &T, writable: usize) -> Outcome<T> {
    let (errno, after) = errno_and_rest(file, command, argument, writable)?;
    same("errno", errno_name(errno), errno_name(libc::EFAULT))?;
    Ok(after)
}

/// Makes a call whose argument can only be read.
#[track_caller]
fn reads<T: Plain>(file: BorrowedFd<'_>, command: u32, argument: &T) -> Outcome {
    let (errno, _) = errno_and_rest(file, command, argument, 0)?;
    same("errno", errno, 0)
}

/// Nothing is there of this file, nor of any other.
fn nothing_left(device: &Device, handle: u32) -> Outcome {
    let (errno, _) = device.ask_region(handle);
    same("its handle", errno_name(errno), errno_name(libc::ENOENT))?;
    let stats = device.stats()?;
    same("regions of the file", stats.out_regions, 0)?;
    same("pages of the file", stats.out_pinned_pages, 0)?;
    for name in [
        "regions",
        "pools",
        "pinned_pages",
        "kernel_pages",
        "charged_pages",
        "mapped_segments",
    ] {
        same(name, counters::driver(name)?, 0)?;
    }
    Ok(())
}

fn descriptors() -> Outcome<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

fn moves(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    let (first, second) = ([seg(&memory, 0, 64)], [seg(&memory, PAGE, 64)]);
    memory.fill(0, 64, 3);
    device.to_device(0, &first).succeeded(64)?;
    memory.fill(0, 64, 4);
    let jobs = device.stats()?.out_jobs;
    for writable in [0, offset_of!(pindma_transfer, out)] {
        let request = transfer(abi::TO_DEVICE, 0, &first);
        call(device.fd(), abi::PINDMA_TRANSFER, &request, writable)?;
        let request = transfer(abi::FROM_DEVICE, 0, &second);
        call(device.fd(), abi::PINDMA_TRANSFER, &request, writable)?;
        let request = copy(&first, &second);
        call(device.fd(), abi::PINDMA_COPY, &request, 0)?;
    }
    same("jobs", device.stats()?.out_jobs, jobs)?;
    check(memory.read(PAGE, 64) == [0; 64], "something was moved")?;
    device.from_device(0, &second).succeeded(64)?;
    check(memory.read(PAGE, 64) == [3; 64], "the device was written")
}

fn region(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let segs = [seg(&memory, 0, 3 * PAGE)];
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_MAY_BOUNCE;
    let pins = counters::pins_outstanding()?;
    // Nothing can be written; or all but the result, which says that it has succeeded.
    for writable in [0, offset_of!(pindma_region_register, out)] {
        let after = call(device.fd(), abi::PINDMA_REGION_REGISTER, &request, writable)?;
        nothing_left(&device, after.out_handle)?;
        same("pins", counters::pins_outstanding()?, pins)?;
    }
    check(device.stats()?.out_pages >= 6, "nothing was ever pinned")?;
    let region = device.register(&segs)?;
    same("unregister", device.unregister(region), 0)
}

fn pool(_: Leg) -> Outcome {
    let device = Device::open()?;
    let request = ask(3, 2 * PAGE);
    let before = descriptors()?;
    for writable in [0, offset_of!(pindma_pool_create, out)] {
        let after = call(device.fd(), abi::PINDMA_POOL_CREATE, &request, writable)?;
        same("descriptors", descriptors()?, before)?;
        nothing_left(&device, after.out_handle)?;
    }
    let pool = of_pages(&device, 1)?;
    same("descriptors", descriptors()?, before + 1)?;
    same("unregister", device.unregister(pool.handle), 0)
}

fn pool_calls(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let buffer = record(pool.buffer(0)?, 0);
    let enqueue = pindma_pool_enqueue {
        size: size_of::<pindma_pool_enqueue>() as u32,
        records: std::ptr::from_ref(&buffer) as u64,
        nr_records: 1,
        ..pindma_pool_enqueue::default()
    };
    call(pool.fd(), abi::PINDMA_POOL_ENQUEUE, &enqueue, 0)?;
    same("state", pool.state(0)?, abi::POOL_OWNED)?;
    // It waits for a buffer.
    pool.start(from_device(16))?;
    let stop = pindma_pool_stop {
        size: size_of::<pindma_pool_stop>() as u32,
        ..pindma_pool_stop::default()
    };
    call(pool.fd(), abi::PINDMA_POOL_STOP, &stop, 0)?;
    same("start", pool.try_start(from_device(16)), libc::EBUSY)?;
    pool.stop().map(drop)
}

fn only_read(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    reads(pool.fd(), abi::PINDMA_POOL_START, &from_device(16))?;
    pool.stop()?;
    let queue = Queue::create(&device, 1)?;
    let none = pindma_queue_eventfd {
        size: size_of::<pindma_queue_eventfd>() as u32,
        fd: -1,
        ..pindma_queue_eventfd::default()
    };
    reads(queue.fd(), abi::PINDMA_QUEUE_EVENTFD, &none)?;
    let memory = Mapping::anonymous(PAGE)?;
    let handle = device.register(&[seg(&memory, 0, PAGE)])?;
    let sync = pindma_region_sync {
        size: size_of::<pindma_region_sync>() as u32,
        flags: abi::SYNC_BEGIN_CPU,
        handle,
        len: 1,
        ..pindma_region_sync::default()
    };
    reads(device.fd(), abi::PINDMA_REGION_SYNC, &sync)?;
    let unregister = pindma_region_unregister {
        size: size_of::<pindma_region_unregister>() as u32,
        handle,
        ..pindma_region_unregister::default()
    };
    reads(device.fd(), abi::PINDMA_REGION_UNREGISTER, &unregister)
}
