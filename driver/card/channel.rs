// SPDX-License-Identifier: GPL-2.0

//! A channel as files see it: whose turn it is, and how the job that runs on it ended.
//!
//! It belongs to the device, not to the binding, so that one can wait on it without holding up
//! unbind.
//!
//! Lock order: `turns` comes last, but for the wake-up of who waits. `record` is taken in hard
//! interrupts, inside of the engine's own lock; nothing is taken inside of it.

use kernel::{
    new_condvar,
    new_mutex,
    new_spinlock_irq,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        CondVarTimeoutResult,
        Mutex,
        SpinLockIrq, //
    },
    time::Jiffies, //
};

use crate::{
    base::{
        counters,
        until::Until, //
    },
    card::{
        quiet::Quiet,
        turns::{
            Pace,
            Room,
            Turns, //
        }, //
    },
    engine::{
        Chan,
        Engine,
        NotStarted,
        Observed,
        Outcome,
        Sink,
        Ticket, //
    },
    kapi::event::{
        Event,
        Woken, //
    }, //
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
            turns <- new_mutex!(Turns::new()),
            turn <- new_condvar!(),
            record <- new_spinlock_irq!(Record::Idle),
            ended <- Event::new(),
        })
    }

    /// Waits for the channel, for the file with `pace`.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it is busy and `nonblocking`; `EINTR`, `ETIMEDOUT`, `ECANCELED`, `ENODEV`,
    /// `ENOMEM`.
    pub(crate) fn acquire(
        &self,
        pace: &Arc<Pace>,
        until: Until<'_>,
        nonblocking: bool,
    ) -> Result<Lease<'_>> {
        if let Some(lease) = self.try_acquire(pace)? {
            return Ok(lease);
        }
        if nonblocking {
            return Err(EAGAIN);
        }
        let room = Room::new()?;
        let mut turns = self.turns.lock();
        let waiter = turns.join(pace, room);
        let result = loop {
            if turns.closed() {
                break Err(ENODEV);
            }
            if turns.take(waiter) {
                break Ok(Lease { channel: self });
            }
            if let Some(why) = until.over() {
                break Err(why);
            }
            let slice = until.slice(TURN_SLICE_MS);
            let woken = self.turn.wait_interruptible_timeout(&mut turns, slice);
            if let CondVarTimeoutResult::Signal { .. } = woken {
                break Err(EINTR);
            }
        };
        turns.leave(waiter);
        drop(turns);
        if result.is_err() {
            // We may have been the one that was woken.
            self.turn.notify_all();
        }
        result
    }

    /// Takes the channel if nobody has it or waits for it, which needs no memory.
    fn try_acquire(&self, pace: &Arc<Pace>) -> Result<Option<Lease<'_>>> {
        let mut turns = self.turns.lock();
        if turns.closed() {
            return Err(ENODEV);
        }
        // Only then, as dropping one ends the turn.
        Ok(turns.take_free(pace).then(|| Lease { channel: self }))
    }

    fn release(&self) {
        self.turns.lock().give_back();
        self.turn.notify_all();
    }

    /// Wakes everybody, and lets nobody have the channel again.
    pub(crate) fn close(&self) {
        self.turns.lock().close();
        self.turn.notify_all();
        self.ended.raise_for_good();
    }

    /// Makes everybody who waits for the channel or for a job look around: somebody was told to
    /// end early.
    pub(crate) fn stir(&self) {
        // Who has looked already, and is about to wait, holds the lock until it does.
        drop(self.turns.lock());
        self.turn.notify_all();
        self.ended.raise();
    }

    /// Says that a job is about to be started.
    pub(crate) fn expect(&self, ticket: Ticket) {
        *self.record.lock() = Record::Working(ticket);
    }

    /// Says that the engine did not take the job after all.
    pub(crate) fn refused(&self, proof: &NotStarted) -> Retired {
        *self.record.lock() = Record::Idle;
        Retired {
            ticket: proof.ticket(),
            outcome: Outcome::Aborted(0),
        }
    }

    /// Records how a job ended, once; anything else that the device says is counted and ignored.
    fn retire(&self, ticket: Ticket, outcome: Outcome) {
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

/// The channels of a device, in their order.
pub(crate) type Channels = KVec<Pin<KBox<Channel>>>;

/// Has the engine of `channels` handle a hard interrupt; see [`Engine::irq`].
pub(crate) fn interrupt(channels: &Channels, engine: &dyn Engine, vector: u32) -> bool {
    engine.irq(vector, &mut Reports(channels))
}

/// Has the engine of `channels` report what has ended on one; see [`Engine::poll`].
pub(crate) fn poll(channels: &Channels, engine: &dyn Engine, ch: Chan) -> Observed {
    engine.poll(ch, &mut Reports(channels))
}

/// Hands what an engine reports to the channels. Nobody but an engine gets one, so that nothing else
/// ends a job.
struct Reports<'a>(&'a Channels);

impl Sink for Reports<'_> {
    fn retire(&mut self, ch: Chan, t: Ticket, outcome: Outcome) {
        if let Some(channel) = self.0.get(ch.0 as usize) {
            channel.retire(t, outcome);
        }
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
    use crate::{
        base::deadline::Deadline,
        card::turns::UserPace, //
    };

    fn channel() -> Result<Pin<KBox<Channel>>> {
        KBox::pin_init(Channel::new(), GFP_KERNEL)
    }

    #[test]
    fn a_lease_is_held_until_it_is_dropped() -> Result {
        let channel = channel()?;
        let user = Arc::new(UserPace::new(), GFP_KERNEL)?;
        let pace = Arc::new(Pace::new(&user), GFP_KERNEL)?;
        let end = Until::deadline(Deadline::after(i64::MAX));
        let lease = channel.acquire(&pace, end, true)?;
        assert_eq!(channel.acquire(&pace, end, true).err(), Some(EAGAIN));
        drop(lease);
        assert!(channel.acquire(&pace, end, true).is_ok());
        channel.close();
        assert_eq!(channel.acquire(&pace, end, false).err(), Some(ENODEV));
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
