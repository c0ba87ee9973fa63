// SPDX-License-Identifier: GPL-2.0

//! Whether memory is bounced: a decision from facts alone, made before the DMA API is asked, which
//! would WARN or give an errno that says nothing.

use kernel::prelude::*;

/// What the decision depends on, the same for all memory of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    /// An IOMMU translates the device's addresses.
    pub(super) translated: bool,
    /// Without an IOMMU all is bounced: by the kernel's command line, or since the memory of this
    /// guest is encrypted and only buffers are shared with the host.
    pub(super) forced: bool,
    /// The device is not trusted: behind an IOMMU it gets to see no page of which it is to see a
    /// part.
    pub(super) untrusted: bool,
    /// There are bounce buffers, and the device reaches them.
    pub(super) possible: bool,
    /// The caller lets memory be bounced.
    pub(super) allowed: bool,
}

/// How a device comes to a part of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// By itself.
    Direct,
    /// Through a bounce buffer.
    Bounced,
    /// Not at all: the memory is out of its reach.
    OutOfReach,
    /// Not at all: no memory can be reached, and the caller has done what can be done.
    NoRoom,
}

impl Facts {
    /// The way to a part of a page, of which it is the `whole` or not, and which the device's address
    /// bits have `reached` or not.
    pub(super) fn way(self, reached: bool, whole: bool) -> Way {
        if !self.must_bounce(reached, whole) {
            return Way::Direct;
        }
        match (self.allowed, self.possible) {
            (true, true) => Way::Bounced,
            (true, false) if self.forced && reached => Way::NoRoom,
            _ => Way::OutOfReach,
        }
    }

    fn must_bounce(self, reached: bool, whole: bool) -> bool {
        if self.translated {
            self.untrusted && !whole
        } else {
            self.forced || !reached
        }
    }
}

#[kunit_tests(pindma_bouncing)]
mod tests {
    use super::*;

    /// Facts in the order of the fields, then what is asked of them: reached, whole.
    fn way(facts: [u8; 5], asked: [u8; 2]) -> Way {
        let [translated, forced, untrusted, possible, allowed] = facts.map(|fact| fact != 0);
        let [reached, whole] = asked.map(|fact| fact != 0);
        Facts {
            translated,
            forced,
            untrusted,
            possible,
            allowed,
        }
        .way(reached, whole)
    }

    #[test]
    fn what_is_not_translated_is_bounced_by_force_or_out_of_reach() {
        assert_eq!(way([0, 0, 0, 1, 1], [1, 0]), Way::Direct);
        assert_eq!(way([0, 0, 1, 1, 1], [1, 0]), Way::Direct);
        assert_eq!(way([0, 0, 0, 1, 1], [0, 1]), Way::Bounced);
        assert_eq!(way([0, 0, 0, 1, 0], [0, 1]), Way::OutOfReach);
        assert_eq!(way([0, 0, 0, 0, 1], [0, 1]), Way::OutOfReach);
        assert_eq!(way([0, 1, 0, 1, 1], [1, 1]), Way::Bounced);
        assert_eq!(way([0, 1, 0, 1, 0], [1, 1]), Way::OutOfReach);
        assert_eq!(way([0, 1, 0, 0, 1], [1, 1]), Way::NoRoom);
        assert_eq!(way([0, 1, 0, 0, 1], [0, 1]), Way::OutOfReach);
    }

    #[test]
    fn what_is_translated_is_bounced_in_parts_of_pages_for_who_is_not_trusted() {
        assert_eq!(way([1, 1, 0, 0, 0], [0, 0]), Way::Direct);
        assert_eq!(way([1, 0, 1, 1, 0], [1, 1]), Way::Direct);
        assert_eq!(way([1, 0, 1, 1, 1], [1, 0]), Way::Bounced);
        assert_eq!(way([1, 0, 1, 1, 0], [1, 0]), Way::OutOfReach);
        assert_eq!(way([1, 0, 1, 0, 1], [1, 0]), Way::OutOfReach);
    }
}
