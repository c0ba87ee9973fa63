// SPDX-License-Identifier: GPL-2.0

//! The memory of a region, as a list of mappings.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        failure::Failure,
        quota::Share,
        slots::Handle, //
    },
    card::{
        device::Device,
        entry::{
            Part,
            Parts, //
        },
        flight::Mapping,
        stats::Stats,
        Card,
        Placed, //
    },
    kapi::{
        backing::Backing,
        gfp,
        mapped::{
            Bounce,
            SyncFor, //
        },
        pins::{
            cond_resched,
            killed,
            Pins, //
        }, //
    },
    memory::{
        client::Client,
        vector::Vector, //
    }, //
};

/// Most bytes that are synced without a pause: others start their jobs in between.
const SYNC_BYTES: u64 = 256 << 10;

/// A mapping, and the part of the region that it is.
struct Chunk {
    handle: Handle,
    mapping: Arc<Mapping>,
    /// Where the part ends, in bytes from the start of the region.
    end: u64,
    pages: u64,
    bounced: bool,
}

/// What the chunks are in all.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    /// Pages pinned.
    pub(super) pages: u64,
    /// Segments, after merging.
    pub(super) segments: u64,
    /// Segments that are bounced.
    pub(super) bounced: u64,
    /// Sizes of the pages, or'ed together.
    pub(super) page_sizes: u64,
}

/// The chunks; dropping them unmaps and unpins.
pub(super) struct Chunks {
    list: KVVec<Chunk>,
    totals: Totals,
    device: Arc<Device>,
    stats: Arc<Stats>,
}

impl Chunks {
    /// None so far.
    pub(super) fn new(client: &Client) -> Self {
        Self {
            list: KVVec::new(),
            totals: Totals::default(),
            device: client.device().clone(),
            stats: client.stats().clone(),
        }
    }

    /// Maps `pins`, which are of `len` bytes, as the next chunk.
    pub(super) fn map(
        &mut self,
        pins: Pins,
        len: u64,
        bounce: Bounce,
        share: Share,
        vector: &Vector,
    ) -> Result<(), Failure> {
        // First, since there is no way back from a mapping without a place for it.
        self.list.reserve(1, gfp::for_user()).map_err(Error::from)?;
        let (pages, page_sizes) = (pins.len() as u64, pins.page_sizes());
        let backing = Backing::User(pins);
        let keep = |card: &Card<'_>| card.keep(backing, bounce, Some(share));
        let placed = self.device.with_card(keep)?;
        let placed = placed.map_err(|(backing, share, error)| {
            drop((backing, share));
            Failure::map(error, vector.side(), vector.segments())
        })?;
        self.count(&placed, pages, page_sizes);
        let chunk = Chunk {
            handle: placed.handle,
            mapping: placed.mapping,
            end: self.len() + len,
            pages,
            bounced: placed.bounced > 0,
        };
        Ok(self
            .list
            .push(chunk, gfp::for_user())
            .map_err(Error::from)?)
    }

    fn count(&mut self, placed: &Placed, pages: u64, page_sizes: u64) {
        self.totals.pages += pages;
        self.totals.segments += placed.segments as u64;
        self.totals.bounced += placed.bounced as u64;
        self.totals.page_sizes |= page_sizes;
        self.stats.pages.add(pages);
        self.stats.pinned_pages.add(pages);
        self.stats.segments.add(placed.segments as u64);
        self.stats.bounced.add(placed.bounced as u64);
    }

    /// What they are in all.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> u64 {
        self.list.last().map_or(0, |chunk| chunk.end)
    }

    /// The chunk with byte `offset`, and where that starts.
    fn find(&self, offset: u64) -> Option<(usize, u64)> {
        let index = self.list.partition_point(|chunk| chunk.end <= offset);
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.list[before].end);
        (index < self.list.len()).then_some((index, start))
    }

    /// The part that begins at byte `offset`, of at most `len` bytes; `None` if there is none.
    fn part(&self, offset: u64, len: u64) -> Option<Part> {
        let (index, start) = self.find(offset)?;
        let chunk = self.list.get(index)?;
        Some(Part {
            mapping: chunk.mapping.clone(),
            offset: offset - start,
            len: len.min(chunk.end - offset),
        })
    }

    /// Adds `len` bytes from `offset` on to `parts`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn add_to(&self, parts: &mut Parts, offset: u64, len: u64) -> Result {
        let (mut at, end) = (offset, offset + len);
        while let Some(part) = self.part(at, end - at).filter(|part| part.len > 0) {
            at += part.len;
            parts.push(Some(part))?;
        }
        Ok(())
    }

    /// Whether any of `len` bytes from `offset` on are bounced.
    pub(super) fn bounced(&self, offset: u64, len: u64) -> bool {
        let Some((first, _)) = self.find(offset) else {
            return false;
        };
        let mut before = offset;
        self.list[first..]
            .iter()
            .take_while(|chunk| core::mem::replace(&mut before, chunk.end) < offset + len)
            .any(|chunk| chunk.bounced)
    }

    /// Makes `len` bytes from `offset` on ready for the device or the CPU.
    ///
    /// # Errors
    ///
    /// `ENODEV`, `EINTR`.
    pub(super) fn sync(&self, offset: u64, len: u64, sync: SyncFor) -> Result {
        let (mut at, end) = (offset, offset + len);
        while at < end {
            let part = self.part(at, (end - at).min(SYNC_BYTES)).ok_or(ERANGE)?;
            self.device
                .with_card(|card| card.sync(&part.mapping, part.offset, part.len, sync))?;
            at += part.len;
            cond_resched();
            if killed() {
                return Err(EINTR);
            }
        }
        Ok(())
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        for chunk in &self.list {
            // Unmapped inside of the guard, unpinned outside. If the device is gone, unbind has done
            // both, and `with_card` has waited for it.
            let removed = self.device.with_card(|card| card.unmap(chunk.handle));
            // A job may still work on it: then the device has failed, and the pages stay pinned.
            if !matches!(removed, Ok(None)) {
                self.stats.pinned_pages.sub(chunk.pages);
            }
            drop(removed);
            cond_resched();
        }
    }
}
