// SPDX-License-Identifier: MIT OR GPL-2.0
//! Points in time at which the kernel gives up.

use std::time::{Duration, Instant};

use rustix::time::{clock_gettime, ClockId};

use crate::sys;

/// When a call gives up, as an absolute time of `CLOCK_MONOTONIC`.
///
/// It is absolute so that a call that was interrupted can be made again with
/// the same deadline, without getting more time than was meant.
///
/// ```
/// use pindma::Deadline;
/// use std::time::Duration;
///
/// let soon = Deadline::after(Duration::from_millis(200));
/// assert!(soon < Deadline::NONE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(i64);

impl Deadline {
    /// The call may take as long as it needs.
    pub const NONE: Self = Self(sys::PINDMA_DEADLINE_NONE as i64);

    /// `timeout` from now; [`Deadline::NONE`] if that is beyond what 63 bits of
    /// nanoseconds hold (292 years).
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        let now = Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32);
        Self::at(now.saturating_add(timeout))
    }

    /// `time` since the zero of `CLOCK_MONOTONIC`, as `clock_gettime(2)` counts;
    /// [`Deadline::NONE`] if that does not fit into 63 bits of nanoseconds.
    #[must_use]
    pub fn at(time: Duration) -> Self {
        i64::try_from(time.as_nanos()).map_or(Self::NONE, Self)
    }

    /// Nanoseconds of `CLOCK_MONOTONIC`.
    #[must_use]
    pub fn as_nanos(self) -> i64 {
        self.0
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self::after(instant.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_far_away_is_never() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NONE);
        assert_eq!(Deadline::at(Duration::MAX), Deadline::NONE);
        assert_eq!(Deadline::NONE.as_nanos(), i64::MAX);
    }

    #[test]
    fn nanoseconds_are_exact() {
        let time = Duration::new(3, 7);
        assert_eq!(Deadline::at(time).as_nanos(), 3_000_000_007);
    }

    #[test]
    fn later_is_greater() {
        let soon = Deadline::after(Duration::ZERO);
        assert!(soon < Deadline::after(Duration::from_secs(3600)));
        assert!(Deadline::from(Instant::now()) >= soon);
    }
}
