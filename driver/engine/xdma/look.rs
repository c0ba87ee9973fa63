// SPDX-License-Identifier: GPL-2.0

//! How jobs end: what the card says in memory, and where that is not enough, in its registers.
//!
//! The card writes how many descriptors are done behind their data, on the same way, so a job that is
//! counted there has reached memory. A message comes on the same way as well. A register alone shows
//! nothing of the kind: bus mastering may have been off in between.

use super::{
    descriptor,
    port::Status,
    ring::{
        self,
        Entry,
        Stopped, //
    },
    way::{
        Phase,
        State,
        Way, //
    },
};
use crate::engine::{
    Observed,
    Outcome,
    Sink, //
};

/// Set in the word if there is an error.
const ERROR: u32 = 1 << 31;

/// If the card has no more than so many bytes to do, it may be done with all of them before it has
/// learnt that the interrupt was seen, and then sends none for them. More than that take it longer.
const SOON_DONE: u64 = 64 * 1024;

/// What the word in memory says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Nothing new.
    Same,
    /// More descriptors are done.
    More,
    /// There is an error, or it makes no sense.
    Bad,
}

impl Way<'_> {
    /// An interrupt. Whether it told of something that has ended.
    pub(super) fn irq(&self, sink: &mut dyn Sink) -> bool {
        let mut state = self.state.lock();
        self.port.ack();
        let mut word = self.reap(&mut state, sink);
        if word == Word::More && state.ring.is_at_work() && state.ring.ends_within(SOON_DONE) {
            self.port.flush();
            if self.reap(&mut state, sink) == Word::Bad {
                word = Word::Bad;
            }
        }
        let stopping = matches!(state.phase, Phase::Stopping(_));
        if word == Word::Bad || stopping {
            self.examine(&mut state, Outcome::Done, sink);
        }
        self.go_on(&mut state);
        word == Word::More || stopping
    }

    /// An interrupt that told of nothing so far.
    pub(super) fn irq_for_nothing(&self, sink: &mut dyn Sink) {
        let mut state = self.state.lock();
        if !state.ring.is_empty() {
            self.examine(&mut state, Outcome::Done, sink);
            self.go_on(&mut state);
        }
    }

    /// See [`Engine::poll`](crate::engine::Engine::poll).
    pub(super) fn poll(&self, sink: &mut dyn Sink) -> Observed {
        let mut state = self.state.lock();
        // Of what is found here no message has come, and the next one comes only after this.
        self.port.ack();
        self.reap(&mut state, sink);
        let observed = match state.ring.is_empty() {
            true => self.presence(),
            false => self.examine(&mut state, Outcome::Unproven, sink),
        };
        self.go_on(&mut state);
        observed
    }

    /// See [`Engine::observe`](crate::engine::Engine::observe).
    pub(super) fn observe(&self) -> Observed {
        let state = self.state.lock();
        if state.ring.is_empty() {
            return self.presence();
        }
        match (self.port.status(), self.port.completed()) {
            (Some(status), Some(count)) if has_ended(&state, status, count) => Observed::Idle,
            (Some(_), Some(_)) => Observed::Busy,
            _ => Observed::Gone,
        }
    }

    fn presence(&self) -> Observed {
        if self.port.is_present() {
            Observed::Idle
        } else {
            Observed::Gone
        }
    }

    /// Reports the jobs that the word says are done.
    fn reap(&self, state: &mut State, sink: &mut dyn Sink) -> Word {
        if state.wordless || !state.ring.is_at_work() {
            return Word::Same;
        }
        let word = self.memory.read_word();
        let more = state.ring.advance(word, ring::WORD);
        self.retire(state, Outcome::Done, sink);
        match more {
            Some(_) if word & ERROR != 0 => Word::Bad,
            Some(0) => Word::Same,
            Some(_) => Word::More,
            None => Word::Bad,
        }
    }

    /// Reports the jobs that are done.
    fn retire(&self, state: &mut State, outcome: Outcome, sink: &mut dyn Sink) {
        while let Some(entry) = state.ring.take_done() {
            let outcome = match outcome {
                Outcome::Done => self.outcome(state, &entry),
                other => other,
            };
            self.end(&entry, outcome, sink);
        }
    }

    /// How a job has ended that the card is done with: a stream may have filled less of it.
    fn outcome(&self, state: &State, entry: &Entry) -> Outcome {
        let Some(record) = self.memory.read_record(entry.start) else {
            return Outcome::Done;
        };
        let len = state.ring.len(entry.start);
        let late = || {
            self.port.flush();
            descriptor::received(self.memory.read_record(entry.start)?, len)
        };
        descriptor::received(record, len)
            .or_else(late)
            .unwrap_or(Outcome::Fault(0))
    }

    fn end(&self, entry: &Entry, outcome: Outcome, sink: &mut dyn Sink) {
        (entry.start..entry.end).for_each(|at| self.memory.wipe(at));
        sink.retire(self.ch, entry.ticket(), outcome);
    }

    /// Looks at the registers, with jobs in the ring. `counted` is how a job ends that only a register
    /// says is done.
    fn examine(&self, state: &mut State, counted: Outcome, sink: &mut dyn Sink) -> Observed {
        let Some(status) = self.port.status() else {
            return Observed::Gone;
        };
        // What the card has written before it answered is there now.
        let word = self.reap(state, sink);
        if state.phase == Phase::Running && (status.failed() || word == Word::Bad) {
            self.port.ack_error();
            self.halt(state, Stopped::Failed);
        }
        match state.phase {
            Phase::Stopping(why) => self.settle(state, why, counted, sink),
            _ => self.count(state, counted, sink),
        }
    }

    /// Looks whether the card is done with jobs, though it does not say so in memory.
    fn count(&self, state: &mut State, counted: Outcome, sink: &mut dyn Sink) -> Observed {
        let Some(count) = self.port.completed() else {
            return Observed::Gone;
        };
        // What it has counted up to then is there now, if it counts in memory.
        self.reap(state, sink);
        if state.ring.has_done(count) {
            state.wordless = true;
            state.ring.advance(count, ring::REGISTER);
            self.retire(state, counted, sink);
        }
        busy_unless(state.ring.is_empty())
    }

    /// Ends the jobs of a card that was told to stop, once it has.
    fn settle(
        &self,
        state: &mut State,
        why: Stopped,
        counted: Outcome,
        sink: &mut dyn Sink,
    ) -> Observed {
        let (status, count) = match (self.port.status(), self.port.completed()) {
            (Some(status), Some(count)) => (status, count),
            _ => return Observed::Gone,
        };
        if status.busy() {
            return Observed::Busy;
        }
        self.reap(state, sink);
        let why = match state.ring.advance(count, ring::REGISTER) {
            Some(_) => why,
            None => Stopped::Unclear,
        };
        self.retire(state, counted, sink);
        state
            .ring
            .stop(why, |entry, outcome| self.end(entry, outcome, sink));
        self.rest(state);
        busy_unless(state.ring.is_empty())
    }

    /// Has the card go on, if it has stopped and there is more to do.
    fn go_on(&self, state: &mut State) {
        let batch_over =
            state.phase == Phase::Running && !self.port.credits() && !state.ring.is_at_work();
        if batch_over {
            self.port.halt();
            self.rest(state);
        }
        if state.phase == Phase::Rest && !state.ring.is_empty() {
            self.start(state);
        }
    }
}

fn busy_unless(idle: bool) -> Observed {
    match idle {
        true => Observed::Idle,
        false => Observed::Busy,
    }
}

/// Whether the card has stopped, or is done with all that it was given. It may say that it is busy while
/// it waits for more.
fn has_ended(state: &State, status: Status, count: u32) -> bool {
    match state.phase {
        Phase::Stopping(_) => !status.busy(),
        _ if status.failed() => !status.busy(),
        _ => state.ring.would_end(count),
    }
}
