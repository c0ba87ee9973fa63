// SPDX-License-Identifier: GPL-2.0

//! Every alignment of start and length, on either side and in the device.

use crate::check::Outcome;
use crate::compare::{flat, Bench, Shape};
use crate::device::{PAGE, WINDOW};
use crate::leg::Leg;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "one_byte_round_trip",
        "the smallest there is, everywhere in a page",
        one_byte,
    ),
    case(
        "every_start_within_a_cache_line",
        "64 of them, 67 bytes each",
        cache_line,
    ),
    case(
        "starts_around_a_page_boundary",
        "from 9 before to 9 after",
        page_boundary,
    ),
    case(
        "ends_around_a_page_boundary",
        "from 9 before to 9 after",
        page_end,
    ),
    case(
        "lengths_around_powers_of_two",
        "one less, exact, one more",
        powers,
    ),
    case(
        "lengths_around_4_kib",
        "the last bytes of the device's memory",
        near_window,
    ),
    case(
        "a_page_over_two_pages",
        "4096 bytes at odd offsets",
        two_pages,
    ),
    case("every_small_device_offset", "0 to 16", device_start),
    case("ends_of_device_memory", "up to the last byte", device_end),
    case(
        "sides_misaligned_differently",
        "source, device and destination",
        mixed,
    ),
    case(
        "copy_lengths_around_4_kib",
        "one chunk, a byte less, a byte more",
        copy_near,
    ),
    case(
        "copy_lengths_around_8_kib",
        "two chunks, a byte less, a byte more",
        copy_two,
    ),
    case(
        "copy_at_odd_offsets",
        "both sides, over several pages",
        copy_odd,
    ),
    case("copy_of_one_byte", "at either end of a page", copy_byte),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn shape(from: usize, to: usize, len: usize, dev: usize) -> Shape {
    Shape { from, to, len, dev }
}

fn one_byte(_: Leg) -> Outcome {
    let mut bench = Bench::new(1)?;
    for at in [0, 1, 2, 3, 4, 7, 63, 64, 2047, 2048, 4094, 4095] {
        bench.round_trip(shape(at, PAGE - 1 - at, 1, at))?;
    }
    Ok(())
}

fn cache_line(_: Leg) -> Outcome {
    let mut bench = Bench::new(1)?;
    for start in 0..64 {
        bench.round_trip(shape(start, 63 - start, 67, 0))?;
    }
    Ok(())
}

fn page_boundary(_: Leg) -> Outcome {
    let mut bench = Bench::new(2)?;
    for start in PAGE - 9..=PAGE + 9 {
        bench.round_trip(shape(start, start, 33, 0))?;
    }
    Ok(())
}

fn page_end(_: Leg) -> Outcome {
    let mut bench = Bench::new(2)?;
    for end in PAGE - 9..=PAGE + 9 {
        bench.round_trip(shape(end - 100, end - 100, 100, 0))?;
    }
    Ok(())
}

fn powers(_: Leg) -> Outcome {
    let mut bench = Bench::new(1)?;
    for power in 1..12 {
        for len in [(1 << power) - 1, 1 << power, (1 << power) + 1] {
            bench.round_trip(flat(len))?;
        }
    }
    Ok(())
}

fn near_window(_: Leg) -> Outcome {
    let mut bench = Bench::new(2)?;
    for len in WINDOW - 5..=WINDOW {
        bench.round_trip(flat(len))?;
        bench.round_trip(shape(1, 3, len, WINDOW - len))?;
    }
    Ok(())
}

fn two_pages(_: Leg) -> Outcome {
    let mut bench = Bench::new(3)?;
    for start in [
        1, 2, 3, 4, 8, 511, 512, 513, 2048, 4032, 4092, 4093, 4094, 4095,
    ] {
        bench.round_trip(shape(start, PAGE - start, WINDOW, 0))?;
    }
    Ok(())
}

fn device_start(_: Leg) -> Outcome {
    let mut bench = Bench::new(1)?;
    for dev in 0..=16 {
        bench.round_trip(shape(0, 0, 35, dev))?;
    }
    Ok(())
}

fn device_end(_: Leg) -> Outcome {
    let mut bench = Bench::new(1)?;
    for len in 1..=16 {
        bench.round_trip(shape(5, 9, len, WINDOW - len))?;
    }
    Ok(())
}

fn mixed(_: Leg) -> Outcome {
    let mut bench = Bench::new(3)?;
    for (from, to, len, dev) in [
        (1, 2, 3, 4),
        (7, 5, 1000, 3),
        (4095, 1, 2, 4094),
        (4095, 4095, 2, 1),
        (100, 4000, 3333, 700),
        (4001, 77, 4001, 95),
        (63, 65, 127, 129),
        (2049, 4097, 2047, 2049),
    ] {
        bench.round_trip(shape(from, to, len, dev))?;
    }
    Ok(())
}

fn copy_near(_: Leg) -> Outcome {
    let mut bench = Bench::new(3)?;
    for len in [1, 2, 4094, 4095, 4096, 4097, 4098] {
        bench.copy(0, 0, len)?;
        bench.copy(1, 2, len)?;
    }
    Ok(())
}

fn copy_two(_: Leg) -> Outcome {
    let mut bench = Bench::new(4)?;
    for len in [8191, 8192, 8193] {
        bench.copy(0, 0, len)?;
        bench.copy(4095, 1, len)?;
    }
    Ok(())
}

fn copy_odd(_: Leg) -> Outcome {
    let mut bench = Bench::new(10)?;
    for (from, to) in [
        (0, 1),
        (1, 0),
        (1, 1),
        (4095, 4095),
        (4095, 3),
        (2048, 4097),
    ] {
        bench.copy(from, to, 20_011)?;
    }
    Ok(())
}

fn copy_byte(_: Leg) -> Outcome {
    let mut bench = Bench::new(2)?;
    for (from, to) in [
        (0, 0),
        (0, 4095),
        (4095, 0),
        (4096, 4095),
        (4095, 4096),
        (8191, 8191),
    ] {
        bench.copy(from, to, 1)?;
    }
    Ok(())
}
