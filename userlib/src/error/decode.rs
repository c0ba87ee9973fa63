// SPDX-License-Identifier: MIT OR GPL-2.0
//! From the kernel's error numbers to typed errors.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::{Error, ErrorKind, Field, Operation, Side};
use crate::ffi::Refusal;
use crate::{sys, Access, Direction, Done, Transfer};

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
    /// Whether the device writes the memory, if the operation leaves that open.
    pub(crate) destination: bool,
}

impl Call {
    /// A call of which no more is known.
    pub(crate) fn of(operation: Operation) -> Self {
        Self {
            operation,
            channel: 0,
            dev_addr: 0,
            bytes: 0,
            segments: 1,
            limit: None,
            destination: false,
        }
    }
}

/// The error of a transfer or a copy.
pub(crate) fn call(call: &Call, errno: i32, result: &sys::pindma_result) -> Error {
    Error {
        operation: call.operation,
        kind: kind(call, errno, result),
        errno,
        done: Done::from(result),
    }
}

fn kind(call: &Call, errno: i32, result: &sys::pindma_result) -> ErrorKind {
    match Errno::from_raw_os_error(errno) {
        Errno::INVAL => invalid(call, result),
        Errno::RANGE if Field::from(result.field).is_segment() => ErrorKind::OutsideRegion {
            segment: result.fault_index,
        },
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
        Errno::OPNOTSUPP if result.field == sys::PINDMA_FIELD_SEG_HANDLE => ErrorKind::WrongAccess,
        Errno::OPNOTSUPP => ErrorKind::Unsupported {
            channel: call.channel,
            field: result.field.into(),
        },
        Errno::NOENT if result.field == sys::PINDMA_FIELD_SEG_HANDLE => ErrorKind::StaleHandle,
        Errno::NOENT => ErrorKind::NoChannel {
            channel: call.channel,
            channels: call.limit,
        },
        Errno::FAULT | Errno::NXIO | Errno::NOMEM => memory(call, errno, result),
        Errno::BADF if is_about_the_mode(call, result) => ErrorKind::NotOpenForThis,
        _ => plain(errno),
    }
}

/// Whether `EBADF` means the mode that the device was opened with, and no file that was passed.
fn is_about_the_mode(call: &Call, result: &sys::pindma_result) -> bool {
    let field = Field::from(result.field);
    call.operation == Operation::Copy || matches!(field, Field::Direction | Field::Access)
}

/// The error of a call that says nothing but its number.
pub(crate) fn plain_call(operation: Operation, errno: Errno) -> Error {
    with_errno(operation, errno.raw_os_error())
}

/// The same, for a number that is not known to be one.
pub(crate) fn with_errno(operation: Operation, errno: i32) -> Error {
    with_result(operation, errno, &sys::pindma_result::default())
}

/// The error of a call about memory, a queue or a pool.
pub(crate) fn with_result(operation: Operation, errno: i32, result: &sys::pindma_result) -> Error {
    let kind = special(operation, errno).unwrap_or_else(|| {
        let made = Call::of(operation);
        kind(&made, errno, result)
    });
    Error {
        operation,
        kind,
        errno,
        done: Done::from(result),
    }
}

/// The error of a request that was not taken by its queue; `size` are its bytes
/// and segments.
pub(crate) fn submit(
    transfer: &Transfer,
    size: (u64, usize),
    limit: Option<u64>,
    errno: i32,
    result: &sys::pindma_result,
) -> Error {
    if let Some(kind) = special(Operation::Submit, errno) {
        return Error {
            kind,
            ..with_result(Operation::Submit, errno, result)
        };
    }
    let made = Call {
        operation: Operation::Submit,
        channel: transfer.channel_number(),
        dev_addr: transfer.device_address(),
        bytes: size.0,
        segments: size.1,
        limit,
        destination: transfer.direction() == Direction::FromDevice,
    };
    call(&made, errno, result)
}

/// The error of a pool that was not started, whose buffers have `room` bytes and
/// were made for `access`.
pub(crate) fn start(
    start: &sys::pindma_pool_start,
    (room, access): (usize, Access),
    limit: Option<u64>,
    errno: Errno,
) -> Error {
    let number = errno.raw_os_error();
    if special(Operation::Start, number).is_some() {
        return with_errno(Operation::Start, number);
    }
    let bytes = match start.frame_bytes {
        0 => room as u64,
        bytes => bytes,
    };
    let made = Call {
        channel: start.channel,
        dev_addr: start.dev_addr,
        bytes,
        limit,
        ..Call::of(Operation::Start)
    };
    let error = call(&made, number, &sys::pindma_result::default());
    let kind = match errno {
        Errno::RANGE if bytes > room as u64 => ErrorKind::OutsideMemory {
            start: 0,
            end: usize::try_from(bytes).unwrap_or(usize::MAX),
            len: room,
        },
        Errno::OPNOTSUPP if !access.allows(start.direction) => ErrorKind::WrongAccess,
        _ => return error,
    };
    Error { kind, ..error }
}

/// The error of a call that was not made.
pub(crate) fn refusal(operation: Operation, refusal: Refusal) -> Error {
    let (kind, errno) = match refusal {
        Refusal::OtherFile => (ErrorKind::OtherFile, Errno::BADF),
        Refusal::Lost => (ErrorKind::Lost, Errno::NOTRECOVERABLE),
        Refusal::Empty => (empty(), Errno::INVAL),
        Refusal::Unasked => (ErrorKind::WritesUnasked, Errno::OPNOTSUPP),
        Refusal::Outside { start, end, len } => {
            (ErrorKind::OutsideMemory { start, end, len }, Errno::RANGE)
        }
    };
    Error {
        operation,
        kind,
        errno: errno.raw_os_error(),
        done: Done::default(),
    }
}

fn empty() -> ErrorKind {
    ErrorKind::Invalid {
        field: Field::Segments,
        side: Side::Source,
        segment: None,
    }
}

/// The error of a region of which there is more than the part at hand.
pub(crate) fn indivisible(lost: bool) -> Error {
    if lost {
        return refusal(Operation::Unregister, Refusal::Lost);
    }
    Error {
        kind: ErrorKind::InParts,
        ..plain_call(Operation::Unregister, Errno::BUSY)
    }
}

/// The error of a running pool without anything to wait for.
pub(crate) fn nothing_enqueued() -> Error {
    Error {
        kind: ErrorKind::NothingEnqueued,
        ..plain_call(Operation::Dequeue, Errno::AGAIN)
    }
}

/// Numbers that mean something of their own to an operation.
fn special(operation: Operation, errno: i32) -> Option<ErrorKind> {
    use Operation::{
        CreatePool, CreateQueue, Dequeue, Enqueue, RegionInfo, Register, Start, Submit, Sync,
        Unregister, Wait, Write,
    };
    Some(match (operation, Errno::from_raw_os_error(errno)) {
        (Submit, Errno::AGAIN) => ErrorKind::QueueFull,
        (Submit | Enqueue, Errno::BUSY) => ErrorKind::NotOwned,
        (Start, Errno::BUSY) => ErrorKind::AlreadyStarted,
        (Unregister, Errno::BUSY) => ErrorKind::RegionInUse,
        (Register | CreatePool | CreateQueue, Errno::NOSPC) => ErrorKind::TooMany,
        (CreatePool, Errno::PERM) => ErrorKind::Uncharged,
        (CreatePool, Errno::AGAIN) => ErrorKind::LockedMappings,
        (Write, Errno::NOSPC) => ErrorKind::EndOfMemory,
        (Wait | Dequeue | Unregister, Errno::TIMEDOUT) => ErrorKind::NothingInTime,
        (Unregister | Sync | RegionInfo | Enqueue, Errno::NOENT) => ErrorKind::StaleHandle,
        (CreateQueue, Errno::INVAL) => ErrorKind::Invalid {
            field: Field::Count,
            side: Side::Source,
            segment: None,
        },
        _ => return None,
    })
}

/// The error of a file that a runtime cannot watch, or not any more.
pub(crate) fn unwatched(error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(errno) => with_errno(Operation::Watch, errno),
        // The runtime's own, of which there is but one.
        None => Error {
            kind: ErrorKind::NoRuntime,
            ..plain_call(Operation::Watch, Errno::CANCELED)
        },
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
        Errno::NOSYS => ErrorKind::Unidentified { path },
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
        Errno::NXIO => ErrorKind::OutOfReach {
            side: side(call, result),
            spot: located.then_some((result.fault_index, result.fault_addr)),
        },
        _ => plain(errno),
    }
}

fn side(call: &Call, result: &sys::pindma_result) -> Side {
    let copy_destination = result.flags & sys::PINDMA_OUT_FAULT_DST != 0;
    match call.operation {
        Operation::FromDevice | Operation::Read => Side::Destination,
        Operation::Copy if copy_destination => Side::Destination,
        _ if call.destination => Side::Destination,
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
        Errno::STALE => ErrorKind::Reset,
        Errno::NODEV => ErrorKind::DeviceGone,
        Errno::CANCELED => ErrorKind::Cancelled,
        Errno::BUSY => ErrorKind::NotOwned,
        Errno::PERM => ErrorKind::OtherProcess,
        Errno::BADF => ErrorKind::WrongFile,
        Errno::NOTRECOVERABLE => ErrorKind::NotRecoverable,
        _ => ErrorKind::Other { errno },
    }
}

#[cfg(test)]
mod tests;
