// SPDX-License-Identifier: GPL-2.0

//! Polling by the kernel's asynchronous I/O, as libaio does it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

use super::check;

/// `IOCB_CMD_POLL`.
const POLL: u16 = 5;

/// A request, as `struct iocb` of `include/uapi/linux/aio_abi.h` has it.
#[repr(C)]
#[derive(Default)]
struct Request {
    data: u64,
    key: u32,
    rw_flags: i32,
    opcode: u16,
    priority: i16,
    fd: u32,
    buffer: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    eventfd: u32,
}

/// How one has ended, as `struct io_event` has it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Event {
    data: u64,
    request: u64,
    result: i64,
    more: i64,
}

/// A context of asynchronous I/O, for one request at a time.
pub(crate) struct Context(u64);

impl Context {
    pub(crate) fn new() -> io::Result<Context> {
        let mut context = 0u64;
        // SAFETY: The kernel writes one word, for which there is room.
        check(unsafe { libc::syscall(libc::SYS_io_setup, 1, &raw mut context) })?;
        Ok(Context(context))
    }

    /// Asks to be told of `events` of a file.
    pub(crate) fn poll(&self, fd: BorrowedFd<'_>, events: i16) -> io::Result<()> {
        let mut request = Request {
            opcode: POLL,
            fd: fd.as_raw_fd() as u32,
            buffer: u64::from(events as u16),
            ..Request::default()
        };
        let mut list = [&raw mut request];
        // SAFETY: The request is copied, and names no memory.
        let taken = unsafe { libc::syscall(libc::SYS_io_submit, self.0, 1, list.as_mut_ptr()) };
        assert_eq!(check(taken)?, 1, "not taken, and no error");
        Ok(())
    }

    /// What it has told of, within `time`.
    pub(crate) fn told(&self, time: Duration) -> io::Result<Option<i16>> {
        let mut event = Event::default();
        let mut timeout = libc::timespec {
            tv_sec: time.as_secs() as i64,
            tv_nsec: i64::from(time.subsec_nanos()),
        };
        // SAFETY: There is room for one event.
        let count = check(unsafe {
            libc::syscall(
                libc::SYS_io_getevents,
                self.0,
                1,
                1,
                &raw mut event,
                &raw mut timeout,
            )
        })?;
        Ok((count == 1).then_some(event.result as i16))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: It ends what is asked for; no memory is involved.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.0, ptr::null::<u8>()) };
    }
}
