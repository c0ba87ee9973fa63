// SPDX-License-Identifier: GPL-2.0

//! One request of a queue: memory that is pinned and mapped, and what is to become of it.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    sync::{
        Arc,
        SpinLockIrq, //
    }, //
};

use crate::{
    base::{
        counters,
        deadline::Deadline,
        failure::Failure,
        few::Few,
        progress::Progress, //
    },
    card::entry::{
        Context,
        End,
        Entry,
        Manner,
        Name,
        Owner,
        Parts,
        Route, //
    },
    kapi::{
        abi::pindma_completion,
        gfp, //
    },
    memory::{
        client::Client,
        names::Hold,
        piece::Piece,
        vector::Holds, //
    }, //
};

pub(crate) mod copied;
pub(crate) mod finisher;
pub(crate) mod means;
pub(crate) mod mover;
pub(crate) mod reservation;
pub(crate) mod slot;
mod wait;

use self::{
    finisher::Finisher,
    slot::Slot, //
};

/// The memory of a request. That of one by handle needs no memory of its own.
pub(crate) type Pieces = Few<Option<Piece>>;

/// What a request is about.
pub(crate) struct Load {
    /// What it is called.
    pub(crate) name: Name,
    /// The file; a request keeps what it needs of it.
    pub(crate) client: Arc<Client>,
    /// Where it ends.
    pub(crate) slot: Slot,
    /// What ends it, if that may sleep.
    pub(crate) finisher: Arc<Finisher>,
    /// Which way, and where.
    pub(crate) route: Route,
    /// Bytes of all pieces.
    pub(crate) total: u64,
    /// Until when it may take.
    pub(crate) deadline: Deadline,
    /// Its memory.
    pub(crate) pieces: Pieces,
    /// What of that is by handle.
    pub(crate) holds: Holds,
    /// How far it has got.
    pub(crate) progress: Progress,
    /// Counts it.
    pub(crate) counted: counters::Held,
}

impl Load {
    /// Whether what it holds can be given back anywhere.
    fn ends_anywhere(&self) -> bool {
        let pinned = self.pieces.iter().flatten().any(Piece::is_pinned);
        let lent = self.holds.iter().flatten().any(Hold::is_lent);
        !pinned && !lent
    }

    /// Its parts, one after the other.
    fn parts(&self) -> Result<Parts> {
        let mut parts = Parts::new();
        for piece in self.pieces.iter().flatten() {
            piece.add_to(&mut parts)?;
        }
        Ok(parts)
    }

    /// Ends it. `request` is what it was the load of.
    fn end(mut self, end: &End, request: Arc<Request>) {
        // Who sees the completion may use the memory again, and finds nothing pinned or counted.
        drop((self.pieces, self.holds, self.counted));
        self.progress.started = end.started;
        self.progress.bytes = end.bytes;
        let stats = self.client.stats();
        stats.calls.add(end.started.into());
        stats.ended.add(1);
        // Who waits for the completion still has it: the last one may sleep.
        drop(self.client);
        let why = end.why.map_or(Ok(()), |why| Err(why.into()));
        let record = completion(self.name, &self.progress, &why);
        self.slot.complete(record, request);
    }
}

fn completion(name: Name, progress: &Progress, end: &Result<(), Failure>) -> pindma_completion {
    let result = progress.result(end);
    pindma_completion {
        user_data: name.user_data,
        status: result.status,
        flags: result.flags,
        bytes: result.bytes,
        ..pindma_completion::default()
    }
}

struct State {
    load: Option<Load>,
    /// How it has ended, until that is told.
    end: Option<End>,
    /// The next of those that a [`Finisher`] has.
    next: Option<Arc<Request>>,
}

/// A request, or the shell of one that has ended.
#[pin_data]
pub(crate) struct Request {
    entry: Arc<Entry>,
    #[pin]
    state: SpinLockIrq<State>,
}

impl Request {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let state = State {
            load: None,
            end: None,
            next: None,
        };
        Arc::pin_init(
            try_pin_init!(Self {
                entry: Entry::new()?,
                state <- new_spinlock_irq!(state),
            }),
            gfp::for_user(),
        )
    }

    /// Has it worked on, once the client [kicks](Client::kick). From here on it ends by itself.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; then it was not begun.
    pub(crate) fn start(this: &Arc<Self>, load: Load) -> Result {
        let (client, ch) = (load.client.clone(), load.route.ch);
        let mut order = client.order(load.route, load.parts()?, load.total)?;
        order.deadline = load.deadline;
        order.bounded = true;
        order.name = Some(load.name);
        order.owner = Some(this.clone());
        this.entry.fill(order);
        this.state.lock().load = Some(load);
        if let Err(why) = client.submit(ch, &this.entry, Manner::InBatch) {
            this.entry.clear();
            let end = End::unbegun(why);
            this.clone().ended(end, Context::Process);
        }
        Ok(())
    }

    fn set_next(&self, next: Arc<Self>) {
        self.state.lock().next = Some(next);
    }

    fn take_next(&self) -> Option<Arc<Self>> {
        self.state.lock().next.take()
    }

    fn finish(this: Arc<Self>) {
        let mut state = this.state.lock();
        let ended = (state.load.take(), state.end.take());
        drop(state);
        if let (Some(load), Some(end)) = ended {
            load.end(&end, this);
        }
    }
}

impl Owner for Request {
    fn ended(self: Arc<Self>, end: End, context: Context) {
        let mut state = self.state.lock();
        state.end = Some(end);
        let load = state.load.as_ref();
        let anywhere = load.is_some_and(Load::ends_anywhere);
        let finisher = load.map(|load| load.finisher.clone());
        drop(state);
        match finisher
            .filter(|finisher| context == Context::Bottom && !(anywhere && finisher.is_idle()))
        {
            Some(finisher) => Finisher::finish(finisher, self),
            None => Self::finish(self),
        }
    }
}
