// SPDX-License-Identifier: MIT OR GPL-2.0
//! How requests of a queue ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{decode, Error, Operation};
use crate::ffi::ring::Ended;
use crate::{sys, Result};

/// The name of a request, for as long as that has not been reaped.  There are no
/// two with one name, of whatever queues.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Buffer, Transfer};
///
/// let queue = device.queue(2)?;
/// let id = queue.submit(Transfer::from_device(), Buffer::zeroed(4096)?)?;
/// if !queue.cancel(id)? {
///     println!("it has ended by itself");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub(crate) queue: QueueId,
    pub(crate) number: u64,
}

/// Which of the queues that this process has ever made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct QueueId(u64);

impl QueueId {
    /// That of the next one.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A request that has ended, with its memory.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Buffer, Deadline, Transfer};
///
/// let queue = device.queue(2)?;
/// queue.submit(Transfer::from_device(), Buffer::zeroed(4096)?)?;
/// if let Some(completion) = queue.next(Deadline::NONE)? {
///     println!("{} bytes at {:?}", completion.bytes, completion.time);
///     let buffer = completion.finish()?;
///     println!("the first is {}", buffer[0]);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a completion has the memory of its request"]
#[non_exhaustive]
pub struct Completion<M> {
    /// The request.
    pub id: RequestId,
    /// Whether it was done; else
    /// [`Cancelled`](crate::ErrorKind::Cancelled),
    /// [`TimedOut`](crate::ErrorKind::TimedOut),
    /// [`DeviceError`](crate::ErrorKind::DeviceError),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone) or
    /// [`NotRecoverable`](crate::ErrorKind::NotRecoverable).
    pub result: Result<()>,
    /// The memory; `None` if the device did not stop and may still write to it,
    /// so that it is leaked.
    pub memory: Option<M>,
    /// Bytes moved: a contiguous prefix.  What lies beyond it in a destination
    /// is undefined.
    pub bytes: u64,
    /// Whether anything went through a bounce buffer.
    pub bounced: bool,
    /// Its number in the queue, from 0 on.
    pub sequence: u64,
    /// When it ended, by `CLOCK_MONOTONIC`.
    pub time: Duration,
}

impl<M> Completion<M> {
    /// The memory, if all is well.
    ///
    /// # Errors
    ///
    /// That of the request; its memory is dropped.
    pub fn finish(self) -> Result<M> {
        self.result?;
        self.memory.ok_or_else(|| failure(&stuck()))
    }

    /// The memory, however the request ended.
    ///
    /// # Errors
    ///
    /// [`NotRecoverable`](crate::ErrorKind::NotRecoverable) if it is leaked.
    pub fn into_memory(self) -> Result<M> {
        self.memory.ok_or_else(|| failure(&stuck()))
    }
}

impl<M> Completion<M> {
    pub(crate) fn new(queue: QueueId, ended: Ended<M>) -> Self {
        let record = ended.record;
        Self {
            id: RequestId {
                queue,
                number: record.user_data,
            },
            result: match record.status {
                0 => Ok(()),
                _ => Err(failure(&record)),
            },
            memory: ended.memory,
            bytes: record.bytes,
            bounced: record.flags & sys::PINDMA_OUT_BOUNCED != 0,
            sequence: record.seq,
            time: Duration::from_nanos(record.time_ns.unsigned_abs()),
        }
    }
}

fn failure(record: &sys::pindma_completion) -> Error {
    let result = sys::pindma_result {
        flags: record.flags,
        bytes: record.bytes,
        ..Default::default()
    };
    let errno = record.status.saturating_neg();
    decode::with_result(Operation::Request, errno, &result)
}

fn stuck() -> sys::pindma_completion {
    sys::pindma_completion {
        status: -rustix::io::Errno::NOTRECOVERABLE.raw_os_error(),
        ..Default::default()
    }
}
