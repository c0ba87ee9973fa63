// SPDX-License-Identifier: GPL-2.0

//! A completion queue: where requests end, and who waits for that.
//!
//! It counts the requests that are in flight and the completions that were not reaped; together
//! they never exceed its depth. So there is always room for a completion.
//!
//! Lock order: `state`, then an eventfd's own lock; bottom halves take both. Nothing is held while completions are copied to
//! user memory.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    static_lock_class,
    sync::{
        poll::PollCondVarBox,
        Arc,
        CondVarTimeoutResult,
        SpinLockIrq, //
    },
};

use crate::{
    base::{
        counters,
        deadline::Deadline, //
    },
    card::{
        entry::Which,
        watch::Watcher, //
    },
    kapi::{
        abi::pindma_completion,
        clock,
        eventfd::EventFd,
        gfp,
        trace, //
    },
    queue::backlog::Backlog,
    request::{
        finisher::Finisher,
        slot::{
            Ending,
            Slot, //
        },
        Request, //
    }, //
};

pub(crate) mod backlog;
mod open;
mod ring;

pub(crate) use open::{
    create,
    QUEUES, //
};
use ring::Ring;

/// Most requests of a queue.
pub(crate) const MAX_DEPTH: u32 = 4096;

struct State {
    /// Requests that have not ended, and room for some that are about to be submitted.
    in_flight: usize,
    ring: Ring,
    /// Number of the next completion.
    seq: u64,
    eventfd: Option<EventFd>,
    /// Requests that have ended, to be used again.
    spare: KVVec<Arc<Request>>,
    closed: bool,
}

/// What there is in a queue.
#[derive(Clone, Copy)]
pub(crate) struct Level {
    /// Completions that can be reaped.
    pub(crate) ready: usize,
    /// Requests in flight.
    pub(crate) in_flight: usize,
    /// Completions that may still be to come: of requests in flight, and those that somebody has
    /// taken, who may have to put them back.
    coming: usize,
}

impl Level {
    /// Whether there is nothing, and nothing on its way.
    pub(crate) fn is_empty(self) -> bool {
        self.ready == 0 && self.coming == 0
    }
}

/// A queue.
#[pin_data]
pub(crate) struct Queue {
    backlog: Arc<Backlog>,
    depth: u32,
    #[pin]
    state: SpinLockIrq<State>,
    changed: PollCondVarBox,
    _counted: counters::Held,
}

impl Queue {
    fn new(backlog: Arc<Backlog>, depth: u32) -> Result<Arc<Self>> {
        let state = State {
            in_flight: 0,
            ring: Ring::new(depth as usize)?,
            seq: 0,
            eventfd: None,
            spare: KVVec::with_capacity(depth as usize, gfp::for_user())?,
            closed: false,
        };
        let changed = PollCondVarBox::new(c"Queue::changed", static_lock_class!())?;
        Arc::pin_init(
            try_pin_init!(Self {
                backlog,
                depth,
                state <- new_spinlock_irq!(state),
                changed,
                _counted: counters::QUEUES.hold(),
            }),
            gfp::for_user(),
        )
    }

    /// What ends its requests.
    pub(crate) fn finisher(&self) -> &Arc<Finisher> {
        self.backlog.finisher()
    }

    /// What its requests are named by.
    pub(crate) fn id(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Whether it was made with the file that has `backlog`.
    pub(crate) fn belongs_to(&self, backlog: &Arc<Backlog>) -> bool {
        Arc::ptr_eq(&self.backlog, backlog)
    }

    /// Takes room for one request.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if there is none, `ENOMEM`.
    pub(crate) fn reserve(this: &Arc<Self>) -> Result<(Slot, Arc<Request>)> {
        let mut state = this.state.lock();
        if state.in_flight + state.ring.held() >= this.depth as usize {
            return Err(EAGAIN);
        }
        state.in_flight += 1;
        let spare = state.spare.pop();
        drop(state);
        let slot = Slot::new(this.clone());
        let request = match spare {
            Some(request) => request,
            None => Request::new()?,
        };
        Ok((slot, request))
    }

    fn level(&self) -> Level {
        self.state.lock().level()
    }

    /// Why nothing will ever come again, once nothing is in flight: as [`unusable`](Self::unusable),
    /// or `ECANCELED` if the file was closed.
    fn over(&self) -> Option<Error> {
        let closed = || self.backlog.is_closed().then_some(ECANCELED);
        self.unusable().or_else(closed)
    }

    /// Why the device does nothing any more: `ENODEV` if it is gone, `ENOTRECOVERABLE` if it has
    /// failed.
    fn unusable(&self) -> Option<Error> {
        let device = self.backlog.device();
        if device.is_gone() {
            Some(ENODEV)
        } else {
            device.has_failed().then_some(ENOTRECOVERABLE)
        }
    }

    /// Waits until `enough`.
    ///
    /// # Errors
    ///
    /// `EINTR`, `ETIMEDOUT`.
    fn wait(&self, deadline: Deadline, enough: impl Fn(Level) -> bool) -> Result {
        let mut state = self.state.lock();
        loop {
            if enough(state.level()) {
                return Ok(());
            }
            if deadline.passed() {
                return Err(ETIMEDOUT);
            }
            let left = deadline.left();
            let woken = self.changed.wait_interruptible_timeout(&mut state, left);
            if let CondVarTimeoutResult::Signal { .. } = woken {
                return Err(EINTR);
            }
        }
    }

    /// Takes the oldest completion.
    fn reap(&self) -> Option<Reaped<'_>> {
        let record = self.state.lock().ring.take()?;
        Some(Reaped {
            queue: self,
            record,
            kept: false,
        })
    }

    /// Tells requests to end early; returns how many.
    fn cancel(&self, which: Which) -> u32 {
        self.backlog.cancel(which)
    }

    fn set_eventfd(&self, eventfd: Option<EventFd>) {
        let old = core::mem::replace(&mut self.state.lock().eventfd, eventfd);
        drop(old);
    }

    /// Nobody will reap any more. Cancels all requests and waits for them, which is bounded: then
    /// the device is done with their memory.
    fn close(&self) {
        self.state.lock().closed = true;
        self.set_eventfd(None);
        self.cancel(Which::Queue(self.id()));
        self.wait_idle();
        self.backlog.forget(self);
    }

    /// Waits until no request is in flight.
    fn wait_idle(&self) {
        let mut state = self.state.lock();
        while state.in_flight > 0 {
            self.changed.wait(&mut state);
        }
    }
}

impl Ending for Queue {
    fn post(&self, number: u64, mut record: pindma_completion, request: Arc<Request>) {
        let mut state = self.state.lock();
        state.in_flight -= 1;
        trace::end(number, &record);
        if !state.closed {
            record.seq = state.seq;
            record.time_ns = clock::now();
            state.seq += 1;
            state.ring.push(record);
            // There is room for as many as there are requests.
            let _ = state.spare.push_within_capacity(request);
            if let Some(eventfd) = &state.eventfd {
                eventfd.signal();
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn release(&self) {
        self.state.lock().in_flight -= 1;
        self.changed.notify_all();
    }
}

impl Watcher for Queue {
    fn stir(&self) {
        // Who has looked already, and is about to wait, holds the lock until it does.
        drop(self.state.lock());
        self.changed.notify_all();
    }
}

impl State {
    fn level(&self) -> Level {
        Level {
            ready: self.ring.len(),
            in_flight: self.in_flight,
            coming: self.in_flight + self.ring.held() - self.ring.len(),
        }
    }
}

/// A completion on its way to its reader. Dropping it puts it back.
struct Reaped<'a> {
    queue: &'a Queue,
    record: pindma_completion,
    kept: bool,
}

impl Reaped<'_> {
    /// The completion, as the current process is told of it.
    fn told(&self) -> pindma_completion {
        pindma_completion {
            time_ns: clock::from_host(self.record.time_ns),
            ..self.record
        }
    }

    /// Says that it has reached its reader.
    fn keep(mut self) {
        self.kept = true;
        let mut state = self.queue.state.lock();
        state.ring.keep();
        let last = state.level().coming == 0;
        drop(state);
        // Who waited whether it is put back need not any more.
        if last {
            self.queue.changed.notify_all();
        }
    }
}

impl Drop for Reaped<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.queue.state.lock().ring.put_back(self.record);
            self.queue.changed.notify_all();
        }
    }
}
