// SPDX-License-Identifier: GPL-2.0

//! io_uring: a ring, requests for reads and writes, and how they ended.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use io_uring::squeue::Entry;
use io_uring::types::{Fd, TimeoutFlags, Timespec};
use io_uring::{opcode, IoUring};

use super::rw::{Range, Vector};

/// Requests that fit in at a time.
const ENTRIES: u32 = 8;

/// What is asked for: of which file, with which memory, where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) write: bool,
    pub(crate) memory: Range,
    pub(crate) at: u64,
    /// The registered buffer that the memory is a part of.
    pub(crate) fixed: Option<u16>,
    /// `RWF_*`.
    pub(crate) flags: i32,
    /// Names the request.
    pub(crate) name: u64,
}

impl Request {
    fn entry(&self, file: Fd) -> Entry {
        let (addr, len) = (self.memory.0 as *mut u8, self.memory.1 as u32);
        let (at, flags) = (self.at, self.flags);
        let entry = match (self.write, self.fixed) {
            (false, None) => opcode::Read::new(file, addr, len)
                .offset(at)
                .rw_flags(flags)
                .build(),
            (true, None) => opcode::Write::new(file, addr, len)
                .offset(at)
                .rw_flags(flags)
                .build(),
            (false, Some(buffer)) => opcode::ReadFixed::new(file, addr, len, buffer)
                .offset(at)
                .rw_flags(flags)
                .build(),
            (true, Some(buffer)) => opcode::WriteFixed::new(file, addr, len, buffer)
                .offset(at)
                .rw_flags(flags)
                .build(),
        };
        entry.user_data(self.name)
    }
}

/// A ring.
pub(crate) struct Ring {
    ring: IoUring,
    /// There are registered buffers.
    registered: Cell<bool>,
}

impl Ring {
    pub(crate) fn new() -> io::Result<Ring> {
        Ok(Ring {
            ring: IoUring::new(ENTRIES)?,
            registered: Cell::new(false),
        })
    }

    /// Registers memory, of which requests may use parts by its number.
    pub(crate) fn register(&self, buffers: &[Range]) -> io::Result<()> {
        let vector: Vec<libc::iovec> = buffers
            .iter()
            .map(|(addr, len)| libc::iovec {
                iov_base: *addr as *mut libc::c_void,
                iov_len: *len as usize,
            })
            .collect();
        // SAFETY: It pins memory of ours.
        unsafe { self.ring.submitter().register_buffers(&vector) }?;
        self.registered.set(true);
        Ok(())
    }

    /// Gives them back, if there are any.
    pub(crate) fn unregister(&self) -> io::Result<()> {
        match self.registered.replace(false) {
            true => self.ring.submitter().unregister_buffers(),
            false => Ok(()),
        }
    }

    /// Submits a read or a write; its memory must stay until it has ended.
    pub(crate) fn submit(&mut self, file: BorrowedFd<'_>, request: Request) -> io::Result<()> {
        self.push(&request.entry(Fd(file.as_raw_fd())))
    }

    /// Submits a read or a write at the start of a file, with parts of registered buffer 0.
    pub(crate) fn submit_fixed_vector(
        &mut self,
        file: BorrowedFd<'_>,
        write: bool,
        parts: &[Range],
        name: u64,
    ) -> io::Result<()> {
        let (file, vector) = (Fd(file.as_raw_fd()), Vector::new(parts));
        // The kernel takes the vector with the entry.
        let (iovec, count) = vector.as_raw();
        let entry = if write {
            opcode::WritevFixed::new(file, iovec, count, 0).build()
        } else {
            opcode::ReadvFixed::new(file, iovec, count, 0).build()
        };
        self.push(&entry.user_data(name))
    }

    /// Submits that the request with this name is to be cancelled.
    pub(crate) fn cancel(&mut self, name: u64, own_name: u64) -> io::Result<()> {
        let cancel = opcode::AsyncCancel::new(name).build();
        self.push(&cancel.user_data(own_name))
    }

    /// Has a completion come every `period` from now on, until there is no room for another.
    pub(crate) fn tick(&mut self, period: Duration, name: u64) -> io::Result<()> {
        let time = Timespec::from(period);
        let ticks = opcode::Timeout::new(&time).flags(TimeoutFlags::MULTISHOT);
        // The kernel takes the time with the entry.
        self.push(&ticks.build().user_data(name))
    }

    fn push(&mut self, entry: &Entry) -> io::Result<()> {
        // SAFETY: What it does to memory is the caller's affair; a time is read here.
        let pushed = unsafe { self.ring.submission().push(entry) };
        pushed.map_err(io::Error::other)?;
        self.ring.submit().map(drop)
    }

    /// Whether a request has ended that was not waited for yet.
    pub(crate) fn has_ended(&mut self) -> bool {
        !self.ring.completion().is_empty()
    }

    /// Waits for a request to end: its name, and its result.
    pub(crate) fn wait(&mut self) -> io::Result<(u64, i32)> {
        loop {
            if let Some(ended) = self.ring.completion().next() {
                return Ok((ended.user_data(), ended.result()));
            }
            self.ring.submit_and_wait(1)?;
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel would do it too, but at some later time.
        let _ = self.unregister();
    }
}
