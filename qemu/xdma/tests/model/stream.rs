// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviour 21: packets, records, and waiting for data.

use std::time::Duration;

use pindma_xdma::{Channel, Config, Interface, Progress, Sink, StarvedStream, Switches};

use crate::bench::list::{self, Entry, COMPLETED as DONE, EOP, STOP};
use crate::bench::*;

/// Where records are written.
const RECORDS: u64 = 0x30_0000;
const MAGIC: u32 = 0x52b4_0000;

/// `count` buffers of a size for a stream, with a record each, in a list that stops.
fn post(bench: &mut Bench, count: u64, size: u32) {
    bench.ram.put(RECORDS, &vec![0; count as usize * 8]);
    bench.ram.map(TARGET, count * u64::from(size));
    let entries: Vec<_> = (0..count)
        .map(|n| Entry::of(RECORDS + n * 8, TARGET + n * u64::from(size), size))
        .collect();
    list::chain(&mut bench.ram, LIST, &entries);
    bench.start(C2H, LIST, 0);
    bench.run();
}

fn record(bench: &Bench, number: u64) -> (u32, u32) {
    let at = RECORDS + number * 8;
    (bench.ram.word(at), bench.ram.word(at + 4))
}

#[test]
fn b21_packets_to_the_card_end_at_eop_only() {
    let mut bench = Bench::stream();
    for n in 0..4 {
        bench.ram.put(SOURCE + n * 4096, &[n as u8 + 1; 4096]);
    }
    let entries = [
        Entry::of(SOURCE, 0, 100),
        Entry::of(SOURCE + 4096, 0, 33).with(EOP),
        Entry::of(SOURCE + 8192, 0, 1).with(EOP | DONE),
        Entry::of(SOURCE + 12288, 0, 7),
    ];
    list::chain(&mut bench.ram, LIST, &entries);
    bench.start(H2C, LIST, 0);
    bench.run();
    let first = [vec![1; 100], vec![2; 33]].concat();
    assert_eq!(bench.card.take_packets(0), [first, vec![3]]);
    assert_eq!(bench.read(H2C + COUNT), 4);
    assert_eq!(bench.faults(), []);
}

#[test]
fn b21_a_full_stream_pushes_back() {
    let mut bench = Bench::new(Config {
        interface: Interface::Stream,
        stream_room: 1000,
        ..Config::default()
    });
    bench.ram.map(SOURCE, 4096);
    let entries = [600, 600].map(|length| Entry::of(SOURCE, 0, length).with(EOP));
    list::chain(&mut bench.ram, LIST, &entries);
    bench.start(H2C, LIST, 0);
    assert_eq!(bench.run(), Progress::Idle);
    assert_eq!(bench.read(H2C + COUNT), 1);
    assert!(bench.is_busy(H2C));
    assert_eq!(bench.card.take_packets(0).len(), 1);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 2);
    assert_eq!(bench.card.take_packets(0), [vec![0; 600]]);
}

#[test]
fn b21_a_short_packet_closes_its_buffer() {
    let mut bench = Bench::stream();
    post(&mut bench, 2, 4096);
    bench.card.push_packet(0, &[7; 100]);
    bench.run();
    assert_eq!(bench.read(C2H + COUNT), 1);
    assert_eq!(record(&bench, 0), (MAGIC | 1, 100));
    assert_eq!(bench.ram.get(TARGET, 101), [vec![7; 100], vec![0]].concat());
    assert_eq!(record(&bench, 1), (0, 0));
    assert!(bench.is_busy(C2H));
}

#[test]
fn b21_an_exact_fill_ends_the_packet() {
    let mut bench = Bench::stream();
    post(&mut bench, 2, 128);
    bench.card.push_packet(0, &[7; 128]);
    bench.run();
    assert_eq!(record(&bench, 0), (MAGIC | 1, 128));
    assert_eq!(bench.read(C2H + COUNT), 1);
}

#[test]
fn b21_a_packet_spans_buffers_and_the_next_begins_in_the_next() {
    let mut bench = Bench::stream();
    post(&mut bench, 4, 128);
    bench.card.push_packet(0, &[1; 300]);
    bench.card.push_packet(0, &[2; 10]);
    bench.run();
    let records = (0..4).map(|n| record(&bench, n));
    let expected = [(MAGIC, 128), (MAGIC, 128), (MAGIC | 1, 44), (MAGIC | 1, 10)];
    assert_eq!(records.collect::<Vec<_>>(), expected);
    assert_eq!(bench.ram.get(TARGET + 384, 10), [2; 10]);
    assert_eq!(bench.read(C2H + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.faults(), []);
}

#[test]
fn b21_packets_wait_for_buffers_without_loss() {
    let mut bench = Bench::stream();
    for n in 1..=3 {
        bench.card.push_packet(0, &[n; 64]);
    }
    bench.run();
    assert_eq!(bench.card.waiting(0), 192);
    post(&mut bench, 3, 64);
    for n in 0..3 {
        assert_eq!(record(&bench, n), (MAGIC | 1, 64));
        assert_eq!(bench.ram.get(TARGET + n * 64, 64), [n as u8 + 1; 64]);
    }
}

#[test]
fn b21_bit_27_turns_records_off() {
    let mut bench = Bench::stream();
    bench.ram.put(RECORDS, &[0xaa; 8]);
    bench.ram.map(TARGET, 4096);
    list::chain(&mut bench.ram, LIST, &[Entry::of(RECORDS, TARGET, 64)]);
    bench.first(C2H, LIST, 0);
    bench.write(C2H + CONTROL, VENDOR | (1 << 27));
    bench.card.push_packet(0, &[1; 64]);
    bench.run();
    assert_eq!(bench.ram.get(RECORDS, 8), [0xaa; 8]);
    assert_eq!(bench.read(C2H + COUNT), 1);
}

#[test]
fn b21_the_flush_timeout_closes_a_buffer_that_has_data() {
    let mut bench = Bench::stream();
    bench.write(CONFIG + 0x60, 10);
    // A loop that never ends a packet.
    bench.card.set_sink(0, Sink::Loopback);
    post(&mut bench, 2, 128);
    bench.ram.put(SOURCE, &[5; 100]);
    list::chain(&mut bench.ram, LIST + 0x1000, &[Entry::of(SOURCE, 0, 100)]);
    bench.start(H2C, LIST + 0x1000, 0);
    // 1024 clocks of 4 ns.
    assert_eq!(bench.run(), Progress::Until(Duration::from_nanos(4096)));
    bench.pass(4095);
    bench.run();
    assert_eq!(bench.read(C2H + COUNT), 0);
    bench.pass(1);
    assert_eq!(bench.run(), Progress::Idle);
    assert_eq!(record(&bench, 0), (MAGIC, 100));
    assert_eq!(bench.read(C2H + COUNT), 1);
}

#[test]
fn switch_the_flush_timeout_may_close_an_empty_buffer() {
    let switches = Switches {
        flush_empty: true,
        ..Switches::default()
    };
    let mut bench = Bench::new(Config {
        interface: Interface::Stream,
        switches,
        ..Config::default()
    });
    bench.write(CONFIG + 0x60, 4);
    post(&mut bench, 1, 128);
    bench.run_on();
    assert_eq!(record(&bench, 0), (MAGIC, 0));
    assert_eq!(bench.read(C2H + STATUS), STOPPED | COMPLETED);
}

#[test]
fn b21_without_data_run_0_leaves_it_busy() {
    let mut bench = Bench::stream();
    post(&mut bench, 2, 128);
    bench.write(C2H + CONTROL_CLEAR, 1);
    assert_eq!(bench.run(), Progress::Idle);
    assert!(bench.is_busy(C2H));
    // Data that comes at last ends it.
    bench.card.push_packet(0, &[9; 32]);
    bench.run();
    assert!(!bench.is_busy(C2H));
    assert_eq!(record(&bench, 0), (MAGIC | 1, 32));
    assert_eq!(bench.read(C2H + COUNT), 1);
}

#[test]
fn switch_without_data_run_0_may_give_up() {
    let switches = Switches {
        starved_stream: StarvedStream::GivesUp,
        ..Switches::default()
    };
    let mut bench = Bench::new(Config {
        interface: Interface::Stream,
        switches,
        ..Config::default()
    });
    post(&mut bench, 2, 128);
    bench.write(C2H + CONTROL_CLEAR, 1);
    bench.run();
    assert!(!bench.is_busy(C2H));
    assert_eq!(bench.read(C2H + COUNT), 0);
}

#[test]
fn a_loop_gives_packets_back_through_the_channel_of_the_same_number() {
    let mut bench = Bench::stream();
    bench.card.set_sink(1, Sink::Loopback);
    bench.ram.put(SOURCE, &[3; 4096]);
    let sent = [
        Entry::of(SOURCE, 0, 200).with(EOP),
        Entry::of(SOURCE, 0, 50).with(EOP),
    ];
    list::chain(&mut bench.ram, LIST + 0x1000, &sent);
    bench.start(H2C + 0x100, LIST + 0x1000, 0);
    bench.ram.map(TARGET, 4096);
    bench.ram.map(RECORDS, 4096);
    let buffers = [0, 1].map(|n| Entry::of(RECORDS + n * 8, TARGET + n * 1024, 1024));
    list::chain(&mut bench.ram, LIST, &buffers);
    bench.start(C2H + 0x100, LIST, 0);
    bench.run();
    assert_eq!(record(&bench, 0), (MAGIC | 1, 200));
    assert_eq!(record(&bench, 1), (MAGIC | 1, 50));
    assert_eq!(bench.ram.get(TARGET + 1024, 50), [3; 50]);
}

#[test]
fn packets_that_nobody_wants_are_dropped() {
    let mut bench = Bench::new(Config {
        interface: Interface::Stream,
        stream_room: 64,
        ..Config::default()
    });
    bench.card.set_sink(0, Sink::Discard);
    bench.ram.map(SOURCE, 4096);
    let sent = Entry::of(SOURCE, 0, 4096).with(EOP | STOP);
    list::chain(&mut bench.ram, LIST, &[sent]);
    bench.start(H2C, LIST, 0);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 1);
    assert!(bench.card.take_packets(0).is_empty());
    let bytes = bench.card.statistics().channel(Channel::H2c(0)).bytes;
    assert_eq!(bytes, 4096);
}
