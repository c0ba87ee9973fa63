// SPDX-License-Identifier: GPL-2.0

//! What interrupts a card: it is stuck, reset, reports an error, sleeps, or loses bus mastering. Jobs
//! then end early, and count for nothing if they may not have reached memory.

use kernel::{
    prelude::*,
    sync::atomic::Relaxed,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use super::Card;
use crate::{
    base::{
        counters,
        deadline::Deadline,
        params, //
    },
    card::{
        channel::{
            Channel,
            Gate, //
        },
        entry::Context,
        quiet::Quiet,
        table::Table, //
    },
    engine::Refused,
    kapi::bus_master::Mastering, //
};

impl Card<'_> {
    /// Whether the device has been able to reach memory since `generation`, as far as anybody has
    /// noticed. Bus mastering that was off in between is known only to an engine's own witness.
    pub(super) fn is_unbroken(&self, generation: u32) -> bool {
        if self.master.mastering() != Mastering::On {
            // Others' jobs run as well.
            self.device.begin_generation();
        }
        self.device.generation() == generation
    }

    /// Stops a device that did not end a job in time, and starts it again. Every job on it ends. If it did
    /// not stop, what jobs work on stays pinned and mapped, and the device gets no job any more.
    pub(super) fn recover(&self) {
        let mut table = self.table.lock();
        if self.device.has_failed() {
            return;
        }
        let paused = self.paused.load(Relaxed);
        if !paused {
            self.set_gates(Gate::Shut);
        }
        match Quiet::prove(&self.master, &*self.engine) {
            Some(quiet) => {
                self.end_jobs(&quiet);
                if !paused {
                    self.restart(quiet);
                }
            }
            None => self.give_up(&mut table),
        }
    }

    /// Stops the device for an outage. Every job on it ends, and none is started until
    /// [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// `EBUSY` if it did not stop; then its jobs end when it is back.
    pub(crate) fn pause(&self) -> Result {
        let table = self.table.lock();
        self.paused.store(true, Relaxed);
        self.set_gates(Gate::Paused);
        self.device.begin_generation();
        let quiet = Quiet::prove(&self.master, &*self.engine);
        if let Some(quiet) = &quiet {
            self.end_jobs(quiet);
        }
        self.end_all(EIO);
        drop(table);
        self.tell(Context::Bottom);
        quiet.map_or(Err(EBUSY), |_| Ok(()))
    }

    /// Lets the device end its jobs before the system sleeps, and starts none until
    /// [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// `EBUSY` if they did not end in time.
    pub(crate) fn rest(&self) -> Result {
        let _table = self.table.lock();
        self.paused.store(true, Relaxed);
        self.set_gates(Gate::Shut);
        let patience = Deadline::after(params::drain_ns());
        while self.device.channels().any(Channel::has_flights) {
            if patience.passed() {
                return Err(EBUSY);
            }
            fsleep(Delta::from_millis(1));
        }
        self.device.begin_generation();
        Quiet::prove(&self.master, &*self.engine).map_or(Err(EBUSY), |_| Ok(()))
    }

    /// Starts the device again after an outage. If it has not stopped by now, it has failed.
    pub(crate) fn resume(&self) {
        let mut table = self.table.lock();
        if !self.device.has_failed() {
            match Quiet::prove(&self.master, &*self.engine) {
                Some(quiet) => {
                    self.end_jobs(&quiet);
                    self.paused.store(false, Relaxed);
                    self.restart(quiet);
                }
                None => self.give_up(&mut table),
            }
        }
        drop(table);
        self.tell(Context::Bottom);
    }

    fn set_gates(&self, gate: Gate) {
        self.device
            .channels()
            .for_each(|channel| channel.set_gate(gate));
    }

    /// The device did not stop: what jobs work on may change at any time.
    pub(super) fn give_up(&self, table: &mut Table) {
        table.give_up(self.device.leaked());
        self.set_gates(Gate::Failed);
        self.device.fail();
        for channel in self.device.channels() {
            channel.state.lock().give_up();
        }
        self.end_all(ENOTRECOVERABLE);
    }

    /// Ends all jobs, of a device that has stopped.
    pub(super) fn end_jobs(&self, quiet: &Quiet) {
        for channel in self.device.channels() {
            channel.records.quieten(quiet);
            self.settle(channel.ch);
        }
    }

    /// Ends all that waits, because of `why`.
    pub(super) fn end_all(&self, why: Error) {
        let resets = self.device.resets();
        for channel in self.device.channels() {
            channel.state.lock().end_all(why, resets);
        }
    }

    /// Tells the owners of all that has ended.
    pub(super) fn tell(&self, context: Context) {
        self.device
            .channels()
            .for_each(|channel| channel.tell(context));
    }

    fn restart(&self, quiet: Quiet) {
        counters::RESTARTS.add(1);
        if quiet.restart(&self.master, &*self.engine).is_err() {
            // Nothing is lost, but it gets no job any more.
            self.set_gates(Gate::Failed);
            self.device.fail();
            self.end_all(ENOTRECOVERABLE);
            return;
        }
        self.set_gates(Gate::Open);
        for channel in self.device.channels() {
            self.settle(channel.ch);
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
