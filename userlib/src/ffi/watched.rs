// SPDX-License-Identifier: MIT OR GPL-2.0
//! Files that a tokio runtime watches.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

use crate::{Memory, Pool, Queue};

/// What files are watched for: something to take, or that nothing will come.
pub(crate) const INTEREST: Interest = Interest::READABLE.add(Interest::ERROR);

/// A queue or a pool as a file to be watched.
///
/// # Invariants
///
/// The file is the one of `inner`, which keeps it open and never replaces it.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    inner: T,
}

impl<T> Watched<T> {
    pub(crate) fn get(&self) -> &T {
        &self.inner
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: AsFd> AsRawFd for Watched<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_fd().as_raw_fd()
    }
}

/// A queue that the runtime of the calling task watches; it is dropped if that
/// is not possible.
pub(crate) fn queue<M: Memory>(queue: Queue<M>) -> io::Result<AsyncFd<Watched<Queue<M>>>> {
    // SAFETY: a queue keeps its file open for as long as it lives.
    unsafe { watch(Watched { inner: queue }) }
}

/// A pool that the runtime of the calling task watches.
pub(crate) fn pool(pool: &Pool) -> io::Result<AsyncFd<Watched<&Pool>>> {
    // SAFETY: a pool keeps its file open for as long as it lives.
    unsafe { watch(Watched { inner: pool }) }
}

/// # Safety
///
/// The invariants of [`Watched`] must hold.
unsafe fn watch<T: AsFd>(watched: Watched<T>) -> io::Result<AsyncFd<Watched<T>>> {
    // SAFETY: the file stays open and the same, as the caller vouches.
    let registered = unsafe { AsyncFd::register_with_interest(watched, INTEREST) };
    registered.map_err(io::Error::from)
}
