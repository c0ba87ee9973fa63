// SPDX-License-Identifier: GPL-2.0

//! The one who looks after a channel: deadlines, interrupts that do not come, jobs that do not end.

use kernel::{
    impl_has_delayed_work,
    impl_has_work,
    new_delayed_work,
    new_work,
    prelude::*,
    sync::Arc,
    workqueue::{
        DelayedWork,
        Work,
        WorkItem, //
    }, //
};

use super::Card;
use crate::{
    base::deadline::Deadline,
    card::{
        channel::{
            self,
            Channel,
            Gate,
            State, //
        },
        device::Device,
        entry::Context, //
    },
    engine::{
        Chan,
        Observed, //
    },
    kapi::workqueue, //
};

/// How long to wait for an interrupt before the device is asked.
const POLL_NS: i64 = 250_000_000;

/// How often the device is asked while a job is to end early, or the engine has no room.
const DRAIN_NS: i64 = 20_000_000;

/// How long the interrupt of a job may be late, once the device was seen to be idle. On a busy machine
/// this may be faster than the CPU that the interrupt goes to.
const LATE_NS: i64 = 1_000_000_000;

/// What is done for a channel when something has happened, or nothing has for some time.
#[pin_data]
pub(super) struct Attendant {
    device: Arc<Device>,
    ch: Chan,
    /// The bottom half of interrupts.
    #[pin]
    settle: Work<Self, 1>,
    /// A look at the channel.
    #[pin]
    look: DelayedWork<Self>,
}

impl_has_work! {
    impl HasWork<Self, 1> for Attendant { self.settle }
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Attendant { self.look }
}

impl WorkItem<1> for Attendant {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        // If the device is gone, unbind has seen to it.
        this.device
            .link()
            .with(|card| card.settle_and_tell(this.ch));
    }
}

impl WorkItem for Attendant {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.device.link().with(|card| card.look_after(this.ch));
    }
}

/// The attendants of all channels. Dropping them waits until none is at work, and none will be.
pub(super) struct Attendants(KVec<Arc<Attendant>>);

impl Attendants {
    /// Those of `device`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(device: &Arc<Device>) -> Result<Self> {
        let mut all = KVec::new();
        for number in 0..device.all_channels().len() {
            let attendant = pin_init!(Attendant {
                device: device.clone(),
                ch: Chan(number as u32),
                settle <- new_work!("pindma::Attendant::settle"),
                look <- new_delayed_work!("pindma::Attendant::look"),
            });
            all.push(Arc::pin_init(attendant, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self(all))
    }

    /// Jobs of a channel have ended. May be called by a hard interrupt.
    pub(super) fn settle(&self, ch: Chan) {
        if let Some(attendant) = self.0.get(ch.0 as usize) {
            workqueue::enqueue_bottom::<_, 1>(attendant.clone());
        }
    }

    /// Has a channel looked at when `when` is over, or earlier.
    fn look(&self, ch: Chan, when: Deadline) {
        if let Some(attendant) = self.0.get(ch.0 as usize) {
            workqueue::enqueue_by(attendant, when.left());
        }
    }

    /// Waits until none is at work.
    pub(super) fn stop(&self) {
        for attendant in &self.0 {
            workqueue::cancel_bottom::<_, 1>(attendant);
            workqueue::cancel(attendant);
        }
    }
}

impl Drop for Attendants {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Card<'_> {
    /// Sees to it that a channel is looked at in time.
    pub(super) fn watch_over(&self, channel: &Channel, state: &mut State) {
        if matches!(state.gate, Gate::Failed | Gate::Closed) {
            return;
        }
        let wanted = match (state.is_at_work(), state.earliest()) {
            (false, earliest) => earliest,
            (true, None) => state.watched.or_else(|| Some(Deadline::after(POLL_NS))),
            (true, Some(earliest)) => Some(earliest.min(Deadline::after(POLL_NS))),
        };
        let hurry = state.is_impatient() && state.watched.is_none_or(is_far);
        let wanted = match hurry {
            true => Some(Deadline::after(DRAIN_NS)),
            false => wanted,
        };
        let Some(wanted) = wanted else {
            return;
        };
        if state.watched.is_none_or(|watched| wanted < watched) {
            state.watched = Some(wanted);
            self.attendants.look(channel.ch, wanted);
        }
    }

    /// Looks after a channel.
    fn look_after(&self, ch: Chan) {
        let Some(channel) = self.device.channel(ch) else {
            return;
        };
        channel.state.lock().watched = None;
        self.settle(ch);
        self.end_expired(channel);
        if self.misses_interrupts(channel) {
            channel::poll(self.device.all_channels(), &*self.engine, ch);
            self.settle(ch);
        }
        if channel.state.lock().is_stuck() {
            self.unstick(channel);
        }
        // Also what was waiting for room in the engine. One that cannot be told at once must not keep the channel waiting.
        self.settle_and_tell(ch);
    }

    /// Ends entries whose time is over.
    fn end_expired(&self, channel: &Channel) {
        loop {
            let mut state = channel.state.lock();
            let Some(entry) = state.expired() else {
                return;
            };
            state.alarm(&entry, Deadline::NONE);
            self.stop_early(channel, &mut state, &entry, ETIMEDOUT);
        }
    }

    /// Looks at a channel that has jobs. Whether they have ended without an interrupt.
    fn misses_interrupts(&self, channel: &Channel) -> bool {
        let mut state = channel.state.lock();
        if !state.has_flights() {
            state.late = None;
            return false;
        }
        match self.engine.observe(channel.ch) {
            Observed::Idle => {
                let late = *state.late.get_or_insert_with(|| Deadline::after(LATE_NS));
                if late.passed() {
                    state.late = None;
                    return true;
                }
            }
            Observed::Busy => state.late = None,
            // It is not waited for, whatever the deadline is.
            Observed::Gone => self.end_jobs_early(channel, &mut state, |_| true),
        }
        self.end_jobs_early(channel, &mut state, Deadline::passed);
        false
    }

    /// Has the jobs end early of whose bounds `f` is true.
    fn end_jobs_early(&self, channel: &Channel, state: &mut State, f: impl Fn(Deadline) -> bool) {
        for slot in 0..state.works.len() {
            let work = state.works[slot].as_ref().filter(|work| f(work.bound));
            let Some(entry) = work.map(|work| work.entry.clone()) else {
                continue;
            };
            match entry {
                Some(entry) => self.stop_early(channel, state, &entry, EIO),
                None => self.end_early(channel, state, slot, EIO),
            }
        }
    }

    /// A job did not end early in time.
    fn unstick(&self, channel: &Channel) {
        channel::poll(self.device.all_channels(), &*self.engine, channel.ch);
        self.settle(channel.ch);
        if channel.state.lock().is_stuck() {
            self.recover();
            self.tell(Context::Bottom);
        }
    }
}

fn is_far(watched: Deadline) -> bool {
    watched > Deadline::after(DRAIN_NS)
}

impl State {
    /// Whether the engine has a job.
    pub(super) fn has_flights(&self) -> bool {
        self.works
            .iter()
            .flatten()
            .any(|work| work.flight.is_some())
    }

    /// Whether something is to happen soon.
    fn is_impatient(&self) -> bool {
        let ending = || {
            self.works
                .iter()
                .flatten()
                .any(|work| work.ending.is_some())
        };
        !self.pending.is_empty() || ending()
    }

    /// Whether a job that was told to end did not, in time.
    fn is_stuck(&self) -> bool {
        let mut works = self.works.iter().flatten();
        works.any(|work| work.flight.is_some() && work.ending.is_some_and(Deadline::passed))
    }
}
