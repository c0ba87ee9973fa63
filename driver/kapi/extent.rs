// SPDX-License-Identifier: GPL-2.0

//! Runs of physical memory.

use kernel::{
    bindings,
    prelude::*, //
};

use super::{
    gfp,
    shim, //
};

/// A run of bytes that is contiguous in physical memory.
pub(crate) struct Extent {
    pub(super) page: *mut bindings::page,
    pub(super) offset: u32,
    pub(super) len: u32,
}

/// The physical address of a page, which must exist.
pub(super) fn phys(page: *const bindings::page) -> u64 {
    // SAFETY: Called with pages that the caller holds.
    unsafe { shim::pindma_page_phys(page) }
}

/// Puts neighbours together.
pub(super) struct Merger {
    extents: KVVec<Extent>,
    max_len: u32,
    end: u64,
}

impl Merger {
    /// Makes extents of at most `max_len` bytes each.
    pub(super) fn new(max_len: u32) -> Self {
        Self {
            extents: KVVec::new(),
            max_len,
            end: u64::MAX,
        }
    }

    /// Adds `len` bytes from `offset` of `page` on.
    pub(super) fn push(&mut self, page: *mut bindings::page, offset: u32, len: u32) -> Result {
        let start = phys(page) + u64::from(offset);
        let room = |extent: &&mut Extent| extent.len <= self.max_len.saturating_sub(len);
        let adjacent = start == self.end;
        self.end = start + u64::from(len);
        match self.extents.last_mut().filter(room) {
            Some(extent) if adjacent => extent.len += len,
            _ => self
                .extents
                .push(Extent { page, offset, len }, gfp::for_user())?,
        }
        Ok(())
    }

    /// What came of it.
    pub(super) fn extents(self) -> KVVec<Extent> {
        self.extents
    }
}
