// SPDX-License-Identifier: GPL-2.0

//! A line of buffers, which needs no memory once it is made.

use kernel::prelude::*;

use crate::kapi::gfp;

/// Indexes of buffers, the first in being the first out. Each is in it at most once.
pub(super) struct Fifo {
    ring: KVVec<u32>,
    first: usize,
    len: usize,
}

impl Fifo {
    /// A line with room for `count`.
    pub(super) fn new(count: usize) -> Result<Self> {
        Ok(Self {
            ring: KVVec::from_elem(0, count, gfp::for_user())?,
            first: 0,
            len: 0,
        })
    }

    /// How many are in it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts one at the end.
    pub(super) fn push_back(&mut self, index: usize) {
        let place = (self.first + self.len) % self.ring.len();
        self.ring[place] = index as u32;
        self.len += 1;
    }

    /// Puts one back at the start.
    pub(super) fn push_front(&mut self, index: usize) {
        self.first = (self.first + self.ring.len() - 1) % self.ring.len();
        self.ring[self.first] = index as u32;
        self.len += 1;
    }

    /// Takes the first.
    pub(super) fn pop_front(&mut self) -> Option<usize> {
        self.len = self.len.checked_sub(1)?;
        let index = self.ring[self.first];
        self.first = (self.first + 1) % self.ring.len();
        Some(index as usize)
    }
}

#[kunit_tests(pindma_pool_fifo)]
mod tests {
    use super::*;

    #[test]
    fn first_in_first_out_all_the_way_round() -> Result {
        let mut fifo = Fifo::new(3)?;
        assert_eq!(fifo.pop_front(), None);
        for round in 0..4 {
            fifo.push_back(round);
            fifo.push_back(round + 1);
            assert_eq!(fifo.pop_front(), Some(round));
            assert_eq!(fifo.pop_front(), Some(round + 1));
        }
        assert_eq!(fifo.len(), 0);
        Ok(())
    }

    #[test]
    fn what_is_put_back_is_first_again() -> Result {
        let mut fifo = Fifo::new(3)?;
        (0..3).for_each(|index| fifo.push_back(index));
        assert_eq!(fifo.pop_front(), Some(0));
        fifo.push_front(0);
        assert_eq!(fifo.len(), 3);
        assert_eq!(fifo.pop_front(), Some(0));
        assert_eq!(fifo.pop_front(), Some(1));
        Ok(())
    }
}
