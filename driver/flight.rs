// SPDX-License-Identifier: GPL-2.0

//! Mappings that a device may be working on.
//!
//! ```text
//! Pins -> Mapped -- arm(ticket) --> InFlight -- settle(Retired), settle_all(Quiet) --> Mapped -> Pins
//! ```
//!
//! An [`InFlight`] has no way to unmap or unpin: unpinning before the device is idle does not
//! compile.

use kernel::prelude::*;

use crate::{
    channel::Retired,
    counters,
    engine::Ticket,
    kapi::{
        mapped::{
            Mapped,
            SyncFor, //
        },
        pins::Direction,
        segment::DmaSegment, //
    },
    quiet::Quiet, //
};

/// Most jobs that work on one mapping at a time; each is on another channel.
const MOST_JOBS: usize = 16;

/// The jobs that work on a mapping.
#[derive(Default)]
struct Jobs([Option<Ticket>; MOST_JOBS]);

impl Jobs {
    fn add(&mut self, ticket: Ticket) -> Result {
        let vacant = self.0.iter_mut().find(|job| job.is_none()).ok_or(EBUSY)?;
        *vacant = Some(ticket);
        Ok(())
    }

    /// Takes a job out; whether it was there and was the last one.
    fn end(&mut self, ticket: Ticket) -> bool {
        let Some(job) = self.0.iter_mut().find(|job| **job == Some(ticket)) else {
            return false;
        };
        *job = None;
        self.0.iter().all(Option::is_none)
    }
}

/// A mapping that jobs work on.
///
/// Dropping it leaks the pages, the table, the mapping and the charge on purpose: unmapping would
/// hand the bus addresses to somebody else while the device may still write there.
pub(crate) struct InFlight<'b> {
    /// `None` only while it is taken apart.
    mapped: Option<Mapped<'b>>,
    direction: Direction,
    jobs: Jobs,
    leaked: bool,
}

impl<'b> InFlight<'b> {
    /// Says that a job is about to be started on `mapped`, which may write if it was mapped so.
    pub(crate) fn arm(mut mapped: Mapped<'b>, ticket: Ticket) -> Self {
        mapped.mark_touched();
        let mut jobs = Jobs::default();
        jobs.0[0] = Some(ticket);
        Self {
            direction: mapped.direction(),
            mapped: Some(mapped),
            jobs,
            leaked: false,
        }
    }

    /// Says that one more job is about to be started on it.
    ///
    /// # Errors
    ///
    /// `EBUSY` if there are too many.
    pub(crate) fn join(&mut self, ticket: Ticket) -> Result {
        self.jobs.add(ticket)
    }

    /// Takes the mapping back, given the proof that this very job has ended, if it was the last.
    pub(crate) fn settle(mut self, proof: &Retired) -> core::result::Result<Mapped<'b>, Self> {
        if self.jobs.end(proof.ticket()) {
            self.disarm()
        } else {
            Err(self)
        }
    }

    /// Takes the mapping back, given the proof that the device is quiet.
    pub(crate) fn settle_all(self, _proof: &Quiet) -> core::result::Result<Mapped<'b>, Self> {
        if let Some(mapped) = &self.mapped {
            let tickets = self.jobs.0.iter().flatten();
            tickets.for_each(|ticket| mapped.trace_end(ticket.0));
        }
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

    /// Makes a part ready for the device or the CPU, on behalf of a job.
    pub(crate) fn sync_for_job(&mut self, offset: u64, len: u64, sync: SyncFor) {
        if let Some(mapped) = &mut self.mapped {
            mapped.sync_for_job(offset, len, sync);
        }
    }

    /// Makes a part ready for the device or the CPU.
    pub(crate) fn sync(&mut self, offset: u64, len: u64, sync: SyncFor) {
        if let Some(mapped) = &mut self.mapped {
            mapped.sync(offset, len, sync);
        }
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

#[kunit_tests(pindma_flight)]
mod tests {
    use super::*;

    #[test]
    fn the_last_job_ends_a_flight() -> Result {
        let mut jobs = Jobs::default();
        jobs.add(Ticket(1))?;
        jobs.add(Ticket(2))?;
        assert!(!jobs.end(Ticket(3)));
        assert!(!jobs.end(Ticket(1)));
        assert!(!jobs.end(Ticket(1)));
        assert!(jobs.end(Ticket(2)));
        Ok(())
    }

    #[test]
    fn there_are_only_so_many_jobs() -> Result {
        let mut jobs = Jobs::default();
        for number in 0..MOST_JOBS {
            jobs.add(Ticket(number as u64))?;
        }
        assert_eq!(jobs.add(Ticket(100)), Err(EBUSY));
        Ok(())
    }
}
