// SPDX-License-Identifier: GPL-2.0

//! Buffers that the driver allocates, for applications to map and for the device to fill or empty
//! one after the other.
//!
//! Whose a buffer is, is a state machine that is enforced; that nobody looks into a buffer which is
//! the device's is not: it stays mapped, and the CPU may read it at any time.
//!
//! Lock order: `state`, then who waits for a channel, whom it wakes. It is never held while memory
//! is allocated or copied, nor while the device works.

use kernel::{
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    static_lock_class,
    sync::{
        poll::PollCondVarBox,
        Arc,
        CondVarTimeoutResult,
        Mutex, //
    },
    workqueue::{
        new_work,
        Work, //
    },
};

use crate::{
    base::{
        counters,
        deadline::Deadline,
        maker::Maker,
        params,
        slots::Handle, //
    },
    card::{
        device::Device,
        scrap::Scrap,
        watch::Watcher, //
    },
    kapi::{
        abi::pindma_pool_record,
        block::Block,
        gfp,
        pins::Direction,
        signal, //
    },
    memory::{
        client::Client,
        loan::Lender, //
    }, //
};

use self::{
    buffers::Buffers,
    frame::Frame,
    memory::Memory,
    run::{
        untouched,
        Run,
        Setup,
        Totals, //
    }, //
};

mod buffers;
mod create;
mod fifo;
mod frame;
mod lender;
mod memory;
mod open;
mod pools;
mod pump;
mod run;

pub(crate) use self::{
    create::{
        create,
        Created, //
    },
    pools::{
        Pools,
        MOST_RUNS, //
    },
};

/// Most frames that a channel is handed ahead.
const MOST_AHEAD: usize = 16;

/// Most buffers in a pool.
pub(crate) const MAX_BUFFERS: u32 = 16384;

struct State {
    buffers: Buffers,
    run: Option<Run>,
    /// How many runs have ended.
    runs: u64,
    /// Frames of the last one that has.
    totals: Totals,
    /// Why that one has; success if there was none.
    ended: Result,
    /// What the pool was made with, until that is closed.
    owner: Option<Owner>,
    /// For whom the device works on it.
    runner: Option<Owner>,
    /// Where frames go that find no buffer, once it was started so that they may.
    scrap: Option<Arc<Scrap>>,
}

/// The client that has made a pool, and all of its pools.
#[derive(Clone)]
struct Owner {
    client: Arc<Client>,
    pools: Arc<Pools>,
}

/// A pool.
#[pin_data]
pub(crate) struct Pool {
    memory: KVVec<Memory>,
    direction: Direction,
    maker: Maker,
    device: Arc<Device>,
    #[pin]
    state: Mutex<State>,
    /// Something is ready, or the run has ended, or nothing will come any more.
    changed: PollCondVarBox,
    #[pin]
    pump: Work<Pool>,
    _counted: counters::Held,
}

impl Pool {
    fn new(
        owner: Owner,
        (memory, buffers): (KVVec<Memory>, Buffers),
        direction: Direction,
        maker: Maker,
    ) -> Result<Arc<Self>> {
        let device = owner.client.device().clone();
        let state = State {
            buffers,
            run: None,
            runs: 0,
            totals: Totals::default(),
            ended: Ok(()),
            owner: Some(owner),
            runner: None,
            scrap: None,
        };
        let changed = PollCondVarBox::new(c"Pool::changed", static_lock_class!())?;
        Arc::pin_init(
            try_pin_init!(Self {
                memory,
                direction,
                maker,
                device,
                state <- new_mutex!(state),
                changed,
                pump <- new_work!("pindma::pool::Pool::pump"),
                _counted: counters::POOLS.hold(),
            }),
            gfp::for_user(),
        )
    }

    /// Its pages.
    fn pages(&self) -> usize {
        self.memory.iter().map(|memory| memory.block().len()).sum()
    }

    /// Where its page `index` lies.
    fn page(&self, index: usize) -> Option<(&Block, usize)> {
        let pages = (self.stride() as usize / PAGE_SIZE).max(1);
        let memory = self.memory.get(index / pages)?;
        Some((memory.block(), index % pages))
    }

    /// Fails if the device takes no calls, or the file is closed: `ENODEV`, `ENOTRECOVERABLE`,
    /// `ECANCELED`.
    fn check_usable(&self) -> Result {
        let dead = self.dead(&self.state.lock());
        dead.map_or(Ok(()), Err)
    }

    /// Gives a buffer to the device.
    fn enqueue(this: &Arc<Self>, record: &pindma_pool_record) -> Result {
        let handle = Handle::from_abi(record.buffer);
        let mut state = this.state.lock();
        state.buffers.enqueue(handle, record.bytes)?;
        drop(state);
        Self::kick(this);
        Ok(())
    }

    /// Gives all buffers to the device that are the application's; returns how many those are.
    fn enqueue_owned(this: &Arc<Self>) -> u32 {
        let given = this.state.lock().buffers.enqueue_owned();
        Self::kick(this);
        given
    }

    /// Has the pump look for work, if the device was started.
    fn kick(this: &Arc<Self>) {
        if this.state.lock().run.is_some() {
            Self::pump(this);
        }
    }

    /// Waits until `min` buffers are ready, or until there is a reason to go on with fewer; at
    /// least one is ready then. With 0 it does not wait.
    ///
    /// # Errors
    ///
    /// If none is ready: `EAGAIN` if it must not wait or nothing is to come, `ETIMEDOUT`, `EINTR`,
    /// `ENODEV`, `ENOTRECOVERABLE`, `ECANCELED`.
    fn wait(&self, min: usize, deadline: Deadline) -> Result {
        let mut state = self.state.lock();
        let mut interrupted = false;
        loop {
            let ready = state.buffers.ready();
            let why = match self.nothing_comes(&state) {
                _ if ready >= min.max(1) => return Ok(()),
                Some(why) => why,
                None if min == 0 => EAGAIN,
                // The call is made again, and finds what there is by then.
                None if interrupted && !signal::acts() => return Err(EINTR),
                None if interrupted => EINTR,
                None if deadline.passed() => ETIMEDOUT,
                None => {
                    let left = deadline.left();
                    let woken = self.changed.wait_interruptible_timeout(&mut state, left);
                    interrupted = matches!(woken, CondVarTimeoutResult::Signal { .. });
                    continue;
                }
            };
            return if ready > 0 { Ok(()) } else { Err(why) };
        }
    }

    /// Why no buffer will become ready, if that is so.
    fn nothing_comes(&self, state: &State) -> Option<Error> {
        if state.run.is_some() && state.buffers.with_device() > 0 {
            None
        } else {
            Some(self.dead(state).unwrap_or(EAGAIN))
        }
    }

    /// Why it cannot be started any more, if that is so.
    fn dead(&self, state: &State) -> Option<Error> {
        if self.device.is_gone() {
            Some(ENODEV)
        } else if self.device.has_failed() {
            Some(ENOTRECOVERABLE)
        } else {
            state.owner.is_none().then_some(ECANCELED)
        }
    }

    /// How the last run has ended, if the device does not work on the pool; success if there was
    /// none.
    fn stopped(&self, state: &State) -> Option<Result> {
        match &state.run {
            None => Some(state.ended),
            // A run without buffers does not notice that nothing will be begun any more.
            Some(run) if run.is_at_rest() => self.dead(state).map(Err),
            Some(_) => None,
        }
    }

    /// Gives the first buffer that is ready to the application.
    fn dequeue(&self) -> Option<pindma_pool_record> {
        self.state.lock().buffers.dequeue()
    }

    /// Takes it back, as the application could not be told.
    fn undo_dequeue(&self, record: &pindma_pool_record) {
        self.state.lock().buffers.undo_dequeue(record);
        self.changed.notify_all();
    }

    /// Has the device work on the pool.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it does already, `ECANCELED` if the file is closed, `ESTALE` if the device was reset
    /// since that was opened, `ENOSPC` if the device works on too many pools of the file, `ENOMEM`.
    fn start(this: &Arc<Self>, setup: Setup) -> Result {
        let owner = this.state.lock().owner.clone().ok_or(ECANCELED)?;
        owner.client.check_usable()?;
        if setup.stream {
            this.prepare_scrap()?;
        }
        let frames = Self::frames(this, &setup)?;
        let place = Pools::run_one(&owner.pools)?;
        let run = Run::new(setup, frames, place)?;
        let mut state = this.state.lock();
        if state.owner.is_none() {
            return Err(ECANCELED);
        }
        if state.run.is_some() {
            return Err(EBUSY);
        }
        state.run = Some(run);
        state.runner = Some(owner);
        drop(state);
        Self::kick(this);
        Ok(())
    }

    /// As many frames as the channel takes ahead.
    fn frames(this: &Arc<Self>, setup: &Setup) -> Result<KVec<Arc<Frame>>> {
        let channels = &this.device.facts.limits.channels;
        let limits = channels.get(setup.route.ch.0 as usize).ok_or(ENOENT)?;
        let count = params::channel_jobs(limits.depth).min(MOST_AHEAD);
        let mut frames = KVec::with_capacity(count, gfp::for_user())?;
        for _ in 0..count {
            frames.push(Frame::new(this)?, gfp::for_user())?;
        }
        Ok(frames)
    }

    /// Sees to it that frames can be lost.
    fn prepare_scrap(&self) -> Result {
        if self.state.lock().scrap.is_none() {
            let scrap = Arc::new(Scrap::of(&self.device)?, gfp::for_user())?;
            // Another thread may have been faster; what goes does so without the lock.
            let before = self.state.lock().scrap.replace(scrap);
            drop(before);
        }
        Ok(())
    }

    /// Has the device stop, and waits until it is done.
    ///
    /// # Errors
    ///
    /// `EINTR`; it stops nevertheless.
    fn stop(&self) -> Result<Totals> {
        let mut state = self.state.lock();
        let run = state.runs;
        self.halt(&mut state);
        // Somebody may have started the next by then, which is theirs to stop.
        while state.run.is_some() && state.runs == run {
            if self.changed.wait_interruptible(&mut state) {
                return Err(EINTR);
            }
        }
        Ok(state.totals)
    }

    /// As [`stop`](Self::stop), whatever signals are pending. That is bounded: a device that does not
    /// stop is given up.
    fn stop_for_good(&self) {
        let mut state = self.state.lock();
        self.halt(&mut state);
        while state.run.is_some() {
            self.changed.wait(&mut state);
        }
        // It goes without the lock.
        let scrap = state.scrap.take();
        drop(state);
        drop(scrap);
    }

    /// Nobody is left to dequeue: the device is done with the pool, and all buffers are the
    /// application's, whose transfers may still use them by the pool's handle.
    fn retire(&self) {
        self.stop_for_good();
        self.state.lock().buffers.reclaim();
    }

    fn halt(&self, state: &mut State) {
        match &mut state.run {
            Some(run) => {
                run.end.get_or_insert(ECANCELED);
                if let Some(owner) = &state.runner {
                    let (client, ch) = (&owner.client, run.setup.route.ch);
                    let cancel = |frame: &Arc<Frame>| client.cancel(ch, &frame.entry, ECANCELED);
                    run.frames().for_each(cancel);
                }
                state.finish_if_over();
            }
            // Given to a device that was not started, or not any more.
            None => state.buffers.end_queued(untouched(Err(ECANCELED))),
        }
        self.changed.notify_all();
    }
}

impl Watcher for Pool {
    fn stir(&self) {
        // Who has looked already, and is about to wait, holds the lock until it does.
        drop(self.state.lock());
        self.changed.notify_all();
    }
}

impl State {
    /// Ends the run if it is to end and no frame is in work: what the device has not begun with
    /// comes back.
    fn finish_if_over(&mut self) {
        let Some(run) = &self.run else {
            return;
        };
        if let (Some(why), true) = (run.end, run.is_at_rest()) {
            self.buffers.end_queued(untouched(Err(why)));
            self.totals = run.totals();
            self.ended = Err(why);
            self.runs += 1;
            self.run = None;
            self.runner = None;
        }
    }
}
