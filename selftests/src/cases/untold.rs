// SPDX-License-Identifier: GPL-2.0

//! What is made by a call that cannot tell its caller of it: nothing of it is left.

use std::mem::offset_of;

use crate::abi::{self, pindma_pool_create, pindma_region_register};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, Device, PAGE};
use crate::leg::Leg;
use crate::pool::{ask, of_pages};
use crate::region::{register, BOTH};
use crate::sys::{self, Mapping, Plain};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
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
];

/// Makes a call whose argument can be read, but written only in its first `writable` bytes; what
/// is in it then.
fn call<T: Plain>(device: &Device, command: u32, argument: &T, writable: usize) -> Outcome<T> {
    let memory = Mapping::anonymous(2 * PAGE)?;
    let at = PAGE - writable;
    memory.write(at, &sys::bytes_of(argument));
    memory.protect(PAGE, PAGE, libc::PROT_READ)?;
    let called = sys::ioctl_at(device.fd(), command, memory.addr(at));
    let errno = errno_name(errno_of(called));
    same("errno", errno, errno_name(libc::EFAULT))?;
    Ok(sys::from_bytes(&memory.read(at, size_of::<T>())))
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

fn region(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let segs = [seg(&memory, 0, 3 * PAGE)];
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_MAY_BOUNCE;
    let pins = counters::pins_outstanding()?;
    // Nothing can be written; or all but the result, which says that it has succeeded.
    for writable in [0, offset_of!(pindma_region_register, out)] {
        let after = call(&device, abi::PINDMA_REGION_REGISTER, &request, writable)?;
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
        let after = call(&device, abi::PINDMA_POOL_CREATE, &request, writable)?;
        same("descriptors", descriptors()?, before)?;
        nothing_left(&device, after.out_handle)?;
    }
    let pool = of_pages(&device, 1)?;
    same("descriptors", descriptors()?, before + 1)?;
    same("unregister", device.unregister(pool.handle), 0)
}
