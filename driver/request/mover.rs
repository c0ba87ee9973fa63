// SPDX-License-Identifier: GPL-2.0

//! Moves mapped memory through a channel, for a caller that waits.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::wait::Waiter;
use crate::{
    base::{
        deadline::Deadline,
        failure::Failure,
        params,
        progress::Progress, //
    },
    card::entry::{
        Parts,
        Route, //
    },
    memory::{
        client::{
            Caller,
            Client, //
        },
        piece::Piece, //
    }, //
};

/// What moves.
pub(crate) struct Mover<'a> {
    /// For whom.
    pub(crate) client: &'a Arc<Client>,
    /// Where to or from.
    pub(crate) route: Route,
    /// Bytes of the whole transfer.
    pub(crate) total: u64,
    /// Until when a piece may take.
    pub(crate) deadline: Deadline,
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
            deadline: deadline.min(longest),
            nonblocking: caller.nonblocking,
        }
    }

    /// Moves all bytes of `piece`, in as many jobs as it takes; others get their turn in between.
    pub(crate) fn run(&self, piece: &Piece, progress: &mut Progress) -> Result<(), Failure> {
        if self.deadline.passed() {
            return Err(ETIMEDOUT.into());
        }
        let mut parts = Parts::new();
        piece.add_to(&mut parts)?;
        let route = self.route.after(progress.bytes);
        let waiter = Waiter {
            client: self.client,
            deadline: self.deadline,
            must_not_wait: self.nonblocking && !progress.started,
        };
        let order = self.client.order(route, parts, piece.len())?;
        let (end, why) = waiter.run(order, progress)?;
        progress.bytes += end.bytes;
        match end.why.or(why) {
            Some(ENODEV) => Err(self.client.device().settle().into()),
            Some(ENOTRECOVERABLE) => Err(ENOTRECOVERABLE.into()),
            Some(why) => progress.cut_short(why, self.total),
            None => Ok(()),
        }
    }
}
