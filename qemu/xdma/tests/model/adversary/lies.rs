// SPDX-License-Identifier: MIT OR GPL-2.0

//! Counts, words, records, credits and reads that are not true.

use pindma_xdma::Mode;

use super::{under, ALWAYS, WORD_AT};
use crate::bench::list::{self, Entry};
use crate::bench::*;

/// The last word of a list of ten, and the count register, under a mode.
fn told(mode: Mode, kind: u64) -> (u32, u32) {
    let mut bench = Bench::memory();
    bench.misbehave(mode, ALWAYS, kind);
    bench.telling(10);
    bench.tell();
    bench.run();
    (bench.ram.word(WORD_AT), bench.read(H2C + COUNT))
}

#[test]
fn the_count_is_wrong_and_the_word_is_right() {
    assert_eq!(told(Mode::WrongCount, 1), (10, 9));
    let (word, high) = told(Mode::WrongCount, 2);
    assert_eq!(word, 10);
    assert!((11..18).contains(&high), "{high}");
    assert!(told(Mode::WrongCount, 3).1 > 1023 + 10);
    assert_eq!(told(Mode::WrongCount, 4), (10, 5));
    assert_ne!(told(Mode::WrongCount, 5).1, 10);
    assert_ne!(told(Mode::WrongCount, 0).1, 10);
}

#[test]
fn the_word_is_wrong_and_the_count_is_right() {
    assert_eq!(told(Mode::WrongWord, 1), (9, 10));
    let (high, count) = told(Mode::WrongWord, 2);
    assert_eq!(count, 10);
    assert!((11..18).contains(&high), "{high}");
    assert!(told(Mode::WrongWord, 3).0 > 1023 + 10);
    assert_eq!(told(Mode::WrongWord, 4), (5, 10));
    assert_eq!(told(Mode::WrongWord, 5).0 >> 24, 0);
}

#[test]
fn the_word_is_missing_torn_or_only_an_error() {
    assert_eq!(told(Mode::MissingWord, 0), (0, 10));
    assert_eq!(told(Mode::ErrorWord, 0), (1 << 31, 10));
    let mut bench = Bench::memory();
    bench.misbehave(Mode::TornWord, ALWAYS, 0);
    bench.telling(1);
    bench.ram.put(WORD_AT, &[0xee; 4]);
    bench.tell();
    bench.run();
    assert_eq!(bench.ram.word(WORD_AT), 0xeeee_0001);
}

/// The records of two buffers of 128 bytes, after a packet of 100 and one of 300.
fn records(mode: Mode) -> [(u32, u32); 2] {
    let mut bench = Bench::stream();
    bench.misbehave(mode, ALWAYS, 0);
    bench.ram.map(TARGET, 8192);
    let at = TARGET + 4096;
    let entries = [0, 1].map(|n| Entry::of(at + n * 8, TARGET + n * 128, 128));
    list::chain(&mut bench.ram, LIST, &entries);
    bench.start(C2H, LIST, 0);
    bench.card.push_packet(0, &[1; 100]);
    bench.card.push_packet(0, &[2; 300]);
    bench.run();
    assert_eq!(bench.read(C2H + COUNT), 2);
    [0, 1].map(|n| (bench.ram.word(at + n * 8), bench.ram.word(at + n * 8 + 4)))
}

#[test]
fn records_are_short_empty_long_missing_blank_or_end_too_early() {
    let [first, _] = records(Mode::ShortRecord);
    assert_eq!(first.0, 0x52b4_0001);
    assert!(first.1 < 100, "{}", first.1);
    assert_eq!(records(Mode::EmptyRecord)[0], (0x52b4_0001, 0));
    assert!(records(Mode::LongRecord)[0].1 > 128);
    assert_eq!(records(Mode::MissingRecord), [(0, 0); 2]);
    assert_eq!(records(Mode::BlankRecord), [(1, 100), (0, 128)]);
    assert_eq!(records(Mode::ExtraEnd)[1], (0x52b4_0001, 128));
}

#[test]
fn credits_read_back_wrong() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::WrongCredits, ALWAYS, 0);
    bench.write(H2C_SGDMA + CREDITS, 7);
    assert_ne!(bench.read(H2C_SGDMA + CREDITS), 7);
    bench.card.adversary().calm();
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 7);
}

#[test]
fn credits_stay_after_run_0() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::StuckCredits, ALWAYS, 0);
    bench.pages_to_card(1);
    bench.credit_mode(H2C);
    bench.start(H2C, LIST, 0);
    bench.write(H2C_SGDMA + CREDITS, 7);
    bench.write(H2C + CONTROL_CLEAR, 1);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 7);
}

#[test]
fn from_an_access_on_all_is_ones_and_the_card_is_gone() {
    let mut bench = Bench::memory();
    bench.telling(3);
    bench.tell();
    bench.steps(1);
    bench.misbehave(Mode::AllOnes, ALWAYS, 3);
    assert_eq!(bench.read(IRQ), 0x1fc2_0006);
    assert_eq!(bench.read(IRQ), 0x1fc2_0006);
    assert_eq!(bench.read(IRQ), u32::MAX);
    assert_eq!(bench.card.in_flight_ranges(), []);
    let before = bench.ram.events.len();
    bench.run();
    assert_eq!(bench.ram.events.len(), before);
    assert_eq!(bench.read(H2C + COUNT), u32::MAX);
    bench.card.adversary().calm();
    assert_eq!(bench.read(IRQ), u32::MAX);
    bench.card.reset(&mut bench.ram);
    assert_eq!(bench.read(IRQ), 0x1fc2_0006);
}

#[test]
fn from_an_access_on_all_is_zeros() {
    let mut bench = under(Mode::AllZeros, 0);
    assert_eq!(bench.read(IRQ), 0);
    bench.write(IRQ + 0x10, 1);
    bench.card.adversary().calm();
    bench.card.reset(&mut bench.ram);
    assert_eq!(bench.read(IRQ + 0x10), 0);
}

#[test]
fn reads_are_ones_now_and_then() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::SomeOnes, 500, 0);
    let read: Vec<_> = (0..100).map(|_| bench.read(IRQ)).collect();
    assert!(read.contains(&u32::MAX) && read.contains(&0x1fc2_0006));
}
