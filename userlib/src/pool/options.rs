// SPDX-License-Identifier: MIT OR GPL-2.0
//! How to make a pool.

use crate::error::{decode, Operation};
use crate::ffi::pool::{Stock, Wanted};
use crate::{sys, Access, Device, Pool, Result};

/// How to make a pool.
///
/// ```no_run
/// # use pindma::{Access, Device, Pool};
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = Device::open("/dev/pindma0")?;
/// let pool = Pool::options().contiguous(true).create(&device, 64 << 20, 1, Access::BOTH)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "options do nothing before create"]
pub struct PoolOptions {
    contiguous: bool,
    as_many: bool,
    unasked: bool,
}

impl PoolOptions {
    /// Whether each buffer is to be contiguous in physical memory.  Buffers larger
    /// than the page allocator's largest (4 MiB on x86) need `CAP_SYS_RESOURCE`,
    /// as no memory cgroup is charged with them.
    pub fn contiguous(mut self, contiguous: bool) -> Self {
        self.contiguous = contiguous;
        self
    }

    /// Whether fewer buffers will do, down to one; [`Pool::count`] tells.
    pub fn as_many(mut self, as_many: bool) -> Self {
        self.as_many = as_many;
        self
    }

    pub(crate) fn set_unasked(mut self, unasked: bool) -> Self {
        self.unasked = unasked;
        self
    }

    /// Allocates `count` buffers of `buffer_bytes` for what `access` says.
    ///
    /// # Errors
    ///
    /// [`MemlockLimit`](crate::ErrorKind::MemlockLimit),
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory),
    /// [`TooMany`](crate::ErrorKind::TooMany),
    /// [`OutOfReach`](crate::ErrorKind::OutOfReach),
    /// [`Uncharged`](crate::ErrorKind::Uncharged),
    /// [`LockedMappings`](crate::ErrorKind::LockedMappings),
    /// [`Invalid`](crate::ErrorKind::Invalid),
    /// [`WritesUnasked`](crate::ErrorKind::WritesUnasked),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn create(
        self,
        device: &Device,
        buffer_bytes: usize,
        count: u32,
        access: Access,
    ) -> Result<Pool> {
        if !self.unasked {
            access.check_told(device.node(), Operation::CreatePool)?;
        }
        let wanted = Wanted {
            buffer_bytes,
            count,
            access: access.bits(),
            flags: self.flags(),
        };
        let stock = Stock::new(device.node(), &wanted);
        stock
            .map(|stock| Pool::new(stock, access))
            .map_err(|(errno, result)| decode::with_result(Operation::CreatePool, errno, &result))
    }

    fn flags(self) -> u32 {
        let mut flags = 0;
        if self.contiguous {
            flags |= sys::PINDMA_POOL_CONTIGUOUS;
        }
        if self.as_many {
            flags |= sys::PINDMA_POOL_AS_MANY;
        }
        flags
    }
}
