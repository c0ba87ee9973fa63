// SPDX-License-Identifier: MIT OR GPL-2.0

//! Every way to misbehave does what its description says.

use std::time::Duration;

use pindma_xdma::{Channel, Mode, Progress, Setting};

use crate::bench::list::{self, Entry, COMPLETED as DONE};
use crate::bench::ram::Event;
use crate::bench::*;

mod lies;
mod telling;

const ALWAYS: u16 = 1000;
const WORD_AT: u64 = 0x5000;

impl Bench {
    /// Turns a mode on, so many times of 1000.
    fn misbehave(&mut self, mode: Mode, odds: u16, amount: u64) {
        let only = None;
        let setting = Setting { odds, amount, only };
        self.card.adversary().set(mode, setting);
    }

    fn deeds(&mut self, mode: Mode) -> u64 {
        self.card.adversary().deeds(mode)
    }

    /// Pages to the card, each with COMPLETED, a word and an interrupt.
    fn telling(&mut self, count: usize) {
        let entries = self.pages_to_card(count);
        let done: Vec<_> = entries.iter().map(|entry| entry.with(DONE)).collect();
        list::chain(&mut self.ram, LIST, &done);
        self.ram.put(WORD_AT, &[0; 4]);
        self.write(H2C + WORD, WORD_AT as u32);
        self.write(H2C + MASK, STOPPED | COMPLETED);
        self.write(IRQ + 0x10, u32::MAX);
        self.first(H2C, LIST, 0);
    }

    fn tell(&mut self) {
        self.write(H2C + CONTROL, VENDOR | (1 << 26));
    }
}

/// One page to the card under a mode.
fn under(mode: Mode, amount: u64) -> Bench {
    let mut bench = Bench::memory();
    bench.misbehave(mode, ALWAYS, amount);
    bench.telling(1);
    bench.tell();
    bench
}

#[test]
fn a_descriptor_is_delayed() {
    let mut bench = under(Mode::DelayDescriptor, 1000);
    let Progress::Until(moment) = bench.run() else {
        panic!("it does not wait");
    };
    assert!(moment.as_nanos() <= 1000);
    assert_eq!(bench.ram.reads(SOURCE, 4096), []);
    assert!(bench.is_busy(H2C));
    bench.run_on();
    assert_eq!(bench.read(H2C + COUNT), 1);
}

#[test]
fn a_descriptor_is_slow() {
    let mut bench = under(Mode::Slow, 1000);
    let begun = bench.ram.now;
    let Progress::Until(moment) = bench.run() else {
        panic!("it does not wait");
    };
    assert_eq!(moment - begun, Duration::from_nanos(1000));
    assert_eq!(bench.ram.reads(SOURCE, 4096), []);
    bench.run_on();
    assert_eq!(bench.read(H2C + COUNT), 1);
}

#[test]
fn a_fetch_is_delayed() {
    let mut bench = under(Mode::DelayFetch, 1000);
    assert!(matches!(bench.run(), Progress::Until(_)));
    assert_eq!(bench.ram.reads(LIST, 32), []);
    bench.run_on();
    assert_eq!(bench.read(H2C + COUNT), 1);
}

#[test]
fn what_tells_is_delayed() {
    let mut bench = under(Mode::DelayWriteBack, 1000);
    assert!(matches!(bench.run(), Progress::Until(_)));
    assert_eq!(bench.on_card(0, 1), [1]);
    assert_eq!(bench.read(H2C + COUNT), 0);
    assert!(bench.is_busy(H2C));
    bench.run_on();
    assert_eq!(bench.read(H2C + COUNT), 1);
    assert_eq!(bench.ram.messages(), [0]);
}

/// The sources that were read, in their order.
fn order(mode: Option<u64>) -> Vec<u64> {
    let mut bench = Bench::memory();
    if let Some(seed) = mode {
        bench.card.adversary().seed(seed);
        bench.misbehave(Mode::Reorder, ALWAYS, 0);
    }
    bench.pages_to_card(8);
    for block in [H2C, H2C + 0x100] {
        let first = SOURCE + if block == H2C { 0 } else { 4 * 4096 };
        let entries: Vec<_> = (0..4)
            .map(|n| Entry::of(first + n * 4096, n * 4096, 4096))
            .collect();
        list::chain(&mut bench.ram, LIST + block * 0x10, &entries);
        bench.start(block, LIST + block * 0x10, 0);
    }
    bench.run();
    let page = |event: &Event| match event {
        Event::Read(at, _) if *at >= SOURCE => Some((at - SOURCE) / 4096),
        _ => None,
    };
    bench.ram.events.iter().filter_map(page).collect()
}

#[test]
fn channels_are_reordered_and_one_never() {
    let calm = order(None);
    assert_eq!(calm, [0, 4, 1, 5, 2, 6, 3, 7]);
    let orders: Vec<_> = (0..8).map(|seed| order(Some(seed))).collect();
    assert!(orders.iter().any(|order| *order != calm));
    for order in orders {
        let own = |first: bool| order.iter().filter(move |page| (**page < 4) == first);
        assert!(own(true).is_sorted() && own(false).is_sorted());
        assert_eq!(order.len(), 8);
    }
}

#[test]
fn busy_lags_for_some_reads() {
    let mut bench = under(Mode::BusyLag, 5);
    bench.run();
    let reads = (0..10).take_while(|_| bench.is_busy(H2C)).count();
    assert!((1..=5).contains(&reads), "{reads}");
    assert!(!bench.is_busy(H2C));
}

#[test]
fn a_good_descriptor_is_said_to_lack_its_magic() {
    let mut bench = under(Mode::MagicClaim, 0);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 4);
    assert_eq!(bench.read(H2C + COUNT), 0);
    assert_eq!(bench.faults(), []);
}

#[test]
fn a_good_fetch_is_said_to_have_failed() {
    let mut bench = under(Mode::FetchClaim, 0);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 19);
    assert_eq!(bench.read(H2C + COUNT), 0);
}

#[test]
fn an_error_is_told_and_the_channel_goes_on() {
    let mut bench = Bench::memory();
    bench.telling(3);
    bench.misbehave(Mode::ErrorGoesOn, ALWAYS, 0);
    bench.tell();
    bench.step_until(|bench| bench.read(H2C + STATUS) & (1 << 9) != 0);
    assert!(bench.is_busy(H2C));
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 3);
    assert_eq!(bench.on_card(0x2000, 1), [3]);
}

/// A list of four of which the second is in work when Run goes to 0.
fn stopped(mode: Mode, amount: u64) -> Bench {
    let mut bench = Bench::memory();
    bench.misbehave(mode, ALWAYS, amount);
    bench.telling(4);
    bench.tell();
    bench.step_until(|bench| bench.read(H2C + COUNT) >= 1);
    bench.steps(1);
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench
}

#[test]
fn one_more_descriptor_runs_after_run_0() {
    let mut bench = stopped(Mode::RunOn, 0);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 3);
    assert!(!bench.is_busy(H2C));
}

#[test]
fn run_0_is_ignored_for_a_while() {
    let mut bench = stopped(Mode::IgnoreStop, 500);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 4);

    let mut bench = stopped(Mode::IgnoreStop, 500);
    bench.pass(500);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 2);
}

#[test]
fn a_channel_is_never_idle_until_a_reset() {
    let mut bench = stopped(Mode::NeverIdle, 0);
    bench.run();
    bench.card.adversary().calm();
    assert_eq!(bench.read(H2C + COUNT), 1);
    let ranges = bench.card.in_flight_ranges();
    assert!(ranges.iter().any(|range| range.address == SOURCE + 4096));
    assert!(ranges.iter().all(|range| range.address != SOURCE));
    for _ in 0..100 {
        assert!(bench.is_busy(H2C));
        bench.pass(1_000_000_000);
        assert_eq!(bench.run(), Progress::Idle);
    }
    bench.card.reset(&mut bench.ram);
    bench.power();
    assert!(!bench.is_busy(H2C));
    bench.telling(2);
    bench.tell();
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 2);
}

#[test]
fn a_channel_is_never_idle_after_a_list_that_is_done() {
    let mut bench = under(Mode::NeverIdle, 0);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 1);
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED | 1);
    let ranges = bench.card.in_flight_ranges();
    assert!(ranges.iter().all(|range| range.address != SOURCE));
}

#[test]
fn a_finished_buffer_is_written_late() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::WroteAfterDone, ALWAYS, 700);
    bench.pages_from_card(1);
    bench.start(C2H, LIST, 0);
    bench.run();
    assert_eq!(bench.read(C2H + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.ram.get(TARGET, 64), [1; 64]);
    bench.pass(700);
    bench.run();
    assert_ne!(bench.ram.get(TARGET, 64), [1; 64]);
    assert_eq!(bench.ram.get(TARGET + 64, 64), [1; 64]);
}

#[test]
fn what_is_behind_a_range_is_written() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::ForeignWrite, ALWAYS, 3);
    bench.pages_from_card(1);
    bench.start(C2H, LIST, 0);
    bench.run();
    let foreign = Event::Write(TARGET + 4096 + 3 * 4096, 8);
    assert!(bench.ram.events.contains(&foreign));
    assert_eq!(bench.read(C2H + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.deeds(Mode::ForeignWrite), 1);
}

/// All that reached the host while a list of a hundred was done.
fn story(seed: u64, modes: &[Mode]) -> Vec<Event> {
    let mut bench = Bench::memory();
    bench.card.adversary().seed(seed);
    for mode in modes {
        bench.misbehave(*mode, 300, 100);
    }
    bench.telling(100);
    bench.tell();
    bench.run_on();
    bench.ram.events
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let modes = [
        Mode::DelayDescriptor,
        Mode::DelayMessage,
        Mode::DuplicateMessage,
        Mode::SpuriousMessage,
        Mode::WrongVector,
        Mode::WrongWord,
        Mode::TornWord,
    ];
    let first = story(7, &modes);
    // The stories are too long to be printed.
    assert!(story(7, &modes) == first);
    assert!(story(8, &modes) != first);
    assert!(story(7, &modes[..6]) != first);
}

/// Which of 50 messages of channel 1 are lost while channel 0 works or not.
fn lost(beside: bool) -> Vec<bool> {
    let mut bench = Bench::memory();
    bench.card.adversary().seed(3);
    bench.misbehave(Mode::LostMessage, 400, 0);
    bench.telling(1);
    bench.write(H2C + 0x100 + MASK, STOPPED);
    bench.write(IRQ + 0xa0, 0x0302_0100);
    let mut lost = Vec::new();
    for _ in 0..50 {
        bench.ram.events.clear();
        if beside {
            bench.write(H2C + CONTROL_CLEAR, 1);
            bench.tell();
        }
        bench.write(H2C + 0x100 + CONTROL_CLEAR, 1);
        bench.start(H2C + 0x100, LIST, 0);
        bench.run();
        lost.push(!bench.ram.messages().contains(&1));
    }
    lost
}

#[test]
fn the_fate_of_a_channel_does_not_hang_on_others() {
    let alone = lost(false);
    assert_eq!(lost(true), alone);
    assert!(alone.contains(&true) && alone.contains(&false));
}

#[test]
fn one_channel_misbehaves_and_the_others_do_not() {
    let mut bench = Bench::memory();
    bench.card.adversary().set(
        Mode::MagicClaim,
        Setting {
            odds: ALWAYS,
            amount: 0,
            only: Some(Channel::H2c(1)),
        },
    );
    bench.pages_to_card(3);
    bench.start(H2C, LIST, 0);
    bench.start(H2C + 0x100, LIST, 0);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
    assert_eq!(bench.read(H2C + 0x100 + STATUS), 1 << 4);
}

#[test]
fn modes_are_switched_at_run_time_and_counted() {
    let mut bench = under(Mode::LostMessage, 0);
    bench.run();
    assert_eq!(bench.ram.messages(), []);
    assert_eq!(bench.deeds(Mode::LostMessage), 1);
    bench.card.adversary().calm();
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench.tell();
    bench.run();
    assert_eq!(bench.ram.messages(), [0]);
    assert_eq!(bench.deeds(Mode::LostMessage), 1);
}

#[test]
fn odds_are_of_a_thousand() {
    let mut bench = Bench::memory();
    bench.misbehave(Mode::SomeOnes, 250, 0);
    let ones = (0..4000).filter(|_| bench.read(IRQ) == u32::MAX).count();
    assert!((800..1200).contains(&ones), "{ones}");
}

#[test]
fn every_mode_has_a_name_that_finds_it() {
    for mode in Mode::ALL {
        assert_eq!(mode.to_string().parse(), Ok(mode));
    }
    assert_eq!(Mode::WroteAfterDone.to_string(), "wrote-after-done");
    assert!("wrote".parse::<Mode>().is_err());
}
