// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card: what the host sees of it and what makes it go on.

use std::time::Duration;

use crate::adversary::{Adversary, Mode};
use crate::channel::ChannelState;
use crate::checker::Faults;
use crate::config::{Config, ConfigError};
use crate::host::Host;
use crate::interrupts::Interrupts;
use crate::memory::{AxiError, BadWindow};
use crate::parts::Parts;
use crate::range::HostRange;
use crate::settings::Link;
use crate::statistics::Statistics;
use crate::stream::Sink;
use crate::switches::Switches;
use crate::Channel;

mod access;
mod messages;
mod user;

/// The result of a [step](Card::step).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to do until an access or a call changes something.
    Idle,
    /// One piece of work; there may be more.
    Worked,
    /// Nothing to do before this moment of the host's clock.
    Until(Duration),
}

impl Progress {
    /// Waits no longer than to a moment.
    pub(crate) fn no_later(self, moment: Option<Duration>) -> Self {
        match (self, moment) {
            (Progress::Idle, Some(moment)) => Progress::Until(moment),
            (Progress::Until(own), Some(moment)) => Progress::Until(own.min(moment)),
            _ => self,
        }
    }

    fn moment(self) -> Option<Duration> {
        match self {
            Progress::Until(moment) => Some(moment),
            Progress::Idle | Progress::Worked => None,
        }
    }
}

/// One card.
pub struct Card {
    channels: Vec<ChannelState>,
    parts: Parts,
    /// The channel whose turn it is.
    turn: usize,
    /// The channel that reached for the host last.
    at_work: Option<Channel>,
    /// The byte that every read gives after an adversary took the card away.
    gone: Option<u8>,
}

impl Card {
    /// A card as it is after power-on.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Card {
            channels: config.channels().map(ChannelState::new).collect(),
            parts: Parts::new(config),
            turn: 0,
            at_work: None,
            gone: None,
        })
    }

    /// How the card was built.
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// Does one bounded piece of work: one fetch of descriptors, or at most 64 KiB of one
    /// descriptor, of one channel. Channels take turns.
    pub fn step(&mut self, host: &mut dyn Host) -> Progress {
        if self.gone.is_some() {
            return Progress::Idle;
        }
        if let Some(deed) = self.parts.agenda.take(host.now()) {
            self.at_work = deed.channel();
            self.parts.act(deed, host);
            self.tell(host);
            return Progress::Worked;
        }
        let progress = self.step_channels(host);
        self.tell(host);
        if progress == Progress::Worked {
            self.send_spurious(host);
        }
        progress.no_later(self.parts.agenda.next())
    }

    fn step_channels(&mut self, host: &mut dyn Host) -> Progress {
        let count = self.channels.len();
        let mut first = self.turn;
        if let Some(mut strike) = self.parts.adversary.strike(Mode::Reorder, None) {
            first = strike.random.usize(0..count);
        }
        let mut waits = Progress::Idle;
        for number in (first..first + count).map(|number| number % count) {
            self.at_work = Some(self.channels[number].id());
            let progress = self.channels[number].step(&mut self.parts, host);
            if progress == Progress::Worked {
                self.turn = (number + 1) % count;
                return progress;
            }
            waits = waits.no_later(progress.moment());
        }
        waits
    }

    /// Puts everything back as after power-on, but for memory and what was built: what a
    /// reset of the bus does. There is no reset of the function.
    pub fn reset(&mut self, host: &mut dyn Host) {
        self.channels = self
            .parts
            .config
            .channels()
            .map(ChannelState::new)
            .collect();
        self.parts.reset();
        self.turn = 0;
        self.gone = None;
        self.tell(host);
    }

    /// Follows the Bus Master bit of the command register.
    pub fn set_bus_master(&mut self, on: bool, host: &mut dyn Host) {
        self.parts.bus_master = on;
        self.parts.was_master |= on;
        self.tell(host);
    }

    /// Follows the kind of interrupt that config space turns on.
    pub fn set_interrupts(&mut self, interrupts: Interrupts, host: &mut dyn Host) {
        self.parts.delivery.interrupts = interrupts;
        self.tell(host);
    }

    /// Masks or opens a vector, for a front that keeps the MSI-X table itself. The table
    /// in the DMA BAR does the same.
    pub fn set_vector_masked(&mut self, vector: u32, masked: bool, host: &mut dyn Host) {
        self.parts.delivery.table.set_masked(vector, masked);
        self.tell(host);
    }

    /// Follows the link: bus, device and function, and the codes of the largest payload
    /// and of the largest read request (0 is 128 bytes).
    pub fn set_link(&mut self, bus_device: u16, payload: u8, read_request: u8) {
        self.parts.link = Link {
            bus_device,
            payload,
            read_request,
        };
    }

    /// Raises or lowers one of the 16 lines of user logic.
    pub fn set_user_line(&mut self, line: u8, high: bool, host: &mut dyn Host) {
        self.parts.irq.set_user_line(line, high);
        self.tell(host);
    }

    /// The channel of the last access to the host's memory.
    pub fn at_work(&self) -> Option<Channel> {
        self.at_work
    }

    /// Ranges of the host's memory that work in flight still refers to.
    pub fn in_flight_ranges(&self) -> Vec<HostRange> {
        if self.gone.is_some() {
            return Vec::new();
        }
        let channels = self.channels.iter();
        channels.flat_map(|one| one.ranges(&self.parts)).collect()
    }

    /// Rules that the driver broke.
    pub fn faults(&self) -> &Faults {
        &self.parts.faults
    }

    /// Counts since power-on.
    pub fn statistics(&self) -> &Statistics {
        &self.parts.statistics
    }

    /// The adversary: switch its modes here.
    pub fn adversary(&mut self) -> &mut Adversary {
        &mut self.parts.adversary
    }

    /// Gives a packet of at least one byte to a C2H channel of a streaming build.
    pub fn push_packet(&mut self, channel: u8, packet: &[u8]) {
        if !packet.is_empty() {
            self.parts.streams.push_packet(channel, packet);
        }
    }

    /// Bytes of packets that a C2H channel has not taken yet.
    pub fn waiting(&self, channel: u8) -> u64 {
        self.parts.streams.waiting(channel)
    }

    /// Takes the whole packets that an H2C channel of a streaming build sent.
    pub fn take_packets(&mut self, channel: u8) -> Vec<Vec<u8>> {
        self.parts.streams.take_packets(channel)
    }

    /// Says where the packets of an H2C channel go.
    pub fn set_sink(&mut self, channel: u8, sink: Sink) {
        self.parts.streams.set_sink(channel, sink);
    }

    /// Answers to what is open on real cards, which may change while it works.
    pub fn switches(&mut self) -> &mut Switches {
        &mut self.parts.config.switches
    }

    /// Says which of the card's addresses answer with an error.
    pub fn set_bad_windows(&mut self, windows: Vec<BadWindow>) {
        self.parts.memory.set_bad(windows);
    }

    /// Reads the card's memory from the card's side.
    pub fn read_memory(&self, address: u64, data: &mut [u8]) -> Result<(), AxiError> {
        self.parts.memory.read(address, data)
    }

    /// Writes the card's memory from the card's side.
    pub fn write_memory(&mut self, address: u64, data: &[u8]) -> Result<(), AxiError> {
        self.parts.memory.write(address, data)
    }
}
