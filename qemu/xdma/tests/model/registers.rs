// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 1 to 4 and 24: the map, widths, and bits that are set and cleared.

use pindma_xdma::{
    AliasReads, Alignments, Block, Card, Config, DataWidth, Interface, Interrupts, Rule, Switches,
};

use crate::bench::*;

#[test]
fn b01_every_block_has_its_identifier_and_absent_ones_read_0() {
    let mut bench = Bench::new(Config {
        h2c: 2,
        c2h: 1,
        ..Config::default()
    });
    let blocks = [H2C, C2H, IRQ, CONFIG, H2C_SGDMA, C2H_SGDMA, COMMON];
    for (target, block) in (0..).zip(blocks) {
        assert_eq!(bench.read(block), 0x1fc0_0006 | (target << 16));
    }
    assert_eq!(bench.read(H2C + 0x100), 0x1fc0_0106);
    assert_eq!(bench.read(H2C_SGDMA + 0x100), 0x1fc4_0106);
    for absent in [H2C + 0x200, C2H + 0x100, C2H_SGDMA + 0x100, 0x7000, 0x9000] {
        assert_eq!(bench.read(absent), 0, "{absent:#x}");
    }
}

#[test]
fn b01_a_stream_shows_in_the_channels_identifiers() {
    let mut bench = Bench::stream();
    assert_eq!(bench.read(C2H), 0x1fc1_8006);
    assert_eq!(bench.read(H2C_SGDMA + 0x100), 0x1fc4_8106);
    assert_eq!(bench.read(IRQ), 0x1fc2_0006);
}

#[test]
fn b01_the_dma_bar_is_0_1_or_2_and_stray_reads_of_user_logic_are_counted() {
    for (dma_bar, user_size) in [(0, 0), (1, 1 << 16), (2, 1 << 16)] {
        let mut bench = Bench::new(Config {
            dma_bar,
            user_size,
            ..Config::default()
        });
        assert_eq!(bench.read(IRQ), 0x1fc2_0006);
        let mut word = [0; 4];
        bench.card.read(0, 0x2000, &mut word, &mut bench.ram);
        let stray = u64::from(user_size > 0);
        assert_eq!(bench.card.statistics().stray_reads, stray);
    }
}

#[test]
fn b02_other_widths_are_counted_and_do_nothing() {
    let mut bench = Bench::memory();
    bench.write(H2C + MASK, 6);
    for width in [1, 2, 8] {
        let mut data = vec![0x55; width];
        bench.card.read(1, H2C + MASK, &mut data, &mut bench.ram);
        assert_eq!(data, vec![0xff; width]);
        bench
            .card
            .write(1, H2C + MASK, &vec![0; width], &mut bench.ram);
    }
    let mut data = [0; 4];
    bench
        .card
        .read(1, H2C + MASK + 2, &mut data, &mut bench.ram);
    assert_eq!(data, [0xff; 4]);
    assert_eq!(bench.card.faults().count(Rule::AccessWidth), 7);
    assert_eq!(bench.read(H2C + MASK), 6);
}

#[test]
fn b02_the_page_of_msix_is_trapped_like_the_rest() {
    let mut bench = Bench::memory();
    bench.write(MSIX + 4, 0x1234);
    assert_eq!(bench.read(MSIX + 4), 0x1234);
    assert_eq!(bench.card.statistics().block(Block::MsiX).writes, 1);
    let mut pair = [0; 8];
    bench.card.read(1, MSIX, &mut pair, &mut bench.ram);
    assert_eq!(pair[4..6], [0x34, 0x12]);
    assert_eq!(bench.faults(), []);
}

/// Writes, sets and clears through the three addresses of a register.
fn edits(bench: &mut Bench, at: u64, mask: u32) {
    bench.write(at, u32::MAX);
    assert_eq!(bench.read(at), mask, "{at:#x} has other bits");
    bench.write(at + 8, 0x5555_5555);
    assert_eq!(bench.read(at), mask & 0xaaaa_aaaa, "{at:#x} clears wrongly");
    bench.write(at + 4, 0x1111_1111);
    let expected = mask & 0xbbbb_bbbb;
    assert_eq!(bench.read(at), expected, "{at:#x} sets wrongly");
    bench.write(at, 0);
    assert_eq!(bench.read(at), 0, "{at:#x} cannot be written");
}

#[test]
fn b03_six_registers_can_be_written_set_and_cleared() {
    let mut bench = Bench::memory();
    edits(&mut bench, H2C + MASK, 0x00ff_fe7e);
    edits(&mut bench, C2H + MASK, 0x00f8_3e7e);
    edits(&mut bench, IRQ + 0x04, 0xffff);
    edits(&mut bench, IRQ + 0x10, 0xf);
    edits(&mut bench, COMMON + 0x10, 0x0003_0003);
    edits(&mut bench, COMMON + 0x20, 0x0003_0003);
    bench.write(H2C + CONTROL, 0xffff_fffe);
    assert_eq!(bench.read(H2C + CONTROL), 0x06ff_fe7e);
    bench.write(H2C + CONTROL_CLEAR, 0x0200_0002);
    assert_eq!(bench.read(H2C + CONTROL), 0x04ff_fe7c);
    bench.write(H2C + CONTROL_SET, 2);
    assert_eq!(bench.read(H2C + CONTROL), 0x04ff_fe7e);
}

#[test]
fn b03_the_mask_has_no_fourth_address() {
    let mut bench = Bench::memory();
    bench.write(H2C + MASK, 6);
    bench.write(H2C + 0x9c, 6);
    assert_eq!(bench.read(H2C + MASK), 6);
    assert_eq!(bench.read(H2C + 0x9c), 0);
}

#[test]
fn b03_without_credits_the_mode_does_not_stick() {
    let mut bench = Bench::new(Config {
        credits: false,
        ..Config::default()
    });
    bench.write(COMMON + 0x24, u32::MAX);
    bench.write(H2C_SGDMA + CREDITS, 5);
    assert_eq!(bench.read(COMMON + 0x20), 0);
    assert_eq!(bench.read(H2C_SGDMA + CREDITS), 0);
}

#[test]
fn switch_aliases_read_as_the_value_or_as_0() {
    for (alias_reads, expected) in [(AliasReads::Value, 6), (AliasReads::Zero, 0)] {
        let switches = Switches {
            alias_reads,
            ..Switches::default()
        };
        let mut bench = Bench::new(Config {
            switches,
            ..Config::default()
        });
        bench.write(H2C + MASK, 6);
        assert_eq!(bench.read(H2C + MASK + 4), expected);
        assert_eq!(bench.read(H2C + MASK + 8), expected);
    }
}

#[test]
fn b24_alignments_are_those_of_the_build() {
    for (address, length, address_bits, word) in [
        (1, 1, 64, 0x0001_0140),
        (8, 8, 40, 0x0008_0828),
        (64, 64, 32, 0x0040_4020),
    ] {
        let mut bench = Bench::new(Config {
            alignments: Alignments {
                address,
                length,
                address_bits,
            },
            ..Config::default()
        });
        assert_eq!(bench.read(H2C + 0x4c), word);
        assert_eq!(bench.read(C2H + 0x4c), word);
    }
}

#[test]
fn b24_the_config_block_mirrors_config_space() {
    let mut bench = Bench::new(Config {
        data_width: DataWidth::Bits512,
        ..Config::default()
    });
    bench.card.set_link(0x0300, 1, 2);
    let words = [
        (0x04, 0x0300),
        (0x08, 1),
        (0x0c, 2),
        (0x10, 0xff01),
        (0x14, 2),
        (0x18, 3),
    ];
    for (register, value) in words {
        assert_eq!(bench.read(CONFIG + register), value, "{register:#x}");
    }
    bench
        .card
        .set_interrupts(Interrupts::Msi(1), &mut bench.ram);
    assert_eq!(bench.read(CONFIG + 0x14), 1);
    // Programmed 5; what the link allows holds.
    assert_eq!(bench.read(CONFIG + 0x40), 0x15);
    assert_eq!(bench.read(CONFIG + 0x44), 0x25);
    bench.write(CONFIG + 0x44, 1);
    assert_eq!(bench.read(CONFIG + 0x44), 0x11);
}

#[test]
fn b24_relaxed_ordering_is_one_bit_and_starts_on() {
    let mut bench = Bench::memory();
    assert_eq!(bench.read(CONFIG + 0x1c), 1);
    bench.write(CONFIG + 0x1c, 0xffff_fffe);
    assert_eq!(bench.read(CONFIG + 0x1c), 0);
    bench.write(CONFIG + 0x1c, 1);
    assert_eq!(bench.read(CONFIG + 0x1c), 1);
}

#[test]
fn the_bypass_bar_is_the_cards_memory() {
    let mut bench = Bench::new(Config {
        bypass: true,
        memory_base: 1 << 40,
        ..Config::default()
    });
    bench.card.write(2, 0x1001, &[7, 8, 9], &mut bench.ram);
    let mut data = [0; 3];
    let read = bench.card.read_memory((1 << 40) + 0x1001, &mut data);
    assert_eq!((read, data), (Ok(()), [7, 8, 9]));
}

#[test]
fn a_stream_is_of_all_channels() {
    let mut card = Card::new(Config {
        interface: Interface::Stream,
        c2h: 4,
        ..Config::default()
    })
    .expect("a build that is possible");
    let mut ram = ram::Ram::default();
    for channel in 0..4 {
        let mut word = [0; 4];
        card.read(1, C2H + 0x100 * channel, &mut word, &mut ram);
        assert_eq!(word[1] & 0x80, 0x80);
    }
}
