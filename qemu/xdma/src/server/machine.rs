// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card in its slot: configuration space, BARs, maps and interrupts put together.

use std::fs::File;
use std::io;
use std::time::Duration;

use pindma_xdma::{
    BadWindow, Bar, BarKind, Card, Channel, Config as Build, ConfigError, HostRange, Progress,
};

use super::bus::{Bus, Stray};
use super::channel;
use super::command;
use super::config::Config;
use super::figures;
use super::journal::Journal;
use super::mailbox::{self, Mailbox};
use super::maps::Rights;

/// Everything that the guest and the card's own thread share.
pub struct Machine {
    card: Card,
    bus: Bus,
    config: Config,
    mailbox: Mailbox,
    journal: Journal,
    windows: Vec<BadWindow>,
    /// Faults of the card that are in the journal.
    told: u64,
}

impl Machine {
    /// A card that was built like this, just switched on.
    pub fn new(build: Build) -> Result<Machine, ConfigError> {
        let config = Config::new(&build);
        Ok(Machine {
            card: Card::new(build)?,
            bus: Bus::new(),
            config,
            mailbox: Mailbox::default(),
            journal: Journal::new(),
            windows: Vec::new(),
            told: 0,
        })
    }

    /// The card with what it reaches, for one call.
    pub fn card(&mut self) -> (&mut Card, &mut Bus) {
        (&mut self.card, &mut self.bus)
    }

    /// The log.
    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Addresses on the card that answer with an error from now on.
    pub fn add_bad_window(&mut self, window: BadWindow) {
        self.windows.push(window);
        self.card.set_bad_windows(self.windows.clone());
    }

    /// All addresses on the card are good again.
    pub fn clear_bad_windows(&mut self) {
        self.windows.clear();
        self.card.set_bad_windows(Vec::new());
    }

    /// One piece of the card's work.
    pub fn step(&mut self) -> Progress {
        let progress = self.card.step(&mut self.bus);
        self.settle();
        progress
    }

    /// The time of the card's clock.
    pub fn now(&self) -> Duration {
        pindma_xdma::Host::now(&self.bus)
    }

    /// Configuration space.
    pub fn read_config(&self, offset: u64, data: &mut [u8]) {
        self.config.read(offset, data);
    }

    /// Configuration space; the card follows its switches.
    pub fn write_config(&mut self, offset: u64, data: &[u8]) {
        self.config.write(offset, data);
        self.follow();
    }

    /// A BAR. While the function does not answer, ones are read.
    pub fn read_bar(&mut self, index: u8, offset: u64, data: &mut [u8]) {
        if !self.config.answers() {
            data.fill(0xff);
        } else if let Some(at) = self.mailbox_at(index, offset) {
            self.mailbox.read(at, data);
        } else {
            self.card.read(index, offset, data, &mut self.bus);
            self.settle();
        }
    }

    /// A BAR. While the function does not answer, nothing happens.
    pub fn write_bar(&mut self, index: u8, offset: u64, data: &[u8]) {
        if !self.config.answers() {
            return;
        }
        match self.mailbox_at(index, offset) {
            Some(at) => self.post(at, data),
            None => self.card.write(index, offset, data, &mut self.bus),
        }
        self.settle();
    }

    /// A range of guest memory that the card may reach from now on.
    pub fn map(
        &mut self,
        range: (u64, u64),
        rights: Rights,
        file: Option<File>,
        offset: u64,
    ) -> io::Result<()> {
        self.bus.maps.add(range, rights, file, offset)
    }

    /// A range that the card may not reach any more, nor needs to.
    pub fn unmap(&mut self, address: u64, size: u64) {
        let end = address.saturating_add(size);
        for range in self.card.in_flight_ranges() {
            if range.address < end && range.address.saturating_add(range.length) > address {
                let text = format!(
                    "unmap of {size} bytes at {address:#x}, of which {} is in flight",
                    told(&range)
                );
                self.journal.violation(&text);
            }
        }
        self.bus.maps.remove(address, size);
    }

    /// No memory is reached any more.
    pub fn unmap_all(&mut self) {
        self.unmap(0, u64::MAX);
        self.bus.maps.clear();
    }

    /// A reset of the bus.
    pub fn reset(&mut self) {
        self.config.reset();
        self.card.reset(&mut self.bus);
        self.mask_vectors();
        self.follow();
    }

    /// Eventfds for interrupts, see [`Irqs::set`](super::irqs::Irqs::set). A vector that
    /// has none is masked.
    pub fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        range: (u32, u32),
        fds: Vec<File>,
    ) -> io::Result<()> {
        self.bus.irqs.set(index, flags, range, fds)?;
        self.mask_vectors();
        self.settle();
        Ok(())
    }

    /// The table of MSI-X is QEMU's, which asks for messages of those that are not masked.
    fn mask_vectors(&mut self) {
        for vector in 0..u32::from(super::config::MSIX_VECTORS) {
            let masked = !self.bus.irqs.has_vector(vector);
            self.card.set_vector_masked(vector, masked, &mut self.bus);
        }
    }

    /// What was counted, one line of `name=value`.
    pub fn statistics(&self) -> String {
        let mut all = self.journal.counts().to_vec();
        all.extend(figures::of_card(self.card.statistics()));
        all.extend([
            ("messages_sent", self.bus.irqs.sent),
            ("messages_lost", self.bus.irqs.lost),
            ("maps", self.bus.maps.count() as u64),
        ]);
        figures::line(&all)
    }

    /// The same of one channel.
    pub fn channel_statistics(&self, channel: Channel) -> String {
        let counted = self.card.statistics().channel(channel);
        figures::line(&figures::of_channel(&counted))
    }

    /// What has to follow each time the card did something.
    fn settle(&mut self) {
        self.config.show_line(self.bus.irqs.is_line_high());
        for stray in self.bus.take_strays() {
            self.journal.violation(&self.owned(&stray));
        }
        let total = self.card.faults().total();
        if self.told != total {
            self.tell_faults(total);
        }
    }

    /// A stray access with its channel.
    fn owned(&self, stray: &Stray) -> String {
        match self.card.at_work() {
            Some(channel) => format!("{}: {stray}", channel::name(channel)),
            None => stray.to_string(),
        }
    }

    /// Those without a sentence are only counted.
    fn tell_faults(&mut self, total: u64) {
        let first = self.card.faults().first();
        let new = first.iter().skip(self.told as usize);
        let mut sentences: Vec<String> = new
            .map(|fault| format!("{:?}: {}", fault.rule, fault.sentence))
            .collect();
        let silent = (total - self.told).saturating_sub(sentences.len() as u64);
        sentences.extend((0..silent).map(|_| "one more".to_owned()));
        sentences.iter().for_each(|text| self.journal.fault(text));
        self.told = total;
    }

    fn follow(&mut self) {
        let kind = self.config.interrupts();
        self.bus.kind = kind;
        self.card.set_interrupts(kind, &mut self.bus);
        self.card
            .set_bus_master(self.config.masters(), &mut self.bus);
        let (payload, request) = self.config.payloads();
        let bus_device = self.card.config().bus_device;
        self.card.set_link(bus_device, payload, request);
        self.settle();
    }

    /// Where in the mailbox an access is, if it is: the last page of the user's BAR.
    fn mailbox_at(&self, index: u8, offset: u64) -> Option<u64> {
        let is_user = |bar: &Bar| bar.kind == BarKind::User && bar.index == index;
        let bar = self.card.config().bars().into_iter().find(is_user)?;
        offset.checked_sub(bar.size - mailbox::BYTES)
    }

    fn post(&mut self, at: u64, data: &[u8]) {
        if let Some(text) = self.mailbox.write(at, data) {
            let answer = command::answer(&text, self);
            self.mailbox.reply(&answer);
        }
    }
}

fn told(range: &HostRange) -> String {
    let HostRange {
        channel,
        address,
        length,
        purpose,
    } = range;
    let (channel, purpose) = (
        channel::name(*channel),
        format!("{purpose:?}").to_lowercase(),
    );
    format!("the {purpose} of {channel}, {length} bytes at {address:#x},")
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
