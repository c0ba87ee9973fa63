// SPDX-License-Identifier: GPL-2.0

//! Which jobs a channel has, and how they ended: all that a hard interrupt touches.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        SpinLockIrq, //
    },
};

use crate::{
    base::counters,
    card::quiet::Quiet,
    engine::{
        NotStarted,
        Outcome,
        Ticket,
        MOST_DEPTH, //
    },
};

/// The number of the next ticket, of whatever card: none means two jobs, also when a card is bound
/// anew.
static NUMBERS: Atomic<u64> = Atomic::new(1);

/// Bits of a ticket that tell the slot of its job.
const SLOT_BITS: u32 = MOST_DEPTH.next_power_of_two().ilog2();

/// A new name for a job in a slot.
pub(super) fn ticket(slot: usize) -> Ticket {
    Ticket(NUMBERS.fetch_add(1, Relaxed) << SLOT_BITS | slot as u64)
}

/// The slot of a job.
pub(super) fn slot(ticket: Ticket) -> usize {
    (ticket.0 & ((1 << SLOT_BITS) - 1)) as usize
}

/// Exactly one of interrupt, poll and stop ends a job: whoever finds it working.
#[derive(Clone, Copy)]
enum Record {
    Idle,
    Working(Ticket),
    Ended(Ticket, Outcome),
}

/// Proof that the job with its ticket has ended: the device cannot touch its segments any more.
///
/// Only [`Records`] make one, and only of what an engine reported or a [`Quiet`] proved.
pub(crate) struct Retired {
    ticket: Ticket,
    outcome: Outcome,
}

impl Retired {
    /// Which job.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// How it ended.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }
}

struct State {
    /// By slot.
    records: KVec<Record>,
    /// Slots of jobs that have ended, in that order, in a ring.
    ended: KVec<usize>,
    first: usize,
    count: usize,
}

/// The records of a channel.
#[pin_data]
pub(super) struct Records {
    #[pin]
    state: SpinLockIrq<State>,
}

impl Records {
    /// None, for up to `depth` jobs at a time.
    pub(super) fn new(depth: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            state <- new_spinlock_irq!(State {
                records: KVec::from_elem(Record::Idle, depth, GFP_KERNEL)?,
                ended: KVec::from_elem(0, depth, GFP_KERNEL)?,
                first: 0,
                count: 0,
            }),
        })
    }

    /// Says that a job is about to be started.
    pub(super) fn expect(&self, ticket: Ticket) {
        if let Some(record) = self.state.lock().records.get_mut(slot(ticket)) {
            *record = Record::Working(ticket);
        }
    }

    /// Says that the engine did not take a job after all.
    pub(super) fn refused(&self, proof: &NotStarted) -> Retired {
        let ticket = proof.ticket();
        if let Some(record) = self.state.lock().records.get_mut(slot(ticket)) {
            *record = Record::Idle;
        }
        Retired {
            ticket,
            outcome: Outcome::NotStarted,
        }
    }

    /// Records how a job ended, once; anything else that the device says is counted and ignored.
    pub(super) fn retire(&self, ticket: Ticket, outcome: Outcome) -> bool {
        let known = self.state.lock().end(ticket, outcome);
        if !known {
            counters::STRAY_COMPLETIONS.add(1);
        }
        known
    }

    /// Ends all jobs: the device was proved to be quiet.
    pub(super) fn quieten(&self, _proof: &Quiet) {
        let mut state = self.state.lock();
        for slot in 0..state.records.len() {
            if let Record::Working(ticket) = state.records[slot] {
                state.end(ticket, Outcome::Aborted(0));
            }
        }
    }

    /// Takes the proof that the next job has ended, in the order in which they have.
    pub(super) fn take(&self) -> Option<Retired> {
        let mut state = self.state.lock();
        let slot = *state.ended.get(state.first).filter(|_| state.count > 0)?;
        state.first = (state.first + 1) % state.ended.len();
        state.count -= 1;
        match core::mem::replace(&mut state.records[slot], Record::Idle) {
            Record::Ended(ticket, outcome) => Some(Retired { ticket, outcome }),
            _ => None,
        }
    }
}

impl State {
    /// Whether there was such a job.
    fn end(&mut self, ticket: Ticket, outcome: Outcome) -> bool {
        let slot = slot(ticket);
        match self.records.get_mut(slot) {
            Some(record @ Record::Working(_)) if record.is(ticket) => {
                *record = Record::Ended(ticket, outcome);
            }
            _ => return false,
        }
        let last = (self.first + self.count) % self.ended.len();
        self.ended[last] = slot;
        self.count += 1;
        true
    }
}

impl Record {
    fn is(&self, ticket: Ticket) -> bool {
        matches!(self, Self::Working(working) if *working == ticket)
    }
}

#[kunit_tests(pindma_records)]
mod tests {
    use super::*;

    fn records(depth: usize) -> Result<Pin<KBox<Records>>> {
        KBox::pin_init(Records::new(depth), GFP_KERNEL)
    }

    fn taken(records: &Records) -> Option<(u64, Outcome)> {
        let retired = records.take()?;
        Some((retired.ticket().0, retired.outcome()))
    }

    #[test]
    fn a_ticket_tells_its_slot_and_is_never_used_twice() {
        for slot_of_job in [0, 7, MOST_DEPTH as usize - 1] {
            let (one, other) = (ticket(slot_of_job), ticket(slot_of_job));
            assert!(one != other);
            assert_eq!((slot(one), slot(other)), (slot_of_job, slot_of_job));
        }
    }

    #[test]
    fn a_job_ends_once_and_by_its_own_ticket() -> Result {
        let records = records(2)?;
        let job = ticket(1);
        assert!(!records.retire(job, Outcome::Done));
        records.expect(job);
        assert!(taken(&records).is_none());
        assert!(!records.retire(ticket(1), Outcome::Done));
        assert!(!records.retire(ticket(0), Outcome::Done));
        assert!(records.retire(job, Outcome::Done));
        assert!(!records.retire(job, Outcome::Aborted(7)));
        assert_eq!(taken(&records), Some((job.0, Outcome::Done)));
        assert!(taken(&records).is_none());
        // The four that nobody waited for must not show up among those of a device.
        counters::STRAY_COMPLETIONS.sub(4);
        Ok(())
    }

    #[test]
    fn jobs_are_taken_as_they_end() -> Result {
        let records = records(3)?;
        for _ in 0..5 {
            let jobs = [ticket(0), ticket(1), ticket(2)];
            jobs.iter().for_each(|job| records.expect(*job));
            for index in [2, 0, 1] {
                assert!(records.retire(jobs[index], Outcome::Done));
            }
            for index in [2, 0, 1] {
                assert_eq!(taken(&records), Some((jobs[index].0, Outcome::Done)));
            }
        }
        Ok(())
    }
}
