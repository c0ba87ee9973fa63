// SPDX-License-Identifier: GPL-2.0

//! Until when something may wait.

use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    time::Jiffies, //
};

use crate::base::deadline::Deadline;

/// Whether a request was told to end early.
pub(crate) struct Canceled(Atomic<bool>);

impl Canceled {
    /// It was not.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(false))
    }

    /// Tells it to. Who waits for a channel on its behalf must be woken as well.
    pub(crate) fn set(&self) {
        self.0.store(true, Release);
    }

    /// Says that it was not told; for another request in the same place.
    pub(crate) fn clear(&self) {
        self.0.store(false, Release);
    }

    /// Whether it was told.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Acquire)
    }
}

/// A deadline, and a way to end before it.
#[derive(Clone, Copy)]
pub(crate) struct Until<'a> {
    deadline: Deadline,
    canceled: Option<&'a Canceled>,
}

impl<'a> Until<'a> {
    /// Until `deadline`.
    pub(crate) fn deadline(deadline: Deadline) -> Self {
        Self {
            deadline,
            canceled: None,
        }
    }

    /// Until `deadline`, or until `canceled` is set.
    pub(crate) fn canceled(deadline: Deadline, canceled: &'a Canceled) -> Self {
        Self {
            deadline,
            canceled: Some(canceled),
        }
    }

    /// Why it is over, if it is: `ECANCELED`, `ETIMEDOUT`.
    pub(crate) fn over(&self) -> Option<Error> {
        if self.canceled.is_some_and(Canceled::is_set) {
            Some(ECANCELED)
        } else if self.deadline.passed() {
            Some(ETIMEDOUT)
        } else {
            None
        }
    }

    /// What is left of it, at most `most_ms` and never less than one tick.
    pub(crate) fn slice(&self, most_ms: u32) -> Jiffies {
        self.deadline.slice(most_ms)
    }
}

#[kunit_tests(pindma_until)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_for_a_reason() {
        let never = Deadline::after(i64::MAX);
        let canceled = Canceled::new();
        let until = Until::canceled(never, &canceled);
        assert_eq!(until.over(), None);
        let late = Until::canceled(Deadline::after(0), &canceled);
        assert_eq!(late.over(), Some(ETIMEDOUT));
        canceled.set();
        assert_eq!(until.over(), Some(ECANCELED));
        canceled.clear();
        assert_eq!(until.over(), None);
    }
}
