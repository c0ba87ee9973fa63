// SPDX-License-Identifier: MIT OR GPL-2.0

//! Counts for tests and for whoever tunes a driver.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Channel;

/// A block of registers in the DMA BAR ("PCIe to DMA Address Format").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Block {
    /// A channel's own, to the card.
    H2c,
    /// A channel's own, from the card.
    C2h,
    /// Interrupts.
    Irq,
    /// The build and the link.
    Config,
    /// The list of a channel to the card.
    H2cSgdma,
    /// The list of a channel from the card.
    C2hSgdma,
    /// Halt and credit mode.
    Common,
    /// The MSI-X table.
    MsiX,
    /// Nothing.
    Absent,
}

/// Accesses of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accesses {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
}

/// Counts since power-on.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Accesses to the DMA BAR, by block.
    pub registers: BTreeMap<Block, Accesses>,
    /// Accesses to the user BAR.
    pub user: Accesses,
    /// Reads of the user BAR where it has no register.
    pub stray_reads: u64,
    /// Messages, by vector.
    pub messages: BTreeMap<u32, u64>,
    /// Counts of each channel.
    pub channels: BTreeMap<Channel, ChannelStatistics>,
}

/// Counts of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStatistics {
    /// Accesses to its two blocks.
    pub registers: Accesses,
    /// How often Run went from 0 to 1.
    pub starts: u64,
    /// Read requests for descriptors.
    pub fetches: u64,
    /// Descriptors that came with them.
    pub fetched: u64,
    /// Descriptors that are done.
    pub descriptors: u64,
    /// Bytes moved.
    pub bytes: u64,
    /// Rising edges of its interrupt.
    pub interrupts: u64,
    /// Words of poll mode written.
    pub words: u64,
    /// Records of a stream written.
    pub records: u64,
    /// Posted writes that reached no memory.
    pub lost_writes: u64,
    /// How often it had Run and ran out of descriptors.
    pub dry: u64,
    /// The longest time from there to the next descriptor.
    pub longest_dry: Duration,
    /// The sum of these times.
    pub total_dry: Duration,
}

impl Statistics {
    /// Accesses to one block of registers.
    pub fn block(&self, block: Block) -> Accesses {
        self.registers.get(&block).copied().unwrap_or_default()
    }

    /// Accesses to the whole DMA BAR.
    pub fn all_registers(&self) -> Accesses {
        let add = |sum: Accesses, one: &Accesses| Accesses {
            reads: sum.reads + one.reads,
            writes: sum.writes + one.writes,
        };
        self.registers.values().fold(Accesses::default(), add)
    }

    /// Counts of a channel.
    pub fn channel(&self, channel: Channel) -> ChannelStatistics {
        self.channels.get(&channel).copied().unwrap_or_default()
    }

    pub(crate) fn of(&mut self, channel: Channel) -> &mut ChannelStatistics {
        self.channels.entry(channel).or_default()
    }
}
