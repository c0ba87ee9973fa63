// SPDX-License-Identifier: GPL-2.0

//! Many ranges, the same page more than once, ranges that overlap.

use crate::abi::pindma_seg;
use crate::check::{same, Outcome};
use crate::device::{copy, seg, Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::pattern;
use crate::rw::fill_device;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "vector_gathers_in_order",
        "17 odd ranges into device memory",
        gather,
    ),
    case(
        "vector_scatters_in_order",
        "17 odd ranges out of device memory",
        scatter,
    ),
    case(
        "copy_between_vectors_of_other_shapes",
        "boundaries nowhere agree",
        reshape,
    ),
    case("vector_of_max_segs_works", "1024 ranges of 4 bytes", most),
    case(
        "vector_over_many_pages",
        "one range in each of 40 pages, backwards",
        many_pages,
    ),
    case(
        "adjacent_ranges_equal_one_range",
        "cut at odd places",
        adjacent,
    ),
    case("same_page_twice_as_source", "in one vector", twice_source),
    case(
        "same_page_twice_as_destination",
        "other bytes of one page",
        twice_destination,
    ),
    case(
        "same_bytes_twice_as_destination",
        "the call succeeds, one of them stays",
        same_bytes,
    ),
    case(
        "same_page_as_source_and_destination",
        "other bytes of one page",
        both_sides,
    ),
    case(
        "copy_onto_itself_keeps_everything",
        "source and destination are equal",
        onto_itself,
    ),
    case(
        "overlapping_copy_leaves_the_rest_alone",
        "both ways",
        overlapping,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// 17 ranges of growing length in 5 pages, not in order of address.
fn odd_ranges() -> Vec<(usize, usize)> {
    (0..17)
        .map(|index| (((index * 7) % 17) * 1201, 1 + index * 29))
        .collect()
}

fn segs_of(mapping: &Mapping, ranges: &[(usize, usize)]) -> Vec<pindma_seg> {
    ranges
        .iter()
        .map(|(offset, len)| seg(mapping, *offset, *len))
        .collect()
}

fn total(ranges: &[(usize, usize)]) -> usize {
    ranges.iter().map(|(_, len)| len).sum()
}

/// What lies in the ranges, one after the other.
fn gathered(mapping: &Mapping, ranges: &[(usize, usize)]) -> Vec<u8> {
    ranges
        .iter()
        .flat_map(|(offset, len)| mapping.read(*offset, *len))
        .collect()
}

fn gather(_: Leg) -> Outcome {
    let device = Device::open()?;
    let ranges = odd_ranges();
    let len = total(&ranges);
    let (src, dst) = (Mapping::anonymous(6 * PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, 6 * PAGE, 1);
    device
        .to_device(9, &segs_of(&src, &ranges))
        .succeeded(len)?;
    device.from_device(9, &[seg(&dst, 0, len)]).succeeded(len)?;
    pattern::expect(&dst.read(0, len), &gathered(&src, &ranges))
}

fn scatter(_: Leg) -> Outcome {
    let device = Device::open()?;
    let ranges = odd_ranges();
    let len = total(&ranges);
    let (src, dst) = (Mapping::anonymous(PAGE + 1)?, Mapping::anonymous(6 * PAGE)?);
    pattern::write(&src, 0, len, 2);
    dst.fill(0, 6 * PAGE, pattern::GUARD);
    device.to_device(0, &[seg(&src, 0, len)]).succeeded(len)?;
    device
        .from_device(0, &segs_of(&dst, &ranges))
        .succeeded(len)?;
    pattern::expect(&gathered(&dst, &ranges), &pattern::bytes(2, len))?;
    // Everything between the ranges is as it was.
    for (offset, len) in &ranges {
        dst.fill(*offset, *len, pattern::GUARD);
    }
    pattern::verify_guard(&dst, 0, 6 * PAGE)
}

fn reshape(_: Leg) -> Outcome {
    let device = Device::open()?;
    let from: Vec<_> = [5000, 1, 4096, 903].into_iter().scan(0, place).collect();
    let to: Vec<_> = [1, 2, 8000, 1996, 1].into_iter().scan(50, place).collect();
    let len = total(&from);
    same("sum", total(&to), len)?;
    let (src, dst) = (Mapping::anonymous(4 * PAGE)?, Mapping::anonymous(4 * PAGE)?);
    pattern::write(&src, 0, 4 * PAGE, 3);
    let call = device.copy(copy(&segs_of(&src, &from), &segs_of(&dst, &to)));
    call.succeeded(len)?;
    pattern::expect(&gathered(&dst, &to), &gathered(&src, &from))
}

/// Puts a range of `len` bytes behind the one before, with a gap of 33 bytes.
#[allow(clippy::unnecessary_wraps)] // the shape that `scan` wants
fn place(next: &mut usize, len: usize) -> Option<(usize, usize)> {
    let at = *next;
    *next += len + 33;
    Some((at, len))
}

fn most(_: Leg) -> Outcome {
    let device = Device::open()?;
    let ranges: Vec<_> = (0..1024).map(|index| (index * 4, 4)).collect();
    let swapped: Vec<_> = (0..1024).map(|index| ((index ^ 1) * 4, 4)).collect();
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 4);
    let out = device
        .to_device(0, &segs_of(&src, &ranges))
        .succeeded(WINDOW)?;
    same("pages", out.pages, 1024)?;
    device
        .from_device(0, &segs_of(&dst, &ranges))
        .succeeded(WINDOW)?;
    pattern::verify(&dst, 0, PAGE, 4)?;
    // As the source of a copy, where no neighbours can be merged.
    let head = 64;
    let call = device.copy(copy(
        &segs_of(&src, &swapped[..head]),
        &[seg(&dst, 0, head * 4)],
    ));
    call.succeeded(head * 4)?;
    pattern::expect(&dst.read(0, head * 4), &gathered(&src, &swapped[..head]))
}

fn many_pages(_: Leg) -> Outcome {
    let device = Device::open()?;
    let ranges: Vec<_> = (0..40)
        .rev()
        .map(|page| (page * PAGE + page, 100))
        .collect();
    let len = total(&ranges);
    let (src, dst) = (
        Mapping::anonymous(41 * PAGE)?,
        Mapping::anonymous(41 * PAGE)?,
    );
    pattern::write(&src, 0, 41 * PAGE, 5);
    let out = device
        .to_device(0, &segs_of(&src, &ranges))
        .succeeded(len)?;
    same("pages", out.pages, 40)?;
    device
        .from_device(0, &segs_of(&dst, &ranges))
        .succeeded(len)?;
    pattern::expect(&gathered(&dst, &ranges), &gathered(&src, &ranges))
}

fn adjacent(_: Leg) -> Outcome {
    let device = Device::open()?;
    let cuts = [0, 1, 3, 1000, 1001, 4095, 4096];
    let ranges: Vec<_> = cuts.windows(2).map(|c| (c[0] + 50, c[1] - c[0])).collect();
    let (src, dst) = (Mapping::anonymous(2 * PAGE)?, Mapping::anonymous(2 * PAGE)?);
    pattern::write(&src, 50, WINDOW, 6);
    device
        .to_device(0, &segs_of(&src, &ranges))
        .succeeded(WINDOW)?;
    device
        .from_device(0, &[seg(&dst, 50, WINDOW)])
        .succeeded(WINDOW)?;
    pattern::verify(&dst, 50, WINDOW, 6)
}

fn twice_source(_: Leg) -> Outcome {
    let device = Device::open()?;
    let ranges = [(0, 700), (0, 700), (300, 600)];
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    // What an earlier run left there would pass for what does not arrive.
    fill_device(&device, 70)?;
    pattern::write(&src, 0, PAGE, 7);
    device
        .to_device(0, &segs_of(&src, &ranges))
        .succeeded(2000)?;
    device
        .from_device(0, &[seg(&dst, 0, 2000)])
        .succeeded(2000)?;
    pattern::expect(&dst.read(0, 2000), &gathered(&src, &ranges))
}

fn twice_destination(_: Leg) -> Outcome {
    let device = Device::open()?;
    let ranges = [(2000, 1000), (0, 1000), (3500, 3)];
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, 2003, 8);
    dst.fill(0, PAGE, pattern::GUARD);
    device.to_device(0, &[seg(&src, 0, 2003)]).succeeded(2003)?;
    device
        .from_device(0, &segs_of(&dst, &ranges))
        .succeeded(2003)?;
    pattern::expect(&gathered(&dst, &ranges), &pattern::bytes(8, 2003))?;
    pattern::verify_guard(&dst, 1000, 1000)?;
    pattern::verify_guard(&dst, 3503, PAGE - 3503)
}

fn same_bytes(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, 512, 9);
    device.to_device(0, &[seg(&src, 0, 512)]).succeeded(512)?;
    let twice = [seg(&dst, 64, 256), seg(&dst, 64, 256)];
    device.from_device(0, &twice).succeeded(512)?;
    let (got, sent) = (dst.read(64, 256), pattern::bytes(9, 512));
    // Bounced copies come back in any order; else the later one stays.
    if leg.bounces() && got == sent[..256] {
        return Ok(());
    }
    pattern::expect(&got, &sent[256..])
}

fn both_sides(_: Leg) -> Outcome {
    let device = Device::open()?;
    let page = Mapping::anonymous(PAGE)?;
    page.fill(0, PAGE, pattern::GUARD);
    pattern::write(&page, 100, 900, 10);
    let (from, to) = ([seg(&page, 100, 900)], [seg(&page, 2000, 900)]);
    device.copy(copy(&from, &to)).succeeded(900)?;
    pattern::verify(&page, 2000, 900, 10)?;
    pattern::verify(&page, 100, 900, 10)?;
    pattern::verify_guard(&page, 1000, 1000)?;
    pattern::verify_guard(&page, 2900, PAGE - 2900)
}

fn onto_itself(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    pattern::write(&memory, 0, 3 * PAGE, 11);
    let all = [seg(&memory, 1, 3 * PAGE - 2)];
    device.copy(copy(&all, &all)).succeeded(3 * PAGE - 2)?;
    pattern::verify(&memory, 0, 3 * PAGE, 11)
}

fn overlapping(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (len, shift) = (2 * PAGE, 1000);
    for (from, to) in [(PAGE, PAGE + shift), (PAGE + shift, PAGE)] {
        let memory = Mapping::anonymous(5 * PAGE)?;
        memory.fill(0, 5 * PAGE, pattern::GUARD);
        pattern::write(&memory, from, len, 12);
        let (src, dst) = ([seg(&memory, from, len)], [seg(&memory, to, len)]);
        device.copy(copy(&src, &dst)).succeeded(len)?;
        // Only the union of both ranges may have changed.
        pattern::verify_guard(&memory, 0, PAGE)?;
        let end = PAGE + shift + len;
        pattern::verify_guard(&memory, end, 5 * PAGE - end)?;
    }
    Ok(())
}
