// SPDX-License-Identifier: GPL-2.0

//! What a file has asked for and not got yet: its lanes of requests, and the queues that these end
//! in.
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
        watch::Watcher, //
    },
    engine::Chan,
    kapi::gfp,
    queue::Queue,
    request::{
        lane::Lane,
        Which, //
    }, //
};

/// Most queues that a file may have at a time.
pub(crate) const MAX_QUEUES: usize = 64;

/// The backlog of a file.
#[pin_data]
pub(crate) struct Backlog {
    device: Arc<Device>,
    /// One for each channel.
    lanes: KVec<Arc<Lane>>,
    /// The queues that were made with the file and are open.
    #[pin]
    queues: Mutex<KVVec<Arc<Queue>>>,
    closed: Atomic<bool>,
}

impl Backlog {
    /// That of a file which is being opened.
    pub(crate) fn new(device: &Arc<Device>) -> Result<Arc<Self>> {
        let channels = device.facts.limits.channels.len() as u32;
        let mut lanes = KVec::with_capacity(channels as usize, gfp::for_user())?;
        for number in 0..channels {
            let lane = Lane::new(device.clone(), Chan(number))?;
            lanes.push(lane, gfp::for_user())?;
        }
        Arc::pin_init(
            try_pin_init!(Self {
                device: device.clone(),
                lanes,
                queues <- new_mutex!(KVVec::new()),
                closed: Atomic::new(false),
            }),
            gfp::for_user(),
        )
    }

    /// The device.
    pub(crate) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// The lane of a channel.
    pub(crate) fn lane(&self, ch: Chan) -> Result<&Arc<Lane>> {
        self.lanes.get(ch.0 as usize).ok_or(ENOENT)
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

    /// Tells requests to end early; returns how many.
    pub(crate) fn cancel(&self, which: Which) -> u32 {
        self.lanes.iter().map(|lane| lane.cancel(which)).sum()
    }

    /// The file is closed: cancels all requests and waits for them, which is bounded.
    pub(crate) fn close(&self) {
        self.closed.store(true, Release);
        self.lanes.iter().for_each(|lane| lane.close());
        self.queues.lock().iter().for_each(|queue| queue.stir());
    }

    /// Whether the file is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire)
    }
}
