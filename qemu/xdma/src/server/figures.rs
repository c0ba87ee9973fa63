// SPDX-License-Identifier: MIT OR GPL-2.0

//! What was counted, by name.

use std::time::Duration;

use pindma_xdma::{Block, ChannelStatistics, Statistics};

/// A name and what was counted under it.
pub type Figure = (&'static str, u64);

/// One line of `name=value`.
pub fn line(figures: &[Figure]) -> String {
    let words: Vec<String> = figures
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    words.join(" ")
}

/// Of a whole card; `reads` and `writes` are those of all of the DMA BAR but for the table
/// of MSI-X, which is the kernel's.
pub fn of_card(counted: &Statistics) -> Vec<Figure> {
    let (all, table) = (counted.all_registers(), counted.block(Block::MsiX));
    let sum = |figure: fn(&ChannelStatistics) -> u64| counted.channels.values().map(figure).sum();
    vec![
        ("reads", all.reads - table.reads),
        ("writes", all.writes - table.writes),
        ("user_reads", counted.user.reads),
        ("user_writes", counted.user.writes),
        ("stray_reads", counted.stray_reads),
        ("starts", sum(|channel| channel.starts)),
        ("fetches", sum(|channel| channel.fetches)),
        ("descriptors", sum(|channel| channel.descriptors)),
        ("bytes", sum(|channel| channel.bytes)),
        ("words", sum(|channel| channel.words)),
        ("records", sum(|channel| channel.records)),
        ("dry", sum(|channel| channel.dry)),
        ("interrupts", sum(|channel| channel.interrupts)),
    ]
}

/// Of one channel.
pub fn of_channel(counted: &ChannelStatistics) -> Vec<Figure> {
    vec![
        ("reads", counted.registers.reads),
        ("writes", counted.registers.writes),
        ("starts", counted.starts),
        ("fetches", counted.fetches),
        ("fetched", counted.fetched),
        ("descriptors", counted.descriptors),
        ("bytes", counted.bytes),
        ("words", counted.words),
        ("records", counted.records),
        ("lost_writes", counted.lost_writes),
        ("interrupts", counted.interrupts),
        ("dry", counted.dry),
        ("longest_dry_ns", nanoseconds(counted.longest_dry)),
        ("total_dry_ns", nanoseconds(counted.total_dry)),
    ]
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pindma_xdma::{Accesses, Channel};

    #[test]
    fn a_cards_are_those_of_its_channels_together() {
        let mut counted = Statistics::default();
        for (channel, bytes) in [(Channel::H2c(0), 5), (Channel::C2h(0), 7)] {
            let one = ChannelStatistics {
                bytes,
                ..ChannelStatistics::default()
            };
            counted.channels.insert(channel, one);
        }
        assert!(of_card(&counted).contains(&("bytes", 12)));
    }

    #[test]
    fn the_table_of_msix_is_left_out() {
        let mut counted = Statistics::default();
        for block in [Block::MsiX, Block::Irq] {
            let accesses = Accesses {
                reads: 1,
                writes: 2,
            };
            counted.registers.insert(block, accesses);
        }
        assert_eq!(of_card(&counted)[..2], [("reads", 1), ("writes", 2)]);
    }

    #[test]
    fn a_line_has_no_more_than_its_figures() {
        assert_eq!(line(&[("a", 1), ("b", 20)]), "a=1 b=20");
    }
}
