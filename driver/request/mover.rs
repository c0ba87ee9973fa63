// SPDX-License-Identifier: GPL-2.0

//! Moves mapped memory through a channel, job after job.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        deadline::Deadline,
        failure::Failure,
        params,
        progress::Progress,
        until::Until, //
    },
    card::Work,
    engine::Chan,
    kapi::{
        pins::Direction,
        signal::Unnotified, //
    },
    memory::{
        client::{
            Caller,
            Client, //
        },
        piece::Piece, //
    },
    request::job, //
};

/// Which way data goes, and the device's side of it.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// The channel.
    pub(crate) ch: Chan,
    /// Which way.
    pub(crate) direction: Direction,
    /// Device address of the first byte.
    pub(crate) dev_addr: u64,
    /// The device address does not advance.
    pub(crate) dev_fixed: bool,
}

impl Route {
    /// The device address of the byte after `done` bytes.
    fn dev_addr(&self, done: u64) -> u64 {
        if self.dev_fixed {
            self.dev_addr
        } else {
            self.dev_addr + done
        }
    }
}

/// What moves.
pub(crate) struct Mover<'a> {
    /// For whom.
    pub(crate) client: &'a Arc<Client>,
    /// Where to or from.
    pub(crate) route: Route,
    /// Bytes of the whole transfer.
    pub(crate) total: u64,
    /// Until when a piece may take.
    pub(crate) until: Until<'a>,
    /// Fail with `EAGAIN` rather than wait for the channel, as long as nothing was started.
    pub(crate) nonblocking: bool,
}

impl<'a> Mover<'a> {
    /// What moves a piece of a transfer of `total` bytes: its time counts from now, and is bounded
    /// whatever the deadline is.
    pub(crate) fn new(caller: Caller<'a>, route: Route, total: u64, deadline: Deadline) -> Self {
        let longest = Deadline::after(params::max_timeout_ns());
        Self {
            client: caller.client,
            route,
            total,
            until: Until::deadline(deadline.min(longest)),
            nonblocking: caller.nonblocking,
        }
    }

    /// Moves all bytes of `piece`, in as many jobs as it takes; others get their turn in between.
    pub(crate) fn run(&self, piece: &Piece, progress: &mut Progress) -> Result<(), Failure> {
        let mut offset = 0;
        while offset < piece.len() {
            if let Some(why) = self.until.over() {
                return Err(why.into());
            }
            let nonblocking = self.nonblocking && !progress.started;
            let _unnotified = progress.started.then(Unnotified::new);
            let lease = self
                .client
                .acquire(self.route.ch, self.until, nonblocking)?;
            let work = self.work(piece, offset, progress.bytes);
            let ended = job::run(self.client, &lease, &work, self.until, progress)?;
            drop(lease);
            self.client
                .stats()
                .bytes(self.route.direction)
                .add(ended.bytes);
            progress.bytes += ended.bytes;
            offset += ended.bytes;
            if let Some(why) = ended.why {
                return progress.cut_short(why, self.total);
            }
        }
        Ok(())
    }

    fn work(&self, piece: &Piece, offset: u64, done: u64) -> Work {
        let place = piece.place(offset);
        Work {
            handle: place.handle,
            direction: self.route.direction,
            ch: self.route.ch,
            offset: place.offset,
            len: place.len,
            dev_addr: self.route.dev_addr(done),
            dev_fixed: self.route.dev_fixed,
        }
    }
}
