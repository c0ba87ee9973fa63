// SPDX-License-Identifier: GPL-2.0

//! A channel for one client alone, as long as what it does there must not be mixed with anything else.

use kernel::prelude::*;

use super::wait::Waiter;
use crate::{
    base::{
        deadline::Deadline,
        failure::Failure,
        progress::Progress, //
    },
    card::entry::{
        Parts,
        Route, //
    },
    engine::Chan,
    memory::client::{
        Caller,
        Client, //
    }, //
};

/// A channel that nobody else uses until this is dropped.
pub(crate) struct Reservation<'a> {
    client: &'a Client,
    ch: Chan,
    deadline: Deadline,
}

impl<'a> Reservation<'a> {
    /// Waits for the channel of `route`, until no job is under way there.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it is busy and the caller must not wait; `EINTR`, `ETIMEDOUT`, `EIO`, `ENODEV`,
    /// `ENOTRECOVERABLE`, `ESTALE`, `ENOMEM`.
    pub(crate) fn new(
        caller: Caller<'a>,
        route: Route,
        deadline: Deadline,
        progress: &mut Progress,
    ) -> Result<Self> {
        let client: &Client = caller.client;
        let waiter = Waiter {
            client,
            deadline,
            must_not_wait: caller.must_not_wait(progress),
        };
        let order = client.order(route, Parts::new(), 0)?;
        let (end, why) = waiter.run(order, progress)?;
        match end.why {
            Some(ENODEV) => return Err(client.device().settle()),
            Some(error) => return Err(error),
            None => {}
        }
        // From here on it is given back.
        let reservation = Self {
            client,
            ch: route.ch,
            deadline,
        };
        why.map_or(Ok(reservation), Err)
    }

    /// Moves all bytes of `parts` and adds them to `moved`.
    pub(crate) fn run(
        &self,
        route: Route,
        parts: Parts,
        total: u64,
        moved: &mut u64,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut order = self.client.order(route, parts, total)?;
        order.reserved = true;
        let waiter = Waiter {
            client: self.client,
            deadline: self.deadline,
            must_not_wait: false,
        };
        let (end, why) = waiter.run(order, progress)?;
        *moved += end.bytes;
        match end.why.or(why) {
            Some(ENODEV) => Err(self.client.device().settle().into()),
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        // If the device is gone, there is nothing to be had.
        let link = self.client.device().link();
        link.with(|card| card.release(self.ch));
    }
}
