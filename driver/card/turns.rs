// SPDX-License-Identifier: GPL-2.0

//! Whose turn it is on a channel: fair between files, first come first served within one.
//!
//! Turns go in rounds, and each file has at most one turn in a round. So a file with a hundred
//! threads, or a long queue, gets no more of the channel than one with a single thread. A file that
//! is new, or comes back after a pause, joins the round after the one that is under way: it is owed
//! nothing for the pause, and no number of new files keeps those waiting that were there before.

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

use crate::kapi::gfp;

/// The round of a file's next turn on one channel. Only used by that channel's [`Turns`].
pub(crate) struct Pace(Atomic<u64>);

impl Pace {
    /// That of a file which had no turn yet.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    fn round(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn is_new(&self) -> bool {
        self.round() == 0
    }

    fn set(&self, round: u64) {
        self.0.store(round, Relaxed);
    }
}

struct Waiter {
    pace: Arc<Pace>,
    number: u64,
}

/// Who waits for a channel, and whether somebody has it.
#[derive(Default)]
pub(crate) struct Turns {
    waiting: KVec<Waiter>,
    next: u64,
    /// The round of the last turn.
    round: u64,
    held: bool,
    closed: bool,
}

impl Turns {
    /// Waits, for the file with `pace`; returns the waiter's number.
    pub(crate) fn join(&mut self, pace: &Arc<Pace>) -> Result<u64> {
        let number = self.next;
        let waiter = Waiter {
            pace: pace.clone(),
            number,
        };
        self.waiting.push(waiter, gfp::for_user())?;
        self.next += 1;
        // It has had its turn in the round before, and comes back for that of this one.
        let on_time = !pace.is_new() && pace.round() >= self.round;
        if !on_time {
            pace.set(self.round + 1);
        }
        Ok(number)
    }

    /// Waits no longer. Who leaves without a turn has lost nothing by it.
    pub(crate) fn leave(&mut self, number: u64) {
        self.waiting.retain(|waiter| waiter.number != number);
    }

    fn first(&self) -> Option<&Waiter> {
        let order = |waiter: &&Waiter| (waiter.pace.round(), waiter.number);
        self.waiting.iter().min_by_key(order)
    }

    /// Takes the turn, if it is that of waiter `number` now.
    pub(crate) fn take(&mut self, number: u64) -> bool {
        let Some(first) = self.first().filter(|first| first.number == number) else {
            return false;
        };
        if self.held {
            return false;
        }
        let round = first.pace.round();
        first.pace.set(round + 1);
        self.round = round;
        self.held = true;
        self.leave(number);
        true
    }

    /// Ends the turn.
    pub(crate) fn give_back(&mut self) {
        self.held = false;
    }

    /// Whether a newcomer would have to wait.
    pub(crate) fn busy(&self) -> bool {
        self.held || !self.waiting.is_empty()
    }

    /// There are no more turns.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether there are no more turns.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }
}

#[kunit_tests(pindma_turns)]
mod tests {
    use super::*;

    fn pace() -> Result<Arc<Pace>> {
        Ok(Arc::new(Pace::new(), GFP_KERNEL)?)
    }

    /// Serves the first of `numbers` whose turn it is, and says which of them that was.
    fn serve(turns: &mut Turns, numbers: &[u64]) -> Option<usize> {
        let served = numbers.iter().position(|number| turns.take(*number));
        turns.give_back();
        served
    }

    #[test]
    fn who_comes_back_at_once_misses_no_turn() -> Result {
        let mut turns = Turns::default();
        let (many, one) = (pace()?, pace()?);
        let mut numbers = KVec::new();
        for _ in 0..10 {
            numbers.push(turns.join(&many)?, GFP_KERNEL)?;
        }
        for _ in 0..4 {
            let number = turns.join(&one)?;
            // The file with many may be first, but only once.
            let before = numbers.iter().position(|number| turns.take(*number));
            turns.give_back();
            if let Some(place) = before {
                numbers.remove(place).map_err(|_| EINVAL)?;
            }
            assert!(turns.take(number));
            turns.give_back();
            // Somebody else is faster than it.
            let next = numbers.iter().position(|number| turns.take(*number));
            turns.give_back();
            numbers.remove(next.ok_or(EBUSY)?).map_err(|_| EINVAL)?;
        }
        Ok(())
    }

    #[test]
    fn turns_of_a_file_come_in_order() -> Result {
        let (mut turns, file) = (Turns::default(), pace()?);
        let (first, second) = (turns.join(&file)?, turns.join(&file)?);
        assert!(!turns.take(second));
        assert!(turns.take(first));
        assert!(!turns.take(second));
        assert!(turns.busy());
        turns.give_back();
        assert!(turns.take(second));
        turns.give_back();
        assert!(!turns.busy());
        Ok(())
    }

    #[test]
    fn a_file_with_many_waiters_gets_no_more_turns() -> Result {
        let mut turns = Turns::default();
        let (many, one) = (pace()?, pace()?);
        let mut numbers = KVec::new();
        for _ in 0..10 {
            numbers.push(turns.join(&many)?, GFP_KERNEL)?;
        }
        for _ in 0..5 {
            numbers.push(turns.join(&one)?, GFP_KERNEL)?;
            let served = serve(&mut turns, &numbers).ok_or(EINVAL)?;
            numbers.remove(served).map_err(|_| EINVAL)?;
            let served = serve(&mut turns, &numbers).ok_or(EINVAL)?;
            numbers.remove(served).map_err(|_| EINVAL)?;
        }
        // Ten turns: five for each file.
        assert_eq!(numbers.len(), 5);
        assert_eq!(many.round(), one.round());
        Ok(())
    }

    #[test]
    fn a_pause_earns_nothing() -> Result {
        let mut turns = Turns::default();
        let (busy, idle) = (pace()?, pace()?);
        for _ in 0..100 {
            let number = turns.join(&busy)?;
            assert!(turns.take(number));
            turns.give_back();
        }
        let first = [turns.join(&idle)?, turns.join(&busy)?];
        assert_eq!(serve(&mut turns, &first), Some(0));
        let second = [turns.join(&idle)?, first[1]];
        assert_eq!(serve(&mut turns, &second), Some(1));
        Ok(())
    }

    #[test]
    fn new_files_do_not_go_before_old_ones() -> Result {
        let (mut turns, old) = (Turns::default(), pace()?);
        let number = turns.join(&old)?;
        assert!(turns.take(number));
        turns.give_back();
        // One is new whenever a turn ends, and is there first.
        let mut fresh = turns.join(&pace()?)?;
        let number = turns.join(&old)?;
        for _ in 0..3 {
            if turns.take(number) {
                return Ok(());
            }
            assert!(turns.take(fresh));
            fresh = turns.join(&pace()?)?;
            turns.give_back();
        }
        Err(EBUSY)
    }

    #[test]
    fn who_gives_up_loses_nothing() -> Result {
        let mut turns = Turns::default();
        let (patient, hasty) = (pace()?, pace()?);
        for _ in 0..100 {
            let number = turns.join(&hasty)?;
            turns.leave(number);
        }
        let numbers = [turns.join(&hasty)?, turns.join(&patient)?];
        assert_eq!(serve(&mut turns, &numbers), Some(0));
        Ok(())
    }
}
