// SPDX-License-Identifier: GPL-2.0

//! A short pin at every page, where memory is pinned for long or in parts: by a registration, a
//! request, a vector of read(2) and write(2).

use crate::abi::{self, pindma_seg};
use crate::check::{same, Outcome};
use crate::counters;
use crate::device::{seg, Call, Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern::{self, GUARD};
use crate::queue::{entry_of, Queue};
use crate::region::{register, BOTH};
use crate::rw::{device_holds, fill_device, preadv, pwritev, Answer};
use crate::sys::rw::Range;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

use super::holes::{address, failed, nothing_left, with_hole, AT, LEN, PAGES};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "short_pin_at_every_page_of_a_registration",
        "index, address, count; for whatever access",
        registration,
    ),
    Case::new(
        "short_pin_at_every_page_of_a_request",
        "both directions; its place in the queue is free",
        request,
    ),
    Case::new(
        "short_pin_at_every_page_of_a_request_over_windows",
        "those before it are given back",
        windows,
    )
    .needs(Needs::Memory),
    Case::new(
        "short_pin_at_every_page_of_readv_and_writev",
        "a short count of the bytes before it, or EFAULT",
        vectors,
    )
    .needs(Needs::Memory),
];

/// Bytes of a part that lie in its first page, and as many in its second.
const HALF: usize = 50;
/// Ranges, each of them across the end of a page of the memory.
const PARTS: usize = PAGES - 1;

/// Where part number `part` begins.
fn start(part: usize) -> usize {
    (part + 1) * PAGE - HALF
}

fn parts(memory: &Mapping) -> Vec<pindma_seg> {
    let part = |part| seg(memory, start(part), 2 * HALF);
    (0..PARTS).map(part).collect()
}

/// The part that meets the hole first, the address there, and how many of its pages lie before.
fn meeting(memory: &Mapping, hole: usize) -> (usize, u64, usize) {
    match hole.checked_sub(1) {
        None => (0, memory.addr(start(0)), 0),
        Some(part) => (part, memory.addr(hole * PAGE), 1),
    }
}

/// Bytes of the parts before the hole.
fn before(hole: usize) -> usize {
    hole.checked_sub(1).map_or(0, |part| part * 2 * HALF + HALF)
}

fn registration(_: Leg) -> Outcome {
    let device = Device::open()?;
    let good = Mapping::anonymous(2 * PAGE)?;
    good.fill(0, good.len(), 1);
    let pins = counters::pins_outstanding()?;
    for hole in 0..PAGES {
        let bad = with_hole(PAGES, hole)?;
        let segs = [seg(&good, 7, PAGE), seg(&bad, AT, LEN - AT)];
        for access in [abi::DEV_READ, abi::DEV_WRITE, BOTH] {
            let mut request = register(access, &segs);
            request.flags = abi::REGION_MAY_BOUNCE;
            let made = device.register_with(request);
            let (errno, out) = (made.errno, made.out);
            failed(Call { errno, out }, 1, address(&bad, hole), hole, false)?;
            same("pins", counters::pins_outstanding()?, pins)?;
        }
    }
    let stats = device.stats()?;
    same("regions", stats.out_regions, 0)?;
    same("pages pinned", stats.out_pinned_pages, 0)
}

fn request(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let pins = counters::pins_outstanding()?;
    for hole in 0..PAGES {
        let bad = with_hole(PAGES, hole)?;
        let segs = parts(&bad);
        let (index, addr, pinned) = meeting(&bad, hole);
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let submitted = queue.submit(&device, &[entry_of(0, direction, 0, &segs)]);
            same("submitted", submitted.count, 0)?;
            let (errno, out) = (submitted.errno, submitted.out);
            failed(Call { errno, out }, index, addr, pinned, false)?;
            same("pins", counters::pins_outstanding()?, pins)?;
        }
    }
    let stats = device.stats()?;
    same("submitted in all", stats.out_submitted, 0)?;
    same("pages pinned", stats.out_pinned_pages, 0)?;
    let waited = queue.wait(1, 1, abi::DEADLINE_NONE);
    same("in flight", waited.in_flight, 0)?;
    waited.nothing(libc::EAGAIN)
}

fn windows(leg: Leg) -> Outcome {
    // Each part is a window.
    with_parameters(leg, "window_kib=8", || request(leg))
}

/// All of it was moved that lies before the hole.
#[track_caller]
fn short(answer: Answer, hole: usize) -> Outcome {
    match before(hole) {
        0 => answer.failed(libc::EFAULT)?,
        bytes => answer.moved(bytes)?,
    }
    nothing_left()
}

/// `bytes` are in the parts, and guard bytes everywhere else.
fn holds(memory: &Mapping, hole: usize, bytes: &[u8]) -> Outcome {
    let mut image = vec![GUARD; memory.len()];
    for (part, bytes) in bytes.chunks(2 * HALF).enumerate() {
        image[start(part)..][..bytes.len()].copy_from_slice(bytes);
    }
    for (page, want) in image.chunks(PAGE).enumerate() {
        if page != hole {
            pattern::expect(&memory.read(page * PAGE, PAGE), want)?;
        }
    }
    Ok(())
}

fn vectors(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pins = counters::pins_outstanding()?;
    for hole in 0..PAGES {
        let bad = with_hole(PAGES, hole)?;
        let ranges: Vec<Range> = parts(&bad).iter().map(|seg| (seg.addr, seg.len)).collect();
        let bytes = &pattern::bytes(3, WINDOW)[..before(hole)];
        fill_device(&device, 3)?;
        short(preadv(&device, &ranges, 0, 0), hole)?;
        holds(&bad, hole, bytes)?;
        fill_device(&device, 4)?;
        short(pwritev(&device, &ranges, 100, 0), hole)?;
        let mut want = pattern::bytes(4, WINDOW);
        want[100..][..bytes.len()].copy_from_slice(bytes);
        device_holds(&device, &want)?;
        same("pins", counters::pins_outstanding()?, pins)?;
    }
    Ok(())
}
