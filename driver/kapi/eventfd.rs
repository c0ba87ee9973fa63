// SPDX-License-Identifier: GPL-2.0

//! eventfds of userspace, to be signalled.
//!
//! C header: [`include/linux/eventfd.h`](srctree/include/linux/eventfd.h)

use core::ptr::NonNull;

use kernel::{
    bindings,
    error::from_err_ptr,
    prelude::*, //
};

/// A reference to an eventfd, which outlives the descriptor.
///
/// # Invariants
///
/// It owns one reference to the `struct eventfd_ctx`.
pub(crate) struct EventFd(NonNull<bindings::eventfd_ctx>);

// SAFETY: A `struct eventfd_ctx` is refcounted and may be released by any thread.
unsafe impl Send for EventFd {}
// SAFETY: It has a lock of its own.
unsafe impl Sync for EventFd {}

impl EventFd {
    /// The eventfd with descriptor `fd` of the current process.
    ///
    /// # Errors
    ///
    /// `EBADF` if there is none, or it is no eventfd.
    pub(crate) fn get(fd: i32) -> Result<Self> {
        // SAFETY: Called by a task; any number may be looked up.
        let ctx = from_err_ptr(unsafe { bindings::eventfd_ctx_fdget(fd) }).map_err(|_| EBADF)?;
        // INVARIANT: The lookup took the reference.
        Ok(Self(NonNull::new(ctx).ok_or(EBADF)?))
    }

    /// Adds 1 to its count, and wakes who waits for it. May be called in any context.
    pub(crate) fn signal(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::eventfd_signal_mask(self.0.as_ptr(), 0) };
    }
}

impl Drop for EventFd {
    fn drop(&mut self) {
        // SAFETY: By the type invariant there is a reference to give back.
        unsafe { bindings::eventfd_ctx_put(self.0.as_ptr()) };
    }
}
