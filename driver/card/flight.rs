// SPDX-License-Identifier: GPL-2.0

//! Mappings that a device may be working on.
//!
//! ```text
//! Pins -> Mapped -- claim --> InFlight(ticket) -- settle(Retired) --> released; taken -> unmapped -> Pins
//! ```
//!
//! An [`InFlight`] has no way to unmap or unpin, and as long as there is one nobody else has: unpinning
//! before the device is idle does not compile. Nor does it to give an engine memory that is not in
//! flight: of that a [`Job`] is made.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::counters::{
        self,
        Gauge, //
    },
    card::records::Retired,
    engine::{
        Job,
        Side,
        Ticket, //
    },
    kapi::{
        claim::Claimable,
        dma_view::DmaView,
        mapped::{
            Armed,
            Mapped,
            SyncFor, //
        }, //
    }, //
};

/// Memory that the device can reach, which jobs claim. It is unmapped when none has.
pub(crate) type Mapping = Claimable<Mapped>;

/// A mapping that a job works on.
///
/// Dropping it leaks the mapping on purpose: it can never be unmapped then.
pub(crate) struct InFlight {
    armed: Armed,
    ticket: Ticket,
}

impl InFlight {
    /// Says that a job is about to be started on `mapping`, which may move data as `side` says.
    ///
    /// # Errors
    ///
    /// `ENODEV` if it is unmapped, `EOPNOTSUPP` if it is not mapped for this direction.
    pub(crate) fn arm(mapping: &Arc<Mapping>, ticket: Ticket, side: Side) -> Result<Self> {
        let armed = Armed::new(mapping).ok_or(ENODEV)?;
        if !armed.direction().includes(side.direction) {
            armed.disarm();
            return Err(EOPNOTSUPP);
        }
        Ok(Self { armed, ticket })
    }

    /// The job has ended, as is proved.
    ///
    /// # Errors
    ///
    /// The proof is about another job.
    pub(crate) fn settle(self, proof: &Retired) -> core::result::Result<(), Self> {
        if proof.ticket() != self.ticket {
            return Err(self);
        }
        self.armed.disarm();
        Ok(())
    }

    /// Its name.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// The job, on `len` bytes from `offset` on.
    pub(crate) fn job(&self, side: Side, offset: u64, len: u64) -> Job<'_> {
        Job::new(side, self.armed.segments(), offset, len)
    }

    /// Whether the job [syncs](Self::sync) its part, which may copy all bytes of it.
    pub(crate) fn syncs(&self) -> bool {
        self.armed.jobs_sync()
    }

    /// Makes a part ready for the device or the CPU, unless mapping and unmapping do it.
    pub(crate) fn sync(&self, view: &DmaView<'_>, offset: u64, len: u64, sync: SyncFor) {
        self.armed.sync_for_job(view, offset, len, sync);
    }
}

/// Pages that are given up, for as long as they are.
pub(crate) struct Leaked {
    pages: usize,
    of: Arc<Gauge>,
}

impl Leaked {
    /// So many pages of a device, which counts them in `of`.
    pub(crate) fn new(pages: usize, of: &Arc<Gauge>) -> Self {
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

#[kunit_tests(pindma_flight)]
mod tests {
    use super::*;

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
