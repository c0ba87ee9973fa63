// SPDX-License-Identifier: GPL-2.0

//! What can be mapped for a device: memory that stays where it is for as long as this owns it.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    block::Block,
    borrowed::Borrowed,
    charge::User,
    extent::{
        Bounds,
        Extent, //
    },
    pins::{
        Direction,
        Pins, //
    },
};

/// Memory that can be mapped.
///
/// Dropping it may sleep without bound, as unpinning does: not where a guard is held.
pub(crate) enum Backing {
    /// User memory that is pinned.
    User(Pins),
    /// Pages that a caller within the kernel keeps in place.
    Borrowed(Borrowed),
    /// Memory of the kernel, and which way the data goes.
    Kernel(Arc<Block>, Direction),
}

impl Backing {
    /// Which way the data goes.
    pub(crate) fn direction(&self) -> Direction {
        match self {
            Self::User(pins) => pins.direction(),
            Self::Borrowed(pages) => pages.direction(),
            Self::Kernel(_, direction) => *direction,
        }
    }

    /// Whose pages others may hold locked, so that giving them back waits; none if that cannot be.
    pub(crate) fn user(&self) -> Option<&User> {
        match self {
            Self::User(pins) => Some(pins.user()),
            Self::Borrowed(_) | Self::Kernel(..) => None,
        }
    }

    /// Number of pages.
    pub(crate) fn pages(&self) -> usize {
        match self {
            Self::User(pins) => pins.len(),
            Self::Borrowed(pages) => pages.len(),
            Self::Kernel(block, _) => block.len(),
        }
    }

    /// Says that the device may have written, or the CPU on its behalf.
    pub(super) fn mark_touched(&self) {
        match self {
            Self::User(pins) => pins.mark_touched(),
            // Who brings pages sees to it that they are written back.
            Self::Borrowed(_) => {}
            // Nobody writes it back.
            Self::Kernel(..) => {}
        }
    }

    /// Calls `f` with the physical address of each page, and with the address and the index of the
    /// range that it stands for, until it fails; last, whether the page is meant as a whole. What is no
    /// user memory has an offset for an address, and 0 for an index.
    pub(super) fn try_for_each_page<E>(
        &self,
        f: impl FnMut(u64, u64, u32, bool) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        match self {
            Self::User(pins) => pins.try_for_each_page(f),
            Self::Borrowed(pages) => pages.try_for_each_page(f),
            Self::Kernel(block, _) => block.try_for_each_page(f),
        }
    }

    /// Merges the memory into extents within `bounds`.
    pub(super) fn extents(&self, bounds: Bounds) -> Result<KVVec<Extent>> {
        match self {
            Self::User(pins) => pins.extents(bounds),
            Self::Borrowed(pages) => pages.extents(bounds),
            Self::Kernel(block, _) => block.extents(bounds),
        }
    }
}
