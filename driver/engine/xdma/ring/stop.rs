// SPDX-License-Identifier: GPL-2.0

//! What becomes of the jobs in a ring when the card has stopped.

use kernel::prelude::*;

use super::{
    Entry,
    Ring, //
};
use crate::engine::Outcome;

/// Why a card has stopped with jobs left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine::xdma) enum Stopped {
    /// It was told to.
    Told,
    /// With an error, of the descriptor that it was at.
    Failed,
    /// What it says of its progress makes no sense.
    Unclear,
}

impl Ring {
    /// The card has stopped, and all jobs that it is done with were taken out. Tells `end` of every
    /// other that does not stay; what stays is what comes before a job that was aborted.
    pub(in crate::engine::xdma) fn stop(
        &mut self,
        why: Stopped,
        mut end: impl FnMut(&Entry, Outcome),
    ) {
        let stay = match why {
            Stopped::Told => self.jobs().take_while(|entry| !entry.aborted).count(),
            Stopped::Failed | Stopped::Unclear => 0,
        };
        let moved = self.moved();
        for number in self.oldest + stay..self.next {
            let entry = self.job(number);
            let at_it = number == self.oldest && entry.start < self.given;
            end(&entry, self.fate(&entry, why, at_it.then_some(moved)));
        }
        self.next = self.oldest + stay;
        self.filled = self.jobs().last().map_or(self.done, |entry| entry.end);
        self.given = self.done;
    }

    /// How a job ends of which the card has moved `moved` bytes, if it has begun with it.
    fn fate(&self, entry: &Entry, why: Stopped, moved: Option<u64>) -> Outcome {
        match (why, moved) {
            (Stopped::Unclear, _) if entry.start < self.given => Outcome::Unproven,
            (Stopped::Failed, Some(bytes)) => Outcome::Fault(bytes),
            _ if entry.aborted => Outcome::Aborted(moved.unwrap_or(0)),
            _ => Outcome::NotStarted,
        }
    }

    /// Forgets all jobs.
    pub(in crate::engine::xdma) fn clear(&mut self) {
        self.stop(Stopped::Unclear, |_, _| {});
    }

    /// Bytes of the oldest job that were moved, in whole descriptors.
    fn moved(&self) -> u64 {
        let start = self.jobs().next().map_or(self.done, |entry| entry.start);
        (start..self.done).map(|at| u64::from(self.len(at))).sum()
    }
}

#[kunit_tests(pindma_xdma_stop)]
mod tests {
    use super::{
        super::{
            DEPTH,
            REGISTER,
            WORD, //
        },
        *, //
    };
    use crate::engine::Ticket;

    /// Puts a job of descriptors of so many bytes in.
    fn add(ring: &mut Ring, ticket: u64, lens: &[u32]) -> Option<u64> {
        let start = ring.add(Ticket(ticket), lens.len())?;
        for (at, len) in (start..).zip(lens) {
            ring.set_len(at, *len);
        }
        Some(start)
    }

    fn done(ring: &mut Ring) -> Option<u64> {
        ring.take_done().map(|entry| entry.ticket)
    }

    fn stop(ring: &mut Ring, why: Stopped) -> Result<KVec<(u64, Outcome)>> {
        let mut ends = KVec::with_capacity(DEPTH, GFP_KERNEL)?;
        ring.stop(why, |entry, outcome| {
            let _ = ends.push_within_capacity((entry.ticket, outcome));
        });
        Ok(ends)
    }

    #[test]
    fn an_error_is_that_of_the_job_that_the_card_was_at() -> Result {
        let mut ring = Ring::new()?;
        add(&mut ring, 1, &[1]);
        add(&mut ring, 2, &[10, 20, 30]);
        add(&mut ring, 3, &[1]);
        ring.give();
        add(&mut ring, 4, &[1]);
        ring.advance(3, WORD);
        assert_eq!(done(&mut ring), Some(1));
        let ends = stop(&mut ring, Stopped::Failed)?;
        let expected = [
            (2, Outcome::Fault(30)),
            (3, Outcome::NotStarted),
            (4, Outcome::NotStarted),
        ];
        assert_eq!(ends[..], expected);
        assert!(ring.is_empty() && !ring.has_more());
        // The next run goes on where the ring is.
        assert_eq!(ring.begin(), 3);
        assert_eq!(add(&mut ring, 5, &[1]), Some(3));
        assert_eq!(ring.give(), 1);
        assert_eq!(ring.advance(1, WORD), Some(1));
        assert_eq!(done(&mut ring), Some(5));
        Ok(())
    }

    #[test]
    fn a_job_that_was_at_work_is_aborted_with_its_bytes() -> Result {
        let mut ring = Ring::new()?;
        add(&mut ring, 1, &[10, 20]);
        add(&mut ring, 2, &[1]);
        ring.give();
        assert!(ring.abort(Ticket(1)) && !ring.abort(Ticket(7)));
        ring.advance(1, REGISTER);
        let ends = stop(&mut ring, Stopped::Told)?;
        let expected = [(1, Outcome::Aborted(10)), (2, Outcome::NotStarted)];
        assert_eq!(ends[..], expected);
        Ok(())
    }

    #[test]
    fn what_comes_before_an_aborted_job_goes_on() -> Result {
        let mut ring = Ring::new()?;
        add(&mut ring, 1, &[10, 20]);
        add(&mut ring, 2, &[1]);
        add(&mut ring, 3, &[1]);
        ring.give();
        ring.abort(Ticket(2));
        ring.advance(1, REGISTER);
        let ends = stop(&mut ring, Stopped::Told)?;
        let expected = [(2, Outcome::Aborted(0)), (3, Outcome::NotStarted)];
        assert_eq!(ends[..], expected);
        // From the descriptor on that the card has not done.
        assert_eq!(ring.begin(), 1);
        assert_eq!(ring.give(), 1);
        assert_eq!(ring.advance(1, WORD), Some(1));
        assert_eq!(done(&mut ring), Some(1));
        assert!(ring.is_empty());
        Ok(())
    }

    #[test]
    fn nothing_is_known_of_jobs_of_a_card_that_makes_no_sense() -> Result {
        let mut ring = Ring::new()?;
        add(&mut ring, 1, &[1]);
        add(&mut ring, 2, &[1]);
        ring.give();
        add(&mut ring, 3, &[1]);
        let ends = stop(&mut ring, Stopped::Unclear)?;
        let expected = [
            (1, Outcome::Unproven),
            (2, Outcome::Unproven),
            (3, Outcome::NotStarted),
        ];
        assert_eq!(ends[..], expected);
        Ok(())
    }
}
