// SPDX-License-Identifier: GPL-2.0

//! The requests of a file for one channel: worked through one after the other, in the order in which
//! they came.
//!
//! Work on a lane does one request and then queues itself again: while the system is about to be
//! suspended, it is waited for.
//!
//! Lock order: `state`, then a request's own lock. Neither is held while a request works or ends.

use kernel::{
    list::{
        List,
        ListArc, //
    },
    new_condvar,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        Mutex, //
    },
    workqueue::{
        impl_has_work,
        new_work,
        Work,
        WorkItem, //
    }, //
};

use crate::{
    base::{
        deadline::Deadline,
        failure::Failure,
        until::Canceled, //
    },
    card::device::Device,
    engine::Chan,
    kapi::{
        gfp,
        trace,
        workqueue, //
    },
    request::{
        Load,
        Name,
        Request,
        Which, //
    }, //
};

/// How often the deadlines of requests that wait are looked at, at least.
const WATCH_SLICE_MS: u32 = 250;

struct State {
    waiting: List<Request>,
    /// The one that works now, as long as it can be told to end early.
    working: Option<Name>,
    /// Requests that have not ended.
    outstanding: usize,
    /// Until when the watch sleeps, if there is one.
    watch: Option<Deadline>,
}

/// A lane.
#[pin_data]
pub(crate) struct Lane {
    device: Arc<Device>,
    ch: Chan,
    #[pin]
    state: Mutex<State>,
    /// There is nothing outstanding any more.
    #[pin]
    idle: CondVar,
    /// There is an earlier deadline to watch.
    #[pin]
    sooner: CondVar,
    /// Whether the one that works was told to end early; changed with `state` held.
    canceled: Canceled,
    #[pin]
    work: Work<Self, 0>,
    #[pin]
    watch: Work<Self, 1>,
}

impl_has_work! {
    impl HasWork<Self, 0> for Lane { self.work }
    impl HasWork<Self, 1> for Lane { self.watch }
}

impl Lane {
    /// A lane for channel `ch`.
    pub(crate) fn new(device: Arc<Device>, ch: Chan) -> Result<Arc<Self>> {
        let state = State {
            waiting: List::new(),
            working: None,
            outstanding: 0,
            watch: None,
        };
        Arc::pin_init(
            pin_init!(Self {
                device,
                ch,
                state <- new_mutex!(state),
                idle <- new_condvar!(),
                sooner <- new_condvar!(),
                canceled: Canceled::new(),
                work <- new_work!("Lane::work"),
                watch <- new_work!("Lane::watch"),
            }),
            gfp::for_user(),
        )
    }

    /// Takes a request in. It ends once, by itself or otherwise.
    pub(crate) fn push(self: &Arc<Self>, request: ListArc<Request>, deadline: Deadline) {
        let mut state = self.state.lock();
        state.waiting.push_back(request);
        state.outstanding += 1;
        let unwatched = state.watch.is_none() && deadline != Deadline::NONE;
        let sooner = state.watch.is_some_and(|end| deadline < end);
        if unwatched || sooner {
            state.watch = Some(deadline);
        }
        drop(state);
        self.queue::<0>();
        if unwatched {
            self.queue::<1>();
        } else if sooner {
            self.sooner.notify_all();
        }
    }

    fn queue<const ID: u64>(self: &Arc<Self>)
    where
        Arc<Self>: kernel::workqueue::RawWorkItem<ID>,
    {
        // The queue is there for as long as the driver is.
        let _ = workqueue::enqueue::<Arc<Self>, ID>(self.clone());
    }

    /// Takes the next request out, to work on it.
    fn begin(&self) -> Option<(ListArc<Request>, Load)> {
        let mut state = self.state.lock();
        let request = state.waiting.pop_front()?;
        let load = request.empty()?;
        state.working = Some(load.name);
        self.canceled.clear();
        Some((request, load))
    }

    /// Ends a request that was taken out.
    fn end(&self, request: ListArc<Request>, load: Load, end: &Result<(), Failure>) {
        load.end(end, request);
        let mut state = self.state.lock();
        state.outstanding -= 1;
        let idle = state.outstanding == 0;
        drop(state);
        if idle {
            self.idle.notify_all();
        }
    }

    fn end_all(&self, mut requests: List<Request>, why: Error) -> u32 {
        let mut count = 0;
        while let Some(request) = requests.pop_front() {
            if let Some(load) = request.empty() {
                trace::cancel(self.ch.0, 0, why);
                self.end(request, load, &Err(why.into()));
                count += 1;
            }
        }
        count
    }

    /// Tells requests to end early; returns how many. Those that wait have ended when this returns.
    pub(crate) fn cancel(&self, which: Which) -> u32 {
        let mut state = self.state.lock();
        let waiting = state.take_out(|load| which.includes(load.name));
        let working = state.working.is_some_and(|name| which.includes(name));
        let news = working && !self.canceled.is_set();
        if news {
            self.canceled.set();
        }
        drop(state);
        if let Some(channel) = self.device.channel(self.ch).filter(|_| news) {
            channel.stir();
        }
        self.end_all(waiting, ECANCELED) + u32::from(working)
    }

    /// Cancels all requests and waits for them, which is bounded.
    pub(crate) fn close(&self) {
        self.cancel(Which::All);
        let mut state = self.state.lock();
        while state.outstanding > 0 {
            self.idle.wait(&mut state);
        }
    }
}

impl State {
    /// Takes the requests out that wait and of which `f` is true.
    fn take_out(&mut self, f: impl Fn(&Load) -> bool) -> List<Request> {
        let mut out = List::new();
        let mut cursor = self.waiting.cursor_front();
        while let Some(next) = cursor.peek_next() {
            if next.arc().is(&f) {
                out.push_back(next.remove());
            } else {
                cursor.move_next();
            }
        }
        out
    }

    /// The earliest deadline of the requests that wait, if they have any.
    fn earliest(&self) -> Option<Deadline> {
        let deadlines = self.waiting.iter().filter_map(|request| request.deadline());
        deadlines.min().filter(|end| *end != Deadline::NONE)
    }
}

/// Works on one request.
impl WorkItem<0> for Lane {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        if let Some((request, mut load)) = this.begin() {
            let end = load.work(&this.canceled);
            this.state.lock().working = None;
            this.end(request, load, &end);
        }
        if !this.state.lock().waiting.is_empty() {
            this.queue::<0>();
        }
    }
}

/// Ends requests whose time is over before their turn came. It queues itself again for as long as
/// there are some that have a deadline.
impl WorkItem<1> for Lane {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let mut state = this.state.lock();
        state.watch = state.earliest();
        let Some(earliest) = state.watch else {
            return;
        };
        if !earliest.passed() {
            let slice = earliest.slice(WATCH_SLICE_MS);
            let _ = this.sooner.wait_interruptible_timeout(&mut state, slice);
        }
        let late = state.take_out(|load| load.deadline.passed());
        drop(state);
        this.end_all(late, ETIMEDOUT);
        this.queue::<1>();
    }
}
