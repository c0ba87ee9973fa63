// SPDX-License-Identifier: MIT OR GPL-2.0

//! All of a card but its channels: what they share.

use crate::adversary::Adversary;
use crate::agenda::{Agenda, Deed};
use crate::bus;
use crate::checker::{Faults, Rule};
use crate::common::Common;
use crate::config::{Config, Interface};
use crate::delivery::Delivery;
use crate::host::{BusError, Host};
use crate::irq::Irq;
use crate::memory::Memory;
use crate::settings::{Link, Settings};
use crate::statistics::Statistics;
use crate::stream::Streams;
use crate::switches::BusMasterOff;
use crate::user::User;
use crate::Channel;

/// The parts that channels share.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) memory: Memory,
    pub(crate) streams: Streams,
    pub(crate) user: User,
    pub(crate) settings: Settings,
    pub(crate) link: Link,
    pub(crate) common: Common,
    pub(crate) irq: Irq,
    pub(crate) delivery: Delivery,
    pub(crate) agenda: Agenda,
    pub(crate) bus_master: bool,
    /// The driver has switched bus mastering on since power-on or a reset.
    pub(crate) was_master: bool,
    pub(crate) adversary: Adversary,
    pub(crate) faults: Faults,
    pub(crate) statistics: Statistics,
}

impl Parts {
    pub(crate) fn new(config: Config) -> Self {
        Parts {
            memory: Memory::new(config.memory_base, config.memory_size),
            streams: Streams::new(config.h2c, config.c2h, config.stream_room),
            user: User::default(),
            settings: Settings::default(),
            link: Link::default(),
            common: Common::default(),
            irq: Irq::default(),
            delivery: Delivery::default(),
            agenda: Agenda::default(),
            bus_master: false,
            was_master: false,
            adversary: Adversary::default(),
            faults: Faults::default(),
            statistics: Statistics::default(),
            config,
        }
    }

    /// A reset of the bus: registers and work go; memory and the counts stay.
    pub(crate) fn reset(&mut self) {
        self.streams.clear();
        self.user.reset();
        self.settings = Settings::default();
        self.common = Common::default();
        self.irq = Irq::default();
        self.delivery.reset();
        self.agenda = Agenda::default();
        self.bus_master = false;
        self.was_master = false;
    }

    /// Whether channels end in packets.
    pub(crate) fn is_stream(&self) -> bool {
        self.config.interface == Interface::Stream
    }

    /// Reads the config block.
    pub(crate) fn read_settings(&self, register: u8) -> u32 {
        let (link, width) = (self.link, self.config.data_width);
        let interrupts = self.delivery.interrupts;
        self.settings.read(register, link, width, interrupts)
    }

    /// Whether requests wait for bus mastering.
    pub(crate) fn bus_is_held(&self) -> bool {
        !self.bus_master && self.config.switches.bus_master_off != BusMasterOff::Fail
    }

    /// Reads memory of the host.
    pub(crate) fn fetch(
        &self,
        address: u64,
        data: &mut [u8],
        host: &mut dyn Host,
    ) -> Result<(), BusError> {
        if !self.bus_master {
            return Err(BusError::UnsupportedRequest);
        }
        bus::read(host, address, data)
    }

    /// Writes memory of the host; what is lost is only counted.
    pub(crate) fn post(
        &mut self,
        channel: Channel,
        address: u64,
        data: &[u8],
        host: &mut dyn Host,
    ) {
        let lost = if self.bus_master {
            bus::write(host, address, data)
        } else {
            1
        };
        self.statistics.of(channel).lost_writes += lost;
    }

    /// Does something that was put off.
    pub(crate) fn act(&mut self, deed: Deed, host: &mut dyn Host) {
        match deed {
            Deed::Message(vector) => self.delivery.note(vector),
            Deed::Write {
                channel,
                address,
                data,
            } => self.post(channel, address, &data, host),
        }
    }

    pub(crate) fn fault(&mut self, rule: Rule, channel: Channel, sentence: String) {
        self.faults.note(rule, Some(channel), sentence);
    }
}
