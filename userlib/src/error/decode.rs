// SPDX-License-Identifier: MIT OR GPL-2.0
//! From the kernel's error numbers to typed errors.

use std::path::Path;

use rustix::io::Errno;

use super::{Error, ErrorKind, Field, Operation, Side};
use crate::{sys, Done};

/// What is known about a transfer or a copy that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) channel: u32,
    pub(crate) dev_addr: u64,
    /// Length of the call.
    pub(crate) bytes: u64,
    /// Slices, on the side that has more.
    pub(crate) segments: usize,
    /// The limit that the error is about, if it is about one that is known.
    pub(crate) limit: Option<u64>,
}

/// The error of a transfer or a copy.
pub(crate) fn call(call: &Call, errno: i32, result: &sys::pindma_result) -> Error {
    let kind = match Errno::from_raw_os_error(errno) {
        Errno::INVAL => invalid(call, result),
        Errno::RANGE => ErrorKind::Range {
            channel: call.channel,
            at: call.dev_addr,
            len: call.bytes,
            memory: call.limit,
        },
        Errno::MSGSIZE => ErrorKind::TooManySegments {
            given: call.segments,
            max: call.limit,
        },
        Errno::OPNOTSUPP => ErrorKind::Unsupported {
            channel: call.channel,
            field: result.field.into(),
        },
        Errno::NOENT => ErrorKind::NoChannel {
            channel: call.channel,
            channels: call.limit,
        },
        Errno::FAULT | Errno::NXIO | Errno::NOMEM => memory(call, errno, result),
        _ => plain(errno),
    };
    Error {
        operation: call.operation,
        kind,
        errno,
        done: Done::from(result),
    }
}

/// The error of a question about the device.
pub(crate) fn query(operation: Operation, errno: i32, channel: u32) -> Error {
    let kind = match (operation, Errno::from_raw_os_error(errno)) {
        (Operation::ChannelInfo, Errno::NOENT) => ErrorKind::NoChannel {
            channel,
            channels: None,
        },
        _ => plain(errno),
    };
    Error {
        operation,
        kind,
        errno,
        done: Done::default(),
    }
}

/// The error of an open.
pub(crate) fn open(path: &Path, errno: i32) -> Error {
    let path = path.to_owned();
    let kind = match Errno::from_raw_os_error(errno) {
        Errno::NOENT | Errno::NXIO | Errno::NODEV => ErrorKind::NotFound { path },
        Errno::ACCESS | Errno::PERM => ErrorKind::PermissionDenied { path },
        Errno::NOTTY | Errno::ISDIR => ErrorKind::NotADevice { path },
        Errno::BUSY => ErrorKind::InUse { path },
        _ => plain(errno),
    };
    Error {
        operation: Operation::Open,
        kind,
        errno,
        done: Done::default(),
    }
}

fn invalid(call: &Call, result: &sys::pindma_result) -> ErrorKind {
    let field = Field::from(result.field);
    ErrorKind::Invalid {
        field,
        side: side(call, result),
        segment: field.is_segment().then_some(result.fault_index),
    }
}

/// Errors about user memory: with the detail, if the kernel gave it.
fn memory(call: &Call, errno: i32, result: &sys::pindma_result) -> ErrorKind {
    let located = result.flags & sys::PINDMA_OUT_FAULT != 0;
    match Errno::from_raw_os_error(errno) {
        Errno::NOMEM if result.flags & sys::PINDMA_OUT_MEMLOCK != 0 => ErrorKind::MemlockLimit {
            needed: result.memlock_needed,
            used: result.memlock_used,
            limit: result.memlock_limit,
        },
        Errno::FAULT if located => ErrorKind::Fault {
            side: side(call, result),
            segment: result.fault_index,
            address: result.fault_addr,
            pages_pinned: result.pages_pinned,
        },
        Errno::NXIO if located => ErrorKind::OutOfReach {
            side: side(call, result),
            segment: result.fault_index,
            address: result.fault_addr,
        },
        _ => plain(errno),
    }
}

fn side(call: &Call, result: &sys::pindma_result) -> Side {
    let copy_destination = result.flags & sys::PINDMA_OUT_FAULT_DST != 0;
    match call.operation {
        Operation::FromDevice => Side::Destination,
        Operation::Copy if copy_destination => Side::Destination,
        _ => Side::Source,
    }
}

/// Error numbers that say all there is to say.
fn plain(errno: i32) -> ErrorKind {
    match Errno::from_raw_os_error(errno) {
        Errno::NOTTY | Errno::TOOBIG => ErrorKind::OlderModule,
        Errno::NOMEM => ErrorKind::OutOfMemory,
        Errno::NOSPC => ErrorKind::NoSpace,
        Errno::AGAIN => ErrorKind::Busy,
        Errno::INTR => ErrorKind::Interrupted,
        Errno::TIMEDOUT => ErrorKind::TimedOut,
        Errno::IO => ErrorKind::DeviceError,
        Errno::NODEV => ErrorKind::DeviceGone,
        Errno::NOTRECOVERABLE => ErrorKind::NotRecoverable,
        _ => ErrorKind::Other { errno },
    }
}

#[cfg(test)]
mod tests;
