// SPDX-License-Identifier: GPL-2.0

//! Pinned pages of user memory.
//!
//! Reference: [`Documentation/core-api/pin_user_pages.rst`](srctree/Documentation/core-api/pin_user_pages.rst),
//! case 1 (direct I/O) for one-shots, which are bounded in time; case 2 (RDMA) for what is not.

use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

use super::{
    charge::{
        Charge,
        ChargeError,
        User, //
    },
    extent::{
        phys,
        Bounds,
        Extent,
        Merger, //
    },
    gauge,
    gfp,
    pinning::Pinning,
    shim,
    trace, //
};

/// Which way data goes, in the sense of the DMA API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// The device reads memory.
    ToDevice,
    /// The device writes memory.
    FromDevice,
    /// The device does both, now this and now that.
    Both,
}

impl Direction {
    pub(super) fn as_raw(self) -> bindings::dma_data_direction {
        match self {
            Self::ToDevice => bindings::dma_data_direction::DMA_TO_DEVICE,
            Self::FromDevice => bindings::dma_data_direction::DMA_FROM_DEVICE,
            Self::Both => bindings::dma_data_direction::DMA_BIDIRECTIONAL,
        }
    }

    /// Whether the device may write.
    pub(crate) fn writes(self) -> bool {
        self != Self::ToDevice
    }

    /// Whether memory that is mapped for `self` is good for a transfer in the direction `other`.
    pub(crate) fn includes(self, other: Self) -> bool {
        self == other || self == Self::Both
    }

    /// A page that the device only reads needs no right to be written: memory that is mapped
    /// read-only is a good source.
    pub(super) fn gup_flags(self) -> c_uint {
        if self.writes() {
            bindings::FOLL_WRITE as c_uint
        } else {
            0
        }
    }
}

/// For how long memory is pinned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Term {
    /// For a transfer that is bounded in time.
    Short,
    /// For as long as the application likes: such pages must not lie where they would be in the way
    /// of others (CMA, movable zones), nor belong to files that are written back.
    Long,
}

impl Term {
    pub(super) fn gup_flags(self) -> c_uint {
        match self {
            Self::Short => 0,
            Self::Long => bindings::FOLL_LONGTERM as c_uint,
        }
    }
}

/// Most pages that are pinned or unpinned before others get the CPU, and before a kill is noticed.
const BATCH: usize = 512;

/// A range of the calling process's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserRange {
    /// First address.
    pub(crate) addr: u64,
    /// Length in bytes, not 0; `addr + len` does not wrap.
    pub(crate) len: u64,
    /// Whose part it is, for the one who asked; not looked at here.
    pub(crate) index: u32,
}

impl UserRange {
    /// Number of pages that the range touches.
    pub(crate) fn pages(&self) -> usize {
        (self.last_page() - self.first_page() + 1) as usize
    }

    fn first_page(&self) -> u64 {
        self.addr / PAGE_SIZE as u64
    }

    fn last_page(&self) -> u64 {
        (self.addr + (self.len - 1)) / PAGE_SIZE as u64
    }

    /// The first address of the range in its `page`th page.
    fn addr_in_page(&self, page: usize) -> u64 {
        self.addr
            .max((self.first_page() + page as u64) * PAGE_SIZE as u64)
    }

    /// Whether it has all of the page that begins at its address `addr`; not if none begins there.
    fn has_page_of(&self, addr: u64) -> bool {
        let page = PAGE_SIZE as u64;
        addr % page == 0 && addr - self.addr + page <= self.len
    }
}

/// Why memory could not be pinned.
pub(crate) enum PinError {
    /// The charge was refused.
    Charge(ChargeError),
    /// A page cannot be pinned. Nothing is pinned any more.
    Fault {
        /// `index` of the range.
        index: u32,
        /// First address that is not usable.
        addr: u64,
        /// The errno of that very page.
        error: Error,
    },
    /// No memory for the list of pages.
    NoMemory,
}

/// User memory that is pinned and charged.
///
/// # Invariants
///
/// - Each entry of `pages` holds one `FOLL_PIN` reference, taken in the order of `ranges`.
/// - No device can write to the pages: a mapping that a device may be using owns its `Pins` and
///   gives them out only after it is gone.
///
/// Drop order: the pages are unpinned in `drop`, `charge` is given back after that.
pub(crate) struct Pins {
    pages: KVVec<*mut bindings::page>,
    ranges: KVVec<UserRange>,
    direction: Direction,
    term: Term,
    dirty: Atomic<bool>,
    charge: Charge,
}

// SAFETY: Pages, user and mm are refcounted and may be released by any thread.
unsafe impl Send for Pins {}

impl Pins {
    /// Charges and pins `ranges` of the calling process's memory.
    ///
    /// May sleep without bound, in userfaultfd or FUSE; a fatal signal ends it. No lock and no
    /// guard may be held.
    pub(crate) fn new(
        ranges: KVVec<UserRange>,
        direction: Direction,
        term: Term,
    ) -> core::result::Result<Self, PinError> {
        let charge = Charge::new(count(&ranges)).map_err(PinError::Charge)?;
        Self::charged(charge, ranges, direction, term)
    }

    /// Pins `ranges` as [`new`](Self::new) does, for which `charge` was taken before.
    pub(crate) fn charged(
        charge: Charge,
        ranges: KVVec<UserRange>,
        direction: Direction,
        term: Term,
    ) -> core::result::Result<Self, PinError> {
        let count = count(&ranges);
        let pages = KVVec::with_capacity(count, gfp::for_user()).map_err(|_| PinError::NoMemory)?;
        // From here on, dropping `pins` unpins exactly what was pinned.
        let mut pins = Self {
            pages,
            ranges,
            direction,
            term,
            dirty: Atomic::new(false),
            charge,
        };
        let end = (0..pins.ranges.len()).try_for_each(|index| pins.pin_range(pins.ranges[index]));
        // Also what is about to be unpinned since the rest could not be.
        trace::pin(&pins.ranges, pins.len(), direction, term);
        end?;
        Ok(pins)
    }

    fn pin_range(&mut self, range: UserRange) -> core::result::Result<(), PinError> {
        let count = range.pages();
        let mut done = 0;
        while done < count {
            let addr = range.addr_in_page(done);
            // A short count does not tell its errno; pinning on from there does.
            match self.pin_some(addr, count - done) {
                Ok(pinned) => done += pinned,
                Err(error) => {
                    return Err(PinError::Fault {
                        index: range.index,
                        addr,
                        error,
                    })
                }
            }
            cond_resched();
            if killed() && done < count {
                let (index, addr) = (range.index, range.addr_in_page(done));
                return Err(PinError::Fault {
                    index,
                    addr,
                    error: EINTR,
                });
            }
        }
        Ok(())
    }

    /// Pins at least one and at most `count` pages from `addr` on.
    fn pin_some(&mut self, addr: u64, count: usize) -> Result<usize> {
        let start = usize::try_from(addr)? & !(PAGE_SIZE - 1);
        let (direction, term) = (self.direction, self.term);
        let spare = self.pages.spare_capacity_mut();
        let count = count.min(spare.len()).min(BATCH);
        let pinned = Pinning { direction, term }.pin(start, &mut spare[..count])?;
        gauge::PINNED_PAGES.add(pinned);
        // SAFETY: The first `pinned` of them were written just now.
        // INVARIANT: Each came with one `FOLL_PIN` reference.
        unsafe { self.pages.inc_len(pinned) };
        Ok(pinned)
    }

    /// Number of pages pinned; a page that is pinned twice counts twice.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Sizes in bytes of the pages or huge pages that the memory is made of, or'ed together.
    pub(crate) fn page_sizes(&self) -> u64 {
        // SAFETY: By the type invariants each page is pinned.
        let size = |page: &*mut bindings::page| unsafe { shim::pindma_page_size(*page) };
        self.pages.iter().fold(0, |sizes, page| sizes | size(page))
    }

    /// Who had them pinned.
    pub(super) fn user(&self) -> &User {
        self.charge.user()
    }

    /// Which way the data goes.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// Says that the device may have written, or the CPU on its behalf: the pages are dirty, however
    /// the transfer ends.
    pub(crate) fn mark_touched(&self) {
        if self.direction.writes() {
            self.dirty.store(true, Relaxed);
        }
    }

    /// Calls `f` with the physical address of each page, and with the user address and the index of
    /// the range that it stands for, until it fails; last, whether the range has all of it.
    pub(super) fn try_for_each_page<E>(
        &self,
        mut f: impl FnMut(u64, u64, u32, bool) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        let mut pages = self.pages.iter();
        for range in &self.ranges {
            for (number, page) in pages.by_ref().take(range.pages()).enumerate() {
                let addr = range.addr_in_page(number);
                f(phys(*page), addr, range.index, range.has_page_of(addr))?;
            }
        }
        Ok(())
    }

    /// Merges the pinned memory into extents within `bounds`.
    pub(super) fn extents(&self, bounds: Bounds) -> Result<KVVec<Extent>> {
        let mut merger = Merger::new(bounds);
        let mut pages = self.pages.iter();
        for range in &self.ranges {
            let mut left = range.len;
            let mut offset = range.addr % PAGE_SIZE as u64;
            for page in pages.by_ref().take(range.pages()) {
                let len = left.min(PAGE_SIZE as u64 - offset);
                merger.push(*page, offset as u32, len as u32)?;
                left -= len;
                offset = 0;
            }
        }
        Ok(merger.extents())
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let dirty = self.dirty.load(Relaxed);
        for pages in self.pages.chunks_mut(BATCH) {
            // SAFETY: By the type invariants each page holds a pin, and no device writes any more.
            // Context: a process, as unpinning a dirty page may sleep.
            unsafe {
                bindings::unpin_user_pages_dirty_lock(pages.as_mut_ptr(), pages.len(), dirty)
            };
            cond_resched();
        }
        gauge::PINNED_PAGES.sub(self.pages.len());
        trace::unpin(self.pages.len(), dirty);
    }
}

/// Number of pages that `ranges` touch; one that is touched twice counts twice.
pub(crate) fn count(ranges: &[UserRange]) -> usize {
    ranges.iter().map(UserRange::pages).sum()
}

/// Gives others the CPU, if they wait for it. No lock that does not sleep may be held.
pub(crate) fn cond_resched() {
    // SAFETY: Called by a task.
    unsafe { shim::pindma_cond_resched() };
}

/// Whether the current task is being killed.
pub(crate) fn killed() -> bool {
    // SAFETY: Called by a task.
    unsafe { shim::pindma_killed() }
}

#[kunit_tests(pindma_pins)]
mod tests {
    use super::*;

    const PAGE: u64 = PAGE_SIZE as u64;

    fn range(addr: u64, len: u64) -> UserRange {
        UserRange {
            addr,
            len,
            index: 0,
        }
    }

    #[test]
    fn a_range_touches_whole_pages() {
        assert_eq!(range(0, 1).pages(), 1);
        assert_eq!(range(PAGE - 1, 2).pages(), 2);
        assert_eq!(range(PAGE, PAGE).pages(), 1);
        assert_eq!(range(1, 2 * PAGE).pages(), 3);
        assert_eq!(range(u64::MAX - 1, 1).pages(), 1);
        assert_eq!(count(&[range(5, 1), range(6, 1)]), 2);
    }

    #[test]
    fn the_first_page_begins_where_the_range_does() {
        let range = range(PAGE + 7, 2 * PAGE);
        assert_eq!(range.addr_in_page(0), PAGE + 7);
        assert_eq!(range.addr_in_page(1), 2 * PAGE);
        assert_eq!(range.addr_in_page(2), 3 * PAGE);
    }

    #[test]
    fn flags_follow_direction_and_term() {
        let write = bindings::FOLL_WRITE as c_uint;
        assert_eq!(Direction::ToDevice.gup_flags(), 0);
        assert_eq!(Direction::FromDevice.gup_flags(), write);
        assert_eq!(Direction::Both.gup_flags(), write);
        assert_eq!(Term::Short.gup_flags(), 0);
        assert_eq!(Term::Long.gup_flags(), bindings::FOLL_LONGTERM as c_uint);
        assert!(Direction::Both.includes(Direction::ToDevice));
        assert!(!Direction::ToDevice.includes(Direction::Both));
    }
}
