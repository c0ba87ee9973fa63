// SPDX-License-Identifier: MIT OR GPL-2.0
//! Queues and pools that a tokio runtime waits for.
//!
//! The memory stays with the queue or the pool, never with a future: one that is
//! dropped, or forgotten, has only waited.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::decode;
use crate::ffi::watched::Watched;
use crate::{Buffer, Completion, Frame, Memory, Pool, Queue, Result};

/// A [`Queue`] whose completions a task can wait for, one by one or as a
/// [stream](Stream) of the crate `futures-core`.
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
    // Goes before the file does.
    watched: Watched,
    queue: Queue<M>,
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
        let watched = Watched::new(&queue);
        watched
            .map(|watched| Self { watched, queue })
            .map_err(|error| decode::unwatched(&error))
    }

    /// The queue, to submit to and to cancel.
    pub fn get_ref(&self) -> &Queue<M> {
        &self.queue
    }

    /// The queue without the runtime.
    pub fn into_inner(self) -> Queue<M> {
        self.queue
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
        until_some(&self.watched, || self.queue.attempt()).await
    }
}

/// Whatever memory it has is never pinned in the sense of [`Pin`].
impl<M: Memory> Unpin for AsyncQueue<M> {}

/// As [`next`](AsyncQueue::next); it is for one task only.
impl<M: Memory> Stream for AsyncQueue<M> {
    type Item = Result<Completion<M>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.queue.poll_next(&mut this.watched, cx)
    }
}

/// A [`Pool`] whose frames a task can wait for, one by one or as a [stream](Stream) of
/// the crate `futures-core`.
///
/// ```no_run
/// use pindma::{Access, AsyncPool, Device, Start};
///
/// # async fn f() -> Result<(), pindma::Error> {
/// let device = Device::open("/dev/pindma0")?;
/// let pool = device.pool(4096, 16, Access::WRITE)?;
/// pool.enqueue_all()?;
/// pool.start(Start::from_device())?;
/// let pool = AsyncPool::new(pool)?;
/// while let Some(frame) = pool.dequeue().await? {
///     println!("{} bytes", frame.data().len());
///     pool.get_ref().enqueue(frame.block)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncPool {
    // Goes before the file does.
    watched: Watched,
    pool: Pool,
}

impl AsyncPool {
    /// Has the runtime of the calling task watch the pool.
    ///
    /// # Errors
    ///
    /// If the runtime cannot; the pool is dropped then, which stops the device.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one whose I/O is not enabled.
    pub fn new(pool: Pool) -> Result<Self> {
        let watched = Watched::new(&pool);
        watched
            .map(|watched| Self { watched, pool })
            .map_err(|error| decode::unwatched(&error))
    }

    /// The pool, to enqueue to, to start and to stop.
    pub fn get_ref(&self) -> &Pool {
        &self.pool
    }

    /// The pool without the runtime.
    pub fn into_inner(self) -> Pool {
        self.pool
    }

    /// Waits for the next buffer that the device is done with; `None` if there
    /// is none to wait for: the pool is stopped, or nothing is enqueued.
    ///
    /// If the future is dropped nothing is lost.
    ///
    /// # Errors
    ///
    /// Those of [`Pool::try_dequeue`]; [`NoRuntime`](crate::ErrorKind::NoRuntime).
    pub async fn dequeue(&self) -> Result<Option<Frame>> {
        until_some(&self.watched, || self.pool.attempt()).await
    }
}

/// As [`dequeue`](AsyncPool::dequeue); it is for one task only.
impl Stream for AsyncPool {
    type Item = Result<Frame>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.pool.poll_dequeue(&mut this.watched, cx)
    }
}

/// Tries, and again whenever the file has news, until there is something; for several
/// tasks at once.
async fn until_some<T>(watched: &Watched, attempt: impl Fn() -> Result<Option<T>>) -> Result<T> {
    loop {
        // What is there already, or will never come, is no news.
        if let Some(found) = attempt()? {
            return Ok(found);
        }
        let news = watched.news().await;
        news.map_err(|error| decode::unwatched(&error))?;
    }
}

#[cfg(test)]
mod tests;
