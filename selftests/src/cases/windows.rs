// SPDX-License-Identifier: GPL-2.0

//! Long calls, which are worked through in windows, and limits of the device.

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::device::{copy, seg, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::os;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    case(
        "long_copy_takes_several_windows",
        "64 KiB in windows of 16",
        several,
    ),
    case(
        "long_copy_at_odd_offsets",
        "windows do not agree with pages",
        odd,
    ),
    case(
        "long_copy_needs_only_a_window_of_memlock",
        "limit 16 KiB, copy 64",
        little_memlock,
    ),
    case(
        "efault_in_a_later_window",
        "a hole in the destination: exact prefix",
        later_hole,
    ),
    case(
        "efault_in_a_later_window_of_the_source",
        "the same for the source",
        later_source,
    ),
    Case::new(
        "efault_for_length_beyond_all_memory",
        "1 TiB of which 8 pages are there",
        beyond,
    ),
    Case::new(
        "enospc_over_the_devices_own_limit",
        "max_pinned_pages",
        pinned_limit,
    )
    .needs(Needs::Memory),
    Case::new(
        "etimedout_after_max_timeout",
        "whatever the deadline says",
        max_timeout,
    )
    .slow()
    .needs(Needs::Memory),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const SMALL: &str = "window_kib=16";
const LEN: usize = 16 * PAGE;

fn several(leg: Leg) -> Outcome {
    with_parameters(leg, SMALL, || {
        let device = Device::open()?;
        same("window", device.info()?.out_window_bytes, 16 << 10)?;
        let pair = Pair::new(LEN, 1)?;
        pair.copy(&device).succeeded(LEN)?;
        pair.verify(LEN as u64)?;
        let windows = device.stats()?.out_windows;
        check(windows >= 8, format!("{windows} windows"))
    })
}

fn odd(leg: Leg) -> Outcome {
    with_parameters(leg, SMALL, || {
        let mut bench = crate::compare::Bench::new(12)?;
        bench.copy(1, 4095, 10 * PAGE + 3)?;
        bench.copy(4095, 2, 9 * PAGE + 4093)
    })
}

fn little_memlock(leg: Leg) -> Outcome {
    with_parameters(leg, SMALL, || {
        let device = Device::open()?;
        flight::in_child(|| {
            user::become_ordinary(16 << 10)?;
            let pair = Pair::new(LEN, 2)?;
            pair.copy(&device).succeeded(LEN)?;
            pair.verify(LEN as u64)
        })
    })
}

/// What is said after a hole at page 10 of 16, met in a later window.
fn stopped_at_hole(call: crate::device::Call, addr: u64, dst: bool) -> Outcome<u64> {
    let out = call.stopped(libc::EFAULT)?;
    same("marked as fault", out.flags & abi::OUT_FAULT != 0, true)?;
    same(
        "marked as destination",
        out.flags & abi::OUT_FAULT_DST != 0,
        dst,
    )?;
    same("index", out.fault_index, 0)?;
    same("address", out.fault_addr, addr)?;
    same("pages pinned", out.pages_pinned, 10)?;
    let some = out.bytes > 0 && out.bytes <= 10 * PAGE as u64;
    check(some, format!("{} bytes", out.bytes))?;
    Ok(out.bytes)
}

fn later_hole(leg: Leg) -> Outcome {
    with_parameters(leg, SMALL, || {
        let mut pair = Pair::new(LEN, 3)?;
        pair.dst.punch(10 * PAGE, PAGE)?;
        let call = pair.copy(&Device::open()?);
        pair.verify(stopped_at_hole(call, pair.dst.addr(10 * PAGE), true)?)?;
        pattern::verify_guard(&pair.dst, 11 * PAGE, 5 * PAGE)
    })
}

fn later_source(leg: Leg) -> Outcome {
    with_parameters(leg, SMALL, || {
        let mut pair = Pair::new(LEN, 4)?;
        pair.src.punch(10 * PAGE, PAGE)?;
        let call = pair.copy(&Device::open()?);
        pair.verify(stopped_at_hole(call, pair.src.addr(10 * PAGE), false)?)?;
        pattern::verify_guard(&pair.dst, 10 * PAGE, 6 * PAGE)
    })
}

fn beyond(_: Leg) -> Outcome {
    let mut memory = Mapping::anonymous(9 * PAGE)?;
    // Whatever lies behind, this page is not there.
    memory.punch(8 * PAGE, PAGE)?;
    let whole = [crate::device::seg_at(memory.addr(0), 1 << 40)];
    let out = Device::open()?
        .copy(copy(&whole, &whole))
        .refused(libc::EFAULT)?;
    same("address", out.fault_addr, memory.addr(8 * PAGE))?;
    same("pages pinned", out.pages_pinned, 8)
}

fn pinned_limit(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=4", || {
        let device = Device::open()?;
        same("limit", device.info()?.out_pinned_limit, 4)?;
        let memory = Mapping::anonymous(6 * PAGE)?;
        let segs: Vec<_> = (0..6).map(|page| seg(&memory, page * PAGE, 100)).collect();
        device.to_device(0, &segs).refused(libc::ENOSPC)?;
        device.to_device(0, &segs[..4]).succeeded(400)?;
        Ok(())
    })
}

fn max_timeout(leg: Leg) -> Outcome {
    with_parameters(leg, "max_timeout_ms=1050", || {
        let device = Device::open()?;
        same("timeout", device.info()?.out_max_timeout_ns, 1_050_000_000)?;
        let pair = Pair::new(LEN, 5)?;
        let before = os::now();
        let out = pair.copy(&device).stopped(libc::ETIMEDOUT)?;
        let took = os::now() - before;
        check(took >= 1_050_000_000, format!("only {took} ns"))?;
        check(
            out.bytes > 0 && out.bytes < LEN as u64,
            format!("{} bytes", out.bytes),
        )?;
        pair.verify(out.bytes)
    })
}
