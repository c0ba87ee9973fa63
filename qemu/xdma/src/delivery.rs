// SPDX-License-Identifier: MIT OR GPL-2.0

//! How a vector reaches the host: as a message or on a line.

use crate::host::Host;
use crate::interrupts::Interrupts;
use crate::irq::bits;
use crate::msix::Table;
use crate::statistics::Statistics;

/// The way to the host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) interrupts: Interrupts,
    pub(crate) table: Table,
    /// MSI messages that wait for bus mastering.
    waiting: u32,
    /// Lines that are asserted.
    pins: u8,
}

impl Delivery {
    /// Notes a vector; what may go goes with the next [`Delivery::send`].
    pub(crate) fn note(&mut self, vector: u32) {
        match self.interrupts {
            Interrupts::None | Interrupts::Intx => {}
            Interrupts::Msi(count) => self.waiting |= 1 << (vector & (u32::from(count.max(1)) - 1)),
            Interrupts::MsiX { .. } => self.table.note(vector),
        }
    }

    /// Sends what is not masked, if the card may write at all.
    pub(crate) fn send(&mut self, bus_master: bool, stats: &mut Statistics, host: &mut dyn Host) {
        if !bus_master {
            return;
        }
        let vectors = match self.interrupts {
            Interrupts::None | Interrupts::Intx => 0,
            Interrupts::Msi(_) => std::mem::take(&mut self.waiting),
            Interrupts::MsiX { masked: true } => 0,
            Interrupts::MsiX { masked: false } => self.table.open(),
        };
        for vector in bits(vectors) {
            let vector = vector as u32;
            *stats.messages.entry(vector).or_default() += 1;
            host.message(vector);
        }
    }

    /// Forgets all but which lines are asserted; the next causes lower them.
    pub(crate) fn reset(&mut self) {
        *self = Delivery {
            pins: self.pins,
            ..Delivery::default()
        };
    }

    /// Has the lines follow the causes.
    pub(crate) fn set_pins(&mut self, wanted: u8, host: &mut dyn Host) {
        let wanted = match self.interrupts {
            Interrupts::Intx => wanted,
            _ => 0,
        };
        for pin in 0..4 {
            let asserted = (wanted >> pin) & 1 != 0;
            if asserted != ((self.pins >> pin) & 1 != 0) {
                host.line(pin, asserted);
            }
        }
        self.pins = wanted;
    }
}
