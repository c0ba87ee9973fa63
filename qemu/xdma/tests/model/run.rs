// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 5, 6, 9 to 12 and 17: Run, the count, what ends a list, and stopping.

use pindma_xdma::{Config, Interface, Rule, Switches, UnstartedAtStop, WrongMagic, ZeroLength};

use crate::bench::list::{self, Entry, COMPLETED as DONE};
use crate::bench::*;

const RUN: u32 = 1;
const IDLE_STOPPED: u32 = 1 << 6;

#[test]
fn b05_the_rising_edge_of_run_clears_status_and_count() {
    for by_set in [false, true] {
        let mut bench = Bench::memory();
        bench.pages_to_card(3);
        bench.start(H2C, LIST, 0);
        bench.run();
        assert_eq!(bench.read(H2C + COUNT), 3);
        bench.write(H2C + CONTROL_CLEAR, RUN);
        assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
        if by_set {
            bench.write(H2C + CONTROL_SET, RUN);
        } else {
            bench.write(H2C + CONTROL, VENDOR);
        }
        assert_eq!(bench.read(H2C + STATUS), 1);
        assert_eq!(bench.read(H2C + COUNT), 0);
    }
}

#[test]
fn b05_writing_run_again_starts_nothing() {
    let mut bench = Bench::memory();
    bench.pages_to_card(2);
    bench.start(H2C, LIST, 0);
    bench.run();
    bench.write(H2C + CONTROL, VENDOR);
    bench.write(H2C + CONTROL_SET, RUN);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 2);
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
}

#[test]
fn b05_clearing_run_of_an_idle_channel_raises_nothing() {
    let mut bench = Bench::memory();
    bench.write(H2C + MASK, u32::MAX);
    bench.write(IRQ + 0x14, u32::MAX);
    bench.write(H2C + CONTROL, IN_TREE & !RUN | IDLE_STOPPED);
    bench.write(H2C + CONTROL_CLEAR, RUN);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 0);
    assert_eq!(bench.ram.messages(), []);
}

#[test]
fn b06_control_takes_what_drivers_write() {
    for value in [VENDOR, IN_TREE, 0x04f8_3e19, 0x04ff_fe38, 0x04f8_3e38] {
        let mut bench = Bench::memory();
        bench.ram.map(0x5000, 4096);
        for (block, ignored) in [(H2C, 0), (C2H, 0x0007_c000)] {
            bench.pages_to_card(1);
            bench.write(block + WORD, 0x5000);
            bench.first(block, LIST, 0);
            bench.write(block + CONTROL, value);
            bench.write(block + CONTROL_SET, RUN);
            assert_eq!(bench.read(block + CONTROL), (value | RUN) & !ignored);
            if block == H2C {
                bench.run();
                assert_eq!(bench.read(block + COUNT), 1);
            }
        }
    }
}

#[test]
fn b06_a_stream_can_do_without_records() {
    let mut bench = Bench::stream();
    bench.write(C2H + CONTROL, 1 << 27);
    assert_eq!(bench.read(C2H + CONTROL), 1 << 27);
    bench.write(H2C + CONTROL, 1 << 27);
    assert_eq!(bench.read(H2C + CONTROL), 0);
}

#[test]
fn b09_a_wrong_magic_stops_the_channel_and_does_not_count() {
    let mut bench = Bench::memory();
    bench.pages_to_card(3);
    bench.ram.put(LIST + 2 * 32 + 2, &[0, 0]);
    bench.start(H2C, LIST, 0);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 4);
    assert_eq!(bench.read(H2C + COUNT), 2);
    assert_eq!(bench.on_card(0x2000, 1), [0]);
    assert_eq!(bench.faults(), [Rule::Magic]);
}

#[test]
fn b09_without_its_enable_it_stops_silently_or_hangs() {
    for (wrong_magic, busy) in [(WrongMagic::StopsSilently, 0), (WrongMagic::Hangs, 1)] {
        let mut bench = Bench::new(Config {
            switches: Switches {
                wrong_magic,
                ..Switches::default()
            },
            ..Config::default()
        });
        bench.ram.put(LIST, &[0; 32]);
        bench.first(H2C, LIST, 0);
        bench.write(H2C + CONTROL, VENDOR & !(1 << 4));
        bench.run();
        assert_eq!(bench.read(H2C + STATUS), busy);
    }
}

#[test]
fn b10_stop_ends_the_list_idle_before_the_message_and_with_run() {
    let mut bench = Bench::memory();
    bench.pages_to_card(2);
    bench.write(H2C + MASK, STOPPED | COMPLETED);
    bench.write(IRQ + 0x14, 1);
    bench.start(H2C, LIST, 0);
    bench.step_until(|bench| {
        let told = !bench.ram.messages().is_empty();
        told || !bench.is_busy(H2C)
    });
    assert_eq!(bench.ram.messages(), [0]);
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.read(H2C + CONTROL), VENDOR);
    assert_eq!(bench.read(H2C + COUNT), 2);
}

#[test]
fn b10_what_ends_is_noted_only_where_control_says_so() {
    for logged in [0, STOPPED, COMPLETED] {
        let mut bench = Bench::memory();
        bench.pages_to_card(1);
        bench.first(H2C, LIST, 0);
        bench.write(H2C + CONTROL, RUN | logged);
        bench.run();
        assert_eq!(bench.read(H2C + STATUS), logged);
    }
}

#[test]
fn b11_completed_goes_on_and_one_message_stands_for_two() {
    let mut bench = Bench::memory();
    let entries = bench.pages_to_card(4);
    let done: Vec<_> = entries.iter().map(|entry| entry.with(DONE)).collect();
    list::chain(&mut bench.ram, LIST, &done);
    bench.write(H2C + MASK, COMPLETED);
    bench.write(IRQ + 0x14, 1);
    bench.start(H2C, LIST, 0);
    bench.step_until(|bench| bench.read(H2C + COUNT) >= 2);
    assert_eq!(bench.ram.messages(), [0]);
    // The ack lets the next completion tell again.
    bench.write(H2C + STATUS, COMPLETED);
    bench.run();
    assert_eq!(bench.ram.messages(), [0, 0]);
    assert_eq!(bench.read(H2C + COUNT), 4);
}

#[test]
fn b12_the_count_has_every_descriptor_and_survives_run_0() {
    let mut bench = Bench::memory();
    let entries: Vec<_> = (0..4096).map(|n| Entry::of(SOURCE, n * 8, 8)).collect();
    bench.ram.map(SOURCE, 4096);
    let adjacent = list::in_tree(&mut bench.ram, LIST, &entries);
    bench.start(H2C, LIST, adjacent);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 4096);
    bench.write(H2C + CONTROL, VENDOR & !RUN);
    assert_eq!(bench.read(H2C + COUNT), 4096);
    bench.read(H2C + STATUS_CLEARED);
    assert_eq!(bench.read(H2C + COUNT), 4096);
    assert_eq!(bench.faults(), []);
}

/// A list of four in work, at its second descriptor, when Run goes to 0.
fn stopped_in_mid_list(switches: Switches, control: u32) -> Bench {
    let mut bench = Bench::new(Config {
        switches,
        ..Config::default()
    });
    bench.pages_to_card(4);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, control);
    bench.step_until(|bench| bench.read(H2C + COUNT) >= 1);
    // Takes up the second one.
    bench.steps(1);
    bench.write(H2C + CONTROL_CLEAR, RUN);
    assert!(bench.is_busy(H2C));
    bench.run();
    bench
}

#[test]
fn b17_run_0_ends_the_descriptor_in_work_and_drops_the_rest() {
    let mut bench = stopped_in_mid_list(Switches::default(), VENDOR);
    assert_eq!(bench.read(H2C + COUNT), 2);
    assert_eq!(bench.read(H2C + STATUS), 0);
    assert_eq!(bench.on_card(0x1000, 1), [2]);
    assert_eq!(bench.on_card(0x2000, 1), [0]);
    assert_eq!(bench.card.in_flight_ranges(), []);
}

#[test]
fn b17_idle_stopped_is_noted_where_control_says_so() {
    let mut bench = stopped_in_mid_list(Switches::default(), VENDOR | IDLE_STOPPED);
    assert_eq!(bench.read(H2C + STATUS), IDLE_STOPPED);
}

#[test]
fn switch_what_was_fetched_may_still_be_done() {
    let switches = Switches {
        unstarted_at_stop: UnstartedAtStop::Done,
        ..Switches::default()
    };
    let mut bench = stopped_in_mid_list(switches, VENDOR);
    assert_eq!(bench.read(H2C + COUNT), 4);
}

#[test]
fn run_set_before_busy_fell_is_a_fault_and_starts_after_it() {
    let mut bench = Bench::memory();
    bench.pages_to_card(4);
    bench.start(H2C, LIST, 0);
    bench.steps(7);
    bench.write(H2C + CONTROL_CLEAR, RUN);
    bench.write(H2C + CONTROL_SET, RUN);
    assert_eq!(bench.faults(), [Rule::RunWhileBusy]);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
    assert_eq!(
        bench
            .card
            .statistics()
            .channel(pindma_xdma::Channel::H2c(0))
            .starts,
        2
    );
}

#[test]
fn switch_no_bytes_are_done_refused_or_hang() {
    let cases = [
        (ZeroLength::Done, STOPPED | COMPLETED, 1),
        (ZeroLength::Stops, 1 << 5, 0),
        (ZeroLength::Hangs, 1, 0),
    ];
    for (zero_length, status, count) in cases {
        let mut bench = Bench::new(Config {
            switches: Switches {
                zero_length,
                ..Switches::default()
            },
            ..Config::default()
        });
        list::chain(&mut bench.ram, LIST, &[Entry::of(SOURCE, 0, 0)]);
        bench.first(H2C, LIST, 0);
        bench.write(H2C + CONTROL, VENDOR | (1 << 5));
        bench.run();
        assert_eq!(bench.read(H2C + STATUS), status, "{zero_length:?}");
        assert_eq!(bench.read(H2C + COUNT), count);
        assert_eq!(bench.faults(), [Rule::ZeroLength]);
    }
}

#[test]
fn a_streams_uneven_length_stops_where_control_says_so() {
    let mut bench = Bench::new(Config {
        interface: Interface::Stream,
        ..Config::default()
    });
    bench.ram.map(SOURCE, 4096);
    list::chain(&mut bench.ram, LIST, &[Entry::of(SOURCE, 0, 33)]);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, VENDOR | (1 << 5));
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 5);
}

#[test]
fn prefetched_descriptors_are_copies() {
    let mut bench = Bench::memory();
    bench.pages_to_card(2);
    bench.start(H2C, LIST, 0);
    // Two fetches.
    bench.steps(2);
    bench.ram.put(LIST, &[0; 64]);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 2);
}
