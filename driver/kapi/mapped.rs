// SPDX-License-Identifier: GPL-2.0

//! Memory, mapped for a device.
//!
//! [`kernel::scatterlist::SGTable`] takes vmalloc'ed pages only, at offset 0; this takes what
//! a [`Backing`] holds.
//!
//! C header: [`include/linux/dma-mapping.h`](srctree/include/linux/dma-mapping.h)

use core::mem::ManuallyDrop;

use kernel::{
    bindings,
    device::Device,
    error::to_result,
    page::PAGE_SIZE,
    prelude::*,
    scatterlist::SGTable,
    sync::aref::ARef, //
};

use super::{
    backing::Backing,
    bouncing::Way,
    claim::{
        Claim,
        Claimable, //
    },
    dma_view::{
        DmaView,
        OutOfReach, //
    },
    extent::Extent,
    gauge,
    gfp,
    pins::Direction,
    raw,
    shim,
    trace, //
};

mod armed;
mod segment;

pub(crate) use self::{
    armed::Armed,
    segment::{
        DmaSegment,
        Segments, //
    },
};

/// Why memory could not be mapped.
pub(crate) enum MapError {
    /// The device does not reach it, and it cannot be bounced.
    OutOfReach(OutOfReach),
    /// There is no room, such as bounce buffers.
    NoRoom,
    /// No memory for the tables; or no addresses behind an IOMMU, which the DMA API does not tell
    /// apart.
    NoMemory,
}

impl MapError {
    /// The errno where no address of the caller's is meant.
    pub(crate) fn errno(&self) -> Error {
        match self {
            Self::OutOfReach(_) => ENXIO,
            Self::NoRoom => ENOSPC,
            Self::NoMemory => ENOMEM,
        }
    }
}

/// A table of extents that is not mapped.
///
/// # Invariants
///
/// `sgt` was made by `sg_alloc_table`.
struct Table {
    sgt: bindings::sg_table,
}

impl Table {
    fn new(extents: &[Extent]) -> Result<Self> {
        let mut sgt = bindings::sg_table::default();
        let count = u32::try_from(extents.len())?;
        // SAFETY: `sgt` is a table that is written here.
        to_result(unsafe { bindings::sg_alloc_table(&mut sgt, count, gfp::FOR_USER) })?;
        let mut entry = sgt.sgl;
        for extent in extents {
            // SAFETY: The table has an entry for each extent; its page stays where it is.
            entry = unsafe {
                shim::pindma_sg_set(entry, extent.page, extent.len, extent.offset);
                bindings::sg_next(entry)
            };
        }
        // INVARIANT: Made just now.
        Ok(Self { sgt })
    }

    /// Maps it. Addresses that were unmapped just now are waited for.
    fn map(
        &mut self,
        view: &DmaView<'_>,
        direction: Direction,
        attrs: c_ulong,
    ) -> Result<(), MapError> {
        let mut result = self.try_map(view, direction, attrs);
        if result == Err(ENOMEM) && view.wait_for_addresses() {
            result = self.try_map(view, direction, attrs);
        }
        result.map_err(|error| match error {
            ENOMEM => MapError::NoMemory,
            _ => MapError::NoRoom,
        })
    }

    /// What failed leaves the table as it was.
    fn try_map(&mut self, view: &DmaView<'_>, direction: Direction, attrs: c_ulong) -> Result {
        let dev = raw::device(view.device());
        // SAFETY: The device is bound; the table's pages stay for as long as the mapping
        // lives, since `Mapped` owns both.
        to_result(unsafe {
            bindings::dma_map_sgtable(dev, &mut self.sgt, direction.as_raw(), attrs)
        })
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::sg_free_table(&mut self.sgt) };
    }
}

/// A table that is mapped. It must be [unmapped](Self::unmap) while the device is bound: dropping it
/// leaves it mapped.
///
/// # Invariants
///
/// `table` is mapped for `dev` with `direction` and `attrs`.
struct Mapping {
    dev: ARef<Device>,
    direction: Direction,
    attrs: c_ulong,
    lasting: Lasting,
    segments: KVVec<DmaSegment>,
    bounced: usize,
    table: ManuallyDrop<Table>,
}

impl Mapping {
    fn new(
        view: &DmaView<'_>,
        backing: &Backing,
        attrs: c_ulong,
        lasting: Lasting,
    ) -> Result<Self, MapError> {
        let extents = backing
            .extents(view.bounds())
            .map_err(|_| MapError::NoMemory)?;
        let segments =
            KVVec::with_capacity(extents.len(), gfp::for_user()).map_err(|_| MapError::NoMemory)?;
        let mut table = Table::new(&extents).map_err(|_| MapError::NoMemory)?;
        let direction = backing.direction();
        table.map(view, direction, attrs)?;
        // INVARIANT: Mapped just now.
        let mut mapping = Self {
            dev: view.device().into(),
            direction,
            attrs,
            lasting,
            segments,
            bounced: 0,
            table: ManuallyDrop::new(table),
        };
        mapping.collect_segments();
        mapping.bounced = mapping.count_bounced(view);
        gauge::MAPPED_SEGMENTS.add(mapping.segments.len());
        trace::map(view, &mapping.segments, direction);
        Ok(mapping)
    }

    /// `dma_need_sync` is exact address by address without an IOMMU. Behind one it says yes for
    /// everything once anything was bounced. There all of a table is, or nothing; of a device that
    /// is not trusted, the parts of pages.
    fn count_bounced(&self, view: &DmaView<'_>) -> usize {
        if view.translated() {
            // SAFETY: The table is mapped, and so has a first entry.
            if !unsafe { shim::pindma_sg_is_bounced(self.table.sgt.sgl) } {
                return 0;
            }
            let all = !view.untrusted();
            let parts =
                |segment: &&DmaSegment| (segment.addr() | segment.len()) % PAGE_SIZE as u64 != 0;
            return self.segments.iter().filter(|s| all || parts(s)).count();
        }
        let bounced = |segment: &&DmaSegment| view.needs_sync(segment.addr());
        if view.coherent() {
            self.segments.iter().filter(bounced).count()
        } else {
            0
        }
    }

    /// There is room for them, since mapping makes no more of them than there were extents.
    fn collect_segments(&mut self) {
        // SAFETY: The table is mapped and stays so for as long as `self` is.
        let sgt = unsafe { SGTable::from_raw(&raw mut self.table.sgt) };
        for entry in sgt.iter() {
            let segment = DmaSegment::new(entry.dma_address(), entry.dma_len());
            let _ = self.segments.push_within_capacity(segment);
        }
    }

    /// Whether it is mapped for the device of `view`.
    fn is_of(&self, view: &DmaView<'_>) -> bool {
        let dev: &Device = view.device();
        core::ptr::eq(dev, &raw const *self.dev)
    }

    fn sync(&self, view: &DmaView<'_>, part: DmaSegment, sync: SyncFor) {
        let (mut addr, mut len) = (part.addr(), part.len());
        while len > 0 {
            // Behind an IOMMU the DMA API looks up where the first byte lies, and takes the rest to
            // follow it.
            let room = if view.translated() {
                PAGE_SIZE as u64 - addr % PAGE_SIZE as u64
            } else {
                len
            };
            let step = len.min(room);
            self.sync_contiguous(view, addr, step, sync);
            addr += step;
            len -= step;
        }
    }

    fn sync_contiguous(&self, view: &DmaView<'_>, addr: u64, len: u64, sync: SyncFor) {
        let dev = raw::device(view.device());
        let (size, direction) = (len as usize, self.direction.as_raw().0 as u32);
        // SAFETY: The device is bound; the range lies in the mapping, whose direction it is.
        unsafe {
            match sync {
                SyncFor::Device => shim::pindma_dma_sync_for_device(dev, addr, size, direction),
                SyncFor::Cpu => shim::pindma_dma_sync_for_cpu(dev, addr, size, direction),
            }
        }
    }

    /// Unmaps it; it is of `view`.
    fn unmap(self, view: &DmaView<'_>) {
        gauge::MAPPED_SEGMENTS.sub(self.segments.len());
        trace::unmap(view, &self.segments, self.direction);
        let mut attrs = self.attrs;
        if self.lasting == Lasting::Kept {
            // Each job was synced when it ended. What the CPU has written since then must not be
            // overwritten by what a bounce buffer still holds.
            attrs |= bindings::DMA_ATTR_SKIP_CPU_SYNC as c_ulong;
        }
        let mut table = ManuallyDrop::into_inner(self.table);
        // SAFETY: By the type invariant; attributes and direction are those of the mapping.
        unsafe {
            bindings::dma_unmap_sgtable(
                raw::device(view.device()),
                &mut table.sgt,
                self.direction.as_raw(),
                attrs,
            )
        };
        // Before the memory is given back, since a device could still reach it.
        view.forget_unmapped();
    }
}

/// What a mapping is for, which says who sees to caches and bounce buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lasting {
    /// For one transfer: it is synced when it is mapped, and when it is unmapped.
    Once,
    /// For many: each job that uses it syncs the part that it uses.
    Kept,
}

/// For whom memory is made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SyncFor {
    /// The device, which is to see what the CPU has written.
    Device,
    /// The CPU, which is to see what the device has written.
    Cpu,
}

/// Whether memory that the device does not reach may be bounced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bounce {
    /// It may.
    Allowed,
    /// It is an error, as is to bounce by force.
    Refused,
}

/// Memory that is mapped for a device.
///
/// Those that have the device work on it [claim](Claimable) it and make it [`Armed`]; unmapping takes the
/// object itself, of which nobody can get hold as long as it is claimed.
///
/// Dropping it leaks the pages, the table, the mapping and the charge on purpose: unmapping would hand
/// the bus addresses to somebody else while the device may still write there.
///
/// Drop order: `backing` outlives what is mapped.
pub(crate) struct Mapped {
    mapping: ManuallyDrop<Mapping>,
    backing: ManuallyDrop<Backing>,
    coherent: bool,
}

// SAFETY: The table and its pages belong to this object alone; any thread may unmap.
unsafe impl Send for Mapped {}
// SAFETY: What a shared reference allows changes nothing but caches, bounce buffers and an atomic flag.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps `backing`; gives it back if that fails.
    ///
    /// Memory that the device reaches is mapped so that it is never bounced; the rest is bounced,
    /// if the platform can. What neither reaches is refused before the DMA API sees it, which
    /// would WARN.
    pub(crate) fn new(
        view: &DmaView<'_>,
        backing: Backing,
        bounce: Bounce,
        lasting: Lasting,
    ) -> core::result::Result<Self, (Backing, MapError)> {
        let mapping = attrs_for(view, &backing, bounce)
            .and_then(|attrs| Mapping::new(view, &backing, attrs, lasting));
        match mapping {
            Ok(mapping) => Ok(Self {
                mapping: ManuallyDrop::new(mapping),
                backing: ManuallyDrop::new(backing),
                coherent: view.coherent(),
            }),
            Err(error) => Err((backing, error)),
        }
    }

    /// Unmaps; the memory can then be dropped, where no guard is held. `None` if it is mapped for
    /// another device than that of `view`: then it is leaked.
    pub(crate) fn unmap(self, view: &DmaView<'_>) -> Option<Backing> {
        if !self.mapping.is_of(view) {
            return None;
        }
        ManuallyDrop::into_inner(self.mapping).unmap(view);
        Some(ManuallyDrop::into_inner(self.backing))
    }

    /// The segments, in the order of the user's ranges.
    pub(crate) fn segments(&self) -> &[DmaSegment] {
        &self.mapping.segments
    }

    /// Which way the data goes.
    pub(crate) fn direction(&self) -> Direction {
        self.backing.direction()
    }

    /// Number of pages behind it.
    pub(crate) fn pages(&self) -> usize {
        self.backing.pages()
    }

    /// How many segments go through a bounce buffer.
    pub(crate) fn bounced(&self) -> usize {
        self.mapping.bounced
    }

    /// Whether device and CPU may see different things.
    fn needs_sync(&self) -> bool {
        self.mapping.bounced > 0 || !self.coherent
    }

    /// Makes `len` bytes from `offset` on ready for the device or the CPU.
    pub(crate) fn sync(&self, view: &DmaView<'_>, offset: u64, len: u64, sync: SyncFor) {
        if !self.needs_sync() || !self.mapping.is_of(view) {
            return;
        }
        if sync == SyncFor::Cpu {
            self.backing.mark_touched();
        }
        for part in segment::part(&self.mapping.segments, offset, len) {
            self.mapping.sync(view, part, sync);
        }
    }

    /// Whether jobs on it must be synced, which mapping and unmapping do for one transfer alone.
    fn jobs_sync(&self) -> bool {
        self.mapping.lasting == Lasting::Kept && self.needs_sync()
    }

    /// [Syncs](Self::sync) on behalf of a job, if that has to.
    fn sync_for_job(&self, view: &DmaView<'_>, offset: u64, len: u64, sync: SyncFor) {
        if self.jobs_sync() {
            self.sync(view, offset, len, sync);
        }
    }
}

/// The attributes to map `backing` with, if the device can see it at all.
fn attrs_for(view: &DmaView<'_>, backing: &Backing, bounce: Bounce) -> Result<c_ulong, MapError> {
    const NEVER_BOUNCE: u32 = bindings::DMA_ATTR_REQUIRE_COHERENT;
    // The same memory may be mapped any number of times: what overlaps is the caller's affair.
    // Debugging of the DMA API would WARN about it, as if it were a leak.
    const MAY_BOUNCE: u32 =
        bindings::DMA_ATTR_NO_WARN | bindings::DMA_ATTR_DEBUGGING_IGNORE_CACHELINES;
    let facts = view.facts(bounce == Bounce::Allowed);
    let mut attrs = if view.coherent() {
        NEVER_BOUNCE
    } else {
        MAY_BOUNCE
    };
    // What an IOMMU translates for a device that is trusted need not be looked at.
    if facts.translated && !facts.untrusted {
        return Ok(attrs as c_ulong);
    }
    backing.try_for_each_page(|phys, addr, index, whole| {
        let reached = facts.translated || view.reaches(phys);
        match facts.way(reached, whole) {
            Way::Direct => Ok(()),
            Way::Bounced => {
                attrs = MAY_BOUNCE;
                Ok(())
            }
            Way::OutOfReach => Err(MapError::OutOfReach(OutOfReach { index, addr })),
            Way::NoRoom => Err(MapError::NoRoom),
        }
    })?;
    Ok(attrs as c_ulong)
}
