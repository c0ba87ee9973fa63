// SPDX-License-Identifier: MIT OR GPL-2.0

//! An error stops a channel ("H2C Channel Status").

use std::time::Duration;

use crate::channel::{ChannelState, Phase};
use crate::control::Status;
use crate::host::Host;
use crate::parts::Parts;

impl ChannelState {
    /// Stops with an error: logged where Control says so, told by the word's bit 31.
    pub(super) fn fail(&mut self, bits: Status, parts: &mut Parts, host: &mut dyn Host) {
        self.log(bits);
        self.failed = true;
        self.write_word(true, parts, host);
        self.end_run(parts, host.now());
    }

    /// The list is at its end; a Run 0 that came meanwhile is answered as well.
    pub(super) fn end_run(&mut self, parts: &mut Parts, now: Duration) {
        if self.phase == Phase::Stopping {
            self.rest(parts, now);
        } else {
            self.become_idle(parts);
        }
    }
}
