// SPDX-License-Identifier: GPL-2.0

//! What moves frames between the device and the buffers of a pool: it hands the channel as many as that
//! takes ahead, and takes those back that have ended. It runs when either is possible, and waits for
//! nothing.

use kernel::{
    impl_has_work,
    prelude::*,
    sync::Arc,
    workqueue::WorkItem, //
};

use super::{
    frame::{
        Flying,
        Frame, //
    },
    Owner,
    Pool,
    State, //
};
use crate::{
    base::progress::Progress,
    card::entry::{
        End,
        Manner,
        Order,
        Part,
        Parts,
        Route, //
    },
    kapi::{
        abi,
        workqueue, //
    }, //
};

impl_has_work! {
    impl HasWork<Self> for Pool { self.pump }
}

impl WorkItem for Pool {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        loop {
            this.take_back();
            let Some(next) = Self::begin(&this) else {
                return;
            };
            next.start(&this);
        }
    }
}

/// A frame that is about to be handed to the channel.
struct Next {
    owner: Owner,
    frame: Arc<Frame>,
    order: Result<Order>,
}

impl Next {
    fn start(self, pool: &Pool) {
        let (client, entry) = (&self.owner.client, &self.frame.entry);
        let started = self.order.and_then(|mut order| {
            let ch = order.route.ch;
            order.owner = Some(self.frame.clone());
            entry.fill(order);
            client.submit(ch, entry, Manner::Patient)?;
            Ok(ch)
        });
        match (started, pool.halted()) {
            // Whoever has halted the run could not cancel this frame.
            (Ok(ch), Some(why)) => client.cancel(ch, entry, why),
            (Ok(_), None) => {}
            (Err(why), _) => {
                entry.clear();
                self.frame.set_end(End::unbegun(why));
            }
        }
    }
}

impl Pool {
    /// Has the pump run.
    pub(super) fn pump(this: &Arc<Self>) {
        // The queue is there for as long as the driver is.
        let _ = workqueue::enqueue(this.clone());
    }

    /// Begins with a frame, if there is anything to do.
    fn begin(this: &Arc<Self>) -> Option<Next> {
        let mut guard = this.state.lock();
        let state = &mut *guard;
        let run = state.run.as_mut().filter(|run| run.has_room())?;
        let owner = state.runner.clone()?;
        let setup = run.setup;
        let (index, len) = match state.buffers.begin() {
            Some((index, 0)) => (Some(index), setup.frame_bytes),
            Some((index, bytes)) => (Some(index), bytes.min(setup.frame_bytes)),
            // It finds no buffer, and is lost.
            None if setup.stream && run.is_at_rest() => (None, setup.frame_bytes),
            None => return None,
        };
        let frame = run.begin(index)?;
        let part = match index {
            Some(index) => this.memory.get(index).map(|memory| memory.part(len)),
            None => state.scrap.as_ref().map(|scrap| scrap.part()),
        };
        let order = order(&owner, run.setup.route, part, len);
        Some(Next {
            owner,
            frame,
            order,
        })
    }

    /// Why no more frames are begun, if that is so.
    fn halted(&self) -> Option<Error> {
        self.state.lock().run.as_ref().and_then(|run| run.end)
    }

    /// Takes note of the frames that have ended.
    fn take_back(&self) {
        let mut guard = self.state.lock();
        let mut any = false;
        while let Some((flying, end)) = guard.run.as_mut().and_then(|run| run.take_ended()) {
            self.end(&mut guard, &flying, &end);
            any = true;
        }
        guard.finish_if_over();
        drop(guard);
        if any {
            self.changed.notify_all();
        }
    }

    /// Takes note of how a frame has ended.
    fn end(&self, state: &mut State, flying: &Flying, end: &End) {
        let progress = Progress {
            started: end.started,
            bytes: end.bytes,
            ..Progress::default()
        };
        self.count(state, flying, &progress);
        let end = match end.why {
            None => Ok(()),
            Some(ENODEV) => Err(self.device.settle()),
            Some(why) => Err(why),
        };
        let Some(run) = &mut state.run else {
            return;
        };
        run.check(&progress, &end);
        match flying.index {
            Some(index) => {
                let mut record = run.record(&progress, &end);
                if self.memory[index].bounced() && progress.started {
                    record.flags |= abi::PINDMA_OUT_BOUNCED;
                }
                state.buffers.end(index, record);
            }
            None => run.lose(&progress),
        }
    }

    fn count(&self, state: &State, flying: &Flying, progress: &Progress) {
        if let (Some(owner), true) = (&state.runner, progress.started) {
            let stats = owner.client.stats();
            stats.frames.add(1);
            stats.overruns.add(u64::from(flying.index.is_none()));
        }
    }
}

/// What to ask the channel for: `len` bytes of `part`, over and over if that is shorter.
fn order(owner: &Owner, route: Route, part: Option<Part>, len: u64) -> Result<Order> {
    let part = part.ok_or(EINVAL)?;
    let repeats = part.len < len;
    let mut parts = Parts::new();
    parts.push(Some(part))?;
    let mut order = owner.client.order(route, parts, len)?;
    order.repeats = repeats;
    Ok(order)
}
