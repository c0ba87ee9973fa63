// SPDX-License-Identifier: GPL-2.0

//! Mapped memory as a device sees it: in segments. Only what is mapped has any, and only what is
//! armed has some for a device.

use kernel::prelude::*;

/// A segment as the device sees it.
///
/// # Invariants
///
/// It was mapped for the device: only a mapping makes one, or takes a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DmaSegment {
    addr: u64,
    len: u64,
}

impl DmaSegment {
    /// A segment of a mapping, which the caller has made.
    pub(super) const fn new(addr: u64, len: u64) -> Self {
        // INVARIANT: By the caller.
        Self { addr, len }
    }

    /// A segment that nothing maps, which no device is given.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) const fn of_a_test(addr: u64, len: u64) -> Self {
        Self { addr, len }
    }

    /// Bus address.
    pub(crate) fn addr(&self) -> u64 {
        self.addr
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

/// The segments of an armed mapping, which a device may be given.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a>(&'a [DmaSegment]);

impl<'a> Segments<'a> {
    /// Of a mapping that stays as it is for as long as a device may work on it.
    pub(super) fn new(segments: &'a [DmaSegment]) -> Self {
        Self(segments)
    }

    /// Segments that no device is given.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn of_a_test(segments: &'a [DmaSegment]) -> Self {
        Self(segments)
    }

    /// See [`part`].
    pub(crate) fn part(self, offset: u64, len: u64) -> impl Iterator<Item = DmaSegment> + 'a {
        part(self.0, offset, len)
    }
}

/// The part of `segments` that begins `offset` bytes from their start and has `len` bytes, or as
/// many as there are.
pub(super) fn part(
    segments: &[DmaSegment],
    offset: u64,
    len: u64,
) -> impl Iterator<Item = DmaSegment> + '_ {
    let (mut skip, mut left) = (offset, len);
    segments.iter().filter_map(move |segment| {
        let skipped = skip.min(segment.len);
        skip -= skipped;
        let len = left.min(segment.len - skipped);
        left -= len;
        let addr = segment.addr + skipped;
        // INVARIANT: A part of what was mapped.
        (len > 0).then_some(DmaSegment { addr, len })
    })
}

#[kunit_tests(pindma_segment)]
mod tests {
    use super::*;

    fn segment(addr: u64, len: u64) -> DmaSegment {
        DmaSegment { addr, len }
    }

    /// The parts that lie from `offset` on, as pairs of address and length, and how many.
    fn parts(offset: u64, len: u64) -> ([(u64, u64); 3], usize) {
        let segments = [segment(100, 10), segment(300, 20), segment(200, 5)];
        let (mut all, mut count) = ([(0, 0); 3], 0);
        for (place, part) in all.iter_mut().zip(part(&segments, offset, len)) {
            *place = (part.addr(), part.len());
            count += 1;
        }
        (all, count)
    }

    #[test]
    fn a_part_goes_across_segments() {
        assert_eq!(parts(0, 35), ([(100, 10), (300, 20), (200, 5)], 3));
        assert_eq!(parts(9, 22), ([(109, 1), (300, 20), (200, 1)], 3));
    }

    #[test]
    fn a_part_begins_and_ends_within_a_segment() {
        assert_eq!(parts(12, 3), ([(302, 3), (0, 0), (0, 0)], 1));
        assert_eq!(parts(10, 20), ([(300, 20), (0, 0), (0, 0)], 1));
    }

    #[test]
    fn there_is_no_part_beyond_the_end() {
        assert_eq!(parts(34, 100), ([(204, 1), (0, 0), (0, 0)], 1));
        assert_eq!(parts(35, 1).1, 0);
        assert_eq!(parts(0, 0).1, 0);
        assert_eq!(parts(u64::MAX, u64::MAX).1, 0);
    }
}
