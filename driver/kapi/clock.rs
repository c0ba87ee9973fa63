// SPDX-License-Identifier: GPL-2.0

//! `CLOCK_MONOTONIC`, in nanoseconds: as the host has it, and as a process in a time namespace.
//!
//! C header: [`include/linux/time_namespace.h`](srctree/include/linux/time_namespace.h)

use kernel::bindings;

use super::shim;

/// Now, as the host has it.
pub(crate) fn now() -> i64 {
    // SAFETY: May be called anywhere but in suspend.
    unsafe { bindings::ktime_get() }
}

/// The host's time for `ns` of the current process. What was before the host's clock began is 0, and
/// what its clock never reaches is the last time there is.
pub(crate) fn to_host(ns: i64) -> i64 {
    // SAFETY: Called by a task, in a call or on a workqueue: it has a namespace as long as it runs.
    unsafe { shim::pindma_time_to_host(ns) }
}

/// The time of the current process for `ns` of the host.
pub(crate) fn from_host(ns: i64) -> i64 {
    // SAFETY: As above.
    unsafe { shim::pindma_time_from_host(ns) }
}
