// SPDX-License-Identifier: GPL-2.0

//! readv(2) and writev(2): odd vectors, and what cannot be used in the middle.

use crate::check::{same, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern::{self, GUARD};
use crate::rw::{
    device_holds, fill_device, gathered, position, preadv, pwritev, range, read, scattered, write,
};
use crate::sys::rw::Range;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "readv_and_writev_with_odd_ranges",
        "unaligned, empty, adjacent, the same page twice",
        odd,
    ),
    case(
        "readv_and_writev_of_1024_ranges",
        "of 4 bytes each, and more than fit",
        many,
    ),
    case("readv_in_several_windows", "of two pages each", windows),
    case(
        "vector_is_clipped_at_the_end_of_device_memory",
        "within a range; later ones stay",
        clipped,
    ),
    // These kill the mutants that move nothing before a fault, or count it.
    case(
        "efault_in_a_vector_comes_after_a_short_count",
        "a whole range is missing",
        missing_range,
    ),
    case(
        "efault_in_a_range_comes_after_a_short_count",
        "its second page is missing",
        missing_page,
    ),
    case(
        "efault_at_a_read_only_page_comes_after_a_short_count",
        "of a read; a write takes all",
        read_only_page,
    ),
    Case::new(
        "efault_in_the_first_range_moves_nothing",
        "whatever comes after it",
        first_range,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn total(parts: &[Range]) -> usize {
    parts.iter().map(|(_, len)| *len as usize).sum()
}

fn odd(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(6 * PAGE)?;
    pattern::write(&memory, 0, 6 * PAGE, 1);
    let at = |offset, len| range(&memory, offset, len);
    let parts = [
        at(0, 0),
        at(1, 1),
        at(PAGE - 3, 7),
        (0, 0),
        at(PAGE + 4, 100),
        at(3 * PAGE + 1, PAGE + 1),
        at(2 * PAGE, 0),
        at(2 * PAGE + 5, 33),
        at(2 * PAGE + 900, 5),
    ];
    let want = gathered(&memory, &parts[1..3])
        .into_iter()
        .chain(gathered(&memory, &parts[4..]))
        .take(WINDOW)
        .collect::<Vec<u8>>();
    pwritev(&device, &parts, 0, 0).moved(WINDOW)?;
    device_holds(&device, &want)?;
    memory.fill(0, 6 * PAGE, GUARD);
    let twice = [at(10, 20), at(40, 20), at(30, 10), at(5 * PAGE + 1, 50)];
    preadv(&device, &twice, 7, 0).moved(100)?;
    pattern::expect(&gathered(&memory, &twice), &want[7..107])?;
    pattern::verify_guard(&memory, 60, 5 * PAGE - 60)
}

fn many(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    pattern::write(&memory, 0, 2 * PAGE, 2);
    // Neighbours, so that they become one segment again.
    let parts: Vec<_> = (0..1024)
        .map(|part| range(&memory, part * 4 + 9, 4))
        .collect();
    pwritev(&device, &parts, 0, 0).moved(WINDOW)?;
    device_holds(&device, &memory.read(9, WINDOW))?;
    let parts: Vec<_> = (0..1024).map(|part| range(&memory, part * 8, 7)).collect();
    fill_device(&device, 3)?;
    preadv(&device, &parts, 3900, 0).moved(196)?;
    pattern::expect(
        &gathered(&memory, &parts[..28]),
        &pattern::bytes(3, WINDOW)[3900..],
    )
}

fn windows(leg: Leg) -> Outcome {
    with_parameters(leg, "window_kib=8", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(8 * PAGE)?;
        pattern::write(&memory, 0, 8 * PAGE, 4);
        let parts = scattered(&memory, 8);
        pwritev(&device, &parts, 0, 0).moved(WINDOW)?;
        let want = gathered(&memory, &parts);
        memory.fill(0, 8 * PAGE, GUARD);
        preadv(&device, &parts, 0, 0).moved(WINDOW)?;
        pattern::expect(&gathered(&memory, &parts), &want)?;
        same("windows", device.stats()?.out_windows, 8)
    })
}

fn clipped(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 5)?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    memory.fill(0, 4 * PAGE, GUARD);
    let parts = [
        range(&memory, 100, 500),
        range(&memory, PAGE + 100, 1000),
        range(&memory, 2 * PAGE, 500),
    ];
    preadv(&device, &parts, 3000, 0).moved(1096)?;
    let got = [range(&memory, 100, 500), range(&memory, PAGE + 100, 596)];
    pattern::expect(&gathered(&memory, &got), &pattern::bytes(5, WINDOW)[3000..])?;
    pattern::verify_guard(&memory, PAGE + 696, 3 * PAGE - 696)?;
    // What lies beyond the end is not even looked at.
    let beyond = [range(&memory, 0, 96), (8, 1000)];
    preadv(&device, &beyond, 4000, 0).moved(96)
}

/// Reads and writes `parts`, of which the first `good` bytes can be used, from
/// the start of the device's memory; then there is nothing more to be had.
fn short(memory: &Mapping, parts: &[Range], good: usize, rest: Range) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 6)?;
    let mut want = pattern::bytes(6, WINDOW);
    preadv(&device, parts, -1, 0).moved(good)?;
    same("position", position(&device), good as i64)?;
    read(&device, rest).failed(libc::EFAULT)?;
    let usable = usable(parts, good);
    pattern::expect(&gathered(memory, &usable), &want[..good])?;
    for (seed, (addr, len)) in usable.iter().enumerate() {
        let offset = (addr - memory.addr(0)) as usize;
        pattern::write(memory, offset, *len as usize, seed as u64 + 7);
    }
    pwritev(&device, parts, 100, 0).moved(good)?;
    write(&device, rest).failed(libc::EFAULT)?;
    want[100..100 + good].copy_from_slice(&gathered(memory, &usable));
    device_holds(&device, &want)
}

/// The first `bytes` bytes of `parts`.
fn usable(parts: &[Range], bytes: usize) -> Vec<Range> {
    let mut left = bytes as u64;
    let mut usable = Vec::new();
    for (addr, len) in parts {
        let len = left.min(*len);
        left -= len;
        if len > 0 {
            usable.push((*addr, len));
        }
    }
    usable
}

fn missing_range(_: Leg) -> Outcome {
    let mut memory = Mapping::anonymous(6 * PAGE)?;
    memory.punch(3 * PAGE, PAGE)?;
    let bad = range(&memory, 3 * PAGE + 50, 60);
    let parts = [
        range(&memory, 10, 300),
        range(&memory, 2 * PAGE - 20, 40),
        bad,
        range(&memory, 4 * PAGE, 400),
    ];
    short(&memory, &parts, 340, bad)
}

fn missing_page(_: Leg) -> Outcome {
    let mut memory = Mapping::anonymous(6 * PAGE)?;
    memory.punch(3 * PAGE, PAGE)?;
    let bad = range(&memory, 3 * PAGE, 1);
    let parts = [
        range(&memory, 1, 100),
        range(&memory, 3 * PAGE - 500, 1000),
        range(&memory, 5 * PAGE, 100),
    ];
    short(&memory, &parts, 600, bad)?;
    // The same without a range before it.
    short(&memory, &parts[1..], 500, bad)
}

fn read_only_page(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 8)?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    memory.fill(0, 3 * PAGE, GUARD);
    memory.protect(PAGE, PAGE, libc::PROT_READ)?;
    let parts = [
        range(&memory, PAGE - 77, 1000),
        range(&memory, 2 * PAGE, 100),
    ];
    pwritev(&device, &parts, 0, 0).moved(total(&parts))?;
    fill_device(&device, 8)?;
    preadv(&device, &parts, 0, 0).moved(77)?;
    pattern::verify(&memory, PAGE - 77, 77, 8)?;
    pattern::verify_guard(&memory, PAGE, 2 * PAGE)
}

fn first_range(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(3 * PAGE)?;
    memory.punch(PAGE, PAGE)?;
    let parts = [
        range(&memory, PAGE, 100),
        range(&memory, 0, 100),
        range(&memory, 2 * PAGE, 100),
    ];
    preadv(&device, &parts, 0, 0).failed(libc::EFAULT)?;
    pwritev(&device, &parts, 0, 0).failed(libc::EFAULT)?;
    same("jobs", device.stats()?.out_jobs, 0)
}
