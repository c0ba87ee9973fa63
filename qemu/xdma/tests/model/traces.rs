// SPDX-License-Identifier: MIT OR GPL-2.0

//! The accesses that drivers make, one after the other: Xilinx's own (2025.2.0), the one
//! in the kernel (7.3), and the ring of credits that a user runs through VFIO.

use pindma_xdma::{Channel, Config, Interface, Interrupts, Rule};

use crate::bench::list::{self, Entry, COMPLETED as DONE};
use crate::bench::*;

const RUN: u32 = 1;
const NON_INC: u32 = 0x0200_0000;

/// Xilinx's probe: finds the DMA BAR, silences it, finds channels up to the first that is
/// absent, and gives out vectors.
fn vendor_probe(bench: &mut Bench) -> Vec<u64> {
    assert_eq!(bench.read(IRQ) >> 16, 0x1fc2);
    assert_eq!(bench.read(CONFIG) >> 16, 0x1fc3);
    bench.write(IRQ + 0x18, u32::MAX);
    bench.write(IRQ + 0x0c, u32::MAX);
    let mut found = Vec::new();
    for (block, id) in [(H2C, 0x1fc0), (C2H, 0x1fc1)] {
        for channel in 0..4 {
            let at = block + 0x100 * channel;
            if bench.read(at) >> 16 != id {
                break;
            }
            found.push(at);
        }
    }
    for at in &found {
        bench.write(at + CONTROL_CLEAR, NON_INC);
        assert_ne!(bench.read(at + 0x4c), 0);
        bench.write(at + MASK, 0x00f8_3e1e);
    }
    for (number, register) in [0xa0, 0xa4, 0x80, 0x84, 0x88, 0x8c].into_iter().enumerate() {
        bench.write(IRQ + register, 0x0302_0100 + 0x0404_0404 * number as u32);
    }
    bench.write(IRQ + 0x14, u32::MAX);
    bench.write(IRQ + 0x08, 0x1_ffff);
    found
}

/// Xilinx's start of one transfer.
fn vendor_start(bench: &mut Bench, block: u64, adjacent: u32) {
    bench.first(block, LIST, adjacent);
    bench.write(block + CONTROL, VENDOR);
    bench.read(block + STATUS);
    bench.read(block + STATUS);
}

/// Xilinx's work after an interrupt; gives back Status and the count.
fn vendor_service(bench: &mut Bench, block: u64) -> (u32, u32) {
    let status = bench.read(block + STATUS_CLEARED);
    bench.write(block + CONTROL, VENDOR & !RUN);
    let count = bench.read(block + COUNT);
    (status, count)
}

#[test]
fn the_vendors_driver_with_msix() {
    let mut bench = Bench::memory();
    let found = vendor_probe(&mut bench);
    assert_eq!(found, [H2C, H2C + 0x100, C2H, C2H + 0x100]);
    assert_eq!(bench.ram.messages(), []);
    let entries = bench.pages_to_card(200);
    let adjacent = list::vendor(&mut bench.ram, LIST, &entries);
    for round in 1..=3 {
        vendor_start(&mut bench, H2C, adjacent);
        bench.run();
        assert_eq!(bench.ram.messages(), vec![0; round]);
        // The interrupt routine masks; work comes later.
        bench.write(H2C + MASK + 8, 0x00f8_3e1e);
        bench.read(IRQ + 0x4c);
        let served = vendor_service(&mut bench, H2C);
        assert_eq!(served, (STOPPED | COMPLETED, 200));
        bench.write(H2C + MASK + 4, 0x00f8_3e1e);
    }
    assert_eq!(bench.faults(), []);
}

#[test]
fn the_vendors_driver_with_a_line() {
    let mut bench = Bench::memory();
    bench.card.set_interrupts(Interrupts::Intx, &mut bench.ram);
    vendor_probe(&mut bench);
    bench.write(IRQ + 0xa0, 0);
    let entries = bench.pages_from_card(5);
    let adjacent = list::vendor(&mut bench.ram, LIST, &entries);
    vendor_start(&mut bench, C2H, adjacent);
    bench.run();
    assert_eq!(bench.ram.lines(), [(0, true)]);
    assert_eq!(bench.read(IRQ + 0x44), 1 << 2);
    bench.write(IRQ + 0x18, 1 << 2);
    assert_eq!(bench.read(IRQ + 0x40), 0);
    assert_eq!(bench.ram.lines(), [(0, true), (0, false)]);
    let served = vendor_service(&mut bench, C2H);
    assert_eq!(served, (STOPPED | COMPLETED, 5));
    bench.write(IRQ + 0x14, 1 << 2);
    assert_eq!(bench.ram.lines(), [(0, true), (0, false)]);
}

#[test]
fn the_vendors_poll_mode_reads_no_register() {
    let mut bench = Bench::memory();
    vendor_probe(&mut bench);
    let entries = bench.pages_to_card(40);
    let adjacent = list::vendor(&mut bench.ram, LIST, &entries);
    bench.ram.map(0x5000, 32);
    bench.write(H2C + WORD, 0x5000);
    bench.write(H2C + WORD + 4, 0);
    bench.write(H2C + MASK, 0x00f8_3e18);
    bench.first(H2C, LIST, adjacent);
    bench.write(H2C + CONTROL, 0x04f8_3e19);
    bench.run();
    assert_eq!(bench.ram.word(0x5000), 40);
    assert_eq!(bench.ram.messages(), []);
}

#[test]
fn b25_the_vendors_driver_is_unloaded_and_loaded() {
    let mut bench = Bench::memory();
    for _ in 0..3 {
        vendor_probe(&mut bench);
        let entries = bench.pages_to_card(3);
        let adjacent = list::vendor(&mut bench.ram, LIST, &entries);
        vendor_start(&mut bench, H2C, adjacent);
        bench.run();
        assert_eq!(vendor_service(&mut bench, H2C).1, 3);
        // Unloading: all enables off.
        bench.write(IRQ + 0x18, u32::MAX);
        bench.write(IRQ + 0x0c, u32::MAX);
        assert_eq!(bench.read(IRQ + 0x10), 0);
    }
    assert_eq!(bench.faults(), []);
}

/// The kernel's probe: identifiers by their upper half, holes allowed.
fn in_tree_probe(bench: &mut Bench) -> Vec<u64> {
    let mut found = Vec::new();
    for (block, id) in [(H2C, 0x1fc0), (C2H, 0x1fc1)] {
        for channel in 0..4 {
            let at = block + 0x100 * channel;
            if bench.read(at) >> 16 == id {
                found.push(at);
            }
        }
    }
    for at in &found {
        bench.write(at + CONTROL_CLEAR, NON_INC);
        bench.write(at + MASK, 0x0008_0256);
    }
    bench.write(IRQ + 0xa0, 0x0302_0100);
    bench.write(IRQ + 0x14, u32::MAX);
    found
}

fn in_tree_start(bench: &mut Bench, block: u64, adjacent: u32) {
    bench.write(block + CONTROL_CLEAR, RUN);
    bench.first(block, LIST, adjacent);
    bench.write(block + CONTROL, IN_TREE);
}

#[test]
fn the_kernels_driver_with_whole_and_partial_runs() {
    let mut bench = Bench::memory();
    assert_eq!(in_tree_probe(&mut bench).len(), 4);
    for count in [1, 32, 33, 4096] {
        bench.ram.map(SOURCE, 4096);
        let entries: Vec<_> = (0..count).map(|n| Entry::of(SOURCE, n * 8, 8)).collect();
        let adjacent = list::in_tree(&mut bench.ram, LIST, &entries);
        bench.ram.events.clear();
        in_tree_start(&mut bench, H2C, adjacent);
        bench.run();
        assert_eq!(bench.ram.messages(), [0]);
        // In the hard interrupt.
        assert_eq!(bench.read(H2C + STATUS_CLEARED), STOPPED | COMPLETED);
        assert_eq!(u64::from(bench.read(H2C + COUNT)), count);
    }
    assert_eq!(bench.faults(), []);
}

#[test]
fn the_kernels_cyclic_ring_tells_of_every_period() {
    let mut bench = Bench::memory();
    in_tree_probe(&mut bench);
    bench.ram.map(TARGET, 8 * 4096);
    for n in 0..8 {
        let entry = Entry {
            adjacent: if n == 7 { 7 } else { 0 },
            next: if n == 7 { LIST } else { 0 },
            ..Entry::of(n * 4096, TARGET + n * 4096, 4096)
        };
        bench.ram.put(LIST + 32 * n, &entry.with(DONE).bytes());
    }
    in_tree_start(&mut bench, C2H, 7);
    let mut periods = 0;
    while periods < 20 {
        bench.ram.events.clear();
        bench.step_until(|bench| !bench.ram.messages().is_empty());
        periods += 1;
        assert_eq!(bench.read(C2H + STATUS_CLEARED), COMPLETED | 1);
        assert_eq!(bench.read(C2H + COUNT), periods);
    }
    // It waits for one more interrupt, then the channel is idle.
    bench.write(C2H + CONTROL_CLEAR, RUN);
    bench.run();
    assert!(!bench.is_busy(C2H));
    assert_eq!(bench.faults(), []);
}

#[test]
fn a_ring_of_credits_with_one_write_for_each_request() {
    let mut bench = Bench::memory();
    bench.ram.map(SOURCE, 4096);
    for n in 0..64 {
        let entry = Entry {
            next: LIST + 32 * ((n + 1) % 64),
            ..Entry::of(SOURCE, n * 64, 64)
        };
        bench.ram.put(LIST + 32 * n, &entry.with(DONE).bytes());
    }
    bench.ram.map(0x5000, 4);
    bench.write(H2C + WORD, 0x5000);
    bench.write(COMMON + 0x24, 1);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, 0x04ff_fe38);
    bench.write(H2C + CONTROL_SET, RUN);
    let before = bench.card.statistics().all_registers();
    for request in 1..=1000 {
        bench.write(H2C_SGDMA + CREDITS, 1);
        bench.run();
        assert_eq!(bench.ram.word(0x5000), request);
    }
    let after = bench.card.statistics().all_registers();
    assert_eq!(after.writes - before.writes, 1000);
    assert_eq!(after.reads, before.reads);
    assert_eq!(bench.card.statistics().channel(Channel::H2c(0)).starts, 1);
    assert_eq!(bench.faults(), []);
}

#[test]
fn a_streams_ring_of_credits_tells_by_records() {
    let mut bench = Bench::new(Config {
        interface: Interface::Stream,
        ..Config::default()
    });
    bench.ram.map(TARGET, 1 << 16);
    bench.ram.map(0x30_0000, 4096);
    for n in 0..16 {
        let entry = Entry {
            next: LIST + 32 * ((n + 1) % 16),
            ..Entry::of(0x30_0000 + n * 32, TARGET + n * 4096, 4096)
        };
        bench.ram.put(LIST + 32 * n, &entry.with(DONE).bytes());
    }
    bench.write(COMMON + 0x24, 1 << 16);
    bench.first(C2H, LIST, 0);
    bench.write(C2H + CONTROL, 0x00f8_3e38);
    bench.write(C2H + CONTROL_SET, RUN);
    bench.write(C2H_SGDMA + CREDITS, 16);
    for packet in 0u64..40 {
        let length = 1 + packet as usize * 100;
        bench.card.push_packet(0, &vec![packet as u8; length]);
        bench.run();
        let record = 0x30_0000 + packet % 16 * 32;
        assert_eq!(bench.ram.word(record), 0x52b4_0001);
        assert_eq!(bench.ram.word(record + 4), length as u32);
        bench.write(C2H_SGDMA + CREDITS, 1);
    }
    assert_eq!(bench.faults(), []);
}

#[test]
fn the_vendors_stop_is_not_followed_by_idle() {
    let mut bench = Bench::stream();
    bench.ram.map(TARGET, 4096);
    list::chain(
        &mut bench.ram,
        LIST,
        &[Entry::of(TARGET + 2048, TARGET, 64)],
    );
    bench.start(C2H, LIST, 0);
    bench.run();
    // It clears Run and unmaps at once: the range is still in flight.
    bench.write(C2H + CONTROL, VENDOR & !RUN);
    bench.run();
    let ranges = bench.card.in_flight_ranges();
    assert!(ranges.iter().any(|range| range.address == TARGET));
    bench.write(C2H + CONTROL, VENDOR);
    assert_eq!(bench.faults(), [Rule::RunWhileBusy]);
}
