// SPDX-License-Identifier: MIT OR GPL-2.0
//! Blocks on their way to a made-up card.

use super::*;

fn plan(operands: &[&str]) -> Operands {
    let operands: Vec<_> = operands
        .iter()
        .map(|text| text.parse().expect("good"))
        .collect();
    Operands::collect(&operands, "if").expect("good")
}

fn work(operands: &[&str]) -> Work {
    Work::new(&plan(operands), None, true).expect("memory")
}

/// Takes three bytes at a time, and in all as many as it has room for.
struct Card {
    memory: Vec<u8>,
    room: usize,
}

impl Write for Card {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let len = from.len().min(3).min(self.room - self.memory.len());
        if len == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.memory.extend_from_slice(&from[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_written_of_a_block_is_counted() {
    let mut card = Card {
        memory: Vec::new(),
        room: 8,
    };
    let operands = ["bs=5"];
    let mut work = work(&operands);
    let ended = write_all(
        &mut work,
        &mut &b"0123456789"[..],
        &mut card,
        &plan(&operands),
    );
    assert!(ended.is_err(), "it is full");
    assert_eq!((work.done, &card.memory[..]), (8, &b"01234567"[..]));
}

#[test]
fn blocks_end_with_the_count() {
    let mut work = work(&["bs=100", "count=2"]);
    assert_eq!(work.wanted(), Some(100));
    work.advance(150);
    assert_eq!(work.wanted(), Some(50));
    work.advance(50);
    assert_eq!((work.wanted(), work.done), (None, 200));
}

#[test]
fn without_a_count_there_is_always_more() {
    let mut work = work(&["bs=100"]);
    work.advance(1000);
    assert_eq!(work.wanted(), Some(100));
}

#[test]
fn a_slow_input_fills_blocks() {
    let mut slow = Read::chain(&b"ab"[..], &b"cd"[..]);
    let mut block = [0; 3];
    assert_eq!(fill(&mut slow, &mut block).expect("readable"), 3);
    assert_eq!(fill(&mut slow, &mut block).expect("readable"), 1);
    assert_eq!(fill(&mut slow, &mut block).expect("readable"), 0);
}

#[test]
fn calls_are_made_again_after_a_signal() {
    let mut work = work(&["bs=1"]);
    let calls = std::cell::Cell::new(0);
    let ended = work.timed(|_| {
        calls.set(calls.get() + 1);
        match calls.get() {
            1 => Err(io::ErrorKind::Interrupted.into()),
            number => Ok(number),
        }
    });
    assert_eq!(ended.expect("the second time"), 2);
}
