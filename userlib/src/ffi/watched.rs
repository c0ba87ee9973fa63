// SPDX-License-Identifier: MIT OR GPL-2.0
//! Files that a tokio runtime watches.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

use crate::Watch;

/// What files are watched for: something to take, or that nothing will come.
const INTEREST: Interest = Interest::READABLE.add(Interest::ERROR);

type News = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// The file of a queue or a pool, as the runtime of the task that made it watches it.
pub(crate) struct Watched {
    fd: Arc<AsyncFd<OwnedFd>>,
    /// What the one task that polls waits for.
    waiting: Option<News>,
}

impl Watched {
    /// Another descriptor of the file, so that it stays open for as long as it is watched.
    pub(crate) fn new(file: &impl AsFd) -> io::Result<Self> {
        let fd = file.as_fd().try_clone_to_owned()?;
        // SAFETY: the descriptor is this one's alone: nobody closes or replaces it.
        let fd = unsafe { AsyncFd::register_with_interest(fd, INTEREST) }?;
        Ok(Self {
            fd: Arc::new(fd),
            waiting: None,
        })
    }

    /// Waits until the file may have news; each of several tasks that wait gets to know.
    pub(crate) async fn news(&self) -> io::Result<()> {
        news(&self.fd).await
    }
}

async fn news(fd: &AsyncFd<OwnedFd>) -> io::Result<()> {
    // Those that come from here on are told again.
    fd.ready(INTEREST)
        .await
        .map(|mut guard| guard.clear_ready())
}

impl Watch for Watched {
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waiting = self.waiting.get_or_insert_with(|| {
            let fd = self.fd.clone();
            Box::pin(async move { news(&fd).await })
        });
        let polled = waiting.as_mut().poll(cx);
        if polled.is_ready() {
            self.waiting = None;
        }
        polled
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("fd", &self.fd).finish()
    }
}
