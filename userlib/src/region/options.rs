// SPDX-License-Identifier: MIT OR GPL-2.0
//! How to register memory.

use crate::error::Operation;
use crate::ffi::registration::Backing;
use crate::node::Node;
use crate::{sys, Access, Buffer, Device, Refused, Region, Result};

/// How to register memory.
///
/// ```no_run
/// # use pindma::{Access, Buffer, Device, Region};
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = Device::open("/dev/pindma0")?;
/// let region = Region::options().may_bounce(true).register(
///     &device,
///     Buffer::zeroed(1 << 20)?,
///     Access::WRITE,
/// )?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "options do nothing before register"]
pub struct RegionOptions {
    may_bounce: bool,
    shared: bool,
    unasked: bool,
}

impl RegionOptions {
    /// Whether memory that the device cannot reach is to go through bounce
    /// buffers, rather than be refused as
    /// [`OutOfReach`](crate::ErrorKind::OutOfReach).
    pub fn may_bounce(mut self, may_bounce: bool) -> Self {
        self.may_bounce = may_bounce;
        self
    }

    pub(crate) fn set_shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    pub(crate) fn set_unasked(mut self, unasked: bool) -> Self {
        self.unasked = unasked;
        self
    }

    /// Registers `buffer` for what `access` says.
    ///
    /// # Errors
    ///
    /// The buffer, with [`MemlockLimit`](crate::ErrorKind::MemlockLimit),
    /// [`OutOfReach`](crate::ErrorKind::OutOfReach),
    /// [`TooMany`](crate::ErrorKind::TooMany),
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory),
    /// [`Interrupted`](crate::ErrorKind::Interrupted),
    /// [`WritesUnasked`](crate::ErrorKind::WritesUnasked),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone), or
    /// [`Invalid`](crate::ErrorKind::Invalid) if it is empty.
    pub fn register(
        self,
        device: &Device,
        buffer: Buffer,
        access: Access,
    ) -> std::result::Result<Region, Refused<Buffer>> {
        Region::register(device, Backing::Owned(buffer), access, self).map_err(|(memory, error)| {
            let buffer = memory.into_buffer().unwrap_or_else(|| Vec::new().into());
            Refused::new(error, buffer)
        })
    }

    /// Whether a region of that access can be lent as slices.
    pub(super) fn check(self, node: &Node, access: Access) -> Result<()> {
        match self.unasked {
            true => Ok(()),
            false => access.check_told(node, Operation::Register),
        }
    }

    pub(super) fn flags(self) -> u32 {
        let mut flags = 0;
        if self.may_bounce {
            flags |= sys::PINDMA_REGION_MAY_BOUNCE;
        }
        if self.shared {
            flags |= sys::PINDMA_REGION_SHARED;
        }
        flags
    }
}
