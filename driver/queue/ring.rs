// SPDX-License-Identifier: GPL-2.0

//! The completions of a queue that were not reaped yet.

use kernel::prelude::*;

use crate::kapi::{
    abi::pindma_completion,
    gfp, //
};

/// Completions in order. It never allocates once it is made.
pub(super) struct Ring {
    records: KVVec<pindma_completion>,
    first: usize,
    len: usize,
    /// Those that somebody has taken, and may put back.
    taken: usize,
}

impl Ring {
    /// Room for `depth` completions.
    pub(super) fn new(depth: usize) -> Result<Self> {
        let empty = pindma_completion::default();
        Ok(Self {
            records: KVVec::from_elem(empty, depth, gfp::for_user())?,
            first: 0,
            len: 0,
            taken: 0,
        })
    }

    /// Completions that can be taken.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Completions that need their room: also those that may be put back.
    pub(super) fn held(&self) -> usize {
        self.len + self.taken
    }

    fn at(&mut self, index: usize) -> Option<&mut pindma_completion> {
        let depth = self.records.len();
        self.records.get_mut((self.first + index) % depth)
    }

    /// Adds the newest. There is room, as requests are only taken when there is.
    pub(super) fn push(&mut self, record: pindma_completion) {
        if let Some(place) = self.at(self.len) {
            *place = record;
            self.len += 1;
        }
    }

    /// Takes the oldest. It is to be [kept](Self::keep) or [put back](Self::put_back).
    pub(super) fn take(&mut self) -> Option<pindma_completion> {
        if self.len == 0 {
            return None;
        }
        let record = *self.at(0)?;
        self.first = (self.first + 1) % self.records.len();
        self.len -= 1;
        self.taken += 1;
        Some(record)
    }

    /// What was taken has reached its reader.
    pub(super) fn keep(&mut self) {
        self.taken -= 1;
    }

    /// What was taken has not. It goes back to where it was, in the order of the numbers.
    pub(super) fn put_back(&mut self, record: pindma_completion) {
        let depth = self.records.len();
        self.taken -= 1;
        self.first = (self.first + depth - 1) % depth;
        self.len += 1;
        let mut index = 0;
        while index + 1 < self.len {
            match self.at(index + 1).map(|next| *next) {
                Some(next) if next.seq < record.seq => {
                    self.set(index, next);
                    index += 1;
                }
                _ => break,
            }
        }
        self.set(index, record);
    }

    fn set(&mut self, index: usize, record: pindma_completion) {
        if let Some(place) = self.at(index) {
            *place = record;
        }
    }
}

#[kunit_tests(pindma_ring)]
mod tests {
    use super::*;

    fn record(seq: u64) -> pindma_completion {
        pindma_completion {
            seq,
            ..pindma_completion::default()
        }
    }

    fn take(ring: &mut Ring) -> Option<u64> {
        ring.take().map(|record| record.seq)
    }

    #[test]
    fn it_goes_round() -> Result {
        let mut ring = Ring::new(3)?;
        for seq in 0..10 {
            ring.push(record(2 * seq));
            ring.push(record(2 * seq + 1));
            assert_eq!(take(&mut ring), Some(2 * seq));
            assert_eq!(take(&mut ring), Some(2 * seq + 1));
            assert_eq!((ring.len(), ring.held()), (0, 2));
            ring.keep();
            ring.keep();
        }
        assert_eq!(take(&mut ring), None);
        assert_eq!(ring.held(), 0);
        Ok(())
    }

    #[test]
    fn what_is_put_back_keeps_its_place() -> Result {
        let mut ring = Ring::new(4)?;
        (0..4).for_each(|seq| ring.push(record(seq)));
        assert_eq!(take(&mut ring), Some(0));
        assert_eq!(take(&mut ring), Some(1));
        assert_eq!(take(&mut ring), Some(2));
        ring.put_back(record(0));
        ring.put_back(record(2));
        ring.put_back(record(1));
        assert_eq!((ring.len(), ring.held()), (4, 4));
        for seq in 0..4 {
            assert_eq!(take(&mut ring), Some(seq));
        }
        Ok(())
    }
}
