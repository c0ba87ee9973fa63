// SPDX-License-Identifier: MIT OR GPL-2.0

//! A card on a bench: memory with maps, and a hand on the registers.

use std::time::Duration;

use pindma_xdma::{Card, Config, Interface, Interrupts, Progress, Rule};

pub mod list;
pub mod ram;

use list::Entry;
use ram::Ram;

/// Blocks of registers.
pub const H2C: u64 = 0x0000;
pub const C2H: u64 = 0x1000;
pub const IRQ: u64 = 0x2000;
pub const CONFIG: u64 = 0x3000;
pub const H2C_SGDMA: u64 = 0x4000;
pub const C2H_SGDMA: u64 = 0x5000;
pub const COMMON: u64 = 0x6000;
pub const MSIX: u64 = 0x8000;

/// Registers of a channel.
pub const CONTROL: u64 = 0x04;
pub const CONTROL_SET: u64 = 0x08;
pub const CONTROL_CLEAR: u64 = 0x0c;
pub const STATUS: u64 = 0x40;
pub const STATUS_CLEARED: u64 = 0x44;
pub const COUNT: u64 = 0x48;
pub const WORD: u64 = 0x88;
pub const MASK: u64 = 0x90;
pub const FIRST: u64 = 0x80;
pub const ADJACENT: u64 = 0x88;
pub const CREDITS: u64 = 0x8c;

/// Run and every error, STOP and COMPLETED logged, as the vendor's driver has it.
pub const VENDOR: u32 = 0x00f8_3e1f;
/// The same, with errors of writing, as the driver in the kernel has it.
pub const IN_TREE: u32 = 0x00ff_fe1f;

pub const STOPPED: u32 = 1 << 1;
pub const COMPLETED: u32 = 1 << 2;

/// Where lists, data to send and room for what comes are in the host's memory.
pub const LIST: u64 = 0x10_0000;
pub const SOURCE: u64 = 0x100_0000;
pub const TARGET: u64 = 0x200_0000;

/// How many steps anything here may take.
const MANY: usize = 100_000;

pub struct Bench {
    pub card: Card,
    pub ram: Ram,
    dma_bar: u8,
}

impl Bench {
    /// A card with bus mastering on and MSI-X open.
    pub fn new(config: Config) -> Self {
        let dma_bar = config.dma_bar;
        let mut bench = Bench {
            card: Card::new(config).expect("a build that is possible"),
            ram: Ram::default(),
            dma_bar,
        };
        bench.power();
        bench
    }

    pub fn memory() -> Self {
        Self::new(Config {
            h2c: 2,
            c2h: 2,
            ..Config::default()
        })
    }

    pub fn stream() -> Self {
        Self::new(Config {
            h2c: 2,
            c2h: 2,
            interface: Interface::Stream,
            ..Config::default()
        })
    }

    /// What config space does after a reset.
    pub fn power(&mut self) {
        self.card.set_bus_master(true, &mut self.ram);
        let open = Interrupts::MsiX { masked: false };
        self.card.set_interrupts(open, &mut self.ram);
        for vector in 0..32 {
            self.card.set_vector_masked(vector, false, &mut self.ram);
        }
    }

    pub fn read(&mut self, offset: u64) -> u32 {
        let mut data = [0x55; 4];
        self.card
            .read(self.dma_bar, offset, &mut data, &mut self.ram);
        u32::from_le_bytes(data)
    }

    pub fn write(&mut self, offset: u64, value: u32) {
        let data = value.to_le_bytes();
        self.card.write(self.dma_bar, offset, &data, &mut self.ram);
    }

    /// Steps until nothing is to be done now.
    pub fn run(&mut self) -> Progress {
        for _ in 0..MANY {
            let progress = self.card.step(&mut self.ram);
            if progress != Progress::Worked {
                return progress;
            }
        }
        panic!("the card never comes to an end");
    }

    /// Steps until nothing is to be done at all, with the clock going on as asked.
    pub fn run_on(&mut self) {
        for _ in 0..1_000 {
            match self.run() {
                Progress::Until(moment) => self.ram.now = moment,
                _ => return,
            }
        }
        panic!("the card never comes to an end");
    }

    /// Steps until something holds; a card that never gets there fails the test.
    pub fn step_until(&mut self, holds: impl Fn(&mut Self) -> bool) {
        for _ in 0..10_000 {
            if holds(self) {
                return;
            }
            self.steps(1);
        }
        panic!("the card never comes there");
    }

    pub fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.card.step(&mut self.ram);
        }
    }

    pub fn pass(&mut self, nanoseconds: u64) {
        self.ram.now += Duration::from_nanos(nanoseconds);
    }

    /// Names the first block; `block` is H2C or C2H plus 0x100 for each channel.
    pub fn first(&mut self, block: u64, address: u64, adjacent: u32) {
        let sgdma = block + H2C_SGDMA;
        self.write(sgdma + FIRST, address as u32);
        self.write(sgdma + FIRST + 4, (address >> 32) as u32);
        self.write(sgdma + ADJACENT, adjacent);
    }

    /// Names the first block and sets Run.
    pub fn start(&mut self, block: u64, address: u64, adjacent: u32) {
        self.first(block, address, adjacent);
        self.write(block + CONTROL, VENDOR);
    }

    /// Turns credit mode on for the channel of a block.
    pub fn credit_mode(&mut self, block: u64) {
        let channel = (block >> 8) & 0xf;
        let first = if block >= C2H { 16 } else { 0 };
        self.write(COMMON + 0x24, 1 << (first + channel));
    }

    /// Maps pages at these places and has `count` descriptors of 4 KiB move them, from
    /// SOURCE and to TARGET, chained from LIST on.
    pub fn pages_to_card(&mut self, count: usize) -> Vec<Entry> {
        let entries = (0..count as u64)
            .map(|n| Entry::of(SOURCE + n * 4096, n * 4096, 4096))
            .collect::<Vec<_>>();
        for entry in &entries {
            let byte = (entry.destination / 4096) as u8 + 1;
            self.ram.put(entry.source, &[byte; 4096]);
        }
        list::chain(&mut self.ram, LIST, &entries);
        entries
    }

    /// The other way round.
    pub fn pages_from_card(&mut self, count: usize) -> Vec<Entry> {
        let entries = (0..count as u64)
            .map(|n| Entry::of(n * 4096, TARGET + n * 4096, 4096))
            .collect::<Vec<_>>();
        for entry in &entries {
            let byte = (entry.source / 4096) as u8 + 1;
            let written = self.card.write_memory(entry.source, &[byte; 4096]);
            written.expect("the card has memory there");
        }
        self.ram.map(TARGET, count as u64 * 4096);
        list::chain(&mut self.ram, LIST, &entries);
        entries
    }

    /// Bytes of the card's memory.
    pub fn on_card(&self, address: u64, length: usize) -> Vec<u8> {
        let mut data = vec![0; length];
        let read = self.card.read_memory(address, &mut data);
        read.expect("the card has memory there");
        data
    }

    pub fn is_busy(&mut self, block: u64) -> bool {
        self.read(block + STATUS) & 1 != 0
    }

    pub fn faults(&self) -> Vec<Rule> {
        self.card.faults().counts().map(|(rule, _)| rule).collect()
    }
}
