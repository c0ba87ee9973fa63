// SPDX-License-Identifier: GPL-2.0

//! read(2), write(2) and their relatives, on memory that is given by address:
//! of a [`Mapping`](super::Mapping), or of none.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// A range of memory: address and length.
pub(crate) type Range = (u64, u64);

/// Ranges as the kernel takes them.
pub(crate) struct Vector(Vec<libc::iovec>);

impl Vector {
    pub(crate) fn new(ranges: &[Range]) -> Vector {
        let iovec = |(addr, len): &Range| libc::iovec {
            iov_base: *addr as *mut libc::c_void,
            iov_len: *len as usize,
        };
        Vector(ranges.iter().map(iovec).collect())
    }

    /// Where they are, and how many.
    pub(super) fn as_raw(&self) -> (*const libc::iovec, u32) {
        (self.0.as_ptr(), self.0.len() as u32)
    }
}

/// `preadv2(2)` and `pwritev2(2)`: at `offset`, or at the position if that is -1.
/// Which of the two it is says `write`.
pub(crate) fn vectored(
    fd: BorrowedFd<'_>,
    write: bool,
    Vector(vector): &Vector,
    offset: i64,
    flags: i32,
) -> io::Result<usize> {
    let (fd, count) = (fd.as_raw_fd(), vector.len() as libc::c_int);
    let moved = if write {
        // SAFETY: The kernel touches memory that the caller has for this, or that
        // nobody refers to.
        unsafe { libc::pwritev2(fd, vector.as_ptr(), count, offset, flags) }
    } else {
        // SAFETY: As above.
        unsafe { libc::preadv2(fd, vector.as_ptr(), count, offset, flags) }
    };
    check(moved).map(|moved| moved as usize)
}

/// `read(2)` and `write(2)`.
pub(crate) fn plain(fd: BorrowedFd<'_>, write: bool, (addr, len): Range) -> io::Result<usize> {
    let (fd, at, len) = (fd.as_raw_fd(), addr as *mut libc::c_void, len as usize);
    let moved = if write {
        // SAFETY: As above.
        unsafe { libc::write(fd, at, len) }
    } else {
        // SAFETY: As above.
        unsafe { libc::read(fd, at, len) }
    };
    check(moved).map(|moved| moved as usize)
}

/// `pread(2)` and `pwrite(2)`.
pub(crate) fn positioned(
    fd: BorrowedFd<'_>,
    write: bool,
    (addr, len): Range,
    offset: i64,
) -> io::Result<usize> {
    let (fd, at, len) = (fd.as_raw_fd(), addr as *mut libc::c_void, len as usize);
    let moved = if write {
        // SAFETY: As above.
        unsafe { libc::pwrite(fd, at, len, offset) }
    } else {
        // SAFETY: As above.
        unsafe { libc::pread(fd, at, len, offset) }
    };
    check(moved).map(|moved| moved as usize)
}

/// `lseek(2)`.
pub(crate) fn seek(fd: BorrowedFd<'_>, offset: i64, whence: i32) -> io::Result<i64> {
    // SAFETY: It touches no memory.
    check(unsafe { libc::lseek(fd.as_raw_fd(), offset, whence) })
}
