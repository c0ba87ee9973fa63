// SPDX-License-Identifier: GPL-2.0

//! A channel: what waits for it, the jobs that it has, and whether it may have more.
//!
//! It belongs to the device, not to the binding: what waits outlives that, to be told.
//!
//! Lock order: `state`, then the schedule's, then the engine's own lock, then `records`, which hard
//! interrupts take as well.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    rbtree::RBTree,
    sync::{
        Arc,
        SpinLockIrq, //
    }, //
};

use crate::{
    base::deadline::Deadline,
    card::{
        entry::{
            Context,
            Cut,
            Ends,
            Entry, //
        },
        flight::InFlight,
        records::{
            self,
            Records, //
        },
        schedule::Schedule, //
    },
    engine::{
        Chan,
        Engine,
        Observed,
        Outcome,
        Sink,
        Ticket, //
    }, //
};

/// Whether jobs are started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// They are.
    Open,
    /// Not for a moment.
    Shut,
    /// Not before the device is back: whoever comes meanwhile is told.
    Paused,
    /// Not any more: the device did not stop, or does not start.
    Failed,
    /// Not any more: unbind has begun.
    Closed,
}

impl Gate {
    /// What to tell whoever comes, if it need not wait.
    pub(super) fn refusal(self) -> Option<Error> {
        match self {
            Self::Open | Self::Shut => None,
            Self::Paused => Some(EIO),
            Self::Failed => Some(ENOTRECOVERABLE),
            Self::Closed => Some(ENODEV),
        }
    }
}

/// A job, from when its turn has come until it has ended.
pub(super) struct Work {
    /// Whose it is, unless that was given up.
    pub(super) entry: Option<Arc<Entry>>,
    pub(super) cut: Cut,
    /// Its memory, while the engine has it.
    pub(super) flight: Option<InFlight>,
    /// The device's generation when it began.
    pub(super) generation: u32,
    /// Its bytes count for its entry.
    pub(super) made: bool,
    /// How often it was begun with.
    pub(super) starts: u32,
    /// How old it is, beside others.
    pub(super) age: u64,
    /// Until when it must have ended.
    pub(super) bound: Deadline,
    /// It was told to end early, and must have until then.
    pub(super) ending: Option<Deadline>,
}

/// Somebody wants the channel alone.
pub(super) enum Reserved {
    /// Nobody does.
    No,
    /// As soon as no job is under way.
    Soon(Arc<Entry>),
    /// Somebody has it, with what is to be done next.
    Now(Option<Arc<Entry>>),
}

/// What a channel's lock protects.
pub(super) struct State {
    pub(super) gate: Gate,
    /// By slot.
    pub(super) works: KVec<Option<Work>>,
    vacant: KVec<usize>,
    /// Slots of jobs that the engine has not got, the oldest first.
    pub(super) pending: KVec<usize>,
    pub(super) schedule: Schedule,
    alarms: RBTree<(Deadline, u64), Arc<Entry>>,
    pub(super) reserved: Reserved,
    /// The engine has jobs with which the card was not told to begin.
    pub(super) unkicked: bool,
    /// Entries that have ended, whose owners are to be [told](Channel::tell).
    pub(super) ends: Ends,
    /// Somebody tells them.
    telling: bool,
    /// When the channel is looked after next, if it is.
    pub(super) watched: Option<Deadline>,
    /// Until when an interrupt is waited for, since the channel was seen to be idle.
    pub(super) late: Option<Deadline>,
}

/// A channel.
#[pin_data]
pub(crate) struct Channel {
    pub(super) ch: Chan,
    #[pin]
    pub(super) state: SpinLockIrq<State>,
    #[pin]
    pub(super) records: Records,
}

impl Channel {
    /// A channel that nobody uses, with up to `depth` jobs at a time.
    pub(crate) fn new(ch: Chan, depth: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ch,
            state <- new_spinlock_irq!(State::new(depth)?),
            records <- Records::new(depth),
        })
    }

    /// Tells the owners of entries that have ended, in that order, with no lock held: one caller does it
    /// for all. Whoever may sleep must not be within the guard of the device, as owners may give memory
    /// back.
    pub(super) fn tell(&self, context: Context) {
        let mut state = self.state.lock();
        while !state.telling && !state.ends.is_empty() {
            let ends = core::mem::replace(&mut state.ends, Ends::new());
            state.telling = true;
            drop(state);
            ends.tell(context);
            state = self.state.lock();
            state.telling = false;
        }
    }

    /// Whether the engine has a job of it.
    pub(super) fn has_flights(&self) -> bool {
        self.state.lock().has_flights()
    }

    /// Opens or shuts its gate, unless that is shut for good.
    pub(super) fn set_gate(&self, gate: Gate) {
        let mut state = self.state.lock();
        match state.gate {
            Gate::Closed => {}
            Gate::Failed if gate != Gate::Closed => {}
            _ => state.gate = gate,
        }
    }
}

impl State {
    fn new(depth: usize) -> Result<Self> {
        let mut works = KVec::with_capacity(depth, GFP_KERNEL)?;
        let mut vacant = KVec::with_capacity(depth, GFP_KERNEL)?;
        for slot in 0..depth {
            works.push(None, GFP_KERNEL)?;
            vacant.push(slot, GFP_KERNEL)?;
        }
        Ok(Self {
            gate: Gate::Open,
            works,
            vacant,
            pending: KVec::with_capacity(depth, GFP_KERNEL)?,
            schedule: Schedule::new(),
            alarms: RBTree::new(),
            reserved: Reserved::No,
            unkicked: false,
            ends: Ends::new(),
            telling: false,
            watched: None,
            late: None,
        })
    }

    /// Whether there is a job.
    pub(super) fn is_at_work(&self) -> bool {
        self.vacant.len() < self.works.len()
    }

    /// Whether a newcomer would have to wait.
    pub(super) fn is_full(&self) -> bool {
        self.vacant.is_empty()
            || !self.schedule.is_empty()
            || !matches!(self.reserved, Reserved::No)
            || self.gate != Gate::Open
    }

    /// Takes an entry in. Its order says for whom, and until when.
    pub(super) fn push(&mut self, entry: &Arc<Entry>) {
        let number = self.schedule.number();
        entry.join(number);
        let asked = entry.with(|order| (order.deadline, order.reserved, order.pace.clone()));
        let Some((deadline, reserved, pace)) = asked else {
            return;
        };
        self.alarm(entry, deadline);
        if reserved {
            self.reserved = Reserved::Now(Some(entry.clone()));
        } else {
            self.schedule.push(entry, &pace);
        }
    }

    /// Takes the next entry whose turn it is, if there is room for a job.
    pub(super) fn next(&mut self) -> Option<Arc<Entry>> {
        if self.vacant.is_empty() {
            return None;
        }
        match &self.reserved {
            Reserved::No => self.schedule.begin(),
            Reserved::Soon(_) => None,
            Reserved::Now(entry) => entry.clone(),
        }
    }

    /// An entry waits no longer, whatever it waited for.
    pub(super) fn leave(&mut self, entry: &Arc<Entry>) {
        if let Some(pace) = entry.pace() {
            self.schedule.leave(entry, &pace);
        }
        self.reserved = match core::mem::replace(&mut self.reserved, Reserved::No) {
            Reserved::Soon(one) if Arc::ptr_eq(&one, entry) => Reserved::No,
            Reserved::Now(Some(one)) if Arc::ptr_eq(&one, entry) => Reserved::Now(None),
            other => other,
        };
    }

    /// Ends the turn of an entry, which has a job more by now.
    pub(super) fn end_turn(&mut self, entry: &Arc<Entry>, cut_up: bool) {
        if cut_up {
            self.leave(entry);
        }
        if let (Reserved::No, Some(pace)) = (&self.reserved, entry.pace()) {
            self.schedule.end(&pace);
        }
    }

    /// Ends an entry whose turn it is, because of `why`.
    pub(super) fn turn_down(&mut self, entry: &Arc<Entry>, why: Error) {
        self.stop(entry, why);
        self.end_turn(entry, true);
    }

    /// Watches the deadline of an entry, in place of one before.
    pub(super) fn alarm(&mut self, entry: &Arc<Entry>, deadline: Deadline) {
        self.silence(entry);
        if deadline == Deadline::NONE {
            return;
        }
        let mut state = entry.state.lock();
        let key = (deadline, state.number);
        if let Some(node) = state.alarm.take() {
            state.alarmed = Some(deadline);
            drop(state);
            self.alarms.insert(node.into_node(key, entry.clone()));
        }
    }

    /// Watches its deadline no longer.
    fn silence(&mut self, entry: &Entry) {
        let mut state = entry.state.lock();
        let Some(deadline) = state.alarmed.take() else {
            return;
        };
        let node = self.alarms.remove_node(&(deadline, state.number));
        state.alarm = node.map(|node| node.into_reservation());
    }

    /// The earliest deadline.
    pub(super) fn earliest(&self) -> Option<Deadline> {
        let cursor = self.alarms.cursor_front()?;
        Some(cursor.current().0 .0)
    }

    /// An entry whose time is over.
    pub(super) fn expired(&self) -> Option<Arc<Entry>> {
        let cursor = self.alarms.cursor_front()?;
        let ((deadline, _), entry) = cursor.current();
        deadline.passed().then(|| entry.clone())
    }

    /// Makes a job of what is left of an entry, and returns its slot.
    pub(super) fn open(&mut self, entry: &Arc<Entry>, bound: Deadline) -> Option<usize> {
        let cut = entry.cut()?;
        let slot = self.vacant.pop()?;
        let age = self.schedule.number();
        self.works[slot] = Some(Work {
            entry: Some(entry.clone()),
            cut,
            flight: None,
            generation: 0,
            made: false,
            starts: 0,
            age,
            bound,
            ending: None,
        });
        self.postpone(slot);
        Some(slot)
    }

    /// Lets a job wait for the engine, before those that are younger.
    pub(super) fn postpone(&mut self, slot: usize) {
        let age = |slot: &usize| self.works[*slot].as_ref().map_or(0, |work| work.age);
        let at = self
            .pending
            .partition_point(|other| age(other) < age(&slot));
        // There is room for all.
        let _ = self.pending.push_within_capacity(slot);
        self.pending[at..].rotate_right(1);
    }

    /// The job of a slot is over, and gives room to another.
    pub(super) fn close(&mut self, slot: usize) -> Option<Work> {
        self.pending.retain(|pending| *pending != slot);
        let work = self.works.get_mut(slot)?.take()?;
        let _ = self.vacant.push_within_capacity(slot);
        Some(work)
    }

    /// The slots of an entry's jobs, from `from` on.
    pub(super) fn slot_of(&self, entry: &Arc<Entry>, from: usize) -> Option<usize> {
        let is = |work: &Work| {
            work.entry
                .as_ref()
                .is_some_and(|one| Arc::ptr_eq(one, entry))
        };
        let works = self.works.iter().skip(from);
        works
            .map(Option::as_ref)
            .position(|work| work.is_some_and(is))
            .map(|at| from + at)
    }

    /// An entry has ended.
    pub(super) fn end(&mut self, entry: &Arc<Entry>) {
        self.leave(entry);
        self.silence(entry);
        if entry.finish() {
            self.ends.push(entry.clone());
        }
    }

    /// Ends an entry because of `why`, unless jobs of it are under way, which may still succeed.
    pub(super) fn stop(&mut self, entry: &Arc<Entry>, why: Error) {
        self.leave(entry);
        if entry.stop(why) {
            self.end(entry);
        }
    }

    /// Ends all that waits, and all jobs that the engine has not got, because of `why`; or because the
    /// device was reset since, as it has been `resets` times.
    pub(super) fn end_all(&mut self, why: Error, resets: u32) {
        let why = |entry: &Entry| match entry.is_stale(resets) {
            true => ESTALE,
            false => why,
        };
        while let Some(slot) = self.pending.first().copied() {
            let work = self.works.get(slot).and_then(Option::as_ref);
            let entry = work.and_then(|work| work.entry.as_ref());
            let why = entry.map_or(EIO, |entry| why(entry));
            self.abandon(slot, why);
        }
        while let Some(entry) = self.first() {
            self.stop(&entry, why(&entry));
            if let Some(pace) = entry.pace() {
                self.schedule.end(&pace);
            }
        }
    }

    /// Something that waits.
    fn first(&mut self) -> Option<Arc<Entry>> {
        match &self.reserved {
            Reserved::Soon(entry) | Reserved::Now(Some(entry)) => Some(entry.clone()),
            _ => self.schedule.begin(),
        }
    }

    /// Gives up the jobs that the engine has: they may never end.
    pub(super) fn give_up(&mut self) {
        for slot in 0..self.works.len() {
            let work = self.works[slot].as_mut();
            let Some(work) = work.filter(|work| work.flight.is_some()) else {
                continue;
            };
            if let Some(entry) = work.entry.take() {
                entry.spoil(ENOTRECOVERABLE);
                if entry.give_up(&work.cut) {
                    self.end(&entry);
                }
            }
        }
    }

    /// Ends a job that the engine has not got, because of `why`.
    pub(super) fn abandon(&mut self, slot: usize, why: Error) {
        if let Some(work) = self.close(slot) {
            self.account(&work, 0, why);
        }
    }

    /// Takes note that a job has moved so many bytes, and of why it were no more.
    pub(super) fn account(&mut self, work: &Work, moved: u64, why: Error) {
        let Some(entry) = &work.entry else {
            return;
        };
        let over = entry.retire(&work.cut, moved, why);
        if entry.is_stopped() {
            self.leave(entry);
        }
        if over {
            self.end(entry);
        }
    }

    /// Gives the channel to whoever wants it alone, if it is free.
    pub(super) fn grant(&mut self) {
        if let (Reserved::Soon(entry), false) = (&self.reserved, self.is_at_work()) {
            let entry = entry.clone();
            self.reserved = Reserved::Now(None);
            self.end(&entry);
        }
    }
}

/// The channels of a device, in their order.
pub(crate) type Channels = KVec<Pin<KBox<Channel>>>;

/// Has the engine of `channels` handle a hard interrupt; see [`Engine::irq`]. Calls `news` for each
/// channel with a job that has ended.
pub(super) fn interrupt(
    channels: &Channels,
    engine: &dyn Engine,
    vector: u32,
    news: impl FnMut(Chan),
) -> bool {
    engine.irq(vector, &mut Reports { channels, news })
}

/// Has the engine of `channels` report what has ended on one; see [`Engine::poll`].
pub(super) fn poll(channels: &Channels, engine: &dyn Engine, ch: Chan) -> Observed {
    let news = |_| {};
    engine.poll(ch, &mut Reports { channels, news })
}

/// Hands what an engine reports to the channels. Nobody but an engine gets one, so that nothing else
/// ends a job.
struct Reports<'a, F> {
    channels: &'a Channels,
    news: F,
}

impl<F: FnMut(Chan)> Sink for Reports<'_, F> {
    fn retire(&mut self, ch: Chan, t: Ticket, outcome: Outcome) {
        let channel = self.channels.get(ch.0 as usize);
        if channel.is_some_and(|channel| channel.records.retire(t, outcome)) {
            (self.news)(ch);
        }
    }
}

/// The slot of the job that a proof is about.
pub(super) fn slot(proof: &records::Retired) -> usize {
    records::slot(proof.ticket())
}
