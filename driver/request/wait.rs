// SPDX-License-Identifier: GPL-2.0

//! Waiting for a channel to do what was asked of it. Nobody returns while the device may still work on
//! memory of the caller, but with an end that says so.

use kernel::{
    prelude::*,
    sync::Arc,
    time::msecs_to_jiffies, //
};

use crate::{
    base::{
        deadline::Deadline,
        progress::Progress, //
    },
    card::entry::{
        End,
        Entry,
        Manner,
        Order, //
    },
    engine::Chan,
    kapi::{
        event::Woken,
        signal::Unnotified, //
    },
    memory::client::Client, //
};

/// How often a waiter looks at its deadline, at least.
const SLICE_MS: u32 = 1000;

/// Somebody who waits.
pub(super) struct Waiter<'a> {
    pub(super) client: &'a Client,
    /// Until when; the device may take longer to stop.
    pub(super) deadline: Deadline,
    /// Fail with `EAGAIN` rather than wait for the channel.
    pub(super) must_not_wait: bool,
}

impl Waiter<'_> {
    /// Asks for `order`, and waits until that has ended. Returns how it has, and why the caller must go
    /// on with nothing more, if it must: a signal, the deadline.
    ///
    /// # Errors
    ///
    /// Nothing was begun: `EAGAIN`, `ENOMEM`, or what [`Client::submit`] fails with.
    pub(super) fn run(
        &self,
        order: Order,
        progress: &mut Progress,
    ) -> Result<(End, Option<Error>)> {
        let ch = order.route.ch;
        let entry = self.client.entry()?;
        entry.fill(order);
        let manner = match self.must_not_wait {
            true => Manner::Hasty,
            false => Manner::Patient,
        };
        let submitted = self.client.submit(ch, &entry, manner);
        if let Err(why) = submitted {
            entry.clear();
            self.client.give_back(entry);
            return Err(why);
        }
        let (end, why) = self.wait(ch, &entry, progress.started);
        self.client.give_back(entry);
        progress.started |= end.started;
        progress.at_work |= end.at_work;
        Ok((end, why))
    }

    /// Waits. What looks like a signal must not end it once the device has begun: it is not made again.
    fn wait(&self, ch: Chan, entry: &Arc<Entry>, begun: bool) -> (End, Option<Error>) {
        let mut unnotified = begun.then(Unnotified::new);
        loop {
            let woken = entry.wait_interruptible(self.deadline.slice(SLICE_MS));
            if let Some(end) = entry.end() {
                return (end, None);
            }
            let why = match woken {
                Woken::Signal => EINTR,
                _ if self.deadline.passed() => ETIMEDOUT,
                _ => continue,
            };
            if why == EINTR && unnotified.is_none() && !self.client.withdraw(ch, entry, why) {
                unnotified = Some(Unnotified::new());
                continue;
            }
            self.client.cancel(ch, entry, why);
            return (drained(entry), Some(why));
        }
    }
}

/// Waits until an entry has ended that was told to, whatever signals are pending: memory that the device
/// may write must not be given back. That is bounded.
fn drained(entry: &Entry) -> End {
    loop {
        if let Some(end) = entry.end() {
            return end;
        }
        entry.wait(msecs_to_jiffies(SLICE_MS));
    }
}
