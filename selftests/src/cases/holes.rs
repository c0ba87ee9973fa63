// SPDX-License-Identifier: GPL-2.0

//! A short pin at every page of a range: what was pinned before is given back,
//! wherever it ends.

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{copy, seg, Call, Device, PAGE};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern::{self, GUARD};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "short_pin_at_every_page_of_a_source",
        "address, count, nothing pinned after",
        source,
    ),
    Case::new(
        "short_pin_at_every_page_of_a_destination",
        "the source is given back as well",
        destination,
    )
    .needs(Needs::Memory),
    Case::new(
        "short_pin_at_every_range_of_a_vector",
        "both directions",
        vector,
    ),
    Case::new(
        "short_pin_at_every_page_over_windows",
        "an exact prefix of the copy is done",
        windows,
    )
    .needs(Needs::Memory),
];

/// Pages of the range.
pub(super) const PAGES: usize = 9;
pub(super) const LEN: usize = PAGES * PAGE;
/// Where the range begins in its first page.
pub(super) const AT: usize = 300;

/// Memory of which page number `hole` is missing.  A page stays behind it, so
/// that no other mapping grows into the hole.
pub(super) fn with_hole(pages: usize, hole: usize) -> Outcome<Mapping> {
    let mut memory = Mapping::anonymous((pages + 1) * PAGE)?;
    memory.fill(0, memory.len(), GUARD);
    memory.punch(hole * PAGE, PAGE)?;
    Ok(memory)
}

/// First address of the range that is in page number `hole`.
pub(super) fn address(memory: &Mapping, hole: usize) -> u64 {
    memory.addr((hole * PAGE).max(AT))
}

/// The call failed at this place, before anything was started, and the driver
/// has nothing in hand.
#[track_caller]
pub(super) fn failed(call: Call, index: usize, addr: u64, pinned: usize, dst: bool) -> Outcome {
    let out = call.refused(libc::EFAULT)?;
    at_place(call, addr, pinned, dst)?;
    same("index", out.fault_index, index as u32)?;
    nothing_left()
}

#[track_caller]
fn at_place(call: Call, addr: u64, pinned: usize, dst: bool) -> Outcome {
    let out = call.out;
    same("marked as fault", out.flags & abi::OUT_FAULT != 0, true)?;
    let marked = out.flags & abi::OUT_FAULT_DST != 0;
    same("marked as destination", marked, dst)?;
    check(
        out.fault_addr == addr,
        format!("{call}; the hole is {addr:#x}"),
    )?;
    same("pages pinned", out.pages_pinned, pinned as u64)
}

pub(super) fn nothing_left() -> Outcome {
    for name in ["pinned_pages", "charged_pages", "mapped_segments"] {
        same(name, counters::driver(name)?, 0)?;
    }
    Ok(())
}

fn source(_: Leg) -> Outcome {
    let device = Device::open()?;
    let good = Mapping::anonymous(LEN)?;
    let pins = counters::pins_outstanding()?;
    for hole in 0..PAGES {
        let bad = with_hole(PAGES, hole)?;
        let (from, to) = ([seg(&bad, AT, LEN - AT)], [seg(&good, 0, LEN - AT)]);
        let call = device.copy(copy(&from, &to));
        failed(call, 0, address(&bad, hole), hole, false)?;
        same("pins", counters::pins_outstanding()?, pins)?;
    }
    Ok(())
}

fn destination(_: Leg) -> Outcome {
    let device = Device::open()?;
    let good = Mapping::anonymous(LEN)?;
    good.fill(0, LEN, 1);
    let pins = counters::pins_outstanding()?;
    for hole in 0..PAGES {
        let bad = with_hole(PAGES, hole)?;
        let (from, to) = ([seg(&good, 0, LEN - AT)], [seg(&bad, AT, LEN - AT)]);
        let call = device.copy(copy(&from, &to));
        failed(call, 0, address(&bad, hole), hole, true)?;
        same("pins", counters::pins_outstanding()?, pins)?;
        // Nothing was started: no byte of the rest has changed.
        pattern::verify_guard(&bad, 0, hole * PAGE)?;
        pattern::verify_guard(&bad, (hole + 1) * PAGE, (PAGES - hole) * PAGE)?;
    }
    Ok(())
}

fn vector(_: Leg) -> Outcome {
    let device = Device::open()?;
    for hole in 0..PAGES {
        let bad = with_hole(PAGES, hole)?;
        let segs: Vec<_> = (0..PAGES)
            .map(|page| seg(&bad, page * PAGE + AT, 100))
            .collect();
        let addr = bad.addr(hole * PAGE + AT);
        failed(device.to_device(0, &segs), hole, addr, 0, false)?;
        failed(device.from_device(0, &segs), hole, addr, 0, false)?;
    }
    Ok(())
}

fn windows(leg: Leg) -> Outcome {
    // Two pages of each side at a time.
    with_parameters(leg, "window_kib=16", || {
        let src = Mapping::anonymous(LEN)?;
        pattern::write(&src, 0, LEN, 1);
        for hole in 0..PAGES {
            over_windows(&src, hole)?;
        }
        Ok(())
    })
}

fn over_windows(src: &Mapping, hole: usize) -> Outcome {
    let device = Device::open()?;
    let dst = with_hole(PAGES, hole)?;
    let call = device.copy(copy(&[seg(src, 0, LEN)], &[seg(&dst, 0, LEN)]));
    let bytes = hole / 2 * 2 * PAGE;
    if bytes == 0 {
        call.refused(libc::EFAULT)?;
    } else {
        call.stopped(libc::EFAULT)?;
    }
    at_place(call, dst.addr(hole * PAGE), hole, true)?;
    same("bytes", call.out.bytes, bytes as u64)?;
    nothing_left()?;
    pattern::verify(&dst, 0, bytes, 1)?;
    pattern::verify_guard(&dst, bytes, hole * PAGE - bytes)?;
    pattern::verify_guard(&dst, (hole + 1) * PAGE, (PAGES - hole) * PAGE)
}
