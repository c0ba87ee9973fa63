// SPDX-License-Identifier: GPL-2.0

//! Memory that is unmapped, moved or changed while data moves.
//!
//! What is pinned stays pinned: the call goes on with the pages that were
//! there when it began.

use crate::check::{check, same, Outcome};
use crate::device::{Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "munmap_of_destination_during_dma",
        "the call completes",
        unmap_dst,
    ),
    race(
        "munmap_of_source_during_dma",
        "the right bytes arrive",
        unmap_src,
    ),
    race(
        "mremap_of_destination_during_dma",
        "the bytes are where the pages went",
        remap_dst,
    ),
    race(
        "mremap_of_source_during_dma",
        "the right bytes arrive",
        remap_src,
    ),
    race(
        "mprotect_of_destination_during_dma",
        "the pages are written all the same",
        protect,
    ),
    race(
        "dontneed_of_destination_during_dma",
        "fresh zeroes, no crash",
        dontneed_dst,
    ),
    race(
        "dontneed_of_source_during_dma",
        "the right bytes arrive",
        dontneed_src,
    ),
    Case::new(
        "munmap_between_windows_is_efault",
        "exact prefix, then the address",
        later,
    )
    .slow()
    .needs(Needs::Memory),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const LEN: usize = 2 * PAGE;
const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// Copies a pair; `disturb` happens while the first page is on its way.
fn disturbed(seed: u64, disturb: impl FnOnce(&mut Pair) -> Outcome) -> Outcome<Pair> {
    let device = Device::open()?;
    let mut pair = Pair::new(LEN, seed)?;
    let call = pair.start(&device)?;
    flight::wait_for_job(&device)?;
    let disturbance = disturb(&mut pair);
    call.join()?.succeeded(LEN)?;
    disturbance?;
    Ok(pair)
}

fn unmap_dst(_: Leg) -> Outcome {
    disturbed(1, |pair| Ok(pair.dst.punch(0, LEN)?)).map(drop)
}

fn unmap_src(_: Leg) -> Outcome {
    disturbed(2, |pair| Ok(pair.src.punch(0, LEN)?))?.verify(LEN as u64)
}

fn remap_dst(_: Leg) -> Outcome {
    disturbed(3, |pair| Ok(pair.dst.relocate()?))?.verify(LEN as u64)
}

fn remap_src(_: Leg) -> Outcome {
    disturbed(4, |pair| Ok(pair.src.relocate()?))?.verify(LEN as u64)
}

fn protect(_: Leg) -> Outcome {
    let pair = disturbed(5, |pair| Ok(pair.dst.protect(0, LEN, libc::PROT_NONE)?))?;
    pair.dst.protect(0, LEN, READ_WRITE)?;
    pair.verify(LEN as u64)
}

fn dontneed_dst(_: Leg) -> Outcome {
    let pair = disturbed(6, |pair| {
        Ok(pair.dst.advise(0, LEN, libc::MADV_DONTNEED)?)
    })?;
    // The device wrote to pages that are no longer ours.
    pattern::expect(&pair.dst.read(0, LEN), &[0; LEN])
}

fn dontneed_src(_: Leg) -> Outcome {
    disturbed(7, |pair| {
        Ok(pair.src.advise(0, LEN, libc::MADV_DONTNEED)?)
    })?
    .verify(LEN as u64)
}

fn later(leg: Leg) -> Outcome {
    with_parameters(leg, "window_kib=16", || {
        let device = Device::open()?;
        let mut pair = Pair::new(16 * PAGE, 8)?;
        let call = pair.start(&device)?;
        flight::wait()?;
        pair.dst.punch(12 * PAGE, PAGE)?;
        let out = call.join()?.stopped(libc::EFAULT)?;
        check(
            out.bytes <= 12 * PAGE as u64,
            format!("{} bytes", out.bytes),
        )?;
        same("address", out.fault_addr, pair.dst.addr(12 * PAGE))?;
        pair.verify(out.bytes)
    })
}
