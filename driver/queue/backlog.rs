// SPDX-License-Identifier: GPL-2.0

//! What a file has asked for and not got yet, and the queues that it ends in.
//!
//! It does not belong to the file, since a queue may be open for longer.
//!
//! Lock order: `queues`, then a queue's own lock.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc,
        Mutex, //
    }, //
};

use crate::{
    card::{
        device::Device,
        entry::{
            Context,
            Which, //
        },
        schedule::Pace,
        watch::Watcher, //
    },
    engine::Chan,
    kapi::gfp,
    memory::client::Client,
    queue::Queue,
    request::finisher::Finisher, //
};

/// Most queues that a file may have at a time.
pub(crate) const MAX_QUEUES: usize = 64;

/// The backlog of a file.
#[pin_data]
pub(crate) struct Backlog {
    device: Arc<Device>,
    /// Those of the client, for each channel.
    paces: KVec<Arc<Pace>>,
    /// The queues that were made with the file and are open.
    #[pin]
    queues: Mutex<KVVec<Arc<Queue>>>,
    /// What ends requests.
    finisher: Arc<Finisher>,
    closed: Atomic<bool>,
}

impl Backlog {
    /// That of a file which is being opened.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(client: &Client) -> Result<Arc<Self>> {
        let mut paces = KVec::with_capacity(client.paces().len(), gfp::for_user())?;
        for pace in client.paces() {
            paces.push(pace.clone(), gfp::for_user())?;
        }
        Arc::pin_init(
            try_pin_init!(Self {
                device: client.device().clone(),
                paces,
                queues <- new_mutex!(KVVec::new()),
                finisher: Finisher::new()?,
                closed: Atomic::new(false),
            }),
            gfp::for_user(),
        )
    }

    /// What ends its requests.
    pub(crate) fn finisher(&self) -> &Arc<Finisher> {
        &self.finisher
    }

    /// The device.
    pub(crate) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// Adds a queue. [`forget`](Self::forget) it.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are too many, `ENOMEM`.
    pub(crate) fn add(&self, queue: &Arc<Queue>) -> Result {
        let mut queues = self.queues.lock();
        if queues.len() >= MAX_QUEUES {
            return Err(ENOSPC);
        }
        Ok(queues.push(queue.clone(), gfp::for_user())?)
    }

    /// A queue is closed.
    pub(crate) fn forget(&self, queue: &Queue) {
        let mut queues = self.queues.lock();
        queues.retain(|known| known.id() != queue.id());
    }

    /// Tells requests to end early; returns how many. Those that wait have ended when this returns.
    pub(crate) fn cancel(&self, which: Which) -> u32 {
        let mut count = 0;
        for (number, pace) in (0..).zip(&self.paces) {
            let link = self.device.link();
            // If the device is gone, unbind ends them.
            let canceled = link.with(|card| card.cancel_all(Chan(number), pace, which));
            if let Some((ends, more)) = canceled {
                // With no guard held: they give memory back.
                ends.tell(Context::Process);
                count += more;
            }
        }
        count
    }

    /// The file is closed: cancels all requests and waits for them, which is bounded.
    pub(crate) fn close(&self) {
        self.closed.store(true, Release);
        self.cancel(Which::All);
        for queue in self.queues.lock().iter() {
            queue.wait_idle();
            queue.stir();
        }
    }

    /// Whether the file is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire)
    }
}
