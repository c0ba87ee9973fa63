// SPDX-License-Identifier: MIT OR GPL-2.0
//! Whether the device works on a pool.

use std::sync::atomic::{AtomicU32, Ordering};

/// Whether a pool was started and is not known to have stopped since.
///
/// It is odd while it runs, and each start makes it another number: who learns
/// late that a run is over must not take that for the one after it.
#[derive(Debug, Default)]
pub(super) struct Running(AtomicU32);

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run(u32);

impl Running {
    /// The run that goes on.
    pub(super) fn now(&self) -> Option<Run> {
        let number = self.0.load(Ordering::Relaxed);
        (number % 2 == 1).then_some(Run(number))
    }

    /// The pool was started.
    pub(super) fn begin(&self) {
        let next = |number: u32| Some(number.wrapping_add(1) | 1);
        // It cannot fail, as there always is a next number.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// A run is over; nothing changes if another one has begun meanwhile.
    pub(super) fn end(&self, run: Option<Run>) {
        if let Some(Run(number)) = run {
            let over = number.wrapping_add(1);
            // If it fails somebody else has taken note.
            let _ = self
                .0
                .compare_exchange(number, over, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_end_ends_no_later_run() {
        let running = Running::default();
        assert_eq!(running.now(), None);
        running.begin();
        let first = running.now();
        running.end(first);
        running.end(first);
        assert_eq!(running.now(), None);
        running.begin();
        running.end(first);
        assert!(running.now().is_some_and(|second| Some(second) != first));
        running.begin();
        assert!(running.now().is_some());
    }
}
