// SPDX-License-Identifier: GPL-2.0

//! The proof that a device has stopped.

use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use crate::{
    base::{
        deadline::Deadline,
        params, //
    },
    engine::{
        Engine,
        Observed, //
    },
    kapi::bus_master::{
        BusMaster,
        Mastering, //
    }, //
};

/// Proof that a device works on no job and cannot begin one: its bus mastering was switched off,
/// which was read back and answered, and then its engine read idle; or it has left the bus.
///
/// Bus mastering off alone is no proof: what was posted may still arrive, and a device may go on
/// once it is switched on again.
pub(crate) struct Quiet(());

impl Quiet {
    /// Stops the device. `None` if it did not become idle in time; then memory that it works on
    /// must not be given back.
    pub(crate) fn prove(master: &BusMaster<'_>, engine: &dyn Engine) -> Option<Self> {
        engine.quiesce();
        master.disable();
        let deadline = Deadline::after(params::stop_ns());
        loop {
            match engine.stop_all() {
                Observed::Idle if master.mastering() == Mastering::Off => return Some(Self(())),
                Observed::Gone if !master.is_present() => return Some(Self(())),
                _ if deadline.passed() => return None,
                // Whoever has switched its registers off, they are needed now.
                Observed::Gone => master.decode(),
                _ => {}
            }
            fsleep(Delta::from_millis(1));
        }
    }

    /// Starts the device again, which ends the proof.
    pub(crate) fn restart(self, master: &BusMaster<'_>, engine: &dyn Engine) -> Result {
        engine.restart()?;
        master.enable();
        Ok(())
    }
}
