// SPDX-License-Identifier: GPL-2.0

//! Pages that a caller within the kernel keeps in place, such as a buffer that was registered with
//! io_uring.

use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*, //
};

use super::{
    extent::{
        phys,
        Bounds,
        Extent,
        Merger, //
    },
    gfp,
    pins::Direction,
    shim, //
};

/// Pages of somebody else. They are neither pinned nor charged here: who brings them has done so.
///
/// They are held all the same, for the case that the device does not stop: then they must never be
/// given to anybody else, whatever becomes of the caller.
///
/// # Invariants
///
/// Each of `parts` lies in one page, and owns a reference to it.
pub(crate) struct Borrowed {
    parts: KVVec<Extent>,
    direction: Direction,
}

// SAFETY: Pages are refcounted and may be released by any thread.
unsafe impl Send for Borrowed {}

impl Borrowed {
    /// No pages yet.
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            parts: KVVec::new(),
            direction,
        }
    }

    /// Adds `len` bytes of a page from `offset` on.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` for a page that cannot be held: of the slab allocator, or a device's.
    ///
    /// # Safety
    ///
    /// The page must be valid now, and the bytes must lie in it.
    pub(super) unsafe fn push(
        &mut self,
        page: *mut bindings::page,
        offset: u32,
        len: u32,
    ) -> Result {
        self.parts.reserve(1, gfp::for_user())?;
        // SAFETY: By the safety requirement.
        if !unsafe { shim::pindma_try_get_page(page) } {
            return Err(EOPNOTSUPP);
        }
        // INVARIANT: Taken just now; there is room, so it does not get lost.
        Ok(self
            .parts
            .push(Extent { page, offset, len }, gfp::for_user())?)
    }

    /// Number of pages; one that was brought twice counts twice.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.len)).sum()
    }

    /// Checks that each part begins at a multiple of `addr`, and ends at one as well, but for the
    /// last, whose length is a multiple of `last_len`. Both are powers of two.
    pub(crate) fn check_alignment(&self, addr: u32, last_len: u32) -> Result {
        let last = self.parts.len().saturating_sub(1);
        let aligned = |(index, part): (usize, &Extent)| {
            let len = if index == last { last_len } else { addr };
            part.offset & (addr - 1) == 0 && part.len & (len - 1) == 0
        };
        if self.parts.iter().enumerate().all(aligned) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    /// Which way the data goes.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// Calls `f` with the physical address and the offset in bytes of each page, and with whether it
    /// is meant as a whole, until it fails.
    pub(super) fn try_for_each_page<E>(
        &self,
        mut f: impl FnMut(u64, u64, u32, bool) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        let mut offset = 0;
        for part in &self.parts {
            let whole = part.offset == 0 && part.len as usize == PAGE_SIZE;
            f(phys(part.page), offset, 0, whole)?;
            offset += u64::from(part.len);
        }
        Ok(())
    }

    /// Merges the memory into extents within `bounds`.
    pub(super) fn extents(&self, bounds: Bounds) -> Result<KVVec<Extent>> {
        let mut merger = Merger::new(bounds);
        for part in &self.parts {
            merger.push(part.page, part.offset, part.len)?;
        }
        Ok(merger.extents())
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        for part in &self.parts {
            // SAFETY: By the type invariant.
            unsafe { shim::pindma_put_page(part.page) };
        }
    }
}
