// SPDX-License-Identifier: GPL-2.0

//! Mapped memory that a device may be told to work on.

use core::mem::ManuallyDrop;

use super::{
    segment::Segments,
    Mapped,
    SyncFor, //
};

/// Memory that is mapped for a device which may be working on it.
///
/// It cannot be unmapped, and dropping it leaks it: only who knows that the device is done with it
/// [takes it back](Self::disarm).
pub(crate) struct Armed<'b>(ManuallyDrop<Mapped<'b>>);

impl<'b> Armed<'b> {
    /// Says that the device is told to work on `mapped`.
    pub(crate) fn new(mut mapped: Mapped<'b>) -> Self {
        mapped.backing.mark_touched();
        Self(ManuallyDrop::new(mapped))
    }

    /// Takes the mapping back, with which the device is done.
    pub(crate) fn disarm(self) -> Mapped<'b> {
        ManuallyDrop::into_inner(self.0)
    }

    /// The segments that the device may be given.
    pub(crate) fn segments(&self) -> Segments<'_> {
        Segments::new(self.0.segments())
    }

    /// Number of pages behind the mapping.
    pub(crate) fn pages(&self) -> usize {
        self.0.backing.pages()
    }

    /// As [`Mapped::sync`].
    pub(crate) fn sync(&mut self, offset: u64, len: u64, sync: SyncFor) {
        self.0.sync(offset, len, sync);
    }

    /// As [`Mapped::sync_for_job`].
    pub(crate) fn sync_for_job(&mut self, offset: u64, len: u64, sync: SyncFor) {
        self.0.sync_for_job(offset, len, sync);
    }

    /// Traces that a job on it has ended, of which nobody asks any more how far it has got.
    pub(crate) fn trace_end(&self, ticket: u64) {
        super::trace::complete(&self.0.mapping.view, ticket, 0);
    }
}
