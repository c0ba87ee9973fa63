// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 22 and 23: credits and halt bits.

use pindma_xdma::{Channel, Config, CreditsBeforeRun, Progress, Rule, Switches};

use crate::bench::list::{Entry, COMPLETED as DONE};
use crate::bench::*;

const RUN: u32 = 1;

/// A ring of `count` descriptors of 8 bytes, with no STOP, in blocks of `block`.
fn ring(bench: &mut Bench, count: u64, block: u64) {
    bench.ram.map(SOURCE, 8 * count);
    for n in 0..count {
        let ends = n % block == block - 1;
        let entry = Entry {
            adjacent: if ends { block as u32 - 1 } else { 0 },
            next: LIST + 32 * ((n + 1) % count),
            ..Entry::of(SOURCE + 8 * n, 8 * n, 8)
        };
        bench.ram.put(LIST + 32 * n, &entry.with(DONE).bytes());
    }
    bench.first(H2C, LIST, block as u32 - 1);
}

/// A ring in credit mode with Run set.
fn running(count: u64, block: u64, switches: Switches) -> Bench {
    let mut bench = Bench::new(Config {
        h2c: 2,
        switches,
        ..Config::default()
    });
    ring(&mut bench, count, block);
    bench.credit_mode(H2C);
    bench.write(H2C + CONTROL, VENDOR);
    bench
}

#[test]
fn b22_nothing_is_fetched_without_credits() {
    let mut bench = running(8, 1, Switches::default());
    assert_eq!(bench.run(), Progress::Idle);
    assert_eq!(bench.ram.reads(LIST, 0x1000), []);
    assert_eq!(bench.read(H2C + COUNT), 0);
}

#[test]
fn b22_credits_add_up_and_are_used_one_by_one() {
    let mut bench = running(8, 1, Switches::default());
    bench.write(H2C_SGDMA + CREDITS, 2);
    bench.write(H2C_SGDMA + CREDITS, 3);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 5);
    bench.steps(1);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 4);
    bench.run();
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 0);
    assert_eq!(bench.read(H2C + COUNT), 5);
    assert_eq!(bench.read(H2C + CONTROL), VENDOR);
    // Goes on where it was.
    bench.write(H2C_SGDMA + CREDITS, 4);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 9);
    assert_eq!(bench.faults(), []);
}

#[test]
fn b22_more_than_1023_is_a_fault() {
    let mut bench = running(8, 1, Switches::default());
    bench.write(H2C_SGDMA + CREDITS, 1000);
    bench.write(H2C_SGDMA + CREDITS, 23);
    assert_eq!(bench.faults(), []);
    bench.write(H2C_SGDMA + CREDITS, 1);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 1023);
    assert_eq!(bench.faults(), [Rule::CreditOverflow]);
}

#[test]
fn b22_run_0_and_the_end_of_the_mode_take_credits_away() {
    let mut bench = running(8, 1, Switches::default());
    bench.write(H2C_SGDMA + CREDITS, 5);
    bench.write(H2C + CONTROL_CLEAR, RUN);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 0);
    bench.write(H2C_SGDMA + CREDITS, 5);
    bench.write(COMMON + 0x28, 1);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 0);
}

#[test]
fn b22_a_block_is_fetched_as_far_as_credits_reach() {
    let mut bench = running(32, 8, Switches::default());
    bench.write(H2C_SGDMA + CREDITS, 5);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 5);
    bench.write(H2C_SGDMA + CREDITS, 10);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 15);
    assert_eq!(bench.ram.reads(LIST, 0x1000), [5, 3, 7].map(|n| n * 32));
}

#[test]
fn switch_in_credit_mode_adjacent_may_not_count() {
    let switches = Switches {
        adjacent_with_credits: false,
        ..Switches::default()
    };
    let mut bench = running(32, 8, switches);
    bench.write(H2C_SGDMA + CREDITS, 12);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 12);
    // The registers' own block is a block; after it each is one.
    assert_eq!(bench.ram.reads(LIST, 0x1000).len(), 1 + 4);
}

#[test]
fn b22_a_ring_of_1023_goes_round_many_times() {
    let mut bench = running(1023, 1, Switches::default());
    bench.ram.map(0x5000, 4);
    bench.write(H2C + WORD, 0x5000);
    bench.write(H2C + CONTROL_SET, 1 << 26);
    for round in 1..=20 {
        bench.ram.events.clear();
        bench.write(H2C_SGDMA + CREDITS, 1023);
        bench.run();
        assert_eq!(bench.ram.word(0x5000), 1023 * round);
        assert_eq!(bench.read(H2C + COUNT), 1023 * round);
    }
    assert_eq!(bench.faults(), []);
}

#[test]
fn switch_credits_before_run_count_or_are_lost() {
    let cases = [(CreditsBeforeRun::Kept, 3), (CreditsBeforeRun::Lost, 0)];
    for (credits_before_run, count) in cases {
        let mut bench = Bench::new(Config {
            switches: Switches {
                credits_before_run,
                ..Switches::default()
            },
            ..Config::default()
        });
        ring(&mut bench, 8, 1);
        bench.credit_mode(H2C);
        bench.write(H2C_SGDMA + CREDITS, 3);
        bench.write(H2C + CONTROL, VENDOR);
        bench.run();
        assert_eq!(bench.read(H2C + COUNT), count);
    }
}

#[test]
fn switch_a_channel_without_credits_is_busy_or_not() {
    for busy_without_credits in [false, true] {
        let switches = Switches {
            busy_without_credits,
            ..Switches::default()
        };
        let mut bench = running(8, 1, switches);
        bench.write(H2C_SGDMA + CREDITS, 2);
        assert!(bench.is_busy(H2C));
        bench.run();
        assert_eq!(bench.is_busy(H2C), busy_without_credits);
        bench.write(H2C + CONTROL_CLEAR, RUN);
        bench.run();
        assert!(!bench.is_busy(H2C));
    }
}

#[test]
fn b22_a_restart_begins_where_the_registers_say() {
    let mut bench = running(8, 1, Switches::default());
    bench.write(H2C_SGDMA + CREDITS, 3);
    bench.run();
    bench.write(H2C + CONTROL_CLEAR, RUN);
    bench.run();
    bench.first(H2C, LIST + 3 * 32, 0);
    bench.write(H2C + CONTROL_SET, RUN);
    bench.ram.events.clear();
    bench.write(H2C_SGDMA + CREDITS, 1);
    bench.run();
    assert_eq!(bench.ram.reads(LIST + 3 * 32, 32), [32]);
    assert_eq!(bench.read(H2C + COUNT), 1);
    assert_eq!(bench.faults(), []);
}

#[test]
fn the_time_without_work_is_measured() {
    let mut bench = running(8, 1, Switches::default());
    for gap in [100, 700, 300] {
        bench.run();
        bench.pass(gap);
        bench.write(H2C_SGDMA + CREDITS, 1);
        bench.run();
    }
    let statistics = bench.card.statistics().channel(Channel::H2c(0));
    assert_eq!(statistics.dry, 4);
    assert_eq!(statistics.longest_dry.as_nanos(), 700);
    assert_eq!(statistics.total_dry.as_nanos(), 1100);
}

#[test]
fn b23_halt_stops_fetching_and_what_was_fetched_ends() {
    let mut bench = Bench::memory();
    bench.pages_to_card(4);
    bench.start(H2C, LIST, 0);
    bench.steps(2);
    bench.write(COMMON + 0x14, 1);
    assert_eq!(bench.run(), Progress::Idle);
    assert_eq!(bench.read(H2C + COUNT), 2);
    assert!(bench.is_busy(H2C));
    bench.write(COMMON + 0x18, 1);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 4);
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
}

#[test]
fn b23_each_channel_has_its_own_bit() {
    let mut bench = Bench::memory();
    bench.pages_from_card(2);
    bench.write(COMMON + 0x10, 1 << 17);
    bench.start(C2H, LIST, 0);
    bench.start(C2H + 0x100, LIST, 0);
    bench.run();
    assert_eq!(bench.read(C2H + COUNT), 2);
    assert_eq!(bench.read(C2H + 0x100 + COUNT), 0);
}
