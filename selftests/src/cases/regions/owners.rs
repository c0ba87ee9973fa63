// SPDX-License-Identifier: GPL-2.0

//! Who may use a region: the process that made it, known by its memory, or
//! whoever has the file if it is shared.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{seg, transfer, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::region::{register, within, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that lets everybody use a region.
    race(
        "eperm_for_region_of_another_process",
        "a child, on its parent's file; transfer and sync",
        child,
    ),
    race(
        "eperm_for_region_after_exec",
        "the same process with other memory",
        exec,
    ),
    race(
        "thread_of_the_process_may_use_its_region",
        "one memory",
        thread,
    ),
    race(
        "shared_region_may_be_used_by_others",
        "their data comes and goes",
        shared,
    ),
    race(
        "region_is_told_of_and_unregistered_by_others",
        "who may not use it",
        unregistered,
    ),
    race(
        "region_outlives_the_process_that_made_it",
        "its memory is kept, for nobody but by handle",
        orphan,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// Every use of the region is EPERM, and changes nothing.
pub(crate) fn is_not_ours(device: &Device, region: u32) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 8), within(region, 0, 16)];
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        let call = device.transfer(transfer(direction, 0, &segs));
        let out = call.refused_for(libc::EPERM, abi::FIELD_SEG_HANDLE)?;
        same("index", out.fault_index, 1)?;
    }
    for flags in [abi::SYNC_BEGIN_CPU, abi::SYNC_END_CPU] {
        let errno = device.sync(flags, region, (0, 0));
        same("sync", errno_name(errno), errno_name(libc::EPERM))?;
    }
    Ok(())
}

fn child(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    flight::in_child(|| {
        is_not_ours(&device, region)?;
        // Its own are another matter.
        let own = device.register(&[seg(&memory, 0, PAGE)])?;
        device.to_device(0, &[within(own, 0, 16)]).succeeded(16)?;
        same("unregister", device.unregister(own), 0)
    })?;
    device
        .to_device(0, &[within(region, 0, 16)])
        .succeeded(16)
        .map(drop)
}

fn exec(_: Leg) -> Outcome {
    flight::in_child(|| {
        let device = Device::open()?;
        let memory = Mapping::anonymous(PAGE)?;
        let region = device.register(&[seg(&memory, 0, PAGE)])?;
        os::keep_across_exec(device.fd())?;
        let number = device.fd().as_raw_fd().to_string();
        let words = ["--region-of-fd", &number, &region.to_string()];
        let error = Command::new("/init").args(words).exec();
        Err(Fail::new(error))
    })
}

/// What `/init --region-of-fd` does: the region was made before the exec.
pub(crate) fn after_exec(device: &Device, region: u32) -> Outcome {
    is_not_ours(device, region)?;
    same("length", device.region(region)?.out_len, PAGE as u64)?;
    same("unregister", device.unregister(region), 0)
}

fn thread(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let other = device.duplicate()?;
    let thread =
        std::thread::spawn(move || other.to_device(0, &[within(region, 0, 16)]).succeeded(16));
    thread
        .join()
        .map_err(|_| Fail::new("the thread panicked"))?
        .map(drop)
}

fn shared(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    let segs = [seg(&memory, 0, 2 * PAGE)];
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_SHARED | abi::REGION_MAY_BOUNCE;
    let region = device.register_with(request).succeeded()?;
    let flags = device.region(region)?.out_flags;
    check(flags & abi::REGION_SHARED != 0, "not told to be shared")?;
    pattern::write(&memory, 0, PAGE, 3);
    flight::in_child(|| {
        // Not what is there in the child.
        memory.fill(0, 2 * PAGE, 0);
        device
            .to_device(0, &[within(region, 0, PAGE)])
            .succeeded(PAGE)?;
        device
            .from_device(0, &[within(region, PAGE, PAGE)])
            .succeeded(PAGE)?;
        let errno = device.sync(abi::SYNC_BEGIN_CPU, region, (0, 0));
        same("sync", errno, 0)?;
        pattern::expect(&memory.read(0, 2 * PAGE), &[0; 2 * PAGE])
    })?;
    pattern::verify(&memory, PAGE, PAGE, 3)
}

fn unregistered(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
    flight::in_child(|| {
        same("pages", device.region(region)?.out_pages, 3)?;
        same("unregister", device.unregister(region), 0)
    })?;
    same("pages pinned", device.stats()?.out_pinned_pages, 0)?;
    let errno = device.unregister(region);
    same("again", errno_name(errno), errno_name(libc::ENOENT))
}

fn orphan(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (ours, theirs) = UnixStream::pair()?;
    let child = flight::child(|| {
        let memory = Mapping::anonymous(PAGE)?;
        pattern::write(&memory, 0, PAGE, 8);
        let segs = [seg(&memory, 0, PAGE)];
        let mut request = register(BOTH, &segs);
        request.flags = abi::REGION_SHARED | abi::REGION_MAY_BOUNCE;
        let region = device.register_with(request).succeeded()?;
        std::io::Write::write_all(&mut (&theirs), &region.to_ne_bytes())?;
        Ok(())
    })?;
    let mut number = [0; 4];
    std::io::Read::read_exact(&mut (&ours), &mut number)?;
    let region = u32::from_ne_bytes(number);
    flight::finish(child)?;
    same("pages pinned", device.stats()?.out_pinned_pages, 1)?;
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    let memory = Mapping::anonymous(PAGE)?;
    device
        .from_device(0, &[seg(&memory, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&memory, 0, PAGE, 8)?;
    same("unregister", device.unregister(region), 0)
}
