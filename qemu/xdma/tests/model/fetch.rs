// SPDX-License-Identifier: MIT OR GPL-2.0

//! Behaviours 7 and 8: the walk through blocks, and the rules of lists.

use pindma_xdma::{Alignments, Channel, Config, Rule};

use crate::bench::list::{self, Entry, STOP};
use crate::bench::*;

/// `count` descriptors of 8 bytes each, to places that show their order.
fn small(bench: &mut Bench, count: u64) -> Vec<Entry> {
    for n in 0..count {
        bench.ram.put(SOURCE + n * 8, &(n + 1).to_le_bytes());
    }
    (0..count)
        .map(|n| Entry::of(SOURCE + n * 8, n * 8, 8))
        .collect()
}

fn all_arrived(bench: &mut Bench, count: u64) {
    assert_eq!(bench.read(H2C + STATUS), STOPPED | COMPLETED);
    assert_eq!(u64::from(bench.read(H2C + COUNT)), count);
    for n in 0..count {
        assert_eq!(bench.on_card(n * 8, 8), (n + 1).to_le_bytes());
    }
    assert_eq!(bench.faults(), []);
}

type Write = fn(&mut ram::Ram, u64, &[Entry]) -> u32;

#[test]
fn b07_both_drivers_lists_give_the_same_walk() {
    for write in [list::vendor as Write, list::in_tree] {
        for count in [1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 129, 300] {
            let mut bench = Bench::memory();
            let entries = small(&mut bench, count);
            let adjacent = write(&mut bench.ram, LIST, &entries);
            bench.start(H2C, LIST, adjacent);
            bench.run();
            all_arrived(&mut bench, count);
        }
    }
}

#[test]
fn b07_the_vendors_blocks_may_begin_anywhere_in_64() {
    for first in [1, 20, 62, 63] {
        let mut bench = Bench::memory();
        let entries = small(&mut bench, 150);
        let at = LIST + first * 32;
        let adjacent = list::vendor(&mut bench.ram, at, &entries);
        bench.start(H2C, at, adjacent);
        bench.run();
        all_arrived(&mut bench, 150);
    }
}

#[test]
fn b07_the_link_splits_a_block_and_the_walk_goes_on_in_it() {
    for (code, most) in [
        (0, 128),
        (1, 256),
        (2, 512),
        (3, 1024),
        (4, 2048),
        (5, 4096),
    ] {
        for write in [list::vendor as Write, list::in_tree] {
            let mut bench = Bench::new(Config {
                data_width: pindma_xdma::DataWidth::Bits512,
                ..Config::default()
            });
            bench.card.set_link(0, 5, code);
            let entries = small(&mut bench, 200);
            let adjacent = write(&mut bench.ram, LIST, &entries);
            bench.start(H2C, LIST, adjacent);
            bench.run();
            all_arrived(&mut bench, 200);
            let requests = bench.ram.reads(LIST, 200 * 32);
            let block = 32 * (adjacent as usize + 1);
            assert_eq!(requests.iter().max(), Some(&most.min(block)));
            assert_eq!(requests.iter().sum::<usize>(), 200 * 32);
        }
    }
}

#[test]
fn b07_only_the_last_of_a_block_is_followed() {
    let mut bench = Bench::memory();
    let entries = small(&mut bench, 4);
    list::vendor(&mut bench.ram, LIST, &entries);
    // The second one names another list, in mid-block: a fault, and not followed.
    let astray = Entry {
        next: LIST + 0x8000,
        ..entries[1]
    };
    bench.ram.put(LIST + 32, &astray.bytes());
    bench.start(H2C, LIST, 3);
    bench.run();
    assert_eq!(bench.read(H2C + COUNT), 4);
    assert_eq!(bench.faults(), [Rule::BlockIsBroken]);
}

#[test]
fn b07_without_adjacent_ones_each_is_a_fetch() {
    let mut bench = Bench::memory();
    let entries = small(&mut bench, 5);
    list::chain(&mut bench.ram, LIST, &entries);
    bench.start(H2C, LIST, 0);
    bench.run();
    assert_eq!(bench.ram.reads(LIST, 5 * 32), [32; 5]);
    assert_eq!(bench.card.statistics().channel(Channel::H2c(0)).fetches, 5);
}

#[test]
fn b07_the_buffer_limits_what_is_fetched_ahead() {
    let mut bench = Bench::new(Config {
        h2c: 4,
        c2h: 4,
        data_width: pindma_xdma::DataWidth::Bits64,
        ..Config::default()
    });
    // The link would take a whole block at once.
    bench.card.set_link(0, 5, 5);
    let entries = small(&mut bench, 64);
    let adjacent = list::in_tree(&mut bench.ram, LIST, &entries);
    bench.start(H2C, LIST, adjacent);
    bench.steps(1);
    // 512 beats of 8 bytes are 128 descriptors, an eighth of them for each channel.
    assert_eq!(bench.ram.reads(LIST, 64 * 32), [16 * 32]);
    bench.run();
    all_arrived(&mut bench, 64);
}

/// Runs a list and says which rules it broke.
fn broken(config: Config, block: u64, at: u64, adjacent: u32, entries: &[Entry]) -> Vec<Rule> {
    let mut bench = Bench::new(config);
    bench.ram.map(SOURCE, 1 << 16);
    bench.ram.map(TARGET, 1 << 16);
    list::in_tree(&mut bench.ram, at, entries);
    bench.start(block, at, adjacent);
    bench.run();
    bench.faults()
}

#[test]
fn b08_a_block_stays_inside_a_page() {
    let entries = vec![Entry::of(SOURCE, 0, 8); 3];
    let rules = broken(Config::default(), H2C, LIST + 0xfc0, 2, &entries);
    assert_eq!(rules, [Rule::BlockCrossesPage]);
    let rules = broken(Config::default(), H2C, LIST + 0xfa0, 2, &entries);
    assert_eq!(rules, []);
}

#[test]
fn b08_a_descriptor_is_aligned() {
    let entries = [Entry::of(SOURCE, 0, 8)];
    let rules = broken(Config::default(), H2C, LIST + 16, 0, &entries);
    assert_eq!(rules, [Rule::DescriptorAlignment]);
}

#[test]
fn b08_a_block_ends_where_the_list_ends() {
    let entries = [Entry::of(SOURCE, 0, 8), Entry::of(SOURCE, 8, 8)];
    let rules = broken(Config::default(), H2C, LIST, 2, &entries);
    assert_eq!(rules, [Rule::BlockReachesTooFar]);
}

#[test]
fn b08_a_number_inside_a_block_tells_no_more_than_follows() {
    let mut bench = Bench::memory();
    let entries = small(&mut bench, 3);
    list::vendor(&mut bench.ram, LIST, &entries);
    let boasting = Entry {
        adjacent: 2,
        ..entries[0]
    };
    bench.ram.put(LIST, &boasting.bytes());
    bench.start(H2C, LIST, 2);
    bench.run();
    assert_eq!(bench.faults(), [Rule::BlockReachesTooFar]);
}

#[test]
fn b08_lengths_are_not_0_and_a_streams_buffer_is_even() {
    let rules = broken(Config::default(), H2C, LIST, 0, &[Entry::of(SOURCE, 0, 0)]);
    assert_eq!(rules, [Rule::ZeroLength]);
    let mut bench = Bench::stream();
    bench.ram.map(TARGET, 4096);
    list::chain(
        &mut bench.ram,
        LIST,
        &[Entry::of(TARGET + 2048, TARGET, 100)],
    );
    bench.start(C2H, LIST, 0);
    bench.run();
    assert_eq!(bench.faults(), [Rule::StreamLength]);
}

#[test]
fn b08_reserved_bits_are_0() {
    for (byte, bit) in [(0, 1 << 2), (0, 1 << 5), (1, 1 << 6), (7, 1 << 4)] {
        let mut bench = Bench::memory();
        bench.ram.map(SOURCE, 4096);
        let mut bytes = Entry::of(SOURCE, 0, 8).with(STOP).bytes();
        bytes[byte] |= bit;
        bench.ram.put(LIST, &bytes);
        bench.start(H2C, LIST, 0);
        bench.run();
        assert_eq!(bench.faults(), [Rule::ReservedBits], "byte {byte}");
        assert_eq!(bench.read(H2C + COUNT), 1);
    }
}

#[test]
fn b08_alignments_of_the_build_are_kept() {
    let config = || Config {
        alignments: Alignments {
            address: 8,
            length: 4,
            address_bits: 40,
        },
        ..Config::default()
    };
    for (source, destination, length) in [(4, 4, 8), (0, 0, 6)] {
        let entries = [Entry::of(SOURCE + source, destination, length)];
        let rules = broken(config(), H2C, LIST, 0, &entries);
        assert_eq!(rules, [Rule::Alignment], "{source} {length}");
    }
    let even = [Entry::of(SOURCE + 8, 16, 12)];
    assert_eq!(broken(config(), H2C, LIST, 0, &even), []);
}

#[test]
fn a_build_with_alignments_refuses_what_is_not_aligned_to_each_other() {
    let mut bench = Bench::new(Config {
        alignments: Alignments {
            address: 8,
            length: 1,
            address_bits: 64,
        },
        ..Config::default()
    });
    bench.ram.map(SOURCE, 4096);
    list::chain(&mut bench.ram, LIST, &[Entry::of(SOURCE + 1, 0, 8)]);
    bench.start(H2C, LIST, 0);
    bench.run();
    assert_eq!(bench.read(H2C + STATUS), 1 << 3);
    assert_eq!(bench.read(H2C + COUNT), 0);
}

#[test]
fn the_first_block_is_left_alone_while_a_channel_runs() {
    let mut bench = Bench::memory();
    bench.pages_to_card(2);
    bench.start(H2C, LIST, 0);
    bench.write(H2C_SGDMA + FIRST, 0x4000);
    assert_eq!(bench.faults(), [Rule::FirstBlockWhileRunning]);
}

#[test]
fn a_faults_sentence_names_its_channel_and_place() {
    let mut bench = Bench::memory();
    bench.ram.put(LIST, &[0; 32]);
    bench.start(H2C + 0x100, LIST, 0);
    bench.run();
    let fault = &bench.card.faults().first()[0];
    assert_eq!(fault.channel, Some(Channel::H2c(1)));
    assert!(fault.sentence.contains("0x100000"), "{}", fault.sentence);
}
