// SPDX-License-Identifier: GPL-2.0

//! io_uring, by its system calls: a ring, requests for reads and writes, and how
//! they ended.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io_uring::{
    io_uring_cqe, io_uring_enter, io_uring_params, io_uring_ptr, io_uring_register, io_uring_setup,
    io_uring_sqe, io_uring_user_data, IoringEnterFlags, IoringFeatureFlags, IoringOp,
    IoringRegisterOp, IoringTimeoutFlags, Timespec, IORING_OFF_SQES, IORING_OFF_SQ_RING,
};

use super::rw::Range;
use super::Mapping;

/// Requests that fit in at a time.
const ENTRIES: u32 = 8;

/// `IORING_TIMEOUT_MULTISHOT`.
const TIMEOUT_MULTISHOT: u32 = 1 << 6;

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

/// Memory that is shared with the kernel.
struct Shared(Mapping);

impl Shared {
    fn map(ring: &OwnedFd, len: usize, offset: u64) -> io::Result<Shared> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        Mapping::at(len, protection, flags, Some(ring.as_fd()), offset).map(Shared)
    }

    fn at<T>(&self, offset: usize) -> *mut T {
        assert!(offset + size_of::<T>() <= self.0.len());
        self.0.addr(offset) as *mut T
    }

    fn counter(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: Mapped for as long as `self` lives; the kernel accesses it atomically as well.
        unsafe { &*self.at::<AtomicU32>(offset as usize) }
    }
}

/// A ring.
pub(crate) struct Ring {
    fd: OwnedFd,
    /// There are registered buffers.
    registered: Cell<bool>,
    params: io_uring_params,
    rings: Shared,
    entries: Shared,
}

impl Ring {
    pub(crate) fn new() -> io::Result<Ring> {
        let mut params = io_uring_params::default();
        // SAFETY: What it does to memory is asked for by the requests.
        let fd = unsafe { io_uring_setup(ENTRIES, &mut params) }?;
        assert!(params.features.contains(IoringFeatureFlags::SINGLE_MMAP));
        let submissions = params.sq_off.array as usize + params.sq_entries as usize * 4;
        let completions =
            params.cq_off.cqes as usize + params.cq_entries as usize * size_of::<io_uring_cqe>();
        let entries = params.sq_entries as usize * size_of::<io_uring_sqe>();
        Ok(Ring {
            rings: Shared::map(&fd, submissions.max(completions), IORING_OFF_SQ_RING)?,
            entries: Shared::map(&fd, entries, IORING_OFF_SQES)?,
            fd,
            registered: Cell::new(false),
            params,
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
        let (op, count) = (IoringRegisterOp::RegisterBuffers, vector.len() as u32);
        // SAFETY: It pins memory of ours, and reads the vector.
        unsafe { io_uring_register(&self.fd, op, vector.as_ptr().cast(), count) }?;
        self.registered.set(true);
        Ok(())
    }

    /// Gives them back, if there are any.
    pub(crate) fn unregister(&self) -> io::Result<()> {
        if !self.registered.replace(false) {
            return Ok(());
        }
        let op = IoringRegisterOp::UnregisterBuffers;
        // SAFETY: It takes no memory.
        unsafe { io_uring_register(&self.fd, op, ptr::null(), 0) }?;
        Ok(())
    }

    /// Submits a read or a write; its memory must stay until it has ended.
    pub(crate) fn submit(&mut self, file: BorrowedFd<'_>, request: Request) -> io::Result<()> {
        let mut entry = io_uring_sqe {
            opcode: match (request.write, request.fixed) {
                (false, None) => IoringOp::Read,
                (true, None) => IoringOp::Write,
                (false, Some(_)) => IoringOp::ReadFixed,
                (true, Some(_)) => IoringOp::WriteFixed,
            },
            fd: file.as_raw_fd(),
            ..io_uring_sqe::default()
        };
        entry.off_or_addr2.off = request.at;
        entry.addr_or_splice_off_in.addr = io_uring_ptr::new(request.memory.0 as *mut _);
        entry.len.len = request.memory.1 as u32;
        entry.buf.buf_index = request.fixed.unwrap_or(0);
        entry.op_flags.rw_flags =
            rustix::io::ReadWriteFlags::from_bits_retain(request.flags as u32);
        entry.user_data = io_uring_user_data::from_u64(request.name);
        self.push(entry)
    }

    /// Submits that the request with this name is to be cancelled.
    pub(crate) fn cancel(&mut self, name: u64, own_name: u64) -> io::Result<()> {
        let mut entry = io_uring_sqe {
            opcode: IoringOp::AsyncCancel,
            fd: -1,
            ..io_uring_sqe::default()
        };
        entry.addr_or_splice_off_in.user_data = io_uring_user_data::from_u64(name);
        entry.user_data = io_uring_user_data::from_u64(own_name);
        self.push(entry)
    }

    /// Has a completion come every `period` from now on, until there is no room for another.
    pub(crate) fn tick(&mut self, period: Duration, name: u64) -> io::Result<()> {
        let time = Timespec::try_from(period).map_err(io::Error::other)?;
        let mut entry = io_uring_sqe {
            opcode: IoringOp::Timeout,
            fd: -1,
            ..io_uring_sqe::default()
        };
        entry.addr_or_splice_off_in.addr = io_uring_ptr::new(ptr::from_ref(&time) as *mut _);
        entry.len.len = 1;
        entry.op_flags.timeout_flags = IoringTimeoutFlags::from_bits_retain(TIMEOUT_MULTISHOT);
        entry.user_data = io_uring_user_data::from_u64(name);
        // The kernel takes the time with the entry.
        self.push(entry)
    }

    fn push(&mut self, entry: io_uring_sqe) -> io::Result<()> {
        let tail = self.rings.counter(self.params.sq_off.tail);
        let number = tail.load(Ordering::Relaxed);
        let index = number & (self.params.sq_entries - 1);
        let array = self.params.sq_off.array as usize + index as usize * 4;
        let offset = index as usize * size_of::<io_uring_sqe>();
        let place = self.entries.at::<io_uring_sqe>(offset);
        // SAFETY: The entry is ours until the tail says otherwise: each is submitted at once.
        unsafe { place.write_volatile(entry) };
        // SAFETY: As above.
        unsafe { self.rings.at::<u32>(array).write_volatile(index) };
        tail.store(number.wrapping_add(1), Ordering::Release);
        self.enter(1, 0)
    }

    fn enter(&self, submit: u32, wait: u32) -> io::Result<()> {
        let mut flags = IoringEnterFlags::empty();
        if wait > 0 {
            flags = IoringEnterFlags::GETEVENTS;
        }
        // SAFETY: What the requests do to memory is the caller's affair.
        unsafe { io_uring_enter(self.fd.as_fd(), submit, wait, flags) }?;
        Ok(())
    }

    /// Whether a request has ended that was not waited for yet.
    pub(crate) fn has_ended(&self) -> bool {
        let head = self.rings.counter(self.params.cq_off.head);
        let tail = self.rings.counter(self.params.cq_off.tail);
        head.load(Ordering::Relaxed) != tail.load(Ordering::Acquire)
    }

    /// Waits for a request to end: its name, and its result.
    pub(crate) fn wait(&mut self) -> io::Result<(u64, i32)> {
        loop {
            if let Some(ended) = self.take() {
                return Ok(ended);
            }
            self.enter(0, 1)?;
        }
    }

    fn take(&mut self) -> Option<(u64, i32)> {
        let head = self.rings.counter(self.params.cq_off.head);
        let tail = self.rings.counter(self.params.cq_off.tail);
        let number = head.load(Ordering::Relaxed);
        if number == tail.load(Ordering::Acquire) {
            return None;
        }
        let index = number & (self.params.cq_entries - 1);
        let offset = self.params.cq_off.cqes as usize + index as usize * size_of::<io_uring_cqe>();
        // The first two fields of an entry are the name and the result.
        let entry = self.rings.at::<io_uring_cqe>(offset);
        // SAFETY: The entry is ours until the head says otherwise.
        let name = unsafe { entry.cast::<u64>().read_volatile() };
        // SAFETY: As above.
        let result = unsafe { entry.cast::<i32>().wrapping_add(2).read_volatile() };
        let ended = (name, result);
        head.store(number.wrapping_add(1), Ordering::Release);
        Some(ended)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel would do it too, but at some later time.
        let _ = self.unregister();
    }
}
