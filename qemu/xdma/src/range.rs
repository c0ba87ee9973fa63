// SPDX-License-Identifier: MIT OR GPL-2.0

//! Memory of the host that a card may still touch.

use crate::Channel;

/// A range of bus addresses that a channel may touch until its work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRange {
    /// The channel.
    pub channel: Channel,
    /// First bus address.
    pub address: u64,
    /// Bytes.
    pub length: u64,
    /// The channel's use of it.
    pub purpose: Purpose,
}

/// A channel's use of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Reads data for the card.
    Source,
    /// Writes data from the card.
    Destination,
    /// Writes the record of a stream's descriptor.
    Record,
    /// Writes the number of descriptors that are done.
    WriteBack,
    /// Reads descriptors.
    Descriptors,
}

impl Purpose {
    /// Whether the card writes there.
    pub fn is_write(self) -> bool {
        !matches!(self, Purpose::Source | Purpose::Descriptors)
    }
}
