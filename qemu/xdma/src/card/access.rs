// SPDX-License-Identifier: MIT OR GPL-2.0

//! Accesses of the host to BARs.

use crate::address::{identifier, Place};
use crate::adversary::Mode;
use crate::card::Card;
use crate::channel::ChannelState;
use crate::checker::Rule;
use crate::common::present;
use crate::config::BarKind;
use crate::host::Host;
use crate::statistics::Block;
use crate::Channel;

/// Bytes of a register.
const WORD: usize = 4;

impl Card {
    /// Answers a read of a BAR.
    pub fn read(&mut self, bar: u8, offset: u64, data: &mut [u8], host: &mut dyn Host) {
        self.vanish();
        if let Some(byte) = self.gone {
            return data.fill(byte);
        }
        match self.parts.config.bar(bar) {
            Some(BarKind::Dma) => self.read_dma(offset, data, host),
            Some(BarKind::User) => self.read_user(offset, data),
            Some(BarKind::Bypass) => self.read_bypass(offset, data),
            None => data.fill(0xff),
        }
        if self.parts.adversary.strike(Mode::SomeOnes, None).is_some() {
            data.fill(0xff);
        }
        self.tell(host);
    }

    /// Takes a write to a BAR. Only registers change; what follows is done in steps.
    pub fn write(&mut self, bar: u8, offset: u64, data: &[u8], host: &mut dyn Host) {
        self.vanish();
        if self.gone.is_some() {
            return;
        }
        match self.parts.config.bar(bar) {
            Some(BarKind::Dma) => self.write_dma(offset, data, host),
            Some(BarKind::User) => self.write_user(offset, data),
            Some(BarKind::Bypass) => self.write_bypass(offset, data),
            None => {}
        }
        self.tell(host);
        self.send_spurious(host);
    }

    /// An adversary takes the card away.
    fn vanish(&mut self) {
        if self.gone.is_none() && self.parts.adversary.strike_late(Mode::AllOnes) {
            self.gone = Some(0xff);
        }
        if self.gone.is_none() && self.parts.adversary.strike_late(Mode::AllZeros) {
            self.gone = Some(0);
        }
    }

    fn read_dma(&mut self, offset: u64, data: &mut [u8], host: &mut dyn Host) {
        let place = Place::of(offset);
        self.count(place, |counts| &mut counts.reads);
        if !self.has_right_width(offset, data.len(), place) {
            return data.fill(0xff);
        }
        for (number, word) in data.chunks_mut(WORD).enumerate() {
            let offset = offset + (number * WORD) as u64;
            let value = self.read_register(offset, host);
            word.copy_from_slice(&value.to_le_bytes());
        }
    }

    fn write_dma(&mut self, offset: u64, data: &[u8], host: &mut dyn Host) {
        let place = Place::of(offset);
        self.count(place, |counts| &mut counts.writes);
        if !self.has_right_width(offset, data.len(), place) {
            return;
        }
        for (number, word) in data.chunks(WORD).enumerate() {
            let offset = offset + (number * WORD) as u64;
            let value = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            self.write_register(offset, value, host);
        }
    }

    /// One aligned word; the MSI-X table may also be used by two, as PCI has it.
    fn has_right_width(&mut self, offset: u64, length: usize, place: Place) -> bool {
        let is_word = length == WORD && offset % 4 == 0;
        let is_pair = length == 2 * WORD && offset % 8 == 0 && place.block == Block::MsiX;
        if is_word || is_pair {
            return true;
        }
        let sentence = format!("{offset:#x} was accessed with {length} bytes");
        self.parts.faults.note(Rule::AccessWidth, None, sentence);
        false
    }

    fn read_register(&mut self, offset: u64, host: &mut dyn Host) -> u32 {
        let place = Place::of(offset);
        let Place {
            block,
            channel,
            register,
        } = place;
        let now = host.now();
        let stream = self.parts.is_stream();
        let parts = &mut self.parts;
        let aliases = parts.config.switches.alias_reads;
        let state = channel_of(place).and_then(|id| find(&mut self.channels, id));
        match (block, state, register) {
            (Block::MsiX, ..) => parts.delivery.table.read(offset & 0xfff),
            (Block::Common | Block::Irq | Block::Config, _, 0) | (_, Some(_), 0) => {
                identifier(block, stream, channel)
            }
            (Block::H2c | Block::C2h, Some(state), _) => state.read(register, parts, now),
            (Block::H2cSgdma | Block::C2hSgdma, Some(state), _) => {
                state.read_sgdma(register, parts)
            }
            (Block::Irq, ..) => parts.irq.read(register, aliases),
            (Block::Config, ..) => parts.read_settings(register),
            (Block::Common, ..) => parts.common.read(register, aliases),
            _ => 0,
        }
    }

    fn write_register(&mut self, offset: u64, value: u32, host: &mut dyn Host) {
        let place = Place::of(offset);
        let register = place.register;
        let count = self.channels.len() as u8;
        let parts = &mut self.parts;
        let state = channel_of(place).and_then(|id| find(&mut self.channels, id));
        match (place.block, state) {
            (Block::MsiX, _) => parts.delivery.table.write(offset & 0xfff, value),
            (Block::H2c | Block::C2h, Some(state)) => {
                state.write(register, value, parts, host.now());
            }
            (Block::H2cSgdma | Block::C2hSgdma, Some(state)) => {
                state.write_sgdma(register, value, parts);
            }
            (Block::Irq, _) => parts.irq.write(register, value, count),
            (Block::Config, _) => parts.settings.write(register, value),
            (Block::Common, _) => self.write_common(register, value),
            _ => {}
        }
    }

    fn write_common(&mut self, register: u8, value: u32) {
        let parts = &mut self.parts;
        let before = parts.common;
        let channels = present(parts.config.h2c, parts.config.c2h);
        let credits = parts.config.credits;
        parts.common.write(register, value, channels, credits);
        for state in &mut self.channels {
            let id = state.id();
            if before.has_credit_mode(id) && !parts.common.has_credit_mode(id) {
                state.end_credit_mode();
            }
        }
    }

    fn read_bypass(&mut self, offset: u64, data: &mut [u8]) {
        let address = self.parts.config.memory_base + offset;
        if self.parts.memory.read(address, data).is_err() {
            data.fill(0xff);
        }
    }

    fn write_bypass(&mut self, offset: u64, data: &[u8]) {
        let address = self.parts.config.memory_base + offset;
        // Posted: the host hears of no error.
        let _ = self.parts.memory.write(address, data);
    }

    fn count(&mut self, place: Place, kind: fn(&mut crate::Accesses) -> &mut u64) {
        let statistics = &mut self.parts.statistics;
        *kind(statistics.registers.entry(place.block).or_default()) += 1;
        if let Some(id) = channel_of(place) {
            if self.channels.iter().any(|state| state.id() == id) {
                *kind(&mut statistics.of(id).registers) += 1;
            }
        }
    }
}

/// The channel that a register belongs to, there or not.
fn channel_of(place: Place) -> Option<Channel> {
    match place.block {
        Block::H2c | Block::H2cSgdma => Some(Channel::H2c(place.channel)),
        Block::C2h | Block::C2hSgdma => Some(Channel::C2h(place.channel)),
        _ => None,
    }
}

fn find(channels: &mut [ChannelState], id: Channel) -> Option<&mut ChannelState> {
    channels.iter_mut().find(|state| state.id() == id)
}
