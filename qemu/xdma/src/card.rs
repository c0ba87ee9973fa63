// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card: what the host sees of it and what makes it go on.

use std::time::Duration;

use crate::adversary::Adversary;
use crate::checker::Faults;
use crate::config::{Config, ConfigError};
use crate::host::Host;
use crate::interrupts::Interrupts;
use crate::memory::BadWindow;
use crate::range::HostRange;
use crate::statistics::Statistics;
use crate::stream::Sink;

/// What a [step](Card::step) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to do until an access or a call changes something.
    Idle,
    /// One piece of work; there may be more.
    Worked,
    /// Nothing to do before this moment of the host's clock.
    Until(Duration),
}

/// One card.
pub struct Card {
    config: Config,
    interrupts: Interrupts,
    bus_master: bool,
    faults: Faults,
    statistics: Statistics,
    adversary: Adversary,
}

impl Card {
    /// A card as it is after power-on.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Card {
            config,
            interrupts: Interrupts::None,
            bus_master: false,
            faults: Faults::default(),
            statistics: Statistics::default(),
            adversary: Adversary::default(),
        })
    }

    /// How the card was built.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Answers a read of a BAR.
    pub fn read(&mut self, _bar: u8, _offset: u64, data: &mut [u8], _host: &mut dyn Host) {
        data.fill(0);
    }

    /// Takes a write to a BAR. Only registers change; what follows is done in steps.
    pub fn write(&mut self, _bar: u8, _offset: u64, _data: &[u8], _host: &mut dyn Host) {}

    /// Does one bounded piece of work: one fetch of descriptors, or at most 64 KiB of one
    /// descriptor, of one channel.
    pub fn step(&mut self, _host: &mut dyn Host) -> Progress {
        Progress::Idle
    }

    /// Puts everything back as after power-on, but for memory and what was built: what a
    /// reset of the bus does. There is no reset of the function.
    pub fn reset(&mut self, _host: &mut dyn Host) {
        self.interrupts = Interrupts::None;
        self.bus_master = false;
    }

    /// Follows the Bus Master bit of the command register.
    pub fn set_bus_master(&mut self, on: bool, _host: &mut dyn Host) {
        self.bus_master = on;
    }

    /// Follows the kind of interrupt that config space turns on.
    pub fn set_interrupts(&mut self, interrupts: Interrupts, _host: &mut dyn Host) {
        self.interrupts = interrupts;
    }

    /// Masks or opens a vector, for a front that keeps the MSI-X table itself. The table
    /// in the DMA BAR does the same.
    pub fn set_vector_masked(&mut self, _vector: u32, _masked: bool, _host: &mut dyn Host) {}

    /// Follows the link: bus, device and function, and the codes of the largest payload
    /// and of the largest read request (0 is 128 bytes).
    pub fn set_link(&mut self, _bus_device: u16, _payload: u8, _read_request: u8) {}

    /// Raises or lowers one of the 16 lines of user logic.
    pub fn set_user_line(&mut self, _line: u8, _high: bool, _host: &mut dyn Host) {}

    /// Ranges of the host's memory that work in flight still refers to.
    pub fn in_flight_ranges(&self) -> Vec<HostRange> {
        Vec::new()
    }

    /// What the driver did wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What happened so far.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// What misbehaves.
    pub fn adversary(&mut self) -> &mut Adversary {
        &mut self.adversary
    }

    /// Gives a packet to a C2H channel of a streaming build.
    pub fn push_packet(&mut self, _channel: u8, _packet: &[u8]) {}

    /// Takes the whole packets that an H2C channel of a streaming build sent.
    pub fn take_packets(&mut self, _channel: u8) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Says where the packets of an H2C channel go.
    pub fn set_sink(&mut self, _channel: u8, _sink: Sink) {}

    /// Says which of the card's addresses answer with an error.
    pub fn set_bad_windows(&mut self, _windows: Vec<BadWindow>) {}
}
