// SPDX-License-Identifier: MIT OR GPL-2.0
//! Requests that go on while the program does something else.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use rustix::io::Errno;

use crate::completion::QueueId;
use crate::error::{decode, Error, Operation};
use crate::ffi::ring::{self, Ring};
use crate::request::limit;
use crate::{Buffer, Completion, Deadline, Device, Memory, Refused, RequestId, Result, Transfer};

/// Requests that go on while the program does something else.
///
/// [`submit`](Self::submit) moves memory in and returns at once.  The
/// [`Completion`] gives it back: exactly one for each request, in the order in
/// which they ended.  In between nobody can touch the memory.
///
/// ```no_run
/// use pindma::{Buffer, Deadline, Device, Transfer};
///
/// # fn main() -> Result<(), pindma::Error> {
/// let device = Device::open("/dev/pindma0")?;
/// let queue = device.queue(4)?;
/// for _ in 0..4 {
///     queue.submit(Transfer::from_device(), Buffer::zeroed(4096)?)?;
/// }
/// for _ in 0..1000 {
///     let Some(completion) = queue.next(Deadline::NONE)? else { break };
///     let buffer = completion.finish()?;
///     // ... look at the buffer, then have it filled again.
///     queue.submit(Transfer::from_device(), buffer)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// A deadline of a *wait* ends the wait and nothing else.  A deadline of a
/// *request*, or [`cancel`](Self::cancel), makes the kernel end it; it still has
/// its completion, and only then its memory is free.
///
/// Threads may share a queue: one submits, another waits, say.  It can be polled:
/// it is readable when there are completions.  It cannot be read, as that would
/// take them away.
///
/// Dropping a queue cancels what is in flight and waits until the device is done
/// with it, which the kernel sees to within bounded time; [`close`](Self::close)
/// also returns the memory.  If the device does not stop, the memory is leaked.
pub struct Queue<M: Memory = Buffer> {
    id: QueueId,
    ring: Ring<M>,
    depth: u32,
}

impl<M: Memory> Queue<M> {
    pub(crate) fn new(device: &Device, depth: u32) -> Result<Self> {
        let ring = Ring::new(device.node(), depth);
        let id = QueueId::next();
        ring.map(|ring| Self { id, ring, depth })
            .map_err(|errno| decode::plain_call(Operation::CreateQueue, errno))
    }

    /// Has the device do `transfer` with `memory`, or with the
    /// [range](Transfer::range) of it, and returns at once.
    ///
    /// # Errors
    ///
    /// The memory, with [`QueueFull`](crate::ErrorKind::QueueFull) if
    /// [`depth`](Self::depth) requests have not been reaped,
    /// [`OtherFile`](crate::ErrorKind::OtherFile) if it is registered with
    /// another device, or an error of [`Request::send`] or
    /// [`Request::receive`].
    ///
    /// [`Request::send`]: crate::Request::send
    /// [`Request::receive`]: crate::Request::receive
    pub fn submit(
        &self,
        transfer: Transfer,
        memory: M,
    ) -> std::result::Result<RequestId, Refused<M>> {
        self.ring
            .submit(&transfer, memory)
            .map(|number| self.request(number))
            .map_err(|(why, memory)| Refused::new(self.refusal(&transfer, &why), memory))
    }

    /// Submits a batch, in order, with as few system calls as possible.  What
    /// was not taken stays in `batch`; [`Submitted::stopped`] says why.
    pub fn submit_all(&self, batch: &mut Vec<(Transfer, M)>) -> Submitted {
        let (ids, why) = self.ring.submit_all(batch);
        let next = batch.first().map(|(transfer, _)| *transfer);
        Submitted {
            ids: ids.into_iter().map(|id| self.request(id)).collect(),
            stopped: next.zip(why).map(|(next, why)| self.refusal(&next, &why)),
        }
    }

    fn request(&self, number: u64) -> RequestId {
        let queue = self.id;
        RequestId { queue, number }
    }

    fn refusal(&self, transfer: &Transfer, why: &ring::Refused) -> Error {
        match why {
            ring::Refused::Here(refusal) => decode::refusal(Operation::Submit, *refusal),
            ring::Refused::Full => decode::plain_call(Operation::Submit, Errno::AGAIN),
            ring::Refused::There(no, size) => {
                let limit = limit(self.ring.node(), transfer.channel_number(), no.errno);
                decode::submit(transfer, *size, limit, no.errno, &no.result)
            }
        }
    }

    /// Waits for the next completion; `None` if no request is in flight.
    ///
    /// # Errors
    ///
    /// [`NothingInTime`](crate::ErrorKind::NothingInTime),
    /// [`Interrupted`](crate::ErrorKind::Interrupted),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).  The requests go on after
    /// the first two.
    pub fn next(&self, deadline: Deadline) -> Result<Option<Completion<M>>> {
        let mut next = Vec::with_capacity(1);
        self.reap(1, 1, deadline, &mut next)?;
        Ok(next.pop())
    }

    /// The next completion if there is one already.
    ///
    /// # Errors
    ///
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn try_next(&self) -> Result<Option<Completion<M>>> {
        let mut next = Vec::with_capacity(1);
        self.reap(1, 0, Deadline::default(), &mut next)?;
        Ok(next.pop())
    }

    /// Waits until `min` requests have ended or none is in flight, and appends
    /// all completions that are there to `completions`; returns how many.
    /// With a `min` of 0 it does not wait.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next), if nothing has ended before.
    pub fn wait(
        &self,
        min: usize,
        deadline: Deadline,
        completions: &mut Vec<Completion<M>>,
    ) -> Result<usize> {
        self.reap(usize::MAX, min, deadline, completions)
    }

    fn reap(
        &self,
        max: usize,
        min: usize,
        deadline: Deadline,
        into: &mut Vec<Completion<M>>,
    ) -> Result<usize> {
        let mut count = 0;
        while count < max {
            let room = ring::BATCH.min(max - count);
            // As many as one call can return; of more than these it takes several.
            let missing = room.min(min.saturating_sub(count));
            let mut sink = |ended| into.push(Completion::new(self.id, ended));
            match self
                .ring
                .wait(room, missing, deadline.as_nanos(), &mut sink)
            {
                Ok(reaped) => {
                    count += reaped;
                    // Ended early, by the deadline or a signal; or all there is.
                    if reaped < missing || (reaped < room && count >= min) {
                        break;
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(_) if count > 0 => break,
                Err(errno) => return Err(decode::plain_call(Operation::Wait, errno)),
            }
        }
        Ok(count)
    }

    /// Tells the kernel to end a request early; whether there was one, of this
    /// queue.  It does not wait: the completion comes when the device is done with the memory.
    ///
    /// # Errors
    ///
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn cancel(&self, id: RequestId) -> Result<bool> {
        Ok(id.queue == self.id && self.cancel_some(Some(id.number))? > 0)
    }

    /// Tells the kernel to end all requests early; how many there were.
    ///
    /// # Errors
    ///
    /// See [`cancel`](Self::cancel).
    pub fn cancel_all(&self) -> Result<u32> {
        self.cancel_some(None)
    }

    fn cancel_some(&self, id: Option<u64>) -> Result<u32> {
        match self.ring.cancel(id) {
            Err(Errno::NOENT) => Ok(0),
            canceled => canceled.map_err(|errno| decode::plain_call(Operation::Cancel, errno)),
        }
    }

    /// Cancels everything, waits until the device is done, and returns all
    /// completions.
    pub fn close(self) -> Vec<Completion<M>> {
        let mut completions = Vec::new();
        // What goes wrong here is met again by the drop, which leaks the rest.
        let _ = self.cancel_all();
        while self.in_flight() > 0 {
            match self.wait(1, Deadline::NONE, &mut completions) {
                Ok(1..) => {}
                Err(error) if error.errno() == Errno::INTR.raw_os_error() => {}
                _ => break,
            }
        }
        completions
    }

    /// Has each completion add 1 to an eventfd, instead of the one before.
    ///
    /// # Errors
    ///
    /// [`WrongFile`](crate::ErrorKind::WrongFile) if it is no eventfd.
    pub fn bind_eventfd(&self, eventfd: impl AsFd) -> Result<()> {
        self.set_eventfd(Some(eventfd.as_fd()))
    }

    /// Has no eventfd signalled any more.
    ///
    /// # Errors
    ///
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn unbind_eventfd(&self) -> Result<()> {
        self.set_eventfd(None)
    }

    fn set_eventfd(&self, fd: Option<BorrowedFd<'_>>) -> Result<()> {
        self.ring
            .bind_eventfd(fd)
            .map_err(|errno| decode::plain_call(Operation::BindEventfd, errno))
    }

    /// Most requests that can be in flight or not yet reaped.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Requests that are in flight or not yet reaped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.ring.len()
    }
}

/// What became of a batch.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Buffer, Transfer};
///
/// let queue = device.queue(8)?;
/// let request = |at| Ok((Transfer::from_device().dev_addr(at), Buffer::zeroed(64)?));
/// let mut batch = (0..8).map(|n| request(64 * n)).collect::<pindma::Result<Vec<_>>>()?;
/// let submitted = queue.submit_all(&mut batch);
/// println!("{} taken, {} left", submitted.ids.len(), batch.len());
/// if let Some(error) = submitted.stopped {
///     println!("since {error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a batch may be taken in part"]
#[non_exhaustive]
pub struct Submitted {
    /// The requests that were taken, in the order of the batch.
    pub ids: Vec<RequestId>,
    /// Why the next one was not, if any is left.
    pub stopped: Option<Error>,
}

impl<M: Memory> AsFd for Queue<M> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl<M: Memory> AsRawFd for Queue<M> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<M: Memory> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("depth", &self.depth)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
