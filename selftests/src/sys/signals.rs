// SPDX-License-Identifier: GPL-2.0

//! Signals: which are caught, and which never arrive.

use std::io;
use std::mem::zeroed;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::check;

static CAUGHT: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: libc::c_int) {
    CAUGHT.fetch_add(1, Ordering::Relaxed);
}

/// How many were caught so far.
pub(crate) fn caught() -> u32 {
    CAUGHT.load(Ordering::Relaxed)
}

/// Catches `signal` and counts it; system calls are not restarted.
pub(crate) fn catch(signal: i32) -> io::Result<()> {
    catch_with(signal, 0)
}

/// Catches `signal` and counts it; system calls are restarted.
pub(crate) fn catch_and_restart(signal: i32) -> io::Result<()> {
    catch_with(signal, libc::SA_RESTART)
}

fn catch_with(signal: i32, flags: i32) -> io::Result<()> {
    // SAFETY: All zeroes is a valid sigaction: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
    action.sa_flags = flags;
    // SAFETY: The handler only adds to an atomic.
    check(unsafe { libc::sigaction(signal, &action, ptr::null_mut()) }).map(drop)
}

/// Keeps the end of a child from interrupting anybody, in this thread and in all
/// threads and processes that come of it.
///
/// A signal that nobody handles is dropped when it is sent, unless the first
/// thread blocks it at that moment, as libc does while it forks.  A child that
/// ends so soon would have the signal given to another thread, whose system call
/// it interrupts.
pub(crate) fn block_ends_of_children() -> io::Result<()> {
    // SAFETY: All zeroes is an empty set, and a set of our own.
    let mut set: libc::sigset_t = unsafe { zeroed() };
    // SAFETY: The set is ours, and the signal exists.
    check(unsafe { libc::sigaddset(&raw mut set, libc::SIGCHLD) })?;
    // SAFETY: Changes the mask of this thread, nothing more.
    let errno = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) };
    match errno {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
