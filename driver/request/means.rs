// SPDX-License-Identifier: GPL-2.0

//! By what means user memory gets to the device: pinned, or copied.

use kernel::prelude::*;

use crate::{
    base::failure::Failure,
    kapi::abi, //
};

/// What is done with user memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Means {
    /// It is pinned; if it cannot be, nothing of the window is moved.
    Pin,
    /// It is pinned; what lies before something that cannot be is moved.
    PinPrefix,
    /// It is pinned, or else copied.
    PinOrCopy,
    /// It is copied.
    Copy,
}

impl Means {
    /// What a caller asks for that sets `flags`, for a transfer of `total` bytes of which those
    /// below `copy_below` are better copied.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` for an unknown flag, `EINVAL` for two that contradict each other.
    pub(crate) fn asked_for(flags: u32, total: u64, copy_below: u64) -> Result<Self, Failure> {
        let fail = |error| Err(Failure::field(error, abi::PINDMA_FIELD_FLAGS));
        let (may, must) = (abi::PINDMA_MAY_COPY, abi::PINDMA_MUST_COPY);
        if flags & !(may | must) != 0 {
            return fail(EOPNOTSUPP);
        }
        match (flags & may != 0, flags & must != 0) {
            (false, false) => Ok(Self::Pin),
            (true, false) if total < copy_below => Ok(Self::Copy),
            (true, false) => Ok(Self::PinOrCopy),
            (false, true) => Ok(Self::Copy),
            (true, true) => fail(EINVAL),
        }
    }

    /// What is left to do when a vector is not aligned as the device needs it: a copy always is.
    pub(crate) fn unaligned(self, failure: Failure) -> Result<Self, Failure> {
        match self {
            Self::Pin | Self::PinPrefix => Err(failure),
            Self::PinOrCopy | Self::Copy => Ok(Self::Copy),
        }
    }
}

#[kunit_tests(pindma_means)]
mod tests {
    use super::*;

    fn means(flags: u32, total: u64) -> Result<Means> {
        Means::asked_for(flags, total, 100).map_err(|failure| failure.error())
    }

    #[test]
    fn nothing_is_copied_unless_it_may_be() {
        assert_eq!(means(0, 1), Ok(Means::Pin));
        assert_eq!(means(0, 1000), Ok(Means::Pin));
    }

    #[test]
    fn what_is_short_is_copied_if_it_may_be() {
        assert_eq!(means(abi::PINDMA_MAY_COPY, 99), Ok(Means::Copy));
        assert_eq!(means(abi::PINDMA_MAY_COPY, 100), Ok(Means::PinOrCopy));
        assert_eq!(means(abi::PINDMA_MUST_COPY, 1000), Ok(Means::Copy));
    }

    #[test]
    fn flags_that_mean_nothing_are_refused() {
        let both = abi::PINDMA_MAY_COPY | abi::PINDMA_MUST_COPY;
        assert_eq!(means(both, 1), Err(EINVAL));
        assert_eq!(means(both + 1, 1), Err(EOPNOTSUPP));
    }

    #[test]
    fn only_a_copy_needs_no_alignment() {
        let unaligned = |means: Means| means.unaligned(EINVAL.into()).ok();
        assert_eq!(unaligned(Means::Pin), None);
        assert_eq!(unaligned(Means::PinPrefix), None);
        assert_eq!(unaligned(Means::PinOrCopy), Some(Means::Copy));
        assert_eq!(unaligned(Means::Copy), Some(Means::Copy));
    }
}
