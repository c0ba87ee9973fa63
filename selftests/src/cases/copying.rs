// SPDX-License-Identifier: GPL-2.0

//! Copy mode: memory that gets to the device by way of the kernel's own.

use std::fs::File;
use std::os::fd::AsFd;

use crate::abi::{self, pindma_result, pindma_seg};
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, transfer, Call, Device, PAGE, WINDOW};
use crate::flight;
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern::{self, GUARD};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) mod races;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "must_copy_makes_a_round_trip",
        "on every leg, also where memory is out of reach",
        round_trip,
    ),
    Case::new(
        "must_copy_of_odd_vectors",
        "neighbours stay, nothing is pinned",
        odd,
    ),
    Case::new(
        "copied_bytes_are_counted",
        "by file, and by result",
        counted,
    ),
    Case::new("must_copy_in_several_windows", "of two pages each", windows),
    Case::new("info_tells_copy_below", "as the parameter sets it", info),
    Case::new(
        "eopnotsupp_for_unknown_flag_beside_may_copy",
        "each is named",
        flags,
    ),
    Case::new(
        "einval_for_may_copy_beside_must_copy",
        "they contradict each other",
        contradiction,
    ),
    Case::new(
        "efault_for_must_copy",
        "index and address; nothing is started for a source",
        source_fault,
    ),
    Case::new(
        "efault_for_must_copy_into_a_hole",
        "what was handed out before counts",
        destination_fault,
    ),
    Case::new(
        "may_copy_at_memlock_zero",
        "pinning is refused, copying is not",
        memlock,
    ),
    Case::new(
        "may_copy_of_device_memory",
        "page frames in the middle of a vector",
        device_memory,
    ),
    Case::new(
        "may_copy_does_not_hide_efault",
        "what cannot be read cannot be copied",
        unreadable,
    ),
    memory(
        "may_copy_copies_what_is_short",
        "below copy_below, and not at it",
        short,
    ),
    memory(
        "nothing_is_copied_without_may_copy",
        "however short",
        not_copied,
    ),
    memory(
        "may_copy_over_the_devices_own_limit",
        "max_pinned_pages",
        quota,
    ),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const PIN_FIRST: &str = "copy_below=0";

/// A transfer with `flags`.
fn ask(device: &Device, direction: u32, flags: u32, segs: &[pindma_seg]) -> Call {
    let mut request = transfer(direction, 0, segs);
    request.flags = flags;
    device.transfer(request)
}

/// It was done, and copied.
#[track_caller]
fn copied(call: Call, bytes: usize) -> Outcome<pindma_result> {
    let out = call.succeeded(bytes)?;
    same("marked as copied", out.flags & abi::OUT_COPIED != 0, true)?;
    Ok(out)
}

/// It was done, and not copied.
#[track_caller]
fn pinned(call: Call, bytes: usize) -> Outcome<pindma_result> {
    let out = call.succeeded(bytes)?;
    same("marked as copied", out.flags & abi::OUT_COPIED != 0, false)?;
    check(out.pages > 0, "nothing was pinned")?;
    Ok(out)
}

fn round_trip(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(2 * PAGE)?, Mapping::anonymous(2 * PAGE)?);
    pattern::write(&src, 5, PAGE, 1);
    dst.fill(0, 2 * PAGE, GUARD);
    let (from, to) = ([seg(&src, 5, PAGE)], [seg(&dst, 99, PAGE)]);
    for (direction, segs) in [(abi::TO_DEVICE, &from), (abi::FROM_DEVICE, &to)] {
        let out = copied(ask(&device, direction, abi::MUST_COPY, segs), PAGE)?;
        same("pages", out.pages, 0)?;
        let bounced = out.flags & abi::OUT_BOUNCED != 0;
        same("marked as bounced", bounced, leg.bounces())?;
    }
    pattern::verify(&dst, 99, PAGE, 1)?;
    pattern::verify_guard(&dst, 0, 99)?;
    pattern::verify_guard(&dst, PAGE + 99, PAGE - 99)
}

/// The parts of a mapping that `segs` are.
fn gather(mapping: &Mapping, segs: &[pindma_seg]) -> Vec<u8> {
    let part = |seg: &pindma_seg| {
        let offset = (seg.addr - mapping.addr(0)) as usize;
        mapping.read(offset, seg.len as usize)
    };
    segs.iter().flat_map(part).collect()
}

fn odd(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let segs = [
        seg(&memory, 1, 1),
        seg(&memory, PAGE - 3, 7),
        seg(&memory, 3 * PAGE + 5, 1000),
        seg(&memory, PAGE + 4, PAGE),
    ];
    // Not all of the last fits.
    let segs = [&segs[..3], &[seg(&memory, PAGE + 4, WINDOW - 1008)]].concat();
    pattern::write(&memory, 0, 4 * PAGE, 2);
    let sent = gather(&memory, &segs);
    copied(ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &segs), WINDOW)?;
    memory.fill(0, 4 * PAGE, GUARD);
    copied(
        ask(&device, abi::FROM_DEVICE, abi::MUST_COPY, &segs),
        WINDOW,
    )?;
    pattern::expect(&gather(&memory, &segs), &sent)?;
    pattern::verify_guard(&memory, 2, PAGE - 5)?;
    pattern::verify_guard(&memory, 2 * PAGE, PAGE)?;
    same("pages", device.stats()?.out_pages, 0)
}

fn counted(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 9, 100)];
    copied(ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &segs), 100)?;
    same("copied", device.stats()?.out_copied, 100)?;
    copied(ask(&device, abi::FROM_DEVICE, abi::MUST_COPY, &segs), 100)?;
    let stats = device.stats()?;
    same("copied", stats.out_copied, 200)?;
    same("to the device", stats.out_bytes_to_device, 100)?;
    same("from the device", stats.out_bytes_from_device, 100)?;
    same("calls", stats.out_calls, 2)?;
    same("windows", stats.out_windows, 2)?;
    same("pages", stats.out_pages, 0)?;
    same("kernel's pages", counters::driver("kernel_pages")?, 0)
}

/// `count` parts of the device's memory, each in a page of its own.
fn parts(memory: &Mapping, count: usize) -> Vec<pindma_seg> {
    let len = WINDOW / count;
    (0..count)
        .map(|part| seg(memory, part * PAGE + part, len))
        .collect()
}

fn windows(leg: Leg) -> Outcome {
    with_parameters(leg, "window_kib=8", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(8 * PAGE)?;
        let segs = parts(&memory, 8);
        pattern::write(&memory, 0, 8 * PAGE, 3);
        let sent = gather(&memory, &segs);
        copied(ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &segs), WINDOW)?;
        memory.fill(0, 8 * PAGE, GUARD);
        copied(
            ask(&device, abi::FROM_DEVICE, abi::MUST_COPY, &segs),
            WINDOW,
        )?;
        pattern::expect(&gather(&memory, &segs), &sent)?;
        let stats = device.stats()?;
        same("windows", stats.out_windows, 8)?;
        same("copied", stats.out_copied, 2 * WINDOW as u64)
    })
}

fn info(leg: Leg) -> Outcome {
    let info = Device::open()?.info()?;
    let wanted = abi::CAP_READ_WRITE | abi::CAP_MAY_COPY;
    same("capabilities", info.out_caps & wanted, wanted)?;
    check(info.out_copy_below <= PAGE as u64, info.out_copy_below)?;
    with_parameters(leg, "copy_below=12345", || {
        same("copy_below", Device::open()?.info()?.out_copy_below, 12345)
    })
}

fn flags(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 64)];
    for unknown in [4, 1 << 31, abi::MAY_COPY | 8] {
        let call = ask(&device, abi::TO_DEVICE, unknown, &segs);
        call.refused_for(libc::EOPNOTSUPP, abi::FIELD_FLAGS)?;
    }
    Ok(())
}

fn contradiction(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 64)];
    let both = abi::MAY_COPY | abi::MUST_COPY;
    let call = ask(&device, abi::TO_DEVICE, both, &segs);
    call.refused_for(libc::EINVAL, abi::FIELD_FLAGS).map(drop)
}

fn short(leg: Leg) -> Outcome {
    with_parameters(leg, "copy_below=512", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(PAGE)?;
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let below = [seg(&memory, 1, 511)];
            copied(ask(&device, direction, abi::MAY_COPY, &below), 511)?;
            let at = [seg(&memory, 1, 512)];
            pinned(ask(&device, direction, abi::MAY_COPY, &at), 512)?;
            // The whole transfer counts, not its parts.
            let parts = [seg(&memory, 0, 300), seg(&memory, 700, 300)];
            pinned(ask(&device, direction, abi::MAY_COPY, &parts), 600)?;
        }
        Ok(())
    })
}

fn not_copied(leg: Leg) -> Outcome {
    with_parameters(leg, "copy_below=100000", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(PAGE)?;
        for len in [1, 64, WINDOW] {
            let segs = [seg(&memory, 0, len)];
            pinned(ask(&device, abi::TO_DEVICE, 0, &segs), len)?;
            copied(ask(&device, abi::TO_DEVICE, abi::MAY_COPY, &segs), len)?;
        }
        Ok(())
    })
}

fn memlock(leg: Leg) -> Outcome {
    with_parameters(leg, PIN_FIRST, || {
        let device = Device::open()?;
        flight::in_child(|| {
            user::become_ordinary(0)?;
            let memory = Mapping::anonymous(2 * PAGE)?;
            pattern::write(&memory, 7, PAGE, 4);
            let segs = [seg(&memory, 7, PAGE)];
            let refused = ask(&device, abi::TO_DEVICE, 0, &segs);
            refused.refused(libc::ENOMEM)?;
            copied(ask(&device, abi::TO_DEVICE, abi::MAY_COPY, &segs), PAGE)?;
            memory.fill(0, 2 * PAGE, GUARD);
            copied(ask(&device, abi::FROM_DEVICE, abi::MAY_COPY, &segs), PAGE)?;
            pattern::verify(&memory, 7, PAGE, 4)?;
            same("VmPin", counters::pinned_kib("self")?, 0)
        })
    })
}

fn quota(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=1 copy_below=0", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(2 * PAGE)?;
        let segs = [seg(&memory, PAGE - 8, 16)];
        ask(&device, abi::TO_DEVICE, 0, &segs).refused(libc::ENOSPC)?;
        copied(ask(&device, abi::TO_DEVICE, abi::MAY_COPY, &segs), 16)?;
        let one = [seg(&memory, 8, 16)];
        pinned(ask(&device, abi::TO_DEVICE, abi::MAY_COPY, &one), 16).map(drop)
    })
}

/// The first page of the machine, mapped as a device's memory would be; its
/// content comes back when this is dropped.
struct Frames {
    memory: Mapping,
    before: Vec<u8>,
}

impl Frames {
    fn map() -> Outcome<Frames> {
        let file = File::options().read(true).write(true).open("/dev/mem")?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let memory = Mapping::new(PAGE, protection, libc::MAP_SHARED, Some(file.as_fd()))?;
        let before = memory.read(0, PAGE);
        Ok(Frames { memory, before })
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.memory.write(0, &self.before);
    }
}

fn device_memory(leg: Leg) -> Outcome {
    with_parameters(leg, PIN_FIRST, || {
        let device = Device::open()?;
        let frames = Frames::map()?;
        let memory = Mapping::anonymous(2 * PAGE)?;
        pattern::write(&memory, 0, 2 * PAGE, 5);
        pattern::write(&frames.memory, 0, PAGE, 6);
        let segs = [
            seg(&memory, 10, 1000),
            seg(&frames.memory, 100, 2000),
            seg(&memory, PAGE + 10, 500),
        ];
        ask(&device, abi::TO_DEVICE, 0, &segs).refused(libc::EFAULT)?;
        let out = copied(ask(&device, abi::TO_DEVICE, abi::MAY_COPY, &segs), 3500)?;
        let reached = leg != Leg::Reach;
        // What lies before it is pinned all the same.
        check(!reached || out.pages == 1, format!("{} pages", out.pages))?;
        let sent = [
            memory.read(10, 1000),
            frames.memory.read(100, 2000),
            memory.read(PAGE + 10, 500),
        ];
        memory.fill(0, 2 * PAGE, GUARD);
        frames.memory.fill(0, PAGE, GUARD);
        copied(ask(&device, abi::FROM_DEVICE, abi::MAY_COPY, &segs), 3500)?;
        pattern::expect(&memory.read(10, 1000), &sent[0])?;
        pattern::expect(&frames.memory.read(100, 2000), &sent[1])?;
        pattern::expect(&memory.read(PAGE + 10, 500), &sent[2])?;
        pattern::verify_guard(&frames.memory, 0, 100)?;
        pattern::verify_guard(&frames.memory, 2100, PAGE - 2100)
    })
}

/// It faulted at `addr` in segment `index`.
#[track_caller]
fn faulted(out: &pindma_result, index: u32, addr: u64) -> Outcome {
    same("marked as fault", out.flags & abi::OUT_FAULT != 0, true)?;
    same("index", out.fault_index, index)?;
    check(
        out.fault_addr == addr,
        format!("fault at {:#x}, not {addr:#x}", out.fault_addr),
    )
}

fn source_fault(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(4 * PAGE)?;
    memory.punch(2 * PAGE, PAGE)?;
    let segs = [seg(&memory, 3, 50), seg(&memory, PAGE + 7, 2 * PAGE - 5000)];
    let call = ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &segs[..1]);
    copied(call, 50)?;
    let bad = [segs[0], seg(&memory, 2 * PAGE - 10, 100)];
    let out = ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &bad).refused(libc::EFAULT)?;
    faulted(&out, 1, memory.addr(2 * PAGE))?;
    let bad = [seg(&memory, 2 * PAGE + 10, 100)];
    let out = ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &bad).refused(libc::EFAULT)?;
    faulted(&out, 0, memory.addr(2 * PAGE + 10))?;
    same("jobs", device.stats()?.out_jobs, 1)
}

fn destination_fault(_: Leg) -> Outcome {
    let device = Device::open()?;
    let segs_of = |memory: &Mapping| {
        [
            seg(memory, 3, 50),
            seg(memory, 2 * PAGE - 10, 100),
            seg(memory, 0, 60),
        ]
    };
    let mut memory = Mapping::anonymous(4 * PAGE)?;
    pattern::write(&memory, 0, 4 * PAGE, 7);
    let segs = segs_of(&memory);
    copied(ask(&device, abi::TO_DEVICE, abi::MUST_COPY, &segs), 210)?;
    let sent = gather(&memory, &segs);
    memory.fill(0, 4 * PAGE, GUARD);
    memory.punch(2 * PAGE, PAGE)?;
    let call = ask(&device, abi::FROM_DEVICE, abi::MUST_COPY, &segs);
    let out = call.stopped(libc::EFAULT)?;
    same("bytes", out.bytes, 60)?;
    faulted(&out, 1, memory.addr(2 * PAGE))?;
    same("copied", device.stats()?.out_copied, 210 + 60)?;
    pattern::expect(&memory.read(3, 50), &sent[..50])?;
    pattern::expect(&memory.read(2 * PAGE - 10, 10), &sent[50..60])?;
    pattern::verify_guard(&memory, 53, 2 * PAGE - 63)
}

fn unreadable(leg: Leg) -> Outcome {
    with_parameters(leg, PIN_FIRST, || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(3 * PAGE)?;
        memory.protect(PAGE, PAGE, libc::PROT_NONE)?;
        let bad = [seg(&memory, PAGE + 5, 100)];
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let call = ask(&device, direction, abi::MAY_COPY, &bad);
            let (errno, status) = (call.errno, -call.out.status);
            // The device has written before it is known that nobody can read.
            let started = if direction == abi::TO_DEVICE {
                libc::EFAULT
            } else {
                0
            };
            same("errno", errno, started)?;
            same("status", status, libc::EFAULT)?;
            same("bytes", call.out.bytes, 0)?;
            faulted(&call.out, 0, memory.addr(PAGE + 5))?;
        }
        Ok(())
    })
}
