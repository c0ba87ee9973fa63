// SPDX-License-Identifier: GPL-2.0

//! What keeps a channel busy: whoever submits, and whoever sees jobs end, fills it again.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::Card;
use crate::{
    base::{
        counters,
        deadline::Deadline,
        params, //
    },
    card::{
        channel::{
            self,
            Channel,
            Gate,
            Reserved,
            State,
            Work, //
        },
        entry::{
            Context,
            Ends,
            Entry,
            Manner,
            Which, //
        },
        flight::InFlight,
        records,
        schedule::Pace, //
    },
    engine::{
        self,
        Chan,
        Job,
        Kind,
        Outcome,
        Refused, //
    },
    kapi::{
        mapped::SyncFor,
        trace, //
    }, //
};

/// How often a card may hand a job back.
const MOST_STARTS: u32 = 64;

/// Most bytes of a job that is copied by the CPU first, or after it: others wait for that.
const MOST_SYNCED: u64 = 64 << 10;

/// Jobs that have ended of which note is taken at a time: interrupts wait meanwhile.
const AT_A_TIME: usize = 16;

/// Why a job was not started.
enum Unstarted {
    /// The engine has no room now.
    Full,
    /// It never will be.
    Failed(Error),
}

impl Card<'_> {
    /// A channel of the device.
    fn channel(&self, ch: Chan) -> Result<&Channel> {
        self.device.channel(ch).ok_or(ENOENT)
    }

    /// Lets an entry wait for its channel, which works on it when its turn comes.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it would have to wait and must not; `EIO`, `ENOTRECOVERABLE` or `ENODEV` if the
    /// device takes none.
    pub(crate) fn submit(&self, ch: Chan, entry: &Arc<Entry>, manner: Manner) -> Result {
        let channel = self.channel(ch)?;
        let mut state = channel.state.lock();
        match state.gate.refusal() {
            // It would be told so anyway, and this says more.
            Some(EIO) if entry.is_stale(self.device.resets()) => return Err(ESTALE),
            Some(why) => return Err(why),
            None => {}
        }
        let alone = entry.with(|order| order.total == 0) == Some(true);
        if manner == Manner::Hasty && (state.is_full() || alone && state.is_at_work()) {
            return Err(EAGAIN);
        }
        state.push(entry);
        self.queue_jobs(channel, &mut state);
        if manner != Manner::InBatch {
            self.kick_channel(channel, &mut state);
        }
        self.watch_over(channel, &mut state);
        drop(state);
        channel.tell(Context::Bottom);
        Ok(())
    }

    /// Has the card begin with all that was submitted in a batch.
    pub(crate) fn kick(&self) {
        for channel in self.device.channels() {
            self.kick_channel(channel, &mut channel.state.lock());
        }
    }

    fn kick_channel(&self, channel: &Channel, state: &mut State) {
        if core::mem::take(&mut state.unkicked) {
            self.engine.kick(channel.ch);
        }
    }

    /// Starts as many jobs as the channel has room for. A batch that is about to be kicked is left
    /// alone, if there is nothing else: that would cost a doorbell more.
    fn fill(&self, channel: &Channel, state: &mut State) {
        if self.queue_jobs(channel, state) {
            self.kick_channel(channel, state);
        }
    }

    /// Hands the engine as many jobs as it has room for; whether there were any.
    fn queue_jobs(&self, channel: &Channel, state: &mut State) -> bool {
        let mut any = false;
        while state.gate == Gate::Open {
            let Some(slot) = self.next(channel, state) else {
                break;
            };
            match self.start(channel, state, slot) {
                Ok(()) => (state.unkicked, any) = (true, true),
                Err(Unstarted::Full) => break,
                Err(Unstarted::Failed(why)) => state.abandon(slot, why),
            }
        }
        state.grant();
        any
    }

    /// The slot of the job that is next.
    fn next(&self, channel: &Channel, state: &mut State) -> Option<usize> {
        loop {
            if let Some(slot) = state.pending.first() {
                return Some(*slot);
            }
            let entry = state.next()?;
            if entry.is_stale(self.device.resets()) {
                state.turn_down(&entry, ESTALE);
            } else if entry.is_late() {
                state.turn_down(&entry, ETIMEDOUT);
            } else if entry.with(|order| order.total) == Some(0) {
                state.end_turn(&entry, true);
                state.reserved = Reserved::Soon(entry);
                return None;
            } else {
                return state.open(&entry, self.bound(channel.ch));
            }
        }
    }

    /// Until when a job that begins now must have ended: others wait for the channel meanwhile. A
    /// stream may have nothing to say for as long as it likes.
    fn bound(&self, ch: Chan) -> Deadline {
        let channels = &self.engine.limits().channels;
        match channels.get(ch.0 as usize).map(|limits| limits.kind) {
            Some(Kind::Memory(_)) => Deadline::after(params::max_timeout_ns()),
            _ => Deadline::NONE,
        }
    }

    /// Hands a job to the engine.
    fn start(&self, channel: &Channel, state: &mut State, slot: usize) -> Result<(), Unstarted> {
        let result = self.queue(channel, state, slot);
        let Some(work) = state.works.get_mut(slot).and_then(Option::as_mut) else {
            return Err(Unstarted::Failed(EIO));
        };
        let first = !core::mem::replace(&mut work.made, true);
        if let Ok(len) = result {
            work.starts += 1;
            work.cut.len = len;
        }
        let (entry, len) = (work.entry.clone(), work.cut.len);
        if result.is_ok() {
            state.pending.retain(|pending| *pending != slot);
        }
        if let Some(entry) = entry {
            self.note(state, &entry, first.then_some(len), result.is_ok());
        }
        result.map(|_| ())
    }

    /// Takes note of an entry's job that was handed to the engine, if it has `taken` it; and that it is
    /// `made` now, of so many bytes.
    fn note(&self, state: &mut State, entry: &Arc<Entry>, made: Option<u64>, taken: bool) {
        if let Some(len) = made {
            let cut_up = entry.take(len);
            state.end_turn(entry, cut_up);
        }
        if !taken || !entry.start() {
            return;
        }
        let bounded = entry.with(|order| order.bounded.then_some(order.deadline));
        if let Some(Some(deadline)) = bounded {
            let longest = Deadline::after(params::max_timeout_ns());
            state.alarm(entry, deadline.min(longest));
        }
    }

    /// Hands a job to the engine, and returns how many of its bytes that has taken.
    fn queue(&self, channel: &Channel, state: &mut State, slot: usize) -> Result<u64, Unstarted> {
        let ticket = records::ticket(slot);
        let work = state.works.get_mut(slot).and_then(Option::as_mut);
        let work = work.ok_or(Unstarted::Failed(EIO))?;
        let cut = &mut work.cut;
        let flight = InFlight::arm(&cut.mapping, ticket, cut.side).map_err(Unstarted::Failed)?;
        if !work.made {
            let whole = flight.job(cut.side, cut.offset, cut.len);
            cut.len = self.longest(channel.ch, &whole, flight.syncs());
        }
        flight.sync(&self.view, cut.offset, cut.len, SyncFor::Device);
        let job = flight.job(cut.side, cut.offset, cut.len);
        channel.records.expect(ticket);
        // Before the doorbell: others may see in between that mastering is off.
        work.generation = self.device.generation();
        match engine::queue(&*self.engine, channel.ch, ticket, &job) {
            Ok(len) => {
                let len = len.get().min(cut.len);
                let (ch, addr, direction) = (channel.ch.0, cut.side.dev_addr, cut.side.direction);
                trace::start(&self.view, ch, ticket.0, addr, len, direction);
                work.flight = Some(flight);
                Ok(len)
            }
            Err(why) => {
                // It is about this job.
                let _ = flight.settle(&channel.records.refused(&why));
                Err(match why.why() {
                    Refused::Full => Unstarted::Full,
                    other => Unstarted::Failed(self.refusal(other)),
                })
            }
        }
    }

    /// As many bytes of `job` as channel `ch` takes at a time, and no more: all of it is synced.
    fn longest(&self, ch: Chan, job: &Job<'_>, synced: bool) -> u64 {
        let channels = &self.engine.limits().channels;
        let Some(limits) = channels.get(ch.0 as usize) else {
            return job.len();
        };
        let segments = job.segments().take(limits.job_segments as usize);
        let len: u64 = segments.map(|segment| segment.len()).sum();
        let most = limits.job_bytes;
        len.min(if synced { most.min(MOST_SYNCED) } else { most })
    }

    /// Takes note of the jobs of a channel that have ended, and fills it.
    pub(super) fn settle(&self, ch: Chan) {
        let Ok(channel) = self.channel(ch) else {
            return;
        };
        loop {
            let mut state = channel.state.lock();
            for _ in 0..AT_A_TIME {
                let Some(proof) = channel.records.take() else {
                    self.fill(channel, &mut state);
                    self.watch_over(channel, &mut state);
                    return;
                };
                self.retire(&mut state, &proof);
            }
        }
    }

    /// Takes note of what has ended on a channel, fills it, and tells those that it concerns.
    pub(super) fn settle_and_tell(&self, ch: Chan) {
        self.settle(ch);
        if let Ok(channel) = self.channel(ch) {
            channel.tell(Context::Bottom);
        }
    }

    /// Takes note that a job has ended.
    fn retire(&self, state: &mut State, proof: &records::Retired) {
        let slot = channel::slot(proof);
        state.late = None;
        let Some(work) = state.works.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        let Some(flight) = work.flight.take() else {
            return;
        };
        let cut = &work.cut;
        // What the device has only read, it has not changed: the CPU's view is as good as before,
        // and newer if the application has written since.
        if cut.side.direction.writes() {
            flight.sync(&self.view, cut.offset, cut.len, SyncFor::Cpu);
        }
        let ticket = flight.ticket();
        if let Err(flight) = flight.settle(proof) {
            work.flight = Some(flight);
            return;
        }
        if proof.outcome() == Outcome::NotStarted && may_start_again(work) {
            trace::complete(&self.view, ticket.0, 0);
            state.postpone(slot);
            return;
        }
        let moved = self.moved(work, proof.outcome());
        trace::complete(&self.view, ticket.0, moved);
        let why = self.shortage();
        if let Some(work) = state.close(slot) {
            state.account(&work, moved, why);
        }
    }

    /// How many bytes a job has moved that count.
    ///
    /// None do if nothing shows that the device has reached memory, or if it was reset or lost bus
    /// mastering since the job began: it may have moved nothing and not know it.
    fn moved(&self, work: &Work, outcome: Outcome) -> u64 {
        let unproven = outcome == Outcome::Unproven;
        if let (true, Some(entry)) = (unproven, &work.entry) {
            counters::LOST_INTERRUPTS.add(1);
            entry.with(|order| order.stats.lost_interrupts.add(1));
        }
        if unproven || !self.is_unbroken(work.generation) {
            // Whatever else may have ended it.
            work.entry
                .as_ref()
                .inspect(|entry| entry.spoil(self.shortage()));
            return 0;
        }
        // What a device counts is not believed beyond what it was given.
        match outcome {
            Outcome::Done => work.cut.len,
            Outcome::NotStarted | Outcome::Unproven => 0,
            Outcome::Short(n) | Outcome::Fault(n) | Outcome::Aborted(n) => n.min(work.cut.len),
        }
    }

    /// What to tell of a job that has moved less than it should.
    fn shortage(&self) -> Error {
        match self.device.is_gone() {
            true => ENODEV,
            false => EIO,
        }
    }

    /// Ends an entry early because of `why`, which others may have ended meanwhile, or nobody submitted
    /// yet. With `unbegun` only if the device was not told to work on it; whether it was not.
    pub(crate) fn cancel(
        &self,
        ch: Chan,
        entry: &Arc<Entry>,
        why: Error,
        unbegun: bool,
    ) -> Result<bool> {
        let channel = self.channel(ch)?;
        let mut state = channel.state.lock();
        if unbegun && entry.is_begun() {
            return Ok(false);
        }
        // Whoever fills it meanwhile would be told of an end that is not that of its order.
        if entry.is_done() {
            return Ok(true);
        }
        self.stop_early(channel, &mut state, entry, why);
        self.fill(channel, &mut state);
        self.watch_over(channel, &mut state);
        drop(state);
        channel.tell(Context::Bottom);
        Ok(true)
    }

    /// Stops an entry, and has the engine end its jobs.
    pub(super) fn stop_early(
        &self,
        channel: &Channel,
        state: &mut State,
        entry: &Arc<Entry>,
        why: Error,
    ) {
        state.stop(entry, why);
        let mut from = 0;
        while let Some(slot) = state.slot_of(entry, from) {
            self.end_early(channel, state, slot, why);
            from = slot + 1;
        }
    }

    /// Has the engine end a job, which must then have ended soon.
    pub(super) fn end_early(&self, channel: &Channel, state: &mut State, slot: usize, why: Error) {
        let Some(work) = state.works.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        let Some(flight) = &work.flight else {
            state.abandon(slot, why);
            return;
        };
        if work.ending.is_none() {
            let ticket = flight.ticket();
            trace::cancel(channel.ch.0, ticket.0, why);
            work.ending = Some(Deadline::after(params::drain_ns()));
            self.engine.abort(channel.ch, ticket);
        }
    }

    /// Ends those of a file's requests for a channel early that `which` says. Returns how many, and
    /// those that have ended by now.
    pub(crate) fn cancel_all(&self, ch: Chan, pace: &Arc<Pace>, which: Which) -> (Ends, u32) {
        let (mut ends, mut count) = (Ends::new(), 0);
        if let Ok(channel) = self.channel(ch) {
            let mut from = 0;
            let mut more = true;
            while more {
                let mut state = channel.state.lock();
                let others = core::mem::replace(&mut state.ends, Ends::new());
                more = self.cancel_some(channel, &mut state, pace, which, &mut from, &mut count);
                ends.append(core::mem::replace(&mut state.ends, others));
            }
            self.cancel_begun(channel, pace, which, &mut count);
            self.settle_and_tell(ch);
        }
        (ends, count)
    }

    /// Ends some that wait, from number `from` on; whether there are more. Interrupts come in between.
    fn cancel_some(
        &self,
        channel: &Channel,
        state: &mut State,
        pace: &Pace,
        which: Which,
        from: &mut u64,
        count: &mut u32,
    ) -> bool {
        for _ in 0..AT_A_TIME {
            let Some(entry) = state.schedule.from(*from, pace) else {
                return false;
            };
            *from = entry.state.lock().number + 1;
            if entry.is(which) && !entry.is_begun() {
                trace::cancel(channel.ch.0, 0, ECANCELED);
                state.stop(&entry, ECANCELED);
                *count += 1;
            }
        }
        true
    }

    /// Ends those that have jobs.
    fn cancel_begun(&self, channel: &Channel, pace: &Arc<Pace>, which: Which, count: &mut u32) {
        let mut state = channel.state.lock();
        for slot in 0..state.works.len() {
            let work = state.works[slot].as_ref();
            let Some(entry) = work.and_then(|work| work.entry.clone()) else {
                continue;
            };
            let theirs = entry.pace().is_some_and(|one| Arc::ptr_eq(&one, pace));
            let first = || state.slot_of(&entry, 0) == Some(slot);
            if theirs && entry.is(which) && first() {
                self.stop_early(channel, &mut state, &entry, ECANCELED);
                *count += 1;
            }
        }
    }

    /// Gives the channel back that somebody had alone.
    pub(crate) fn release(&self, ch: Chan) {
        if let Ok(channel) = self.channel(ch) {
            channel.state.lock().reserved = Reserved::No;
            self.settle_and_tell(ch);
        }
    }
}

/// Whether a job that the card has handed back may be begun with once more.
fn may_start_again(work: &Work) -> bool {
    let wanted = work.entry.as_ref().is_some_and(|entry| !entry.is_stopped());
    wanted && work.ending.is_none() && work.starts < MOST_STARTS
}
