// SPDX-License-Identifier: GPL-2.0

//! Timed waits.
//!
//! [`kernel::sync::CondVar`] has no uninterruptible timed wait, and with a signal pending its
//! interruptible ones return at once: nothing could be drained after a signal.
//!
//! C header: [`include/linux/completion.h`](srctree/include/linux/completion.h)

use kernel::{
    bindings,
    prelude::*,
    time::Jiffies,
    types::Opaque, //
};

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Woken {
    /// The event was raised.
    Raised,
    /// The time is over.
    TimedOut,
    /// A signal is pending.
    Signal,
}

/// An event that is raised in any context, also in a hard interrupt, and waited for in a process.
///
/// Each [`raise`](Self::raise) lets one wait through. A wait may find the event raised for
/// something that is over, so the waiter must look at the state it waits for.
///
/// # Invariants
///
/// `inner` is an initialised `struct completion`.
#[pin_data]
pub(crate) struct Event {
    #[pin]
    inner: Opaque<bindings::completion>,
}

// SAFETY: A `struct completion` may be used from any thread.
unsafe impl Send for Event {}
// SAFETY: A `struct completion` has a lock of its own.
unsafe impl Sync for Event {}

impl Event {
    /// An event that was not raised.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // INVARIANT: `init_completion` initialises it.
            inner <- Opaque::ffi_init(|slot: *mut bindings::completion| {
                // SAFETY: `slot` points to memory for a `struct completion` that stays in place.
                unsafe { bindings::init_completion(slot) }
            }),
        })
    }

    /// Lets one wait through, present or future.
    pub(crate) fn raise(&self) {
        // SAFETY: By the type invariant it is initialised.
        unsafe { bindings::complete(self.inner.get()) };
    }

    /// Lets all waits through, from now on.
    pub(crate) fn raise_for_good(&self) {
        // SAFETY: By the type invariant it is initialised.
        unsafe { bindings::complete_all(self.inner.get()) };
    }

    /// Waits for at most `timeout`, or until a signal is pending.
    pub(crate) fn wait_interruptible(&self, timeout: Jiffies) -> Woken {
        // SAFETY: By the type invariant it is initialised; the caller is a process.
        let left = unsafe {
            bindings::wait_for_completion_interruptible_timeout(self.inner.get(), timeout)
        };
        match left {
            0 => Woken::TimedOut,
            1.. => Woken::Raised,
            _ => Woken::Signal,
        }
    }

    /// Waits for at most `timeout`, whatever signals are pending.
    pub(crate) fn wait(&self, timeout: Jiffies) -> Woken {
        // SAFETY: By the type invariant it is initialised; the caller is a process.
        match unsafe { bindings::wait_for_completion_timeout(self.inner.get(), timeout) } {
            0 => Woken::TimedOut,
            _ => Woken::Raised,
        }
    }
}
