// SPDX-License-Identifier: MIT OR GPL-2.0
//! A device as a file of bytes: the memory of its first channel.

use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::slice;

use rustix::io::Errno;

use crate::error::{decode, Operation};
use crate::{ffi, sys, Device, Error, Result};

/// Reading and writing at a place, like a file's.
impl Device {
    /// Reads from byte `offset` of the first channel's memory on, straight into
    /// `to`; returns how many bytes, fewer at the end of the memory and 0 there.
    ///
    /// # Errors
    ///
    /// See [`Request::receive`](crate::Request::receive); but what was
    /// moved before an error is returned as a short count.
    ///
    /// # Aborts
    ///
    /// The kernel kills the process if the device does not stop when told to, so
    /// that `to` may change at any later time; see
    /// [the crate's documentation](crate#soundness).
    pub fn read_at(&self, to: &mut [u8], offset: u64) -> Result<usize> {
        self.read_vectored_at(&mut [IoSliceMut::new(to)], offset)
    }

    /// The same, into several slices.
    ///
    /// # Errors
    ///
    /// See [`read_at`](Self::read_at).
    ///
    /// # Aborts
    ///
    /// See [`read_at`](Self::read_at).
    pub fn read_vectored_at(&self, to: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize> {
        let read = ffi::file::read(self.node(), to, Some(offset));
        read.map_err(|errno| failed(self, Operation::Read, errno, pages_of(to)))
    }

    /// Writes `from`, in place, to the first channel's memory from byte `offset`
    /// on; returns how many bytes, fewer at the end of the memory.
    ///
    /// # Errors
    ///
    /// See [`Request::send`](crate::Request::send);
    /// [`EndOfMemory`](crate::ErrorKind::EndOfMemory) at the end of the memory.
    /// What was moved before an error is returned as a short count.
    pub fn write_at(&self, from: &[u8], offset: u64) -> Result<usize> {
        self.write_vectored_at(&[IoSlice::new(from)], offset)
    }

    /// The same, from several slices.
    ///
    /// # Errors
    ///
    /// See [`write_at`](Self::write_at).
    pub fn write_vectored_at(&self, from: &[IoSlice<'_>], offset: u64) -> Result<usize> {
        let written = ffi::file::write(self.node(), from, Some(offset));
        written.map_err(|errno| failed(self, Operation::Write, errno, pages_of(from)))
    }
}

/// Reads at the file's position, which whoever shares the open file shares too.
impl Read for &Device {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(slice::from_mut(&mut IoSliceMut::new(to)))
    }

    fn read_vectored(&mut self, to: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let read = ffi::file::read(self.node(), to, None);
        read.map_err(|errno| failed(self, Operation::Read, errno, pages_of(to)).into())
    }
}

/// Writes at the file's position, which whoever shares the open file shares too.
impl Write for &Device {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.write_vectored(slice::from_ref(&IoSlice::new(from)))
    }

    fn write_vectored(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = ffi::file::write(self.node(), from, None);
        written.map_err(|errno| failed(self, Operation::Write, errno, pages_of(from)).into())
    }

    /// Nothing is held back, so there is nothing to do.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &Device {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(offset) => rustix::fs::SeekFrom::Start(offset),
            SeekFrom::End(offset) => rustix::fs::SeekFrom::End(offset),
            SeekFrom::Current(offset) => rustix::fs::SeekFrom::Current(offset),
        };
        let at = rustix::fs::seek(self.node(), to);
        at.map_err(|errno| decode::plain_call(Operation::Seek, errno).into())
    }
}

impl Read for Device {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        (&*self).read(to)
    }

    fn read_vectored(&mut self, to: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(to)
    }
}

impl Write for Device {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        (&*self).write(from)
    }

    fn write_vectored(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Device {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        (&*self).seek(to)
    }
}

/// The error of a call that says nothing but its number, and that needs so many
/// bytes of whole pages.
fn failed(device: &Device, operation: Operation, errno: Errno, bytes: u64) -> Error {
    let refused = match errno {
        Errno::NOMEM => memlock(device, bytes),
        _ => None,
    };
    let result = refused.unwrap_or_default();
    decode::with_result(operation, errno.raw_os_error(), &result)
}

/// What the kernel would have said of a limit of locked memory that does not
/// allow so many bytes; None if it does.
fn memlock(device: &Device, bytes: u64) -> Option<sys::pindma_result> {
    let info = device.info().ok()?;
    let needed = bytes.min(info.window_bytes);
    let limit = info.memlock.limit?;
    (needed > info.memlock.available()?).then(|| sys::pindma_result {
        flags: sys::PINDMA_OUT_MEMLOCK,
        memlock_needed: needed,
        memlock_used: info.memlock.used,
        memlock_limit: limit,
        ..Default::default()
    })
}

/// Bytes of the pages that slices touch.
fn pages_of<T: Deref<Target = [u8]>>(slices: &[T]) -> u64 {
    let page = rustix::param::page_size();
    let bytes = slices.iter().map(|slice| {
        let before = slice.as_ptr().addr() % page;
        (before + slice.len()).next_multiple_of(page) as u64
    });
    bytes.sum()
}

#[cfg(test)]
mod tests;
