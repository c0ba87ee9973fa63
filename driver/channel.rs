// SPDX-License-Identifier: GPL-2.0

//! A channel as files see it: whose turn it is, and how the job that runs on it ended.
//!
//! It belongs to the device, not to the binding, so that one can wait on it without holding up
//! unbind.
//!
//! Lock order: `turns` is never held together with another lock. `record` is taken in hard
//! interrupts, inside of the engine's own lock; nothing is taken inside of it.

use kernel::{
    new_condvar,
    new_mutex,
    new_spinlock_irq,
    prelude::*,
    sync::{
        CondVar,
        CondVarTimeoutResult,
        Mutex,
        SpinLockIrq, //
    },
    time::Jiffies, //
};

use crate::{
    counters,
    engine::{
        Outcome,
        Refused,
        Ticket, //
    },
    kapi::{
        event::{
            Event,
            Woken, //
        },
        gfp, //
    },
    quiet::Quiet,
    until::Until, //
};

/// How often a waiter for its turn looks at its deadline, at least.
const TURN_SLICE_MS: u32 = 1000;

/// The one job of a channel. Exactly one of interrupt, poll and stop ends it: whoever finds it
/// working.
enum Record {
    Idle,
    Working(Ticket),
    Ended(Ticket, Outcome),
}

/// Proof that the job with its ticket has ended: the device cannot touch its segments any more.
///
/// Only a [`Channel`] makes one, and only of what an engine reported or a [`Quiet`] proved.
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

/// Who waits for the channel, first come first served.
#[derive(Default)]
struct Turns {
    waiting: KVec<u64>,
    next: u64,
    held: bool,
    closed: bool,
}

impl Turns {
    fn join(&mut self) -> Result<u64> {
        let number = self.next;
        self.waiting.push(number, gfp::for_user())?;
        self.next += 1;
        Ok(number)
    }

    fn leave(&mut self, number: u64) {
        self.waiting.retain(|waiting| *waiting != number);
    }

    fn is_first(&self, number: u64) -> bool {
        !self.held && self.waiting.first() == Some(&number)
    }

    fn busy(&self) -> bool {
        self.held || !self.waiting.is_empty()
    }
}

/// A channel.
#[pin_data]
pub(crate) struct Channel {
    #[pin]
    turns: Mutex<Turns>,
    #[pin]
    turn: CondVar,
    #[pin]
    record: SpinLockIrq<Record>,
    #[pin]
    ended: Event,
}

impl Channel {
    /// A channel that nobody uses.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            turns <- new_mutex!(Turns::default()),
            turn <- new_condvar!(),
            record <- new_spinlock_irq!(Record::Idle),
            ended <- Event::new(),
        })
    }

    /// Waits for the channel.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it is busy and `nonblocking`; `EINTR`, `ETIMEDOUT`, `ECANCELED`, `ENODEV`,
    /// `ENOMEM`.
    pub(crate) fn acquire(&self, until: Until<'_>, nonblocking: bool) -> Result<Lease<'_>> {
        let mut turns = self.turns.lock();
        if nonblocking && turns.busy() {
            return Err(EAGAIN);
        }
        let number = turns.join()?;
        let result = loop {
            if turns.closed {
                break Err(ENODEV);
            }
            if turns.is_first(number) {
                turns.held = true;
                break Ok(Lease { channel: self });
            }
            let slice = until.slice(TURN_SLICE_MS);
            match self.turn.wait_interruptible_timeout(&mut turns, slice) {
                CondVarTimeoutResult::Signal { .. } => break Err(EINTR),
                _ => {}
            }
            if let Some(why) = until.over() {
                break Err(why);
            }
        };
        turns.leave(number);
        drop(turns);
        if result.is_err() {
            // We may have been the one that was woken.
            self.turn.notify_all();
        }
        result
    }

    fn release(&self) {
        self.turns.lock().held = false;
        self.turn.notify_all();
    }

    /// Wakes everybody, and lets nobody have the channel again.
    pub(crate) fn close(&self) {
        self.turns.lock().closed = true;
        self.turn.notify_all();
        self.ended.raise_for_good();
    }

    /// Makes everybody who waits for the channel or for a job look around: somebody was told to
    /// end early.
    pub(crate) fn stir(&self) {
        self.turn.notify_all();
        self.ended.raise();
    }

    /// Says that a job is about to be started.
    pub(crate) fn expect(&self, ticket: Ticket) {
        *self.record.lock() = Record::Working(ticket);
    }

    /// Says that the engine did not take the job after all.
    pub(crate) fn refused(&self, ticket: Ticket, _why: Refused) -> Retired {
        *self.record.lock() = Record::Idle;
        Retired {
            ticket,
            outcome: Outcome::Aborted(0),
        }
    }

    /// Records how a job ended, once; anything else that the device says is counted and ignored.
    pub(crate) fn retire(&self, ticket: Ticket, outcome: Outcome) {
        let mut record = self.record.lock();
        match *record {
            Record::Working(working) if working == ticket => {
                *record = Record::Ended(ticket, outcome);
            }
            _ => {
                counters::STRAY_COMPLETIONS.add(1);
                return;
            }
        }
        drop(record);
        self.ended.raise();
    }

    /// Ends the job, if there is one: the device was proved to be quiet.
    pub(crate) fn quieten(&self, _proof: &Quiet) {
        let mut record = self.record.lock();
        if let Record::Working(ticket) = *record {
            *record = Record::Ended(ticket, Outcome::Aborted(0));
            drop(record);
            self.ended.raise();
        }
    }

    /// Takes the proof that the job has ended, if it has.
    pub(crate) fn take(&self, ticket: Ticket) -> Option<Retired> {
        let mut record = self.record.lock();
        match *record {
            Record::Ended(ended, outcome) if ended == ticket => {
                *record = Record::Idle;
                Some(Retired { ticket, outcome })
            }
            _ => None,
        }
    }

    /// Waits for a job to end, or for a signal.
    pub(crate) fn wait_interruptible(&self, timeout: Jiffies) -> Woken {
        self.ended.wait_interruptible(timeout)
    }

    /// Waits for a job to end.
    pub(crate) fn wait(&self, timeout: Jiffies) -> Woken {
        self.ended.wait(timeout)
    }
}

/// The right to start jobs on a channel.
pub(crate) struct Lease<'a> {
    channel: &'a Channel,
}

impl<'a> Lease<'a> {
    /// The channel.
    pub(crate) fn channel(&self) -> &'a Channel {
        self.channel
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.channel.release();
    }
}

#[kunit_tests(pindma_channel)]
mod tests {
    use super::*;
    use crate::deadline::Deadline;

    fn channel() -> Result<Pin<KBox<Channel>>> {
        KBox::pin_init(Channel::new(), GFP_KERNEL)
    }

    #[test]
    fn turns_come_in_order() -> Result {
        let mut turns = Turns::default();
        let (first, second) = (turns.join()?, turns.join()?);
        assert!(turns.is_first(first));
        assert!(!turns.is_first(second));
        turns.leave(first);
        assert!(turns.is_first(second));
        turns.held = true;
        assert!(!turns.is_first(second));
        assert!(turns.busy());
        Ok(())
    }

    #[test]
    fn a_lease_is_held_until_it_is_dropped() -> Result {
        let channel = channel()?;
        let end = Until::deadline(Deadline::after(i64::MAX));
        let lease = channel.acquire(end, true)?;
        assert_eq!(channel.acquire(end, true).err(), Some(EAGAIN));
        drop(lease);
        assert!(channel.acquire(end, true).is_ok());
        channel.close();
        assert_eq!(channel.acquire(end, false).err(), Some(ENODEV));
        Ok(())
    }

    #[test]
    fn a_job_ends_once_and_by_its_own_ticket() -> Result {
        let channel = channel()?;
        channel.expect(Ticket(1));
        assert!(channel.take(Ticket(1)).is_none());
        channel.retire(Ticket(2), Outcome::Done);
        assert!(channel.take(Ticket(1)).is_none());
        channel.retire(Ticket(1), Outcome::Done);
        channel.retire(Ticket(1), Outcome::Aborted(7));
        assert!(channel.take(Ticket(2)).is_none());
        let proof = channel.take(Ticket(1));
        assert_eq!(proof.map(|proof| proof.outcome()), Some(Outcome::Done));
        assert!(channel.take(Ticket(1)).is_none());
        // The two that nobody waited for must not show up among those of a device.
        counters::STRAY_COMPLETIONS.sub(2);
        Ok(())
    }

    #[test]
    fn an_end_wakes_who_waits() -> Result {
        let channel = channel()?;
        channel.expect(Ticket(1));
        assert_eq!(channel.wait(1), Woken::TimedOut);
        channel.retire(Ticket(1), Outcome::Done);
        assert_eq!(channel.wait(1), Woken::Raised);
        assert_eq!(channel.wait_interruptible(1), Woken::TimedOut);
        channel.close();
        assert_eq!(channel.wait_interruptible(1), Woken::Raised);
        assert_eq!(channel.wait_interruptible(1), Woken::Raised);
        Ok(())
    }
}
