// SPDX-License-Identifier: MIT OR GPL-2.0
//! Completions and frames as streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::watch::until_some;
use crate::{Completion, Frame, Memory, Pool, Queue, Result, Watch};

/// The completions of a [`Queue`] as a stream, from [`Queue::stream`].
///
/// It ends while no request is in flight, and goes on when there is one again.  If it
/// is dropped nothing is lost.
///
/// ```no_run
/// use std::future::poll_fn;
/// use std::pin::pin;
///
/// use futures_core::Stream;
/// use pindma::{Queue, Watch};
///
/// async fn drain(queue: &Queue, watch: impl Watch + Unpin) -> pindma::Result<()> {
///     let mut completions = pin!(queue.stream(watch));
///     while let Some(next) = poll_fn(|cx| completions.as_mut().poll_next(cx)).await {
///         println!("{} bytes", next?.bytes);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing before they are polled"]
pub struct QueueStream<'q, M: Memory, W> {
    queue: &'q Queue<M>,
    watch: W,
}

/// The frames of a [`Pool`] as a stream, from [`Pool::stream`].
///
/// It ends while there is none to wait for, as [`Pool::dequeue`] says.  If it is
/// dropped nothing is lost.
///
/// ```no_run
/// use std::future::poll_fn;
/// use std::pin::pin;
///
/// use futures_core::Stream;
/// use pindma::{Pool, Watch};
///
/// async fn look(pool: &Pool, watch: impl Watch + Unpin) -> pindma::Result<()> {
///     let mut frames = pin!(pool.stream(watch));
///     while let Some(frame) = poll_fn(|cx| frames.as_mut().poll_next(cx)).await {
///         let block = frame?.finish()?;
///         println!("{:?}", &block[..8]);
///         pool.enqueue(block)?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing before they are polled"]
pub struct PoolStream<'p, W> {
    pool: &'p Pool,
    watch: W,
}

/// For tasks of whatever runtime.
impl<M: Memory> Queue<M> {
    /// The next completion, or `None` if no request is in flight; else the task is
    /// woken when there is news, as `watch` sees to.
    ///
    /// # Errors
    ///
    /// Those of [`try_next`](Self::try_next); and of `watch`.
    pub fn poll_next(
        &self,
        watch: &mut (impl Watch + ?Sized),
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Completion<M>>>> {
        until_some(watch, cx, || self.attempt()).map(Result::transpose)
    }

    /// The completions as they come, for tasks; `watch` says when the queue's file has
    /// news.
    pub fn stream<W: Watch>(&self, watch: W) -> QueueStream<'_, M, W> {
        QueueStream { queue: self, watch }
    }

    /// The next completion, or `None` for good; nothing if one is to be waited for.
    pub(crate) fn attempt(&self) -> Result<Option<Option<Completion<M>>>> {
        match self.try_next()? {
            None if self.in_flight() == 0 => Ok(Some(None)),
            next => Ok(next.map(Some)),
        }
    }
}

/// For tasks of whatever runtime.
impl Pool {
    /// The next buffer that the device is done with, or `None` if there is none to wait
    /// for; else the task is woken when there is news, as `watch` sees to.
    ///
    /// # Errors
    ///
    /// Those of [`try_dequeue`](Self::try_dequeue); and of `watch`.
    pub fn poll_dequeue(
        &self,
        watch: &mut (impl Watch + ?Sized),
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame>>> {
        until_some(watch, cx, || self.attempt()).map(Result::transpose)
    }

    /// The frames as they come, for tasks; `watch` says when the pool's file has news.
    pub fn stream<W: Watch>(&self, watch: W) -> PoolStream<'_, W> {
        PoolStream { pool: self, watch }
    }
}

impl<M: Memory, W: Watch + Unpin> Stream for QueueStream<'_, M, W> {
    type Item = Result<Completion<M>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.queue.poll_next(&mut this.watch, cx)
    }
}

impl<W: Watch + Unpin> Stream for PoolStream<'_, W> {
    type Item = Result<Frame>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.pool.poll_dequeue(&mut this.watch, cx)
    }
}

#[cfg(test)]
mod tests;
