// SPDX-License-Identifier: GPL-2.0

//! Mappings that a device may be working on.
//!
//! ```text
//! Pins -> Mapped -- arm(ticket) --> InFlight -- settle(Retired), settle_all(Quiet) --> Mapped -> Pins
//! ```
//!
//! An [`InFlight`] has no way to unmap or unpin: unpinning before the device is idle does not
//! compile. Nor does it to give an engine memory that is not in flight: of that a [`Job`] is made.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        counters::{
            self,
            Gauge, //
        },
        few::Few, //
    },
    card::{
        channel::Retired,
        quiet::Quiet, //
    },
    engine::{
        Job,
        Side,
        Ticket, //
    },
    kapi::{
        mapped::{
            Armed,
            Mapped,
            Segments,
            SyncFor, //
        },
        pins::Direction, //
    }, //
};

/// The jobs that work on a mapping, of which each is on another channel.
pub(crate) struct Jobs(Few<Option<Ticket>>);

impl Jobs {
    /// None, on a device with so many channels.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn on(channels: usize) -> Result<Self> {
        Ok(Self(Few::defaults(channels)?))
    }

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
    mapped: Option<Armed<'b>>,
    direction: Direction,
    jobs: Jobs,
    leaked: Option<Leaked>,
}

/// Pages that are given up, for as long as they are.
struct Leaked {
    pages: usize,
    of: Arc<Gauge>,
}

impl Leaked {
    fn new(pages: usize, of: &Arc<Gauge>) -> Self {
        counters::LEAKED_PAGES.add(pages);
        of.add(pages);
        Self {
            pages,
            of: of.clone(),
        }
    }
}

impl Drop for Leaked {
    fn drop(&mut self) {
        counters::LEAKED_PAGES.sub(self.pages);
        self.of.sub(self.pages);
    }
}

/// A mapping that no job works on, and the room for those to come.
pub(crate) type Landed<'b> = (Mapped<'b>, Jobs);

impl<'b> InFlight<'b> {
    /// Says that a job is about to be started on a mapping, which it may write if it was mapped so.
    /// Gives the mapping back if there is no room for a job.
    pub(crate) fn arm(
        (mapped, mut jobs): Landed<'b>,
        ticket: Ticket,
    ) -> core::result::Result<Self, Landed<'b>> {
        if jobs.add(ticket).is_err() {
            return Err((mapped, jobs));
        }
        Ok(Self {
            direction: mapped.direction(),
            mapped: Some(Armed::new(mapped)),
            jobs,
            leaked: None,
        })
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
    pub(crate) fn settle(mut self, proof: &Retired) -> core::result::Result<Landed<'b>, Self> {
        if self.jobs.end(proof.ticket()) {
            self.disarm()
        } else {
            Err(self)
        }
    }

    /// Takes the mapping back, given the proof that the device is quiet.
    pub(crate) fn settle_all(mut self, _proof: &Quiet) -> core::result::Result<Landed<'b>, Self> {
        if let Some(mapped) = &self.mapped {
            let tickets = self.jobs.0.iter().flatten();
            tickets.for_each(|ticket| mapped.trace_end(ticket.0));
        }
        self.jobs.0.fill(None);
        self.disarm()
    }

    fn disarm(mut self) -> core::result::Result<Landed<'b>, Self> {
        self.leaked = None;
        let Some(mapped) = self.mapped.take() else {
            return Err(self);
        };
        let mapped = mapped.disarm();
        Ok((mapped, core::mem::replace(&mut self.jobs, Jobs(Few::new()))))
    }

    /// Gives the memory up for now, as the device does not stop, and counts its pages in `leaked`.
    /// It is still kept as it is, and comes back if the device is proved to be quiet later.
    pub(crate) fn give_up(&mut self, leaked: &Arc<Gauge>) {
        let pages = self.pages();
        self.leaked
            .get_or_insert_with(|| Leaked::new(pages, leaked));
    }

    /// A job on `len` bytes of it, from `offset` on.
    pub(crate) fn job(&self, side: Side, offset: u64, len: u64) -> Job<'_> {
        let armed = self.mapped.as_ref();
        let segments = armed.map_or(Segments::NONE, Armed::segments);
        Job::new(side, segments, offset, len)
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
        self.mapped.as_ref().map_or(0, Armed::pages)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let Some(mapped) = self.mapped.take() else {
            return;
        };
        if self.leaked.is_none() {
            counters::LEAKED_PAGES.add(mapped.pages());
        }
        core::mem::forget(self.leaked.take());
    }
}

#[kunit_tests(pindma_flight)]
mod tests {
    use super::*;

    #[test]
    fn the_last_job_ends_a_flight() -> Result {
        let mut jobs = Jobs::on(3)?;
        jobs.add(Ticket(1))?;
        jobs.add(Ticket(2))?;
        assert!(!jobs.end(Ticket(3)));
        assert!(!jobs.end(Ticket(1)));
        assert!(!jobs.end(Ticket(1)));
        assert!(jobs.end(Ticket(2)));
        Ok(())
    }

    #[test]
    fn each_channel_may_have_a_job() -> Result {
        for channels in [1, 17, 64] {
            let mut jobs = Jobs::on(channels)?;
            for number in 0..channels {
                jobs.add(Ticket(number as u64))?;
            }
            assert_eq!(jobs.add(Ticket(100)), Err(EBUSY));
        }
        Ok(())
    }

    #[test]
    fn what_comes_back_is_no_longer_leaked() -> Result {
        let device = Arc::new(Gauge::new(), GFP_KERNEL)?;
        let leaked = [Leaked::new(3, &device), Leaked::new(4, &device)];
        assert_eq!(device.get(), 7);
        drop(leaked);
        assert_eq!(device.get(), 0);
        Ok(())
    }
}
