// SPDX-License-Identifier: MIT OR GPL-2.0
//! Tasks that wait for a queue or a pool.

use std::io;
use std::task::{ready, Context, Poll};

use crate::error::decode;
use crate::Result;

/// Says when the file of a [`Queue`](crate::Queue) or [`Pool`](crate::Pool) has news,
/// which is what an asynchronous runtime can do.
///
/// With the feature `tokio` there is [`AsyncQueue`](crate::AsyncQueue) and
/// [`AsyncPool`](crate::AsyncPool), and nothing to implement.  Another runtime, or a
/// loop of one's own, watches the descriptor for input and for errors:
///
/// ```
/// use std::io;
/// use std::os::fd::BorrowedFd;
/// use std::task::{Context, Poll};
///
/// use rustix::event::{poll, PollFd, PollFlags};
///
/// /// Waits on the spot, as a program without any runtime does.
/// struct OnTheSpot<'a>(BorrowedFd<'a>);
///
/// impl pindma::Watch for OnTheSpot<'_> {
///     fn poll_news(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
///         let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
///         Poll::Ready(poll(&mut fds, None).map(drop).map_err(io::Error::from))
///     }
/// }
/// ```
pub trait Watch {
    /// Ready if the file may have become readable, or have an error, since this was
    /// ready for the last time; else the task is woken when that is so.
    ///
    /// # Errors
    ///
    /// If the file cannot be watched, or not any more.
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl<W: Watch + ?Sized> Watch for &mut W {
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_news(cx)
    }
}

/// Tries, and again whenever there is news, until there is something.
pub(crate) fn until_some<T>(
    watch: &mut (impl Watch + ?Sized),
    cx: &mut Context<'_>,
    attempt: impl Fn() -> Result<Option<T>>,
) -> Poll<Result<T>> {
    loop {
        // What is there already, or will never come, is no news.
        if let Some(found) = attempt()? {
            return Poll::Ready(Ok(found));
        }
        ready!(watch.poll_news(cx)).map_err(|error| decode::unwatched(&error))?;
    }
}
