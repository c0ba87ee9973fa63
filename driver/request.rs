// SPDX-License-Identifier: GPL-2.0

//! One request of a queue: memory that is pinned and mapped, and what is to become of it.
//!
//! Whoever has the [`ListArc`] of a request may end it, and nobody else: there is only one, so a
//! request ends once. It lies in its lane's list; who takes it out, by whatever right, has won.

use kernel::{
    impl_list_arc_safe, impl_list_item,
    list::{
        ListArc,
        ListLinks, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

use crate::{
    base::{
        counters,
        deadline::Deadline,
        failure::Failure,
        few::Few,
        params,
        progress::Progress,
        until::{
            Canceled,
            Until, //
        }, //
    },
    kapi::{
        abi::pindma_completion,
        gfp, //
    },
    memory::{
        client::Client,
        piece::Piece,
        vector::Holds, //
    },
    request::mover::{
        Mover,
        Route, //
    }, //
};

pub(crate) mod copied;
pub(crate) mod job;
pub(crate) mod lane;
pub(crate) mod means;
pub(crate) mod mover;
pub(crate) mod slot;

use self::slot::Slot;

/// What a request is called. There may be several with one name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// Its queue.
    pub(crate) queue: usize,
    /// What its application calls it.
    pub(crate) user_data: u64,
}

/// Which requests.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    /// All of the file.
    All,
    /// All of the queue with this id.
    Queue(usize),
    /// Those with this name.
    Request(Name),
}

impl Which {
    /// Whether the one with `name` is one of them.
    pub(crate) fn includes(self, name: Name) -> bool {
        match self {
            Self::All => true,
            Self::Queue(id) => name.queue == id,
            Self::Request(wanted) => name == wanted,
        }
    }
}

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
    /// Moves all bytes, unless it is told to end early.
    pub(crate) fn work(&mut self, canceled: &Canceled) -> Result<(), Failure> {
        for piece in self.pieces.iter().flatten() {
            // While one is in work, others wait: that is bounded, whatever the deadline is.
            let longest = Deadline::after(params::max_timeout_ns());
            let mover = Mover {
                client: &self.client,
                route: self.route,
                total: self.total,
                until: Until::canceled(self.deadline.min(longest), canceled),
                nonblocking: false,
            };
            mover.run(piece, &mut self.progress)?;
        }
        Ok(())
    }

    /// Ends it. `request` is what it was the load of.
    pub(crate) fn end(self, end: &Result<(), Failure>, request: ListArc<Request>) {
        // Who sees the completion may use the memory again, and finds nothing pinned or counted.
        drop((self.pieces, self.holds, self.counted));
        let stats = self.client.stats();
        stats.calls.add(self.progress.started.into());
        stats.ended.add(1);
        self.slot
            .complete(completion(self.name, &self.progress, end), request);
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

/// A request, or the shell of one that has ended.
#[pin_data]
pub(crate) struct Request {
    #[pin]
    links: ListLinks,
    #[pin]
    load: Mutex<Option<Load>>,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Request { untracked; }
}

impl_list_item! {
    impl ListItem<0> for Request { using ListLinks { self.links }; }
}

impl Request {
    /// An empty one.
    pub(crate) fn new() -> Result<ListArc<Self>> {
        ListArc::pin_init(
            try_pin_init!(Self {
                links <- ListLinks::new(),
                load <- new_mutex!(None),
            }),
            gfp::for_user(),
        )
    }

    /// Gives it its load.
    pub(crate) fn fill(&self, load: Load) {
        *self.load.lock() = Some(load);
    }

    /// Takes its load out.
    pub(crate) fn empty(&self) -> Option<Load> {
        self.load.lock().take()
    }

    /// Whether it has a load of which `f` is true.
    pub(crate) fn is(&self, f: impl FnOnce(&Load) -> bool) -> bool {
        self.load.lock().as_ref().is_some_and(f)
    }

    /// Until when it may take, if it has a load.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.load.lock().as_ref().map(|load| load.deadline)
    }
}
