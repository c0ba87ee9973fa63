// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 24 and 25: performance counters, statistics, and a reset.

use pindma_xdma::{Block, Channel, Config, HostRange, Interrupts, Purpose};

use crate::bench::list::{self, Entry};
use crate::bench::*;

const PERF: u64 = 0xc0;
const CLEAR: u32 = 1 << 1;
const ARM: u32 = 1 << 2;
const AUTO: u32 = 1;

fn cycles(bench: &mut Bench) -> u32 {
    bench.read(H2C + PERF + 0x04)
}

fn beats(bench: &mut Bench) -> u32 {
    bench.read(H2C + PERF + 0x0c)
}

#[test]
fn b24_counters_run_when_armed_and_running() {
    let mut bench = Bench::memory();
    bench.pages_to_card(2);
    bench.pass(400);
    assert_eq!(cycles(&mut bench), 0);
    bench.write(H2C + PERF, ARM);
    bench.pass(400);
    assert_eq!(cycles(&mut bench), 0);
    bench.start(H2C, LIST, 0);
    bench.pass(400);
    bench.run();
    assert_eq!(cycles(&mut bench), 100);
    // Two pages in beats of 32 bytes.
    assert_eq!(beats(&mut bench), 256);
    bench.pass(40);
    assert_eq!(cycles(&mut bench), 110);
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench.pass(400);
    assert_eq!(cycles(&mut bench), 110);
}

#[test]
fn b24_clear_is_never_read_and_starts_at_0() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.write(H2C + PERF, ARM);
    bench.start(H2C, LIST, 0);
    bench.pass(400);
    bench.run();
    bench.write(H2C + PERF, ARM | CLEAR);
    assert_eq!(bench.read(H2C + PERF), ARM);
    assert_eq!((cycles(&mut bench), beats(&mut bench)), (0, 0));
    bench.pass(40);
    assert_eq!(cycles(&mut bench), 10);
}

#[test]
fn b24_auto_ends_at_stop_and_starts_anew_with_run() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.write(H2C + PERF, ARM | AUTO);
    for _ in 0..2 {
        bench.start(H2C, LIST, 0);
        bench.pass(400);
        bench.run();
        bench.pass(4000);
        assert_eq!((cycles(&mut bench), beats(&mut bench)), (100, 128));
        bench.write(H2C + CONTROL_CLEAR, 1);
    }
}

#[test]
fn b24_counters_saturate_and_say_so() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.write(H2C + PERF, ARM);
    bench.start(H2C, LIST, 0);
    bench.pass(4 << 42);
    assert_eq!(cycles(&mut bench), u32::MAX);
    assert_eq!(bench.read(H2C + PERF + 0x08), 0x1_03ff);
}

#[test]
fn b25_a_reset_takes_everything_but_memory() {
    let mut bench = Bench::memory();
    bench.pages_to_card(3);
    bench.write(H2C + MASK, 6);
    bench.write(IRQ + 0x04, 0xffff);
    bench.write(IRQ + 0x10, 0xf);
    bench.write(IRQ + 0xa0, 0x0101_0101);
    bench.write(COMMON + 0x24, 2);
    bench.write(H2C_SGDMA + 0x100 + CREDITS, 7);
    bench.write(MSIX + 12, 0);
    bench.write(CONFIG + 0x1c, 0);
    bench.card.set_user_line(2, true, &mut bench.ram);
    bench.start(H2C, LIST, 0);
    bench.step_until(|bench| bench.read(H2C + COUNT) >= 1);
    bench.card.reset(&mut bench.ram);
    let fresh = [
        (H2C + CONTROL, 0),
        (H2C + STATUS, 0),
        (H2C + COUNT, 0),
        (H2C + MASK, 0),
        (H2C_SGDMA + FIRST, 0),
        (H2C_SGDMA + 0x100 + CREDITS, 0),
        (IRQ + 0x04, 0),
        (IRQ + 0x10, 0),
        (IRQ + 0x48, 0),
        (IRQ + 0x4c, 0),
        (IRQ + 0xa0, 0),
        (COMMON + 0x20, 0),
        (MSIX + 12, u32::MAX),
        (CONFIG + 0x1c, 1),
        (CONFIG + 0x14, 0),
    ];
    for (register, value) in fresh {
        assert_eq!(bench.read(register), value, "{register:#x}");
    }
    let before = bench.ram.events.len();
    bench.run();
    assert_eq!(bench.ram.events.len(), before);
    assert_eq!(bench.card.in_flight_ranges(), []);
    assert_eq!(bench.on_card(0, 1), [1]);
}

#[test]
fn b25_a_reset_lowers_lines() {
    let mut bench = Bench::memory();
    bench.card.set_interrupts(Interrupts::Intx, &mut bench.ram);
    bench.write(IRQ + 0x04, 1);
    bench.card.set_user_line(0, true, &mut bench.ram);
    bench.card.reset(&mut bench.ram);
    assert_eq!(bench.ram.lines(), [(0, true), (0, false)]);
}

#[test]
fn b25_a_stream_that_waited_is_free_after_a_reset() {
    let mut bench = Bench::stream();
    bench.ram.map(TARGET, 4096);
    list::chain(
        &mut bench.ram,
        LIST,
        &[Entry::of(TARGET + 2048, TARGET, 64)],
    );
    bench.start(C2H, LIST, 0);
    bench.run();
    bench.write(C2H + CONTROL_CLEAR, 1);
    bench.run();
    assert!(bench.is_busy(C2H));
    bench.card.reset(&mut bench.ram);
    bench.power();
    assert!(!bench.is_busy(C2H));
    bench.start(C2H, LIST, 0);
    bench.card.push_packet(0, &[1; 64]);
    bench.run();
    assert_eq!(bench.read(C2H + COUNT), 1);
}

#[test]
fn registers_are_counted_by_block_and_channel() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.start(H2C, LIST, 0);
    bench.run();
    bench.read(H2C + STATUS);
    bench.read(IRQ + 0x44);
    bench.read(H2C + 0x300);
    let statistics = bench.card.statistics();
    let counts = |block| {
        let accesses = statistics.block(block);
        (accesses.reads, accesses.writes)
    };
    assert_eq!(counts(Block::H2c), (2, 1));
    assert_eq!(counts(Block::H2cSgdma), (0, 3));
    assert_eq!(counts(Block::Irq), (1, 0));
    assert_eq!(statistics.all_registers().writes, 4);
    let channel = statistics.channel(Channel::H2c(0));
    assert_eq!((channel.registers.reads, channel.registers.writes), (1, 4));
    assert_eq!(
        (channel.starts, channel.descriptors, channel.bytes),
        (1, 1, 4096)
    );
}

fn range(address: u64, length: u64, purpose: Purpose) -> HostRange {
    HostRange {
        channel: Channel::C2h(0),
        address,
        length,
        purpose,
    }
}

#[test]
fn ranges_in_flight_are_those_of_fetched_descriptors() {
    let mut bench = Bench::new(Config {
        interface: pindma_xdma::Interface::Stream,
        ..Config::default()
    });
    bench.ram.map(TARGET, 8192);
    let entries = [0, 1].map(|n| Entry::of(TARGET + 4096 + n * 8, TARGET + n * 64, 64));
    list::chain(&mut bench.ram, LIST, &entries);
    bench.write(C2H + WORD, 0x5000);
    bench.first(C2H, LIST, 0);
    bench.write(C2H + CONTROL, VENDOR | (1 << 26));
    let descriptors = range(LIST, 32, Purpose::Descriptors);
    let word = range(0x5000, 4, Purpose::WriteBack);
    assert_eq!(bench.card.in_flight_ranges(), [descriptors, word]);
    bench.run();
    let both = [0, 1].map(|n| {
        [
            range(TARGET + n * 64, 64, Purpose::Destination),
            range(TARGET + 4096 + n * 8, 8, Purpose::Record),
        ]
    });
    assert_eq!(
        bench.card.in_flight_ranges(),
        [&both.concat()[..], &[word]].concat()
    );
    assert!(word.purpose.is_write() && !descriptors.purpose.is_write());
    bench.card.push_packet(0, &[1; 64]);
    bench.run();
    assert_eq!(
        bench.card.in_flight_ranges(),
        [&both[1][..], &[word]].concat()
    );
}
