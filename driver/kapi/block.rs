// SPDX-License-Identifier: GPL-2.0

//! Memory of the kernel's own that a device works on, and that may be mapped into processes.
//!
//! Ordinary pages, each with a count of its own, so that what is mapped can be pinned by others: for
//! `O_DIRECT`, io_uring, or registration as a region. Memory of `dma_alloc_coherent` cannot; and what
//! comes from CMA or a movable zone makes pinning loop for ever.

use core::ptr::NonNull;

use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

use super::{
    charge::Charge,
    dma_view::Reach,
    extent::{
        phys,
        Bounds,
        Extent,
        Merger, //
    },
    gauge,
    gfp,
    held::Room,
    pins::killed,
    shim, //
};

/// How the pages of a block lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Anyhow, though long runs are tried first: each is one segment for the device.
    Scattered,
    /// One after the other.
    Contiguous,
}

/// Largest run of pages that is tried for a scattered block, as a power of two: a huge page.
const LARGEST_RUN: u32 = 9;

/// Pages of the kernel, zeroed.
///
/// # Invariants
///
/// Each of `pages` is an ordinary page of order 0, of which the block holds one reference.
pub(crate) struct Block {
    pages: KVVec<NonNull<bindings::page>>,
    /// What is charged for them, and room to keep them if they outlive the block.
    charge: Option<(Charge, Option<Room>)>,
}

// SAFETY: Pages are refcounted and may be released by any thread.
unsafe impl Send for Block {}
// SAFETY: A shared block only tells where its pages are.
unsafe impl Sync for Block {}

impl Block {
    /// Allocates `count` pages, where the device reaches them if there are such. Keeps `charge`,
    /// which should be for as many, until the pages are freed, whoever holds them: without one they
    /// must not be given to anybody.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINTR` if the process is being killed.
    pub(crate) fn new(
        count: usize,
        shape: Shape,
        reach: Reach,
        charge: Option<Charge>,
    ) -> Result<Self> {
        let pages = KVVec::with_capacity(count, gfp::for_user())?;
        let charge = match charge {
            Some(charge) => Some((charge, Some(Room::new()?))),
            None => None,
        };
        let mut block = Self { pages, charge };
        block.fill(count, shape, reach)?;
        Ok(block)
    }

    /// [`new`](Self::new), for several to hold: a mapping, and who has made it.
    pub(crate) fn shared(
        count: usize,
        shape: Shape,
        reach: Reach,
        charge: Option<Charge>,
    ) -> Result<Arc<Self>> {
        let block = Self::new(count, shape, reach, charge)?;
        Ok(Arc::new(block, gfp::for_user())?)
    }

    /// Looks for pages zone by zone, the one that is least in demand first.
    fn fill(&mut self, count: usize, shape: Shape, reach: Reach) -> Result {
        let (first, others) = zones(reach);
        self.fill_from(first, count, shape)?;
        for zone in others {
            if self.within(reach) {
                return Ok(());
            }
            self.clear();
            match self.fill_from(*zone, count, shape) {
                Err(error) if error == ENOMEM => self.clear(),
                other => other?,
            }
        }
        if self.len() == count {
            return Ok(());
        }
        // Nothing is within reach. Perhaps it can be bounced.
        self.fill_from(first, count, shape)
    }

    fn fill_from(&mut self, zone: bindings::gfp_t, count: usize, shape: Shape) -> Result {
        match shape {
            Shape::Scattered => self.fill_scattered(zone, count),
            // Not as a way out if there is no run left: nothing charges a memory cgroup there.
            Shape::Contiguous if Self::exceeds_runs(count) => self.fill_by_migration(zone, count),
            Shape::Contiguous => self.fill_in_one(zone, count),
        }
    }

    /// Whether the page allocator has no run that is so long. A contiguous block of so many pages is
    /// on no memory cgroup's account.
    pub(crate) fn exceeds_runs(count: usize) -> bool {
        count > 1 << bindings::MAX_PAGE_ORDER
    }

    fn fill_scattered(&mut self, zone: bindings::gfp_t, count: usize) -> Result {
        let mut largest = LARGEST_RUN;
        while self.pages.len() < count {
            let left = count - self.pages.len();
            let order = left.ilog2().min(largest);
            let flags = if order > 0 {
                gfp::TRY_FOR_DEVICE
            } else {
                gfp::FOR_DEVICE
            };
            match self.add_run(zone | flags, order, left) {
                Ok(()) => {}
                Err(_) if order > 0 => largest = order - 1,
                Err(error) => return Err(error),
            }
            // SAFETY: No lock is held.
            unsafe { shim::pindma_cond_resched() };
            if killed() {
                return Err(EINTR);
            }
        }
        Ok(())
    }

    /// One run of the page allocator, of which what is too much is given back.
    fn fill_in_one(&mut self, zone: bindings::gfp_t, count: usize) -> Result {
        let order = count.next_power_of_two().ilog2();
        self.add_run(zone | gfp::FOR_DEVICE, order, count)
    }

    /// A run of any length, made free by moving away what lies there. It is on no memory cgroup's
    /// account.
    fn fill_by_migration(&mut self, zone: bindings::gfp_t, count: usize) -> Result {
        // SAFETY: A process may sleep; these are flags that it takes.
        let first = unsafe {
            shim::pindma_alloc_contiguous(count as c_ulong, zone | gfp::CONTIGUOUS_FOR_DEVICE)
        };
        let first = NonNull::new(first).ok_or(ENOMEM)?;
        // SAFETY: They are `count` pages, each with a reference that is ours.
        unsafe { self.adopt(first, count) };
        Ok(())
    }

    /// Adds a run of `2^order` pages, but no more than `most` of them.
    fn add_run(&mut self, flags: bindings::gfp_t, order: u32, most: usize) -> Result {
        // SAFETY: A process may sleep.
        let first = NonNull::new(unsafe { bindings::alloc_pages(flags, order) }).ok_or(ENOMEM)?;
        if order > 0 {
            // SAFETY: It was just allocated in this order, and is no compound page.
            unsafe { bindings::split_page(first.as_ptr(), order) };
        }
        let count = 1 << order;
        let kept = most.min(count);
        // SAFETY: After the split each of `count` pages has a reference, which is ours.
        unsafe {
            self.adopt(first, kept);
            (kept..count).for_each(|index| shim::pindma_put_page(first.as_ptr().add(index)));
        }
        Ok(())
    }

    /// Adds `count` pages from `first` on; there is room for them.
    ///
    /// # Safety
    ///
    /// They must be ordinary pages one after the other, with a reference each that is given away.
    unsafe fn adopt(&mut self, first: NonNull<bindings::page>, count: usize) {
        for index in 0..count {
            // SAFETY: By the safety requirement; `struct page`s of a run of the page allocator lie
            // one after the other.
            let page = unsafe { first.add(index) };
            // INVARIANT: The reference is ours.
            if self.pages.push_within_capacity(page).is_err() {
                // SAFETY: As above.
                unsafe { shim::pindma_put_page(page.as_ptr()) };
                continue;
            }
            gauge::KERNEL_PAGES.add(1);
        }
    }

    fn within(&self, reach: Reach) -> bool {
        self.pages
            .iter()
            .all(|page| Reach(phys(page.as_ptr()) + PAGE_SIZE as u64 - 1) <= reach)
    }

    /// Gives back the pages that nobody else holds, and what is charged for them.
    pub(super) fn give_back_unshared(&mut self) {
        let before = self.pages.len();
        self.pages.retain(|page| {
            // SAFETY: By the type invariant it is valid.
            let shared = unsafe { shim::pindma_page_is_shared(page.as_ptr()) };
            if !shared {
                // SAFETY: By the type invariant the reference is ours.
                unsafe { shim::pindma_put_page(page.as_ptr()) };
                gauge::KERNEL_PAGES.sub(1);
            }
            shared
        });
        let given = before - self.pages.len();
        if let Some((charge, _)) = &mut self.charge {
            drop(charge.split(given));
        }
    }

    fn clear(&mut self) {
        while let Some(page) = self.pages.pop() {
            // SAFETY: By the type invariant the reference is ours.
            unsafe { shim::pindma_put_page(page.as_ptr()) };
            gauge::KERNEL_PAGES.sub(1);
        }
    }

    /// Number of pages.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// A page, for as long as the block lives.
    pub(super) fn page(&self, index: usize) -> Option<NonNull<bindings::page>> {
        self.pages.get(index).copied()
    }

    /// A page, with a reference for the caller.
    pub(super) fn get_page(&self, index: usize) -> Option<NonNull<bindings::page>> {
        let page = *self.pages.get(index)?;
        // SAFETY: By the type invariant it is valid.
        unsafe { shim::pindma_get_page(page.as_ptr()) };
        Some(page)
    }

    /// Calls `f` with the physical address and the offset in bytes of each page, until it fails.
    pub(super) fn try_for_each_page<E>(
        &self,
        mut f: impl FnMut(u64, u64, u32, bool) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        for (index, page) in self.pages.iter().enumerate() {
            f(phys(page.as_ptr()), (index * PAGE_SIZE) as u64, 0, true)?;
        }
        Ok(())
    }

    /// Merges the pages into extents within `bounds`.
    pub(super) fn extents(&self, bounds: Bounds) -> Result<KVVec<Extent>> {
        let mut merger = Merger::new(bounds);
        for page in &self.pages {
            merger.push(page.as_ptr(), 0, PAGE_SIZE as u32)?;
        }
        Ok(merger.extents())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let Some((charge, Some(room))) = self.charge.take() else {
            return self.clear();
        };
        // INVARIANT: The references go along.
        let mut rest = Self {
            pages: core::mem::take(&mut self.pages),
            charge: Some((charge, None)),
        };
        rest.give_back_unshared();
        room.keep(rest);
    }
}

/// The zone in which to look for memory within `reach` first, and others.
fn zones(reach: Reach) -> (bindings::gfp_t, &'static [bindings::gfp_t]) {
    match reach {
        Reach(u64::MAX) => (0, &[]),
        Reach(0x1_0000_0000..) => (0, &[gfp::BELOW_4_GIB]),
        _ => (gfp::BELOW_4_GIB, &[gfp::LOWEST]),
    }
}
