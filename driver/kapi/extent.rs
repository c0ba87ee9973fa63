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

/// What a device can take as one segment.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Most bytes.
    pub(super) len: u32,
    /// A mask: no segment crosses a multiple of it and one.
    pub(super) boundary: u64,
}

impl Bounds {
    /// Whether `len` bytes from `start` on can be one segment.
    pub(super) fn fit(&self, start: u64, len: u64) -> bool {
        let last = start.wrapping_add(len.saturating_sub(1));
        len <= self.len.into() && (start ^ last) & !self.boundary == 0
    }

    /// How many of `len` bytes from `start` on can be one segment: at least one.
    fn first(&self, start: u64, len: u32) -> u32 {
        let to_boundary = (self.boundary & !start).saturating_add(1);
        let room = to_boundary.min(self.len.into());
        room.min(len.into()) as u32
    }
}

/// Puts neighbours together.
///
/// A boundary is kept in physical addresses, from which bus addresses differ by a multiple of any
/// boundary, or else an IOMMU keeps it.
pub(super) struct Merger {
    extents: KVVec<Extent>,
    bounds: Bounds,
    start: u64,
    end: u64,
}

impl Merger {
    /// Makes extents within `bounds`. What does not fit into one as a whole is cut.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            extents: KVVec::new(),
            bounds,
            start: 0,
            end: u64::MAX,
        }
    }

    /// Adds `len` bytes from `offset` of `page` on.
    pub(super) fn push(&mut self, page: *mut bindings::page, offset: u32, len: u32) -> Result {
        let start = phys(page) + u64::from(offset);
        let end = start + u64::from(len);
        let goes_on = self.goes_on(start, end);
        match self.extents.last_mut() {
            Some(extent) if goes_on => extent.len += len,
            _ => self.begin(page, offset, len)?,
        }
        self.end = end;
        Ok(())
    }

    /// Adds the same as an extent of its own, or as several.
    fn begin(&mut self, page: *mut bindings::page, offset: u32, len: u32) -> Result {
        let base = phys(page);
        let (mut offset, mut left) = (offset, len);
        while left > 0 {
            self.start = base + u64::from(offset);
            let len = self.bounds.first(self.start, left);
            self.extents
                .push(Extent { page, offset, len }, gfp::for_user())?;
            offset += len;
            left -= len;
        }
        Ok(())
    }

    /// Whether what lies from `start` to `end` can be a part of the last extent.
    fn goes_on(&self, start: u64, end: u64) -> bool {
        start == self.end && self.bounds.fit(self.start, end - self.start)
    }

    /// What came of it.
    pub(super) fn extents(self) -> KVVec<Extent> {
        self.extents
    }
}

#[kunit_tests(pindma_extent)]
mod tests {
    use super::*;

    const NONE: u64 = u64::MAX;

    fn merger(len: u32, boundary: u64, start: u64, end: u64) -> Merger {
        Merger {
            start,
            end,
            ..Merger::new(Bounds { len, boundary })
        }
    }

    #[test]
    fn only_neighbours_are_merged() {
        let merger = merger(0x10000, NONE, 0x1000, 0x2000);
        assert!(merger.goes_on(0x2000, 0x3000));
        assert!(!merger.goes_on(0x3000, 0x4000));
        assert!(!merger.goes_on(0x1000, 0x2000));
    }

    #[test]
    fn an_extent_is_not_too_long() {
        let merger = merger(0x2000, NONE, 0x1800, 0x2000);
        assert!(merger.goes_on(0x2000, 0x3000));
        assert!(merger.goes_on(0x2000, 0x3800));
        assert!(!merger.goes_on(0x2000, 0x3801));
    }

    #[test]
    fn an_extent_ends_at_a_boundary() {
        let merger = merger(0x10000, 0x3fff, 0x2000, 0x3000);
        assert!(merger.goes_on(0x3000, 0x4000));
        assert!(!merger.goes_on(0x3000, 0x4001));
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let bounds = Bounds {
            len: 1000,
            boundary: 0x7ff,
        };
        assert_eq!(bounds.first(0x1000, 4096), 1000);
        assert_eq!(bounds.first(0x1000, 999), 999);
        assert_eq!(bounds.first(0x17f0, 4096), 16);
        assert_eq!(bounds.first(0x17ff, 2), 1);
        let endless = Bounds {
            len: u32::MAX,
            boundary: NONE,
        };
        assert_eq!(endless.first(0, 4096), 4096);
        assert_eq!(endless.first(u64::MAX, 4096), 1);
    }

    #[test]
    fn bounds_do_not_wrap() {
        let bounds = Bounds {
            len: u32::MAX,
            boundary: NONE,
        };
        assert!(bounds.fit(u64::MAX - 10, 11));
        assert!(bounds.fit(0, 0));
        assert!(!bounds.fit(0, 1 << 32));
    }
}
