// SPDX-License-Identifier: GPL-2.0

//! Fork while data moves: who keeps the page that the device writes.
//!
//! A driver that takes references where it should pin fails here: after fork
//! the parent's next write would give the parent another page than the device
//! writes to.

use crate::check::Outcome;
use crate::device::{seg, Device, PAGE, WINDOW};
use crate::flight::{self, Background, Pair};
use crate::leg::Leg;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "fork_during_dma_parent_keeps_its_page",
        "the parent writes after the fork",
        parent,
    ),
    race(
        "fork_during_dma_child_has_a_copy",
        "what the child writes is its own",
        child,
    ),
    race(
        "fork_during_dma_of_the_source",
        "the child writes to the source",
        source,
    ),
    race(
        "child_uses_its_own_memory",
        "same address, other content",
        own_memory,
    ),
    race(
        "child_ends_during_its_parents_dma",
        "the parent's call is not disturbed",
        short_child,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// Device memory full of a pattern, and a page that it is on its way to: all
/// of it but the first and last 100 bytes.
struct Incoming {
    page: Mapping,
    call: Background,
}

const MARGIN: usize = 100;
const BODY: usize = WINDOW - 2 * MARGIN;

fn incoming(seed: u64) -> Outcome<Incoming> {
    let device = Device::open()?;
    let (src, page) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, seed);
    page.fill(0, PAGE, pattern::GUARD);
    device.to_device(0, &[seg(&src, 0, BODY)]).succeeded(BODY)?;
    let to = seg(&page, MARGIN, BODY);
    let call = Background::start(move || device.from_device(0, &[to]));
    flight::wait()?;
    Ok(Incoming { page, call })
}

fn parent(_: Leg) -> Outcome {
    let Incoming { page, call } = incoming(1)?;
    let child = flight::child(|| {
        crate::module::pause(150);
        Ok(())
    })?;
    // Without a pin this write would get the parent a page of its own.
    page.fill(0, MARGIN, 1);
    call.join()?.succeeded(BODY)?;
    page.fill(PAGE - MARGIN, MARGIN, 2);
    pattern::verify(&page, MARGIN, BODY, 1)?;
    pattern::expect(&page.read(0, MARGIN), &[1; MARGIN])?;
    flight::finish(child)
}

fn child(_: Leg) -> Outcome {
    let Incoming { page, call } = incoming(2)?;
    flight::in_child(|| {
        page.fill(0, PAGE, 7);
        crate::module::pause(150);
        // What the device wrote meanwhile went to the parent's page.
        pattern::expect(&page.read(0, PAGE), &[7; PAGE])
    })?;
    call.join()?.succeeded(BODY)?;
    pattern::verify(&page, MARGIN, BODY, 2)?;
    pattern::verify_guard(&page, 0, MARGIN)?;
    pattern::verify_guard(&page, PAGE - MARGIN, MARGIN)
}

fn source(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(2 * PAGE, 3)?;
    let call = pair.start(&device)?;
    flight::wait()?;
    flight::in_child(|| {
        pair.src.fill(0, 2 * PAGE, 9);
        Ok(())
    })?;
    call.join()?.succeeded(2 * PAGE)?;
    pair.verify(2 * PAGE as u64)
}

fn own_memory(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 4);
    dst.fill(0, PAGE, pattern::GUARD);
    flight::in_child(|| {
        pattern::write(&src, 0, PAGE, 5);
        device.to_device(0, &[seg(&src, 0, PAGE)]).succeeded(PAGE)?;
        device
            .from_device(0, &[seg(&dst, 0, PAGE)])
            .succeeded(PAGE)?;
        pattern::verify(&dst, 0, PAGE, 5)
    })?;
    pattern::verify(&src, 0, PAGE, 4)?;
    pattern::verify_guard(&dst, 0, PAGE)
}

fn short_child(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(2 * PAGE, 6)?;
    let call = pair.start(&device)?;
    flight::wait()?;
    for _ in 0..3 {
        // Inherits the file and ends: nothing of that is the parent's affair.
        flight::in_child(|| Ok(()))?;
    }
    call.join()?.succeeded(2 * PAGE)?;
    pair.verify(2 * PAGE as u64)
}
