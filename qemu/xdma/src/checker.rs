// SPDX-License-Identifier: MIT OR GPL-2.0

//! The rules that a driver has to keep, and those it broke.

use std::collections::BTreeMap;

use crate::Channel;

/// How many faults keep their sentence; all are counted.
const SENTENCES: usize = 64;

/// A rule that a driver broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A DMA register is read and written as one aligned word of 4 bytes.
    AccessWidth,
    /// A descriptor starts at a multiple of 32.
    DescriptorAlignment,
    /// A block of descriptors does not cross a page of 4 KiB.
    BlockCrossesPage,
    /// Descriptors inside a block name the one behind them, or none.
    BlockIsBroken,
    /// A block ends where the list ends.
    BlockReachesTooFar,
    /// A descriptor starts with the magic number.
    Magic,
    /// Reserved bits of a descriptor are 0.
    ReservedBits,
    /// A descriptor moves at least one byte.
    ZeroLength,
    /// A buffer for a stream is a multiple of 64 bytes.
    StreamLength,
    /// Addresses and lengths keep what the Alignments register asks for.
    Alignment,
    /// With a fixed address, address and length fit the data path.
    FixedAddressAlignment,
    /// The word of poll mode is aligned to 4 bytes.
    WordAlignment,
    /// At most 1023 credits are out.
    CreditOverflow,
    /// A channel is idle before Run is set again.
    RunWhileBusy,
    /// The registers of the first block do not change while the channel runs.
    FirstBlockWhileRunning,
    /// No descriptor is fetched before bus mastering is on.
    RunWithoutBusMaster,
}

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// The channel, if it was one's.
    pub channel: Option<Channel>,
    /// The breach in words, with addresses.
    pub sentence: String,
}

/// Every breach so far.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    counts: BTreeMap<Rule, u64>,
    first: Vec<Fault>,
}

impl Faults {
    /// How often a rule was broken.
    pub fn count(&self, rule: Rule) -> u64 {
        self.counts.get(&rule).copied().unwrap_or(0)
    }

    /// How often any rule was broken.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The rules that were broken, and how often.
    pub fn counts(&self) -> impl Iterator<Item = (Rule, u64)> + '_ {
        self.counts.iter().map(|(rule, count)| (*rule, *count))
    }

    /// The first faults in their order.
    pub fn first(&self) -> &[Fault] {
        &self.first
    }

    pub(crate) fn note(&mut self, rule: Rule, channel: Option<Channel>, sentence: String) {
        *self.counts.entry(rule).or_default() += 1;
        if self.first.len() < SENTENCES {
            self.first.push(Fault {
                rule,
                channel,
                sentence,
            });
        }
    }
}
