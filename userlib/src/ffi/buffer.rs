// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that the crate owns.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;

use rustix::io::Errno;
use rustix::mm::{madvise, mmap_anonymous, munmap, Advice, MapFlags, ProtFlags};

use crate::error::{decode, Operation};
use crate::Result;

/// Bytes that a queue or a region can own.
///
/// [`zeroed`](Self::zeroed) makes one that starts at a page; a `Vec<u8>` turns
/// into one without being copied, wherever it lies.  Both work; whole pages of
/// its own are what is pinned and mapped with the least effort.
///
/// ```
/// use pindma::Buffer;
///
/// # fn main() -> Result<(), pindma::Error> {
/// let mut buffer = Buffer::zeroed(1 << 20)?;
/// buffer[..4].copy_from_slice(b"head");
/// assert_eq!(Buffer::from(b"tail".to_vec()).into_vec(), b"tail");
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// `start` and `len` describe initialised bytes that the buffer owns alone and
/// that do not move with it.  While the device may access them nothing holds a
/// reference to them, since the buffer is then inside a `Flight` or a
/// `Registration`.
pub struct Buffer {
    start: NonNull<u8>,
    len: usize,
    origin: Origin,
}

/// How the memory is given back.
#[derive(Clone, Copy)]
enum Origin {
    Map,
    Vec { capacity: usize },
}

// SAFETY: a buffer owns its bytes, like a Vec<u8>.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer only lends shared slices, like a Vec<u8>.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// `len` zeros that start at a page.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub fn zeroed(len: usize) -> Result<Self> {
        if len == 0 {
            return Ok(Vec::new().into());
        }
        if isize::try_from(len).is_err() {
            // No slice is that long, whatever the kernel could map.
            return Err(decode::plain_call(Operation::Allocate, Errno::NOMEM));
        }
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new mapping, wherever the kernel has room for it.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), len, prot, flags) };
        let start = start.and_then(|start| NonNull::new(start.cast()).ok_or(Errno::NOMEM));
        let start = start.map_err(|errno| decode::plain_call(Operation::Allocate, errno))?;
        let origin = Origin::Map;
        Ok(Self { start, len, origin })
    }

    /// The same in huge pages, where the kernel has them at hand: fewer pages
    /// to pin, and longer segments for the device.
    ///
    /// # Errors
    ///
    /// See [`zeroed`](Self::zeroed).
    pub fn huge(len: usize) -> Result<Self> {
        let buffer = Self::zeroed(len)?;
        if len != 0 {
            let start = buffer.start.as_ptr().cast();
            // SAFETY: the range is the buffer's mapping; the advice changes no
            // bytes.  A kernel without huge pages refuses, which is no harm.
            let _ = unsafe { madvise(start, len, Advice::LinuxHugepage) };
        }
        Ok(buffer)
    }

    /// The bytes as a `Vec`; copied unless they came from one.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        let Origin::Vec { capacity } = self.origin else {
            return self.to_vec();
        };
        let this = ManuallyDrop::new(self);
        // SAFETY: the three come from a Vec, and `this` does not free them.
        unsafe { Vec::from_raw_parts(this.start.as_ptr(), this.len, capacity) }
    }

    /// Where the bytes are; for the kernel, not to be used as a reference while
    /// the device may write.
    pub(super) fn raw(&self) -> NonNull<[u8]> {
        NonNull::slice_from_raw_parts(self.start, self.len)
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        let mut bytes = ManuallyDrop::new(bytes);
        let (len, capacity) = (bytes.len(), bytes.capacity());
        // SAFETY: a Vec's pointer is never null.
        let start = unsafe { NonNull::new_unchecked(bytes.as_mut_ptr()) };
        let origin = Origin::Vec { capacity };
        Self { start, len, origin }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match self.origin {
            Origin::Map => {
                // SAFETY: the mapping is the buffer's, and its last user goes.
                let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
                // The kernel may lack memory to split a mapping: then it stays.
                let _ = unmapped;
            }
            Origin::Vec { capacity } => {
                // SAFETY: the three come from a Vec that nobody else has freed.
                drop(unsafe { Vec::from_raw_parts(self.start.as_ptr(), self.len, capacity) });
            }
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the type's invariants; `self` is borrowed for as long.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: the type's invariants; `self` is mutably borrowed for as long.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// Says how long it is, not what is in it.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_a_page_and_is_zero() {
        for len in [1, 4096, 3 << 20] {
            let buffer = Buffer::zeroed(len).expect("memory");
            let offset = buffer.as_ptr().addr() % rustix::param::page_size();
            assert_eq!((offset, buffer.len()), (0, len));
            assert!(buffer.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn nothing_is_a_buffer_too() {
        assert!(Buffer::zeroed(0).expect("nothing").is_empty());
        assert!(Buffer::huge(0).expect("nothing").is_empty());
    }

    #[test]
    fn a_vec_goes_in_and_out_in_place() {
        let bytes = vec![7u8; 100];
        let place = bytes.as_ptr();
        let mut buffer = Buffer::from(bytes);
        buffer[3] = 8;
        let bytes = buffer.into_vec();
        assert_eq!((bytes.as_ptr(), bytes[3], bytes[4]), (place, 8, 7));
    }

    #[test]
    fn a_mapping_is_copied_into_a_vec() {
        let mut buffer = Buffer::huge(5000).expect("memory");
        buffer.fill(9);
        assert_eq!(buffer.into_vec(), vec![9; 5000]);
    }

    #[test]
    fn too_much_is_an_error() {
        for len in [usize::MAX / 2, usize::MAX / 2 + 1, usize::MAX] {
            let error = Buffer::zeroed(len).expect_err("more than there is");
            assert_eq!(error.kind(), &crate::ErrorKind::OutOfMemory);
        }
    }
}
