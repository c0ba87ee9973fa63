// SPDX-License-Identifier: MIT OR GPL-2.0

//! Messages that are lost, late, doubled, or come without a cause.

use pindma_xdma::{Mode, Progress};

use super::{under, ALWAYS, WORD_AT};
use crate::bench::ram::Event;
use crate::bench::*;

#[test]
fn a_message_is_delayed() {
    let mut bench = under(Mode::DelayMessage, 1000);
    assert!(matches!(bench.run(), Progress::Until(_)));
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.ram.messages(), []);
    bench.run_on();
    assert_eq!(bench.ram.messages(), [0]);
}

#[test]
fn a_message_is_lost_and_its_cause_stays() {
    let mut bench = under(Mode::LostMessage, 0);
    bench.run();
    assert_eq!(bench.ram.messages(), []);
    assert_eq!(bench.read(IRQ + 0x44), 1);
}

#[test]
fn a_message_comes_after_the_next_one() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::LateMessage, ALWAYS, 0);
    bench.telling(2);
    bench.write(IRQ + 0xa0, 5);
    bench.tell();
    bench.step_until(|bench| bench.read(H2C + COUNT) >= 1);
    assert_eq!(bench.ram.messages(), []);
    bench.card.adversary().calm();
    bench.write(IRQ + 0xa0, 6);
    bench.read(H2C + STATUS_CLEARED);
    bench.run();
    assert_eq!(bench.ram.messages(), [6, 5]);
}

#[test]
fn a_message_comes_twice() {
    let mut bench = under(Mode::DuplicateMessage, 0);
    bench.run();
    assert_eq!(bench.ram.messages(), [0, 0]);
}

#[test]
fn a_message_comes_with_another_vector() {
    let mut bench = under(Mode::WrongVector, 0);
    bench.run();
    assert_eq!(bench.ram.messages().len(), 1);
    assert_ne!(bench.ram.messages(), [0]);
}

#[test]
fn a_message_comes_without_a_cause() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::SpuriousMessage, ALWAYS, 0);
    bench.write(IRQ + 0x10, 0);
    assert_eq!(bench.ram.messages().len(), 1);
    assert_eq!(bench.read(IRQ + 0x44), 0);
}

#[test]
fn a_message_comes_before_the_word() {
    let mut bench = under(Mode::EarlyMessage, 1000);
    bench.run();
    assert_eq!(bench.ram.messages(), [0]);
    assert_eq!(bench.ram.word(WORD_AT), 0);
    assert_eq!(bench.read(H2C + COUNT), 1);
    bench.run_on();
    assert_eq!(bench.ram.now.as_nanos(), 1000);
    assert_eq!(bench.ram.word(WORD_AT), 1);
    assert_eq!(bench.ram.events.last(), Some(&Event::Write(WORD_AT, 4)));
}
