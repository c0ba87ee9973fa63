// SPDX-License-Identifier: MIT OR GPL-2.0
//! Queues and pools that a tokio runtime waits for.
//!
//! The memory stays with the queue or the pool, never with a future: one that is
//! dropped, or forgotten, has only waited.

use std::os::fd::AsFd;

use tokio::io::unix::AsyncFd;

use crate::error::decode;
use crate::ffi::watched::{self, Watched};
use crate::{Buffer, Completion, Frame, Memory, Pool, Queue, Result};

/// A [`Queue`] whose completions a task can wait for.
///
/// ```no_run
/// use pindma::{AsyncQueue, Buffer, Device, Transfer};
///
/// # async fn f() -> Result<(), pindma::Error> {
/// let device = Device::open("/dev/pindma0")?;
/// let queue = AsyncQueue::new(device.queue(16)?)?;
/// queue.get_ref().submit(Transfer::from_device(), Buffer::zeroed(4096)?)?;
/// while let Some(completion) = queue.next().await? {
///     println!("{} bytes", completion.bytes);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncQueue<M: Memory = Buffer> {
    fd: AsyncFd<Watched<Queue<M>>>,
}

impl<M: Memory> AsyncQueue<M> {
    /// Has the runtime of the calling task watch the queue.
    ///
    /// # Errors
    ///
    /// If the runtime cannot; the queue is dropped then, which waits for what is
    /// in flight.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one whose I/O is not enabled.
    pub fn new(queue: Queue<M>) -> Result<Self> {
        let fd = watched::queue(queue);
        fd.map(|fd| Self { fd })
            .map_err(|error| decode::unwatched(&error))
    }

    /// The queue, to submit to and to cancel.
    pub fn get_ref(&self) -> &Queue<M> {
        self.fd.get_ref().get()
    }

    /// The queue without the runtime.
    pub fn into_inner(self) -> Queue<M> {
        self.fd.into_inner().into_inner()
    }

    /// Waits for the next completion; `None` if no request is in flight.
    ///
    /// If the future is dropped nothing is lost.  Several tasks may wait, and each
    /// gets completions of its own; one that waits while another takes the last
    /// of them goes on waiting until there is one again.
    ///
    /// # Errors
    ///
    /// Those of [`Queue::try_next`]; [`NoRuntime`](crate::ErrorKind::NoRuntime).
    pub async fn next(&self) -> Result<Option<Completion<M>>> {
        until_some(&self.fd, |queue| match queue.try_next()? {
            None if queue.in_flight() == 0 => Ok(Some(None)),
            next => Ok(next.map(Some)),
        })
        .await
    }
}

/// A [`Pool`] whose frames a task can wait for.
///
/// ```no_run
/// use pindma::{Access, AsyncPool, Device, Start};
///
/// # async fn f() -> Result<(), pindma::Error> {
/// let device = Device::open("/dev/pindma0")?;
/// let pool = device.pool(4096, 16, Access::WRITE)?;
/// pool.enqueue_all()?;
/// pool.start(Start::from_device())?;
/// let frames = AsyncPool::new(&pool)?;
/// while let Some(frame) = frames.dequeue().await? {
///     println!("{} bytes", frame.data().len());
///     pool.enqueue(frame.block)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncPool<'p> {
    fd: AsyncFd<Watched<&'p Pool>>,
}

impl<'p> AsyncPool<'p> {
    /// Has the runtime of the calling task watch the pool.
    ///
    /// # Errors
    ///
    /// If the runtime cannot.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one whose I/O is not enabled.
    pub fn new(pool: &'p Pool) -> Result<Self> {
        let fd = watched::pool(pool);
        fd.map(|fd| Self { fd })
            .map_err(|error| decode::unwatched(&error))
    }

    /// Waits for the next buffer that the device is done with; `None` if there
    /// is none to wait for: the pool is stopped, or its run has ended by itself,
    /// or nothing is enqueued.
    ///
    /// If the future is dropped nothing is lost.
    ///
    /// # Errors
    ///
    /// Those of [`Pool::try_dequeue`]; [`NoRuntime`](crate::ErrorKind::NoRuntime).
    pub async fn dequeue(&self) -> Result<Option<Frame>> {
        until_some(&self.fd, |pool| pool.attempt()).await
    }
}

/// Tries, and again whenever the file says that there is news, until there is
/// something.
async fn until_some<W, T>(
    fd: &AsyncFd<Watched<W>>,
    attempt: impl Fn(&W) -> Result<Option<T>>,
) -> Result<T>
where
    W: AsFd,
{
    // What is there already, or will never come, makes nothing readable.
    if let Some(found) = attempt(fd.get_ref().get())? {
        return Ok(found);
    }
    loop {
        let ready = fd.ready(watched::INTEREST).await;
        let mut guard = ready.map_err(|error| decode::unwatched(&error))?;
        if let Some(found) = attempt(fd.get_ref().get())? {
            return Ok(found);
        }
        guard.clear_ready();
    }
}

#[cfg(test)]
mod tests;
