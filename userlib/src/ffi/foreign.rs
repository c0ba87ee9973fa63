// SPDX-License-Identifier: MIT OR GPL-2.0
//! Registering memory that the crate does not own.

use std::ptr::NonNull;

use super::registration::Backing;
use crate::{Access, Device, Error, PoolOptions, Region, RegionOptions};

impl RegionOptions {
    /// Registers memory of somebody else: huge pages that another library has
    /// mapped, memory shared with another process, a framebuffer.
    ///
    /// # Errors
    ///
    /// See [`register`](Self::register).
    ///
    /// # Aborts
    ///
    /// When the last part of the region is dropped while the device cannot be
    /// stopped; it is the caller's memory, so it cannot be leaked here.
    ///
    /// # Safety
    ///
    /// From now until the region, with all of its parts, has been unregistered
    /// or dropped, `memory` must stay mapped and initialised, and nothing but
    /// the region and what it lends may read or write it.
    pub unsafe fn register_foreign(
        self,
        device: &Device,
        memory: NonNull<[u8]>,
        access: Access,
    ) -> Result<Region, Error> {
        Region::register(device, Backing::Foreign(memory), access, self).map_err(|(_, error)| error)
    }

    /// Whether whoever has the device's file may use the region, not only the
    /// process that registers it.
    ///
    /// # Safety
    ///
    /// No other process may have the device write to a part of the region that
    /// this one holds, nor read from one that this one writes.
    pub unsafe fn shared(self, shared: bool) -> Self {
        self.set_shared(shared)
    }
}

/// What is to be promised of memory that a device writes whenever it likes.
impl RegionOptions {
    /// Whether it is fine that the device writes to the region on its own; else
    /// that is [`WritesUnasked`](crate::ErrorKind::WritesUnasked).
    ///
    /// # Safety
    ///
    /// Nobody may look at bytes of the region through its slices while the device
    /// may write them, but only through [`as_ptr`](Region::as_ptr), by volatile
    /// reads, with [`sync_for_cpu`](Region::sync_for_cpu) before them.
    pub unsafe fn unasked(self, unasked: bool) -> Self {
        self.set_unasked(unasked)
    }
}

/// The same, of a pool's.
impl PoolOptions {
    /// Whether it is fine that the device writes to the buffers on its own; else
    /// that is [`WritesUnasked`](crate::ErrorKind::WritesUnasked).
    ///
    /// # Safety
    ///
    /// The device may not write to a buffer that is the program's.
    pub unsafe fn unasked(self, unasked: bool) -> Self {
        self.set_unasked(unasked)
    }
}

/// For tests of memory that outlives its region.
#[cfg(test)]
pub(crate) fn register(device: &Device, memory: NonNull<[u8]>, access: Access) -> Region {
    // SAFETY: tests keep the memory, and do not look at it meanwhile.
    let region = unsafe { Region::options().register_foreign(device, memory, access) };
    region.expect("registered")
}
