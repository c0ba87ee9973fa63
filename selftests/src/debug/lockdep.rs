// SPDX-License-Identifier: GPL-2.0

//! The kernel's watch over the order of locks.

use std::fs;

use crate::check::{same, Outcome};
use crate::counters::after;

/// Fails when it has switched itself off, which it does at its first report and
/// when its tables are full.
pub(super) fn watches() -> Outcome {
    let text = fs::read_to_string("/proc/lockdep_stats")?;
    same("debug_locks", after(&text, "debug_locks:")?, 1)
}
