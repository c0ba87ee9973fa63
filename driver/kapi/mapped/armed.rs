// SPDX-License-Identifier: GPL-2.0

//! Mapped memory that a device may be told to work on.

use kernel::sync::Arc;

use super::{
    segment::Segments,
    Claim,
    Claimable,
    Direction,
    DmaView,
    Mapped,
    SyncFor, //
};

/// Memory that is mapped for a device which may be working on it.
///
/// It cannot be unmapped, and dropping it leaks it: only who knows that the device is done with it
/// [gives it back](Self::disarm).
pub(crate) struct Armed(Claim<Mapped>);

impl Armed {
    /// Says that the device is told to work on `mapped`; `None` if it was unmapped.
    pub(crate) fn new(mapped: &Arc<Claimable<Mapped>>) -> Option<Self> {
        let mapped = Claim::new(mapped)?;
        mapped.backing.mark_touched();
        Some(Self(mapped))
    }

    /// The device is done with it.
    pub(crate) fn disarm(self) {
        self.0.release();
    }

    /// Which way the data may go.
    pub(crate) fn direction(&self) -> Direction {
        self.0.direction()
    }

    /// The segments that the device may be given.
    pub(crate) fn segments(&self) -> Segments<'_> {
        Segments::new(self.0.segments())
    }

    /// Whether a job [syncs](Self::sync_for_job) it, which may copy all of its bytes.
    pub(crate) fn jobs_sync(&self) -> bool {
        self.0.jobs_sync()
    }

    /// As [`Mapped::sync_for_job`].
    pub(crate) fn sync_for_job(&self, view: &DmaView<'_>, offset: u64, len: u64, sync: SyncFor) {
        self.0.sync_for_job(view, offset, len, sync);
    }
}
