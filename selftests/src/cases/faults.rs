// SPDX-License-Identifier: GPL-2.0

//! Memory that cannot be pinned: which address, and after how many pages.
//!
//! These kill the mutant that drops the short-pin path: then either the pages
//! that were got before the hole stay pinned, which the gate sees, or the
//! answer says something else.

use std::fs::{self, File};
use std::os::fd::AsFd;

use crate::abi;
use crate::check::{same, Outcome};
use crate::device::{copy, seg, seg_at, Call, Device, PAGE};
use crate::leg::Leg;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "efault_for_unmapped_memory",
        "both directions, aligned and not",
        unmapped,
    ),
    Case::new(
        "efault_in_a_transfer_of_several_segments",
        "index, address, count",
        transfers,
    ),
    copying(
        "efault_for_hole_in_the_middle",
        "pages before it are counted",
        hole,
    ),
    copying("efault_for_prot_none_in_the_middle", "the same", prot_none),
    copying(
        "efault_for_unmapped_tail",
        "the last byte is on a missing page",
        tail,
    ),
    copying(
        "efault_for_unmapped_head",
        "only the first page is missing",
        head,
    ),
    copying(
        "efault_in_a_later_segment",
        "its index, and its own page count",
        later_segment,
    ),
    copying(
        "efault_in_destination_is_marked",
        "same index, other vector",
        destination,
    ),
    copying(
        "efault_beyond_the_end_of_a_file",
        "mapped, but SIGBUS",
        beyond_file,
    ),
    Case::new(
        "efault_for_kernel_addresses",
        "direct map, text, vmalloc, the last page",
        kernel,
    ),
    Case::new(
        "efault_for_non_canonical_addresses",
        "the first, and one in the middle",
        canonical,
    ),
    Case::new("efault_for_null", "page 0", null),
    Case::new(
        "efault_for_mapped_device_memory",
        "a mapping of page frames",
        device_memory,
    ),
    Case::new(
        "efault_moves_nothing",
        "the destination is as it was",
        nothing_moved,
    ),
];

/// A copy pins one side, and maps it, before it pins the other.
const fn copying(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const LEN: usize = 8 * PAGE;

/// The answer to a call that cannot pin at `addr`.
#[track_caller]
fn faulted(call: Call, index: u32, addr: u64, pinned: u64, dst: bool) -> Outcome {
    let out = call.refused(libc::EFAULT)?;
    same("marked as fault", out.flags & abi::OUT_FAULT != 0, true)?;
    same(
        "marked as destination",
        out.flags & abi::OUT_FAULT_DST != 0,
        dst,
    )?;
    same("index", out.fault_index, index)?;
    check_addr(out.fault_addr, addr)?;
    same("pages pinned", out.pages_pinned, pinned)
}

#[track_caller]
fn check_addr(got: u64, want: u64) -> Outcome {
    crate::check::check(got == want, format!("fault at {got:#x}, not {want:#x}"))
}

/// Copies `LEN - 200` bytes from 100 on, out of `bad` and into it.
#[track_caller]
fn copies_fault(bad: &Mapping, addr: u64, pinned: u64) -> Outcome {
    let device = Device::open()?;
    let good = Mapping::anonymous(LEN)?;
    let (bad, good) = ([seg(bad, 100, LEN - 200)], [seg(&good, 100, LEN - 200)]);
    faulted(device.copy(copy(&bad, &good)), 0, addr, pinned, false)?;
    faulted(device.copy(copy(&good, &bad)), 0, addr, pinned, true)
}

fn unmapped(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(LEN)?;
    memory.punch(0, LEN)?;
    for offset in [0, 1, 4095, 5000] {
        let (segs, addr) = ([seg(&memory, offset, 100)], memory.addr(offset));
        faulted(device.to_device(0, &segs), 0, addr, 0, false)?;
        faulted(device.from_device(0, &segs), 0, addr, 0, false)?;
    }
    Ok(())
}

fn transfers(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(LEN)?;
    memory.punch(5 * PAGE, PAGE)?;
    let segs = [
        seg(&memory, 0, 100),
        seg(&memory, 2 * PAGE - 50, 100),
        seg(&memory, 4 * PAGE + 1000, PAGE - 500),
        seg(&memory, 7 * PAGE, 100),
    ];
    let addr = memory.addr(5 * PAGE);
    faulted(device.to_device(0, &segs), 2, addr, 1, false)?;
    faulted(device.from_device(0, &segs), 2, addr, 1, false)?;
    faulted(device.to_device(0, &segs[2..]), 0, addr, 1, false)
}

fn hole(_: Leg) -> Outcome {
    let mut memory = Mapping::anonymous(LEN)?;
    memory.punch(5 * PAGE, PAGE)?;
    copies_fault(&memory, memory.addr(5 * PAGE), 5)
}

fn prot_none(_: Leg) -> Outcome {
    let memory = Mapping::anonymous(LEN)?;
    memory.protect(3 * PAGE, PAGE, libc::PROT_NONE)?;
    copies_fault(&memory, memory.addr(3 * PAGE), 3)
}

fn tail(_: Leg) -> Outcome {
    let mut memory = Mapping::anonymous(LEN)?;
    memory.punch(7 * PAGE, PAGE)?;
    copies_fault(&memory, memory.addr(7 * PAGE), 7)?;
    let last_byte = [seg(&memory, 6 * PAGE + 1, PAGE)];
    let call = Device::open()?.to_device(0, &last_byte);
    faulted(call, 0, memory.addr(7 * PAGE), 1, false)
}

fn head(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (mut bad, good) = (Mapping::anonymous(LEN)?, Mapping::anonymous(LEN)?);
    // A page stays in front of it, so that no other mapping grows into the hole.
    bad.punch(PAGE, PAGE)?;
    let addr = bad.addr(PAGE + 100);
    let (bad, good) = ([seg(&bad, PAGE + 100, 3 * PAGE)], [seg(&good, 0, 3 * PAGE)]);
    faulted(device.copy(copy(&bad, &good)), 0, addr, 0, false)?;
    faulted(device.copy(copy(&good, &bad)), 0, addr, 0, true)
}

fn later_segment(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(LEN)?;
    memory.punch(5 * PAGE, PAGE)?;
    let segs = [
        seg(&memory, 0, 2 * PAGE),
        seg(&memory, 10, 10),
        seg(&memory, 3 * PAGE + 10, 3 * PAGE - 10),
        seg(&memory, 6 * PAGE, PAGE),
    ];
    let good = Mapping::anonymous(LEN)?;
    let other = [seg(&good, 0, 6 * PAGE)];
    let addr = memory.addr(5 * PAGE);
    faulted(device.copy(copy(&segs, &other)), 2, addr, 2, false)?;
    faulted(device.copy(copy(&other, &segs)), 2, addr, 2, true)
}

fn destination(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (good, mut bad) = (Mapping::anonymous(LEN)?, Mapping::anonymous(LEN)?);
    bad.punch(PAGE, PAGE)?;
    let (from, to) = ([seg(&good, 0, 3 * PAGE)], [seg(&bad, 0, 3 * PAGE)]);
    faulted(device.copy(copy(&from, &to)), 0, bad.addr(PAGE), 1, true)
}

fn beyond_file(_: Leg) -> Outcome {
    fs::write("/tmp/short", pattern::bytes(1, 2 * PAGE + 1))?;
    let file = File::options().read(true).write(true).open("/tmp/short")?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let memory = Mapping::new(LEN, protection, libc::MAP_SHARED, Some(file.as_fd()))?;
    copies_fault(&memory, memory.addr(3 * PAGE), 3)
}

/// A transfer at an address that no process has.
fn nowhere(addr: u64) -> Outcome {
    let device = Device::open()?;
    let segs = [seg_at(addr, 64)];
    faulted(device.to_device(0, &segs), 0, addr, 0, false)?;
    faulted(device.from_device(0, &segs), 0, addr, 0, false)
}

fn kernel(_: Leg) -> Outcome {
    for addr in [
        0xffff_8880_0000_0000,
        0xffff_ffff_8100_0000,
        0xffff_c900_0000_0000,
        0xffff_ffff_ffff_f000,
        0x7fff_ffff_f000,
    ] {
        nowhere(addr)?;
    }
    Ok(())
}

fn canonical(_: Leg) -> Outcome {
    nowhere(0x0000_8000_0000_0000)?;
    nowhere(0x8000_0000_0000_0000)?;
    nowhere(0x1234_5678_9abc_d000)
}

fn null(_: Leg) -> Outcome {
    nowhere(0)?;
    nowhere(1)
}

fn device_memory(_: Leg) -> Outcome {
    // The first page of the machine, mapped as a device's memory would be.
    let file = File::options().read(true).write(true).open("/dev/mem")?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let memory = Mapping::new(PAGE, protection, libc::MAP_SHARED, Some(file.as_fd()))?;
    nowhere(memory.addr(0))
}

fn nothing_moved(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (mut src, dst) = (Mapping::anonymous(LEN)?, Mapping::anonymous(LEN)?);
    pattern::write(&src, 0, LEN, 1);
    dst.fill(0, LEN, pattern::GUARD);
    src.punch(LEN - PAGE, PAGE)?;
    let call = device.copy(copy(&[seg(&src, 0, LEN)], &[seg(&dst, 0, LEN)]));
    call.refused(libc::EFAULT)?;
    pattern::verify_guard(&dst, 0, LEN)?;
    same("jobs", device.stats()?.out_jobs, 0)
}
