// SPDX-License-Identifier: MIT OR GPL-2.0

//! What a card has still to do at a later moment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Channel;

/// Something put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A message.
    Message(u32),
    /// A posted write.
    Write {
        channel: Channel,
        address: u64,
        data: Vec<u8>,
    },
}

impl Deed {
    /// Whose it is, if it reaches for memory.
    pub(crate) fn channel(&self) -> Option<Channel> {
        match self {
            Deed::Message(_) => None,
            Deed::Write { channel, .. } => Some(*channel),
        }
    }
}

/// Deeds by their time, and in the order they were put off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    deeds: BTreeMap<(Duration, u64), Deed>,
    number: u64,
}

impl Agenda {
    pub(crate) fn put(&mut self, due: Duration, deed: Deed) {
        self.number += 1;
        self.deeds.insert((due, self.number), deed);
    }

    /// Takes the first deed that is due.
    pub(crate) fn take(&mut self, now: Duration) -> Option<Deed> {
        if self.next()? > now {
            return None;
        }
        self.deeds.pop_first().map(|(_, deed)| deed)
    }

    /// When the next deed is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.deeds.keys().next().map(|(due, _)| *due)
    }
}
