// SPDX-License-Identifier: GPL-2.0

//! Absolute times until which something may take.

use kernel::{
    prelude::*,
    time::{
        msecs_to_jiffies,
        Jiffies, //
    }, //
};

use crate::kapi::clock;

const NS_PER_MS: i64 = 1_000_000;

/// A time of the host's `CLOCK_MONOTONIC`. Being absolute, it survives that a call is interrupted and made
/// again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(i64);

impl Deadline {
    /// That of a call that may take as long as it needs.
    pub(crate) const NONE: Self = Self(i64::MAX);

    /// The deadline of an ABI struct, which is a time of the calling process; `None` if it is
    /// negative.
    pub(crate) fn from_abi(ns: i64) -> Option<Self> {
        match ns {
            i64::MIN..0 => None,
            i64::MAX => Some(Self::NONE),
            _ => Some(Self(clock::to_host(ns))),
        }
    }

    /// The time `ns` nanoseconds from now.
    pub(crate) fn after(ns: i64) -> Self {
        Self(clock::now().saturating_add(ns))
    }

    /// Whether it has passed.
    pub(crate) fn passed(self) -> bool {
        self.left_ns() <= 0
    }

    /// What is left of it, at most `most_ms` and never less than one tick.
    pub(crate) fn slice(self, most_ms: u32) -> Jiffies {
        let ms = (self.left_ns() / NS_PER_MS).clamp(0, i64::from(most_ms));
        // One more, as the tick that is running now is not whole.
        msecs_to_jiffies(ms as u32) + 1
    }

    /// What is left of it, or as much of that as one wait can take.
    pub(crate) fn left(self) -> Jiffies {
        self.slice(u32::MAX)
    }

    fn left_ns(self) -> i64 {
        self.0.saturating_sub(clock::now())
    }
}

#[kunit_tests(pindma_deadline)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_deadlines() {
        assert!(Deadline::from_abi(-1).is_none());
        assert!(Deadline::from_abi(i64::MIN).is_none());
        assert!(Deadline::from_abi(0).is_some_and(Deadline::passed));
        assert!(Deadline::from_abi(i64::MAX).is_some_and(|end| !end.passed()));
    }

    #[test]
    fn slices_are_bounded_and_never_empty() {
        let never = Deadline(i64::MAX);
        assert_eq!(never.slice(250), msecs_to_jiffies(250) + 1);
        assert_eq!(Deadline(0).slice(250), 1);
        assert!(Deadline::after(i64::MAX) == never);
    }
}
