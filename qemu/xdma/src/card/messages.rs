// SPDX-License-Identifier: MIT OR GPL-2.0

//! Causes become messages or lines.

use std::time::Duration;

use crate::adversary::Mode;
use crate::agenda::Deed;
use crate::card::Card;
use crate::host::Host;
use crate::irq::{bits, USER_LINES};
use crate::msix::VECTORS;

impl Card {
    /// Has the host hear of what changed.
    pub(super) fn tell(&mut self, host: &mut dyn Host) {
        let levels = self.channels.iter().enumerate();
        let levels = levels.fold(0, |all, (n, state)| all | (u32::from(state.level()) << n));
        self.parts.irq.set_channels(levels);
        if self.parts.delivery.interrupts.has_messages() {
            self.tell_rising(host);
        } else {
            self.parts.irq.forget();
        }
        let pins = self.parts.irq.pins();
        self.parts.delivery.set_pins(pins, host);
        self.send(host);
    }

    fn tell_rising(&mut self, host: &mut dyn Host) {
        let rising = self.parts.irq.rising();
        for line in bits(rising.user) {
            let vector = self.parts.irq.user_vector(line);
            self.message(vector, host);
        }
        for channel in bits(rising.channel) {
            self.tell_channel(channel, host);
        }
    }

    /// A channel's interrupt, unless an adversary has other plans.
    fn tell_channel(&mut self, number: usize, host: &mut dyn Host) {
        let id = self.channels[number].id();
        let mut vector = self.parts.irq.channel_vector(number);
        self.parts.statistics.of(id).interrupts += 1;
        let adversary = &mut self.parts.adversary;
        if adversary.strike(Mode::LostMessage, Some(id)).is_some() {
            return;
        }
        if let Some(mut strike) = adversary.strike(Mode::WrongVector, Some(id)) {
            vector = (vector + strike.random.u32(1..VECTORS)) % VECTORS;
        }
        if let Some(mut strike) = adversary.strike(Mode::DelayMessage, Some(id)) {
            let due = host.now() + Duration::from_nanos(strike.up_to_amount());
            return self.parts.agenda.put(due, Deed::Message(vector));
        }
        let twice = adversary.strike(Mode::DuplicateMessage, Some(id)).is_some();
        let late = adversary
            .strike(Mode::LateMessage, Some(id))
            .map(|_| vector);
        let waited = self.channels[number].swap_late_message(late);
        if late.is_none() {
            self.message(vector, host);
        }
        if let Some(vector) = waited {
            self.message(vector, host);
        }
        if twice {
            self.message(vector, host);
        }
    }

    /// A message without a cause.
    pub(super) fn send_spurious(&mut self, host: &mut dyn Host) {
        let strike = self.parts.adversary.strike(Mode::SpuriousMessage, None);
        if let Some(mut strike) = strike {
            let sources = self.channels.len() as u32 + u32::from(USER_LINES);
            self.message(strike.random.u32(0..sources), host);
        }
    }

    fn message(&mut self, vector: u32, host: &mut dyn Host) {
        self.parts.delivery.note(vector);
        self.send(host);
    }

    fn send(&mut self, host: &mut dyn Host) {
        let parts = &mut self.parts;
        parts
            .delivery
            .send(parts.bus_master, &mut parts.statistics, host);
    }
}
