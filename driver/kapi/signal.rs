// SPDX-License-Identifier: GPL-2.0

//! What interrupts the current task: signals, and what only looks like one.
//!
//! A notification that a task has work to do before it returns to its program, as io_uring's
//! completions, ends interruptible waits as a signal does. So do stops, a cgroup that is frozen and
//! a debugger that attaches.
//!
//! C header: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h)

use kernel::types::NotThreadSafe;

use super::shim;

/// Whether a signal is pending, or what looks like one. Only then may a call say that it wants to be
/// started again.
pub(crate) fn pending() -> bool {
    // SAFETY: Called by a task.
    unsafe { shim::pindma_signal_pending() }
}

/// Whether a signal is pending that runs a handler or ends the process. If none is, a call that wants
/// to be started again is, and its program sees nothing of it.
pub(crate) fn acts() -> bool {
    // SAFETY: Called by a task, which has handlers as long as it runs.
    unsafe { shim::pindma_signal_acts() }
}

/// Keeps notifications from ending the waits of the current task until it is dropped. What they are
/// for waits until the call returns.
///
/// # Invariants
///
/// `changed` says that the flag of the current task was not set before.
pub(crate) struct Unnotified {
    changed: bool,
    _task: NotThreadSafe,
}

impl Unnotified {
    /// From now on.
    pub(crate) fn new() -> Self {
        Self {
            // INVARIANT: It says whether it has set the flag.
            // SAFETY: Called by a task.
            changed: unsafe { shim::pindma_hold_notify_signal() },
            _task: NotThreadSafe,
        }
    }
}

impl Drop for Unnotified {
    fn drop(&mut self) {
        if self.changed {
            // SAFETY: Called by the task that has set it, as `self` stays with it.
            unsafe { shim::pindma_let_notify_signal() };
        }
    }
}
