// SPDX-License-Identifier: GPL-2.0

//! A part of a vector that is pinned and mapped: charge, pin, map; and later unmap, unpin, give the
//! charge back.
//!
//! Between the two, the mapping belongs to the card, which unbind takes it from; the window has its name.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        failure::Failure,
        progress::Progress,
        quota::{
            Quota,
            Share, //
        },
        slots::Handle, //
    },
    card::{
        entry::Part,
        flight::Mapping,
        Card, //
    },
    kapi::{
        backing::Backing,
        mapped::{
            Bounce,
            MapError, //
        },
        pins::{
            Direction,
            Pins,
            Term,
            UserRange, //
        }, //
    },
    memory::{
        client::Client,
        vector::Vector, //
    }, //
};

/// A window; dropping it unmaps and unpins.
pub(crate) struct Window {
    client: Arc<Client>,
    handle: Handle,
    mapping: Arc<Mapping>,
    len: u64,
    pages: u64,
    direction: Direction,
}

impl Window {
    /// Pins and maps `ranges`, a part of `vector`. May sleep without bound: no lock, no guard, no
    /// turn is taken meanwhile.
    pub(crate) fn open(
        client: &Arc<Client>,
        vector: &Vector,
        ranges: KVVec<UserRange>,
        direction: Direction,
        progress: &mut Progress,
    ) -> Result<Self, Failure> {
        Self::open_for(client, vector, ranges, direction, Term::Short, progress)
    }

    /// The same, for a term.
    pub(crate) fn open_for(
        client: &Arc<Client>,
        vector: &Vector,
        ranges: KVVec<UserRange>,
        direction: Direction,
        term: Term,
        progress: &mut Progress,
    ) -> Result<Self, Failure> {
        let (side, segments) = (vector.side(), vector.segments());
        let len = ranges.iter().map(|range| range.len).sum();
        let pages = ranges.iter().map(UserRange::pages).sum::<usize>();
        let share = Quota::take(client.quota(), pages).ok_or(ENOSPC)?;
        let pins = Pins::new(ranges, direction, term)
            .map_err(|error| Failure::pin(error, side, segments))?;
        let backing = Backing::User(pins);
        let fail = |error| Failure::map(error, side, segments);
        let mut window = Self::map(client, backing, share, len, fail, progress)?;
        window.pages = pages as u64;
        progress.pages += window.pages;
        client.stats().pages.add(window.pages);
        client.stats().pinned_pages.add(window.pages);
        Ok(window)
    }

    /// Maps memory that needs no pins, of which `len` bytes are used. It takes its share of what the
    /// file may have mapped, whoever is charged for the memory.
    pub(crate) fn of(
        client: &Arc<Client>,
        backing: Backing,
        len: u64,
        progress: &mut Progress,
    ) -> Result<Self, Failure> {
        let fail = |error: MapError| Failure::from(error.errno());
        let share = Quota::take(client.quota(), backing.pages()).ok_or(ENOSPC)?;
        client.stats().windows.add(1);
        Self::map(client, backing, share, len, fail, progress)
    }

    fn map(
        client: &Arc<Client>,
        backing: Backing,
        share: Share,
        len: u64,
        fail: impl FnOnce(MapError) -> Failure,
        progress: &mut Progress,
    ) -> Result<Self, Failure> {
        let direction = backing.direction();
        // What fails to map comes out of the guard first, and is unpinned here.
        let map = |card: &Card<'_>| card.map(backing, Bounce::Allowed, Some(share));
        let placed = client.device().with_card(map)?;
        let placed = placed.map_err(|(backing, share, error)| {
            drop((backing, share));
            fail(error)
        })?;
        progress.segments += placed.segments as u64;
        progress.bounced |= placed.bounced > 0;
        let stats = client.stats();
        stats.segments.add(placed.segments as u64);
        stats.bounced.add(placed.bounced as u64);
        Ok(Self {
            client: client.clone(),
            handle: placed.handle,
            mapping: placed.mapping,
            len,
            pages: 0,
            direction,
        })
    }

    /// Its bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes of it, from `offset` on.
    pub(crate) fn part(&self, offset: u64, len: u64) -> Part {
        Part {
            mapping: self.mapping.clone(),
            offset,
            len,
        }
    }

    /// Which way the data goes.
    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Unmapped inside of the guard, unpinned outside. If the device is gone, unbind has done
        // both, and `with_card` has waited for it.
        let removed = self
            .client
            .device()
            .with_card(|card| card.unmap(self.handle));
        // A job may still work on it: then the device has failed, and the pages stay pinned.
        if !matches!(removed, Ok(None)) {
            self.client.stats().pinned_pages.sub(self.pages);
        }
    }
}

/// Refuses segments whose edges share a cache line with something else, which a device that does
/// not see the CPU's caches would destroy.
pub(crate) fn check_cache_lines(vector: &Vector, align: u32) -> Result<(), Failure> {
    if align as usize > PAGE_SIZE {
        return Err(Failure::from(EOPNOTSUPP));
    }
    vector.check_alignment(align, align)
}
