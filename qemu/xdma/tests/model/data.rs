// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviour 20: bytes of memory, wherever they begin and however many.

use std::time::Duration;

use pindma_xdma::{BusError, Card, Channel, Config, Host, Progress, Rule};

use crate::bench::list::{self, Entry};
use crate::bench::*;

fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|n| ((n + seed) * 31 % 251) as u8).collect()
}

#[test]
fn b20_every_length_and_offset_arrives_both_ways() {
    let mut bench = Bench::memory();
    bench.ram.map(SOURCE, 0x10000);
    bench.ram.map(TARGET, 0x10000);
    for length in (1..=8192)
        .step_by(97)
        .chain([1, 2, 3, 4095, 4096, 4097, 8192])
    {
        let (from, on_card, to) = (length % 64, length * 7 % 4096, length * 5 % 4096);
        let data = pattern(length, length);
        let source = SOURCE + from as u64;
        let target = TARGET + to as u64;
        bench.ram.put(source, &data);
        let here = Entry::of(source, on_card as u64, length as u32);
        list::chain(&mut bench.ram, LIST, &[here]);
        bench.start(H2C, LIST, 0);
        bench.run();
        assert_eq!(bench.on_card(on_card as u64, length), data);
        let back = Entry::of(on_card as u64, target, length as u32);
        list::chain(&mut bench.ram, LIST, &[back]);
        bench.start(C2H, LIST, 0);
        bench.run();
        assert_eq!(bench.ram.get(target, length), data);
        for block in [H2C, C2H] {
            bench.write(block + CONTROL_CLEAR, 1);
        }
    }
    assert_eq!(bench.faults(), []);
}

#[test]
fn b20_what_is_beside_a_buffer_stays() {
    let mut bench = Bench::memory();
    bench.ram.put(TARGET, &[0xaa; 8192]);
    let written = bench.card.write_memory(0, &[1; 4096]);
    assert_eq!(written, Ok(()));
    list::chain(&mut bench.ram, LIST, &[Entry::of(0, TARGET + 4000, 200)]);
    bench.start(C2H, LIST, 0);
    bench.run();
    assert_eq!(bench.ram.get(TARGET + 3999, 1), [0xaa]);
    assert_eq!(bench.ram.get(TARGET + 4000, 200), [1; 200]);
    assert_eq!(bench.ram.get(TARGET + 4200, 1), [0xaa]);
}

#[test]
fn b20_addresses_have_64_bits_on_both_sides() {
    let base = 0xff00_0000_0000_0000;
    let mut bench = Bench::new(Config {
        memory_base: base,
        ..Config::default()
    });
    let source = 0xfedc_ba98_7654_3210;
    bench.ram.put(source, &pattern(5000, 1));
    list::chain(
        &mut bench.ram,
        LIST << 32,
        &[Entry::of(source, base + 77, 5000)],
    );
    bench.start(H2C, LIST << 32, 0);
    bench.run();
    assert_eq!(bench.on_card(base + 77, 5000), pattern(5000, 1));
}

#[test]
fn b20_channels_share_the_memory() {
    let mut bench = Bench::memory();
    bench.pages_to_card(4);
    bench.ram.map(TARGET, 0x4000);
    let back: Vec<_> = (0..4)
        .map(|n| Entry::of(n * 4096, TARGET + n * 4096, 4096))
        .collect();
    list::chain(&mut bench.ram, LIST + 0x1000, &back);
    bench.start(H2C, LIST, 0);
    bench.start(H2C + 0x100, LIST, 0);
    bench.run();
    bench.start(C2H, LIST + 0x1000, 0);
    bench.start(C2H + 0x100, LIST + 0x1000, 0);
    bench.run();
    for n in 0..4 {
        assert_eq!(bench.ram.get(TARGET + n * 4096, 4096), [n as u8 + 1; 4096]);
    }
}

#[test]
fn b20_a_fixed_address_is_a_fifo() {
    let mut bench = Bench::memory();
    bench.ram.put(SOURCE, &pattern(256, 0));
    list::chain(&mut bench.ram, LIST, &[Entry::of(SOURCE, 0x40, 256)]);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, VENDOR | (1 << 25));
    bench.run();
    // The last beat of 32 bytes stays, nothing is behind it.
    assert_eq!(bench.on_card(0x40, 32), pattern(256, 0)[224..]);
    assert_eq!(bench.on_card(0x60, 32), [0; 32]);
    bench.ram.map(TARGET, 4096);
    list::chain(&mut bench.ram, LIST, &[Entry::of(0x40, TARGET, 96)]);
    bench.first(C2H, LIST, 0);
    bench.write(C2H + CONTROL, VENDOR | (1 << 25));
    bench.run();
    let beat = pattern(256, 0)[224..].to_vec();
    assert_eq!(bench.ram.get(TARGET, 96), beat.repeat(3));
    assert_eq!(bench.faults(), []);
}

#[test]
fn b20_a_fixed_address_fits_the_data_path() {
    let mut bench = Bench::memory();
    bench.ram.map(SOURCE, 4096);
    list::chain(&mut bench.ram, LIST, &[Entry::of(SOURCE, 0x48, 256)]);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, VENDOR | (1 << 25));
    bench.run();
    assert_eq!(bench.faults(), [Rule::FixedAddressAlignment]);
}

/// A host in which every byte tells of its address, but for one list.
struct Endless {
    list: Vec<u8>,
    written: u64,
}

impl Host for Endless {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        if address == LIST {
            data.copy_from_slice(&self.list);
        } else {
            data.fill((address >> 12) as u8);
        }
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        // Compared as a whole: the test moves 256 MiB.
        assert_eq!(data, &[(address >> 12) as u8; 4096][..data.len()]);
        self.written += data.len() as u64;
        Ok(())
    }

    fn message(&mut self, _vector: u32) {}
    fn line(&mut self, _pin: u8, _asserted: bool) {}
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn b20_one_descriptor_moves_up_to_2_28_less_1() {
    let length = (1 << 28) - 1;
    let mut card = Card::new(Config {
        memory_size: 1 << 28,
        ..Config::default()
    })
    .expect("a build that is possible");
    let mut host = Endless {
        list: Vec::new(),
        written: 0,
    };
    card.set_bus_master(true, &mut host);
    for (block, entry) in [
        (H2C, Entry::of(1 << 40, 0, length)),
        (C2H, Entry::of(0, 1 << 40, length)),
    ] {
        host.list = entry.with(list::STOP).bytes();
        let words = [
            (block + H2C_SGDMA + FIRST, LIST as u32),
            (block + CONTROL, VENDOR),
        ];
        for (at, value) in words {
            card.write(1, at, &value.to_le_bytes(), &mut host);
        }
        while card.step(&mut host) == Progress::Worked {}
    }
    assert_eq!(host.written, u64::from(length));
    let statistics = card.statistics();
    for channel in [Channel::H2c(0), Channel::C2h(0)] {
        assert_eq!(statistics.channel(channel).bytes, u64::from(length));
    }
}

#[test]
fn a_step_moves_at_most_64_kib_and_channels_take_turns() {
    let mut bench = Bench::memory();
    bench.ram.map(SOURCE, 1 << 20);
    for (block, at) in [(H2C, LIST), (H2C + 0x100, LIST + 0x1000)] {
        list::chain(&mut bench.ram, at, &[Entry::of(SOURCE, 0, 1 << 20)]);
        bench.start(block, at, 0);
    }
    // Two fetches, two descriptors taken up, one piece of each.
    bench.steps(6);
    let statistics = bench.card.statistics();
    for channel in [Channel::H2c(0), Channel::H2c(1)] {
        assert_eq!(statistics.channel(channel).bytes, 64 << 10);
    }
}
