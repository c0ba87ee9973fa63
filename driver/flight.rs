// SPDX-License-Identifier: GPL-2.0

//! Mappings that a device may be working on.
//!
//! ```text
//! Pins -> Mapped -- arm(ticket) --> InFlight -- settle(Retired), settle_all(Quiet) --> Mapped -> Pins
//! ```
//!
//! An [`InFlight`] has no way to unmap or unpin: unpinning before the device is idle does not
//! compile.

use crate::{
    channel::Retired,
    counters,
    engine::Ticket,
    kapi::{
        mapped::{
            DmaSegment,
            Mapped, //
        },
        pins::Direction, //
    },
    quiet::Quiet, //
};

/// A mapping that the job with its ticket works on.
///
/// Dropping it leaks the pages, the table, the mapping and the charge on purpose: unmapping would
/// hand the bus addresses to somebody else while the device may still write there.
pub(crate) struct InFlight<'b> {
    /// `None` only while it is taken apart.
    mapped: Option<Mapped<'b>>,
    direction: Direction,
    ticket: Ticket,
    leaked: bool,
}

impl<'b> InFlight<'b> {
    /// Says that a job is about to be started on `mapped`.
    pub(crate) fn arm(mut mapped: Mapped<'b>, ticket: Ticket) -> Self {
        mapped.mark_touched();
        Self {
            direction: mapped.direction(),
            mapped: Some(mapped),
            ticket,
            leaked: false,
        }
    }

    /// Takes the mapping back, given the proof that this very job has ended.
    pub(crate) fn settle(self, proof: &Retired) -> core::result::Result<Mapped<'b>, Self> {
        if proof.ticket() == self.ticket {
            self.disarm()
        } else {
            Err(self)
        }
    }

    /// Takes the mapping back, given the proof that the device is quiet.
    pub(crate) fn settle_all(self, _proof: &Quiet) -> core::result::Result<Mapped<'b>, Self> {
        self.disarm()
    }

    fn disarm(mut self) -> core::result::Result<Mapped<'b>, Self> {
        if self.leaked {
            counters::LEAKED_PAGES.sub(self.pages());
        }
        self.mapped.take().ok_or(self)
    }

    /// Gives the memory up for now, as the device does not stop; returns how many pages that newly
    /// is. It is still kept as it is, and comes back if the device is proved to be quiet later.
    pub(crate) fn give_up(&mut self) -> usize {
        if self.leaked {
            return 0;
        }
        self.leaked = true;
        counters::LEAKED_PAGES.add(self.pages());
        self.pages()
    }

    /// The segments that the job may work on.
    pub(crate) fn segments(&self) -> &[DmaSegment] {
        self.mapped.as_ref().map_or(&[], Mapped::segments)
    }

    /// Which way the data goes.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    fn pages(&self) -> usize {
        self.mapped.as_ref().map_or(0, Mapped::pages)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if self.mapped.is_some() {
            self.give_up();
        }
        core::mem::forget(self.mapped.take());
    }
}
