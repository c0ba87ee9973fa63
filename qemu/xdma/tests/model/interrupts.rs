// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 13 to 16: levels and edges, enables, vectors, lines, and poll mode.

use pindma_xdma::{Channel, Config, Interrupts, Rule, Switches};

use crate::bench::list::{self, COMPLETED as DONE};
use crate::bench::ram::Event;
use crate::bench::*;

const CHANNELS_ENABLE: u64 = IRQ + 0x10;
const USER_ENABLE: u64 = IRQ + 0x04;

/// A list of one that ended, with its interrupt let through.
fn ended(bench: &mut Bench) {
    bench.pages_to_card(1);
    bench.write(H2C + MASK, STOPPED | COMPLETED);
    bench.write(CHANNELS_ENABLE, u32::MAX);
    bench.start(H2C, LIST, 0);
    bench.run();
}

#[test]
fn b13_the_vendors_way_masks_reads_and_unmasks() {
    let mut bench = Bench::memory();
    ended(&mut bench);
    bench.write(H2C + MASK + 8, STOPPED | COMPLETED);
    assert_eq!(bench.read(IRQ + 0x4c), 0);
    assert_eq!(bench.read(H2C + STATUS_CLEARED), STOPPED | COMPLETED);
    bench.write(H2C + MASK + 4, STOPPED | COMPLETED);
    assert_eq!(bench.ram.messages(), [0]);
}

#[test]
fn b13_the_kernels_way_reads_in_the_interrupt() {
    let mut bench = Bench::memory();
    ended(&mut bench);
    assert_eq!(bench.read(H2C + STATUS_CLEARED), STOPPED | COMPLETED);
    assert_eq!(bench.read(IRQ + 0x44), 0);
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench.write(H2C + CONTROL, IN_TREE);
    bench.run();
    assert_eq!(bench.ram.messages(), [0, 0]);
}

#[test]
fn b13_what_is_unmasked_with_its_cause_fires_again() {
    let mut bench = Bench::memory();
    ended(&mut bench);
    bench.write(H2C + MASK + 8, u32::MAX);
    bench.write(H2C + MASK + 4, COMPLETED);
    assert_eq!(bench.ram.messages(), [0, 0]);
    bench.write(CHANNELS_ENABLE + 8, 1);
    bench.write(CHANNELS_ENABLE + 4, 1);
    assert_eq!(bench.ram.messages(), [0, 0, 0]);
}

#[test]
fn b13_without_enable_a_cause_is_only_pending() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.write(H2C + MASK, COMPLETED);
    bench.start(H2C, LIST, 0);
    bench.run();
    assert_eq!(bench.read(IRQ + 0x4c), 1);
    assert_eq!(bench.read(IRQ + 0x44), 0);
    assert_eq!(bench.ram.messages(), []);
}

#[test]
fn b04_status_is_cleared_by_writing_ones_or_by_reading_44() {
    let mut bench = Bench::memory();
    ended(&mut bench);
    bench.write(H2C + STATUS, STOPPED);
    assert_eq!(bench.read(H2C + STATUS), COMPLETED);
    assert_eq!(bench.read(H2C + STATUS), COMPLETED);
    assert_eq!(bench.read(H2C + STATUS_CLEARED), COMPLETED);
    assert_eq!(bench.read(H2C + STATUS), 0);
}

#[test]
fn b04_busy_is_cleared_by_neither() {
    let mut bench = Bench::memory();
    bench.pages_to_card(1);
    bench.start(H2C, LIST, 0);
    bench.write(H2C + STATUS, u32::MAX);
    assert_eq!(bench.read(H2C + STATUS_CLEARED), 1);
    assert_eq!(bench.read(H2C + STATUS_CLEARED), 1);
}

#[test]
fn b14_channels_from_the_card_stand_behind_those_to_it() {
    let mut bench = Bench::new(Config {
        h2c: 3,
        c2h: 2,
        ..Config::default()
    });
    bench.pages_from_card(1);
    bench.write(C2H + 0x100 + MASK, STOPPED);
    bench.write(CHANNELS_ENABLE, u32::MAX);
    assert_eq!(bench.read(CHANNELS_ENABLE), 0x1f);
    bench.start(C2H + 0x100, LIST, 0);
    bench.run();
    assert_eq!(bench.read(IRQ + 0x44), 1 << 4);
    assert_eq!(bench.read(IRQ + 0x4c), 1 << 4);
}

#[test]
fn b14_a_line_stays_until_its_cause_is_served() {
    let mut bench = Bench::memory();
    bench.card.set_interrupts(Interrupts::Intx, &mut bench.ram);
    ended(&mut bench);
    assert_eq!(bench.ram.lines(), [(0, true)]);
    // The vendor's interrupt routine of lines: mask the channel, serve, unmask.
    bench.write(CHANNELS_ENABLE + 8, 1);
    assert_eq!(bench.ram.lines(), [(0, true), (0, false)]);
    bench.read(H2C + STATUS_CLEARED);
    bench.write(CHANNELS_ENABLE + 4, 1);
    assert_eq!(bench.ram.lines(), [(0, true), (0, false)]);
    assert_eq!(bench.ram.messages(), []);
}

#[test]
fn b14_the_low_bits_of_a_vector_choose_the_line() {
    let mut bench = Bench::memory();
    bench.card.set_interrupts(Interrupts::Intx, &mut bench.ram);
    bench.write(IRQ + 0xa0, 0x06);
    ended(&mut bench);
    assert_eq!(bench.ram.lines(), [(2, true)]);
}

#[test]
fn b14_one_message_of_msi_serves_all() {
    let mut bench = Bench::memory();
    bench
        .card
        .set_interrupts(Interrupts::Msi(1), &mut bench.ram);
    bench.write(IRQ + 0xa0, 0x0706_0504);
    ended(&mut bench);
    assert_eq!(bench.ram.messages(), [0]);
}

#[test]
fn b15_vectors_are_those_that_were_written() {
    let mut bench = Bench::memory();
    bench.write(IRQ + 0xa0, 0xff02_0113);
    assert_eq!(bench.read(IRQ + 0xa0), 0x1f02_0113);
    ended(&mut bench);
    assert_eq!(bench.ram.messages(), [0x13]);
    for word in 0..4 {
        bench.write(
            IRQ + 0x80 + word * 4,
            0x0302_0100 + 0x0404_0404 * word as u32,
        );
    }
    bench.write(USER_ENABLE, 1 << 14);
    bench.card.set_user_line(14, true, &mut bench.ram);
    assert_eq!(bench.ram.messages(), [0x13, 14]);
}

#[test]
fn b15_the_table_has_32_entries_that_begin_masked() {
    let mut bench = Bench::new(Config::default());
    let mut fresh = pindma_xdma::Card::new(Config::default()).expect("a build that is possible");
    for vector in [0, 31] {
        let mut word = [0; 4];
        fresh.read(1, MSIX + vector * 16 + 12, &mut word, &mut bench.ram);
        assert_eq!(word, [0xff; 4]);
    }
    bench.write(MSIX + 31 * 16 + 8, 0x42);
    assert_eq!(bench.read(MSIX + 31 * 16 + 8), 0x42);
    assert_eq!(bench.read(MSIX + 32 * 16), 0);
}

#[test]
fn b15_a_masked_vector_waits_in_the_pending_bits() {
    let mut bench = Bench::memory();
    bench.write(MSIX + 12, 1);
    ended(&mut bench);
    assert_eq!(bench.ram.messages(), []);
    assert_eq!(bench.read(MSIX + 0xfe0), 1);
    bench.write(MSIX + 12, 0);
    assert_eq!(bench.ram.messages(), [0]);
    assert_eq!(bench.read(MSIX + 0xfe0), 0);
}

#[test]
fn b15_the_mask_of_the_function_holds_all() {
    let mut bench = Bench::memory();
    let masked = Interrupts::MsiX { masked: true };
    bench.card.set_interrupts(masked, &mut bench.ram);
    ended(&mut bench);
    assert_eq!(bench.ram.messages(), []);
    let open = Interrupts::MsiX { masked: false };
    bench.card.set_interrupts(open, &mut bench.ram);
    assert_eq!(bench.ram.messages(), [0]);
}

/// Two descriptors that tell, with poll mode and nothing but it.
fn polled(config: Config, control: u32) -> Bench {
    let mut bench = Bench::new(config);
    let entries = bench.pages_to_card(2);
    let done: Vec<_> = entries.iter().map(|entry| entry.with(DONE)).collect();
    list::chain(&mut bench.ram, LIST, &done);
    bench.ram.put(0x5000, &[0xaa; 32]);
    bench.write(H2C + WORD, 0x5004);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, control);
    bench.run();
    bench
}

#[test]
fn b16_the_word_tells_of_every_descriptor_with_completed() {
    // Bit 26 alone, without ie_completed.
    let bench = polled(Config::default(), (1 << 26) | 1);
    assert_eq!(bench.ram.word(0x5004), 2);
    assert_eq!(bench.ram.word(0x5000), 0xaaaa_aaaa);
    assert_eq!(bench.ram.word(0x5008), 0xaaaa_aaaa);
    let statistics = bench.card.statistics().channel(Channel::H2c(0));
    assert_eq!(statistics.words, 2);
    assert_eq!(bench.ram.messages(), []);
}

#[test]
fn b16_without_bit_26_there_is_no_word() {
    let bench = polled(Config::default(), VENDOR);
    assert_eq!(bench.ram.word(0x5004), 0xaaaa_aaaa);
}

#[test]
fn b16_the_word_tells_of_an_error_and_what_was_done_before() {
    let mut bench = Bench::memory();
    bench.pages_to_card(2);
    bench
        .ram
        .bad
        .insert(SOURCE + 4096, pindma_xdma::BusError::CompleterAbort);
    bench.ram.map(0x5000, 4);
    bench.write(H2C + WORD, 0x5000);
    bench.first(H2C, LIST, 0);
    bench.write(H2C + CONTROL, VENDOR | (1 << 26));
    bench.run();
    assert_eq!(bench.ram.word(0x5000), (1 << 31) | 1);
}

#[test]
fn b16_the_word_goes_high_and_needs_an_alignment() {
    let mut bench = Bench::memory();
    bench.write(H2C + WORD, 0x9000_0001);
    bench.write(H2C + WORD + 4, 3);
    assert_eq!(bench.read(H2C + WORD), 0x9000_0001);
    assert_eq!(bench.read(H2C + WORD + 4), 3);
    assert_eq!(bench.faults(), [Rule::WordAlignment]);
}

#[test]
fn switch_the_word_may_be_there_only_without_interrupts() {
    let switches = Switches {
        word_with_interrupts: false,
        ..Switches::default()
    };
    let config = Config {
        switches,
        ..Config::default()
    };
    let mut bench = polled(config, (1 << 26) | VENDOR);
    assert_eq!(bench.ram.word(0x5004), 2);
    bench.write(H2C + CONTROL_CLEAR, 1);
    bench.ram.put(0x5004, &[0; 4]);
    bench.write(H2C + MASK, COMPLETED);
    bench.write(H2C + CONTROL_SET, 1);
    bench.run();
    assert_eq!(bench.ram.word(0x5004), 0);
}

#[test]
fn data_word_and_message_come_in_this_order() {
    let mut bench = Bench::memory();
    bench.pages_from_card(1);
    bench.ram.map(0x5000, 4);
    bench.write(C2H + WORD, 0x5000);
    bench.write(C2H + MASK, COMPLETED);
    bench.write(CHANNELS_ENABLE, u32::MAX);
    bench.first(C2H, LIST, 0);
    bench.write(C2H + CONTROL, VENDOR | (1 << 26));
    bench.run();
    let told = [
        Event::Read(LIST, 32),
        Event::Write(TARGET, 4096),
        Event::Write(0x5000, 4),
        Event::Message(0),
    ];
    assert_eq!(bench.ram.events, told);
}

#[test]
fn b24_user_lines_are_levels() {
    let mut bench = Bench::memory();
    bench.write(IRQ + 0x8c, 0x0f0e_0d0c);
    bench.card.set_user_line(15, true, &mut bench.ram);
    assert_eq!(bench.read(IRQ + 0x48), 1 << 15);
    assert_eq!(bench.read(IRQ + 0x40), 0);
    assert_eq!(bench.ram.messages(), []);
    // Enabled while it is high.
    bench.write(USER_ENABLE + 4, 1 << 15);
    assert_eq!(bench.ram.messages(), [15]);
    assert_eq!(bench.read(IRQ + 0x40), 1 << 15);
    bench.card.set_user_line(15, false, &mut bench.ram);
    assert_eq!(bench.read(IRQ + 0x48), 0);
    bench.card.set_user_line(15, true, &mut bench.ram);
    assert_eq!(bench.ram.messages(), [15, 15]);
}

#[test]
fn b24_user_logic_raises_lines_by_itself() {
    let mut bench = Bench::memory();
    bench.write(USER_ENABLE, 0xffff);
    let raise = (1u32 << 3).to_le_bytes();
    bench.card.write(0, 0x08, &raise, &mut bench.ram);
    assert_eq!(bench.read(IRQ + 0x40), 1 << 3);
    bench.card.write(0, 0x0c, &raise, &mut bench.ram);
    assert_eq!(bench.read(IRQ + 0x40), 0);
    assert_eq!(bench.ram.messages(), [0]);
}
