// SPDX-License-Identifier: MIT OR GPL-2.0
//! A pool's memory, mapped.

use std::os::fd::AsFd;
use std::ptr::{self, NonNull};

use rustix::io::Errno;
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};

/// The whole of a pool's memory.
///
/// # Invariants
///
/// `start` and `len` describe a mapping of this process that nobody else unmaps.
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it lends nothing by itself; who may touch which bytes is the table's
// business.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(super) fn new(file: impl AsFd, len: usize) -> rustix::io::Result<Self> {
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a new mapping, wherever the kernel has room for it.
        let start = unsafe { mmap(ptr::null_mut(), len, prot, flags, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(Errno::NOMEM)?;
        Ok(Self { start, len })
    }

    /// A range of it, without a reference to it.
    pub(super) fn range(&self, offset: usize, len: usize) -> NonNull<[u8]> {
        assert!(offset <= self.len && len <= self.len - offset);
        // SAFETY: just checked to lie within the mapping.
        let start = unsafe { self.start.add(offset) };
        NonNull::slice_from_raw_parts(start, len)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: whoever lent parts of it is gone.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
        // The kernel may lack memory to split a mapping: then it stays.
        let _ = unmapped;
    }
}
