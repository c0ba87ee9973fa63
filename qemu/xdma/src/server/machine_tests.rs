// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card at work in its slot, with a file for the guest's memory.

use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::thread;

use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_PCI_MSIX_IRQ_INDEX,
};

use super::super::pages::pages;
use super::super::shared::Shared;
use super::*;

const USER: u8 = 0;
const DMA: u8 = 1;

/// Where the first page of memory, with descriptors, and the second, with data, are mapped.
const DESCRIPTORS: u64 = 0x1_0000;
const DATA: u64 = 0x2_0000;

const BOTH: Rights = Rights {
    read: true,
    write: true,
};
const READ: Rights = Rights {
    read: true,
    write: false,
};

/// Registers of the first channel to the card and the first from it.
const TO_CARD: u64 = 0x0000;
const FROM_CARD: u64 = 0x1000;
const RUN: u32 = 0x00f8_3e1f;
/// Stop, and say that it is done.
const LAST: u32 = 0xad4b_0003;
/// Neither.
const MORE: u32 = 0xad4b_0000;

/// A machine whose card answers and may use memory, with both pages mapped.
struct Bench {
    machine: Machine,
    memory: File,
}

impl Bench {
    fn new(rights: Rights) -> Bench {
        let mut machine = Machine::new(Build::default()).expect("it can be built");
        let memory = pages();
        for (address, rights, offset) in [(DESCRIPTORS, READ, 0), (DATA, rights, 0x1000)] {
            let file = memory.try_clone().expect("it can be cloned");
            machine
                .map((address, 0x1000), rights, Some(file), offset)
                .expect("it is free");
        }
        machine.write_config(4, &[0x06, 0x00]);
        Bench { machine, memory }
    }

    /// Starts a channel with one descriptor of a page.
    fn start(&mut self, channel: u64, source: u64, destination: u64) {
        self.start_with(channel, LAST, [source, destination, 0]);
    }

    /// Starts a channel with a descriptor of a page and its three addresses.
    fn start_with(&mut self, channel: u64, control: u32, addresses: [u64; 3]) {
        let mut bytes: Vec<u8> = [control, 0x1000]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        bytes.extend(addresses.into_iter().flat_map(u64::to_le_bytes));
        self.memory.write_all_at(&bytes, 0).expect("there is room");
        let registers = [
            (0x4080, DESCRIPTORS as u32),
            (0x4084, 0),
            (0x4088, 0),
            (4, RUN),
        ];
        for (offset, value) in registers {
            self.write(channel + offset, value);
        }
    }

    fn write(&mut self, offset: u64, value: u32) {
        self.machine.write_bar(DMA, offset, &value.to_le_bytes());
    }

    fn read(&mut self, bar: u8, offset: u64) -> u32 {
        let mut bytes = [0; 4];
        self.machine.read_bar(bar, offset, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Steps until there is nothing to do.
    fn work(&mut self) {
        for _ in 0..1000 {
            if self.machine.step() == Progress::Idle {
                return;
            }
        }
        panic!("the card never rests");
    }

    fn violations(&mut self) -> u64 {
        self.machine.journal().counts()[0].1
    }
}

#[test]
fn a_page_goes_to_the_card_and_back() {
    let mut bench = Bench::new(BOTH);
    bench.start(TO_CARD, DATA, 0x5000);
    bench.work();
    let mut got = [0; 4096];
    let (card, _) = bench.machine.card();
    card.read_memory(0x5000, &mut got).expect("there is memory");
    assert_eq!(got, [2; 4096]);
    bench.memory.write_all_at(&[7; 4096], 0x1000).expect("room");
    bench.start(FROM_CARD, 0x5000, DATA);
    bench.work();
    bench.memory.read_exact_at(&mut got, 0x1000).expect("there");
    assert_eq!(got, [2; 4096]);
    assert_eq!((bench.read(DMA, 0x48), bench.read(DMA, 0x1048)), (1, 1));
    assert_eq!(bench.violations(), 0);
}

#[test]
fn an_address_without_a_map_is_a_violation_and_a_failed_read() {
    const UNSUPPORTED: u32 = 1 << 9;
    let mut bench = Bench::new(BOTH);
    bench.start(TO_CARD, DATA + 0x1000, 0);
    bench.work();
    assert_eq!(bench.violations(), 1);
    assert_eq!(bench.read(DMA, 0x40) & UNSUPPORTED, UNSUPPORTED);
}

#[test]
fn a_write_where_only_reading_is_allowed_is_a_violation() {
    let mut bench = Bench::new(READ);
    bench.start(FROM_CARD, 0, DATA);
    bench.work();
    assert_eq!(bench.violations(), 1);
    let mut got = [0; 4096];
    bench.memory.read_exact_at(&mut got, 0x1000).expect("there");
    assert_eq!(got, [2; 4096]);
}

#[test]
fn an_unmap_of_what_is_in_flight_is_a_violation() {
    let mut bench = Bench::new(BOTH);
    bench.start(TO_CARD, DATA, 0);
    // It has fetched the descriptor, and moved nothing.
    bench.machine.step();
    bench.machine.unmap(DATA, 0x1000);
    assert_eq!(bench.violations(), 1);
}

#[test]
fn work_without_end_keeps_nobody_waiting() {
    let mut bench = Bench::new(BOTH);
    // A list that is a ring.
    bench.start_with(TO_CARD, MORE, [DATA, 0, DESCRIPTORS]);
    let shared = Arc::new(Shared::new(bench.machine));
    let card = Arc::clone(&shared);
    thread::spawn(move || card.run_card());
    let descriptors = |machine: &mut Machine| {
        let (card, _) = machine.card();
        card.statistics().channel(Channel::H2c(0)).descriptors
    };
    assert!((0..1_000_000).any(|_| shared.call(descriptors) > 100));
    shared.call(|machine| machine.unmap_all());
}

#[test]
fn an_unmap_after_the_end_is_none() {
    let mut bench = Bench::new(BOTH);
    bench.start(TO_CARD, DATA, 0);
    bench.work();
    bench.machine.unmap_all();
    assert_eq!(bench.violations(), 0);
}

#[test]
fn after_a_reset_nothing_is_in_flight() {
    let mut bench = Bench::new(BOTH);
    bench.start(TO_CARD, DATA, 0);
    bench.machine.step();
    bench.machine.reset();
    bench.machine.unmap_all();
    bench.work();
    assert_eq!(bench.violations(), 0);
}

/// QEMU keeps the table, and the vectors that it has opened stay open.
#[test]
fn after_a_reset_messages_come_as_before() {
    let mut bench = Bench::new(BOTH);
    let bell = pages();
    let opened = bell.try_clone().expect("it can be cloned");
    let events = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;
    let set = (VFIO_PCI_MSIX_IRQ_INDEX, events, (0, 1));
    bench
        .machine
        .set_irqs(set.0, set.1, set.2, vec![opened])
        .expect("it is offered");
    bench.machine.reset();
    bench.machine.write_config(4, &[0x06, 0x00]);
    bench.machine.write_config(0x63, &[0x80]);
    // A user interrupt, all of which have vector 0.
    bench.write(0x2004, 1);
    let (card, bus) = bench.machine.card();
    card.set_user_line(0, true, bus);
    let sent = bench.machine.statistics();
    assert_eq!(sent.matches("messages_sent=1").count(), 1, "{sent}");
}

#[test]
fn asleep_it_moves_nothing_and_goes_on_when_it_is_woken() {
    let mut bench = Bench::new(BOTH);
    bench.start(TO_CARD, DATA, 0);
    bench.machine.write_config(0x44, &[0x03]);
    bench.work();
    assert_eq!(bench.read(DMA, 0x48), !0);
    bench.machine.write_config(0x44, &[0x00]);
    assert_eq!(bench.read(DMA, 0x48), 0);
    bench.work();
    assert_eq!(bench.read(DMA, 0x48), 1);
}

#[test]
fn without_bus_mastering_no_memory_is_touched() {
    let mut bench = Bench::new(BOTH);
    bench.machine.write_config(4, &[0x02, 0x00]);
    bench.start(TO_CARD, DATA, 0);
    bench.work();
    let (card, _) = bench.machine.card();
    assert_eq!(card.statistics().block(pindma_xdma::Block::H2c).writes, 1);
    assert_eq!((bench.read(DMA, 0x48), bench.violations()), (0, 0));
}

#[test]
fn without_memory_space_there_are_ones() {
    let mut bench = Bench::new(BOTH);
    assert_eq!(bench.read(DMA, 0x2000) >> 16, 0x1fc2);
    bench.machine.write_config(4, &[0x04, 0x00]);
    assert_eq!(bench.read(DMA, 0x2000), !0);
}

#[test]
fn a_command_comes_in_through_the_users_bar() {
    let mut bench = Bench::new(BOTH);
    let page = u64::from(Build::default().user_size) - 0x1000;
    bench.machine.write_bar(USER, page + 0x100, b"calm");
    bench.machine.write_bar(USER, page + 4, &4u32.to_le_bytes());
    assert_eq!(bench.read(USER, page + 4), 2);
    assert_eq!(bench.read(USER, page + 0x800) & 0xffff, 0x6b6f);
    assert_eq!(
        bench.machine.statistics().matches("stray_reads=0").count(),
        1
    );
}

#[test]
fn a_broken_rule_is_a_fault() {
    let mut bench = Bench::new(BOTH);
    bench.machine.write_bar(DMA, 4, &[0; 2]);
    assert_eq!(bench.machine.journal().counts()[1].1, 1);
}
