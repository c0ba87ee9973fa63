// SPDX-License-Identifier: GPL-2.0

//! What interrupts a card: it is stuck, reset, reports an error, sleeps, or loses bus mastering. Jobs
//! then end early, and count for nothing if they may not have reached memory.

use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

use super::Card;
use crate::{
    base::counters,
    card::{
        quiet::Quiet,
        table::Table, //
    },
    engine::Refused,
    kapi::bus_master::Mastering, //
};

impl<'b> Card<'b> {
    /// Whether the device has been able to reach memory since `generation`, as far as anybody has
    /// noticed. Bus mastering that was off in between is known only to an engine's own witness.
    pub(super) fn is_unbroken(&self, generation: u32) -> bool {
        if self.master.mastering() != Mastering::On {
            // Others' jobs run as well.
            self.device.begin_generation();
        }
        self.device.generation() == generation
    }

    /// Stops a device that did not end a job in time, and starts it again. Every job on it ends.
    ///
    /// # Errors
    ///
    /// `ENOTRECOVERABLE` if it did not stop. What jobs work on stays pinned and mapped, and the
    /// device gets no job any more.
    pub(crate) fn recover(&self) -> Result {
        let mut table = self.table.lock();
        if self.device.has_failed() {
            return Err(ENOTRECOVERABLE);
        }
        match Quiet::prove(&self.master, &*self.engine) {
            Some(quiet) => {
                self.end_jobs(&quiet);
                if !self.paused.load(Relaxed) {
                    self.restart(quiet);
                }
                Ok(())
            }
            None => {
                self.give_up(&mut table);
                Err(ENOTRECOVERABLE)
            }
        }
    }

    /// Stops the device for an outage. Every job on it ends, and none is started until
    /// [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// `EBUSY` if it did not stop; then its jobs end when it is back.
    pub(crate) fn pause(&self) -> Result {
        let _table = self.table.lock();
        self.paused.store(true, Relaxed);
        self.device.begin_generation();
        let quiet = Quiet::prove(&self.master, &*self.engine).ok_or(EBUSY)?;
        self.end_jobs(&quiet);
        Ok(())
    }

    /// Starts the device again after an outage. If it has not stopped by now, it has failed.
    pub(crate) fn resume(&self) {
        let mut table = self.table.lock();
        if self.device.has_failed() {
            return;
        }
        match Quiet::prove(&self.master, &*self.engine) {
            Some(quiet) => {
                self.end_jobs(&quiet);
                self.paused.store(false, Relaxed);
                self.restart(quiet);
            }
            None => self.give_up(&mut table),
        }
    }

    /// The device did not stop: what jobs work on may change at any time.
    pub(super) fn give_up(&self, table: &mut Table<'b>) {
        table.give_up(self.device.leaked());
        self.device.fail();
    }

    /// Ends all jobs, of a device that has stopped.
    pub(super) fn end_jobs(&self, quiet: &Quiet) {
        self.device
            .channels()
            .for_each(|channel| channel.quieten(quiet));
    }

    fn restart(&self, quiet: Quiet) {
        counters::RESTARTS.add(1);
        if quiet.restart(&self.master, &*self.engine).is_err() {
            // Nothing is lost, but it gets no job any more.
            self.device.fail();
        }
    }

    /// The errno of a job that was not started. A device that is on the bus and cannot be read, as
    /// while it is reset, comes back.
    pub(super) fn refusal(&self, why: Refused) -> Error {
        match why {
            Refused::Gone if !self.master.is_present() => ENODEV,
            Refused::Full | Refused::BadJob | Refused::Gone => EIO,
        }
    }
}
