// SPDX-License-Identifier: GPL-2.0

//! One way of a channel, to the card or from it: a channel of the card, its ring, and the jobs in it.
//!
//! With credits the channel is started once and then runs; each credit lets it begin with one more
//! descriptor of the ring, so that a kick is one write to a register. Without, it is started for a
//! batch: all descriptors that are there, with a stop after the last. What comes meanwhile is the next
//! batch.

use core::{
    mem,
    num::NonZeroU64, //
};

use kernel::{
    device::{
        Bound,
        Device, //
    },
    new_spinlock_irq,
    prelude::*,
    sync::{
        Arc,
        SpinLockIrq, //
    }, //
};

use super::{
    descriptor::{
        self,
        Descriptor, //
    },
    memory::Memory,
    port::Port,
    ring::{
        Ring,
        Stopped, //
    },
};
use crate::{
    engine::{
        Abort,
        Chan,
        Job,
        Observed,
        Refused,
        Ticket, //
    },
    kapi::mapped::DmaSegment, //
};

/// What the card does with the ring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing. It was not started, or is idle after it was stopped.
    Rest,
    /// It works on what it is given.
    Running,
    /// It was told to stop, and may still work on the descriptor that it is at.
    Stopping(Stopped),
}

/// Memory that the card may write to.
///
/// Dropping it leaks the memory on purpose: nothing has shown that the card has stopped.
pub(super) struct Lent(Option<Arc<Memory>>);

impl Drop for Lent {
    fn drop(&mut self) {
        mem::forget(self.0.take());
    }
}

/// What a lock protects.
pub(super) struct State {
    pub(super) ring: Ring,
    pub(super) phase: Phase,
    /// It must not be started: the card is about to lose the bus.
    held: bool,
    /// It cannot be started.
    broken: bool,
    /// It does not count in memory, since it was started.
    pub(super) wordless: bool,
    /// Where the card stops, in a batch.
    stop_at: Option<u64>,
    lent: Lent,
}

/// A way.
#[pin_data]
pub(super) struct Way<'b> {
    pub(super) ch: Chan,
    pub(super) port: Port<'b>,
    pub(super) memory: Arc<Memory>,
    #[pin]
    pub(super) state: SpinLockIrq<State>,
}

impl<'b> Way<'b> {
    /// A way of `ch` through a channel of the card that has stopped.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(
        dev: &Device<Bound>,
        ch: Chan,
        mut port: Port<'b>,
    ) -> Result<Pin<KBox<Self>>> {
        port.find_credits();
        let nature = port.nature();
        let records = nature.stream && nature.from_card;
        let memory = Arc::new(Memory::new(dev, records)?, GFP_KERNEL)?;
        let state = State {
            ring: Ring::new()?,
            phase: Phase::Rest,
            held: false,
            broken: false,
            wordless: false,
            stop_at: None,
            lent: Lent(None),
        };
        port.prepare(memory.word());
        let way = pin_init!(Self {
            ch,
            port,
            memory,
            state <- new_spinlock_irq!(state),
        });
        KBox::pin_init(way, GFP_KERNEL)
    }

    /// See [`Engine::queue`](crate::engine::Engine::queue).
    pub(super) fn queue(&self, t: Ticket, job: &Job<'_>) -> Result<NonZeroU64, Refused> {
        let count = job.segments().count();
        let fits = |segment: DmaSegment| segment.len() <= descriptor::MOST.into();
        if job.side().dev_fixed
            || count > self.port.nature().job_segments() as usize
            || !job.segments().all(fits)
        {
            return Err(Refused::BadJob);
        }
        let len = job.segments().map(|segment| segment.len()).sum();
        let len = NonZeroU64::new(len).ok_or(Refused::BadJob)?;
        let mut state = self.state.lock();
        if state.broken {
            return Err(Refused::Gone);
        }
        let start = state.ring.add(t, count).ok_or(Refused::Full)?;
        self.fill(&mut state.ring, start, job);
        Ok(len)
    }

    /// Writes the descriptors of a job, from position `start` on.
    fn fill(&self, ring: &mut Ring, start: u64, job: &Job<'_>) {
        let mut dev_addr = job.side().dev_addr;
        for (at, segment) in (start..).zip(job.segments()) {
            ring.set_len(at, segment.len() as u32);
            let flags = match at == ring.last() {
                true => self.last_flags(),
                false => 0,
            };
            let (from, to) = self.ends(at, segment.addr(), dev_addr);
            let descriptor = Descriptor {
                flags,
                len: segment.len() as u32,
                from,
                to,
                next: 0,
            };
            self.memory.write(at, &descriptor);
            dev_addr = dev_addr.wrapping_add(segment.len());
        }
    }

    /// Flags of a job's last descriptor.
    fn last_flags(&self) -> u32 {
        let nature = self.port.nature();
        if nature.stream && !nature.from_card {
            descriptor::COMPLETED | descriptor::END
        } else {
            descriptor::COMPLETED
        }
    }

    /// Where a descriptor's data is, and where it goes.
    fn ends(&self, at: u64, bus_addr: u64, dev_addr: u64) -> (u64, u64) {
        let nature = self.port.nature();
        match (nature.from_card, nature.stream) {
            (false, false) => (bus_addr, dev_addr),
            (false, true) => (bus_addr, 0),
            (true, false) => (dev_addr, bus_addr),
            (true, true) => (self.memory.record(at).unwrap_or(0), bus_addr),
        }
    }

    /// See [`Engine::kick`](crate::engine::Engine::kick).
    pub(super) fn kick(&self) {
        let mut state = self.state.lock();
        if !state.ring.has_more() {
            return;
        }
        match state.phase {
            Phase::Running if self.port.credits() => {
                self.port.add_credits(state.ring.give());
            }
            Phase::Running => {}
            Phase::Stopping(_) if state.ring.is_at_work() || !self.is_idle() => {}
            Phase::Stopping(_) | Phase::Rest => self.start(&mut state),
        }
    }

    fn is_idle(&self) -> bool {
        self.port.status().is_some_and(|status| !status.busy())
    }

    /// Starts the card with all that it is not done with.
    pub(super) fn start(&self, state: &mut State) {
        if state.held || state.broken {
            return;
        }
        if self.port.drop_credits().is_err() {
            // With credits that it was not given it would begin with what is not there.
            state.broken = true;
            return;
        }
        let start = state.ring.begin();
        self.memory.reset_word();
        state.wordless = false;
        if !self.port.credits() {
            self.place_stop(state);
        }
        state.lent.0 = Some(self.memory.clone());
        state.phase = Phase::Running;
        self.port.start(self.memory.descriptor(start));
        let given = state.ring.give();
        if self.port.credits() {
            self.port.add_credits(given);
        }
    }

    /// Has the card stop after the last descriptor, and nowhere before.
    fn place_stop(&self, state: &mut State) {
        if let Some(at) = state.stop_at.replace(state.ring.last()) {
            self.memory.set_flags(at, descriptor::STOP, false);
        }
        let last = state.ring.last();
        self.memory.set_flags(last, descriptor::STOP, true);
    }

    /// The card is idle after it was stopped.
    pub(super) fn rest(&self, state: &mut State) {
        state.phase = Phase::Rest;
        state.lent.0 = None;
    }

    /// Tells the card to stop.
    pub(super) fn halt(&self, state: &mut State, why: Stopped) {
        self.port.halt();
        state.phase = Phase::Stopping(why);
    }

    /// See [`Engine::abort`](crate::engine::Engine::abort); `None` if the job is not here.
    pub(super) fn abort(&self, t: Ticket) -> Option<Abort> {
        let mut state = self.state.lock();
        if !state.ring.abort(t) {
            return None;
        }
        if !self.port.is_present() {
            return Some(Abort::Gone);
        }
        if !matches!(state.phase, Phase::Stopping(_)) {
            self.halt(&mut state, Stopped::Told);
        }
        Some(Abort::Started)
    }

    /// Tells the card to begin with nothing more, until [`restart`](Self::restart).
    pub(super) fn hold(&self) {
        let mut state = self.state.lock();
        state.held = true;
        if state.phase == Phase::Running {
            self.halt(&mut state, Stopped::Told);
        } else {
            self.port.halt();
        }
    }

    /// Stops the card, and says whether it has stopped.
    pub(super) fn stop(&self) -> Observed {
        self.hold();
        match self.port.status() {
            None => Observed::Gone,
            Some(status) if status.busy() => Observed::Busy,
            Some(_) => Observed::Idle,
        }
    }

    /// Forgets all jobs: all channels have stopped, or the card has left the bus.
    pub(super) fn forget(&self) {
        let mut state = self.state.lock();
        state.ring.clear();
        self.rest(&mut state);
    }

    /// Makes a card that was stopped ready again, which may have been reset.
    pub(super) fn restart(&self) -> Result {
        if !self.port.is_present() {
            return Err(EIO);
        }
        self.forget();
        let mut state = self.state.lock();
        (state.held, state.broken) = (false, false);
        self.port.prepare(self.memory.word());
        Ok(())
    }
}
