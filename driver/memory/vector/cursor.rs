// SPDX-License-Identifier: GPL-2.0

//! How far a call has got in a vector.

use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

use super::Vector;
use crate::kapi::{
    abi::pindma_seg,
    gfp,
    pins::UserRange, //
};

/// How far a call has got in a vector.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    segments: &'a [pindma_seg],
    index: usize,
    /// Bytes of the segment at `index` that are behind.
    within: u64,
}

impl<'a> Cursor<'a> {
    /// The start of `vector`.
    pub(crate) fn new(vector: &'a Vector) -> Self {
        Self {
            segments: vector.segments(),
            index: 0,
            within: 0,
        }
    }

    /// Whether the end is reached.
    pub(crate) fn at_end(&self) -> bool {
        self.index >= self.segments.len()
    }

    /// How many bytes of user memory from here on lie in at most `pages` pages. A page counts for
    /// each range that touches it.
    pub(crate) fn reach(&self, pages: usize) -> u64 {
        let mut left = pages as u64;
        let mut bytes = 0;
        let mut within = self.within;
        for segment in &self.segments[self.index..] {
            if segment.handle != 0 {
                break;
            }
            let offset = (segment.addr + within) % PAGE_SIZE as u64;
            let room = left.saturating_mul(PAGE_SIZE as u64);
            let len = (segment.len - within).min(room.saturating_sub(offset));
            bytes += len;
            left -= (offset + len).div_ceil(PAGE_SIZE as u64).min(left);
            if within + len < segment.len || left == 0 {
                break;
            }
            within = 0;
        }
        bytes
    }

    /// If what comes next is by handle: takes the rest of that segment.
    pub(crate) fn take_named(&mut self) -> Option<pindma_seg> {
        let segment = self.segments.get(self.index)?;
        if segment.handle == 0 {
            return None;
        }
        let within = core::mem::take(&mut self.within);
        self.index += 1;
        Some(pindma_seg {
            addr: segment.addr + within,
            len: segment.len - within,
            ..*segment
        })
    }

    /// Takes the next `bytes` bytes of user memory, or what there is.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<KVVec<UserRange>> {
        let mut ranges = KVVec::new();
        let mut left = bytes;
        while left > 0 && !self.at_end() {
            let segment = &self.segments[self.index];
            if segment.handle != 0 {
                break;
            }
            let len = left.min(segment.len - self.within);
            let range = UserRange {
                addr: segment.addr + self.within,
                len,
                index: self.index as u32,
            };
            ranges.push(range, gfp::for_user())?;
            left -= len;
            self.within += len;
            if self.within == segment.len {
                self.index += 1;
                self.within = 0;
            }
        }
        Ok(ranges)
    }
}

#[kunit_tests(pindma_cursor)]
mod tests {
    use super::{super::of_plain, *};

    const PAGE: u64 = PAGE_SIZE as u64;

    #[test]
    fn reach_counts_pages_that_are_touched() -> Result {
        let vector = of_plain(&[(PAGE + 100, 3 * PAGE)])?;
        let cursor = Cursor::new(&vector);
        assert_eq!(cursor.reach(1), PAGE - 100);
        assert_eq!(cursor.reach(2), 2 * PAGE - 100);
        assert_eq!(cursor.reach(4), 3 * PAGE);
        assert_eq!(cursor.reach(usize::MAX), 3 * PAGE);
        Ok(())
    }

    #[test]
    fn reach_counts_a_page_for_each_range() -> Result {
        let vector = of_plain(&[(8, 1), (9, 1), (10, 2 * PAGE)])?;
        let cursor = Cursor::new(&vector);
        assert_eq!(cursor.reach(1), 1);
        assert_eq!(cursor.reach(2), 2);
        assert_eq!(cursor.reach(3), 2 + PAGE - 10);
        Ok(())
    }

    #[test]
    fn take_goes_on_where_it_stopped() -> Result {
        let vector = of_plain(&[(100, 10), (200, 20), (300, 30)])?;
        let mut cursor = Cursor::new(&vector);
        let first = cursor.take(15)?;
        assert_eq!(first.len(), 2);
        assert_eq!((first[1].addr, first[1].len, first[1].index), (200, 5, 1));
        let rest = cursor.take(u64::MAX)?;
        assert_eq!(rest.len(), 2);
        assert_eq!((rest[0].addr, rest[0].len, rest[0].index), (205, 15, 1));
        assert!(cursor.at_end());
        assert_eq!(cursor.take(1)?.len(), 0);
        Ok(())
    }

    #[test]
    fn windows_cover_every_byte_once() -> Result {
        let vector = of_plain(&[(PAGE - 1, 2), (5 * PAGE + 7, 3 * PAGE), (1, 1)])?;
        let mut cursor = Cursor::new(&vector);
        let mut sum = 0;
        while !cursor.at_end() {
            let bytes = cursor.reach(2);
            assert!(bytes > 0);
            sum += cursor
                .take(bytes)?
                .iter()
                .map(|range| range.len)
                .sum::<u64>();
        }
        assert_eq!(sum, vector.total());
        Ok(())
    }

    #[test]
    fn what_is_by_handle_stands_alone() -> Result {
        let mut vector = of_plain(&[(100, 10), (7, 20), (300, 30)])?;
        vector.segments[1].handle = 5;
        let mut cursor = Cursor::new(&vector);
        assert!(cursor.take_named().is_none());
        assert_eq!(cursor.reach(usize::MAX), 10);
        assert_eq!(cursor.take(u64::MAX)?.len(), 1);
        assert_eq!(cursor.take(u64::MAX)?.len(), 0);
        let named = cursor.take_named();
        assert_eq!(named.map(|s| (s.handle, s.addr, s.len)), Some((5, 7, 20)));
        assert_eq!(cursor.reach(usize::MAX), 30);
        assert_eq!(cursor.take(u64::MAX)?.len(), 1);
        assert!(cursor.at_end());
        assert!(cursor.take_named().is_none());
        Ok(())
    }
}
