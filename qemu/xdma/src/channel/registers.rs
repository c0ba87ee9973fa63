// SPDX-License-Identifier: MIT OR GPL-2.0

//! A channel's two blocks of registers ("H2C Channel Registers", "H2C SGDMA Registers").

use std::time::Duration;

use crate::adversary::Mode;
use crate::channel::{ChannelState, Phase};
use crate::checker::Rule;
use crate::control::{Control, Status};
use crate::edit::Edit;
use crate::lie::lie;
use crate::parts::Parts;

const CONTROL: u8 = 0x04;
const STATUS: u8 = 0x40;
const STATUS_CLEARED: u8 = 0x44;
const MASK: u8 = 0x90;

impl ChannelState {
    /// Reads from the channel's own block.
    pub(crate) fn read(&mut self, register: u8, parts: &mut Parts, now: Duration) -> u32 {
        let aliases = parts.config.switches.alias_reads;
        if let Some(edit) = Edit::at(CONTROL, register) {
            return edit.read(self.control.bits(), aliases);
        }
        if let Some(edit) = Edit::at(MASK, register) {
            return edit.read(self.mask.bits(), aliases);
        }
        match register {
            STATUS => self.shown_status(parts).bits(),
            STATUS_CLEARED => {
                let shown = self.shown_status(parts);
                self.status = Status::empty();
                shown.bits()
            }
            0x48 => self.shown_count(parts),
            0x4c => alignments(parts),
            0x88 => self.word_address as u32,
            0x8c => (self.word_address >> 32) as u32,
            0xc0 => self.perf.control(),
            0xc4 => self.perf.cycles(now).0,
            0xc8 => self.perf.cycles(now).1,
            0xcc => self.perf.beats().0,
            0xd0 => self.perf.beats().1,
            _ => 0,
        }
    }

    /// Writes to the channel's own block.
    pub(crate) fn write(&mut self, register: u8, value: u32, parts: &mut Parts, now: Duration) {
        if let Some(edit) = Edit::at(CONTROL, register) {
            let control = edit.apply(self.control.bits(), value);
            self.set_control(control, parts, now);
        }
        if let Some(edit) = Edit::at(MASK, register) {
            let mask = edit.apply(self.mask.bits(), value);
            self.mask = Status::from_bits_truncate(mask) & self.loggable();
        }
        match register {
            STATUS => self.status -= Status::from_bits_truncate(value),
            0x88 => self.set_word_address(low(self.word_address, value), parts),
            0x8c => self.word_address = high(self.word_address, value),
            0xc0 => self.perf.set_control(value, now),
            _ => {}
        }
    }

    /// Reads from the channel's SGDMA block.
    pub(crate) fn read_sgdma(&mut self, register: u8, parts: &mut Parts) -> u32 {
        match register {
            0x80 => self.first as u32,
            0x84 => (self.first >> 32) as u32,
            0x88 => self.adjacent,
            0x8c if parts.config.credits => self.shown_credits(parts),
            _ => 0,
        }
    }

    /// Writes to the channel's SGDMA block.
    pub(crate) fn write_sgdma(&mut self, register: u8, value: u32, parts: &mut Parts) {
        match register {
            0x80 => self.first = low(self.first, value),
            0x84 => self.first = high(self.first, value),
            0x88 => self.adjacent = value & 0x3f,
            0x8c if parts.config.credits => self.give_credits(value, parts),
            _ => {}
        }
        let names_block = matches!(register, 0x80 | 0x84 | 0x88);
        if names_block && self.phase == Phase::Running {
            let sentence = format!("{register:#x} was written while the channel runs");
            parts.fault(Rule::FirstBlockWhileRunning, self.id, sentence);
        }
    }

    /// Credit mode went off.
    pub(crate) fn end_credit_mode(&mut self) {
        self.credits.clear();
    }

    /// Status bits that this channel can have.
    fn loggable(&self) -> Status {
        let all = Status::all() - Status::BUSY;
        if self.is_to_card() {
            return all;
        }
        all - Status::WRITE_ERROR
    }

    fn set_control(&mut self, value: u32, parts: &mut Parts, now: Duration) {
        let was = self.control;
        self.control = Control::from_bits_truncate(value) & self.writable(parts);
        let runs = self.control.contains(Control::RUN);
        match (was.contains(Control::RUN), runs) {
            (false, true) => self.start(parts, now),
            (true, false) => self.stop(parts, now),
            _ => {}
        }
    }

    /// Bits of Control that this channel has.
    fn writable(&self, parts: &Parts) -> Control {
        let logs = Control::from_bits_truncate(self.loggable().bits());
        let mut bits = Control::RUN | logs | Control::FIXED_ADDRESS | Control::WORD;
        if !self.is_to_card() && parts.is_stream() {
            bits |= Control::NO_RECORD;
        }
        bits
    }

    fn set_word_address(&mut self, address: u64, parts: &mut Parts) {
        self.word_address = address;
        if address % 4 != 0 {
            let sentence = format!("the word of poll mode is to be at {address:#x}");
            parts.fault(Rule::WordAlignment, self.id, sentence);
        }
    }

    fn shown_status(&mut self, parts: &Parts) -> Status {
        let lags = self.lag > 0;
        self.lag = self.lag.saturating_sub(1);
        if lags || self.is_busy(parts) {
            return self.status | Status::BUSY;
        }
        self.status
    }

    fn shown_count(&self, parts: &mut Parts) -> u32 {
        let strike = parts.adversary.strike(Mode::WrongCount, Some(self.id));
        strike.map_or(self.completed, |strike| lie(self.completed, strike))
    }

    fn shown_credits(&self, parts: &mut Parts) -> u32 {
        let strike = parts.adversary.strike(Mode::WrongCredits, Some(self.id));
        let left = self.credits.left();
        strike.map_or(left, |mut strike| {
            (left + strike.random.u32(1..1023)) % 1024
        })
    }

    fn give_credits(&mut self, value: u32, parts: &mut Parts) {
        if let Err(sum) = self.credits.give(value) {
            let sentence = format!("{sum} credits are out");
            parts.fault(Rule::CreditOverflow, self.id, sentence);
        }
    }
}

fn alignments(parts: &Parts) -> u32 {
    let alignments = parts.config.alignments;
    u32::from_be_bytes([
        0,
        alignments.address,
        alignments.length,
        alignments.address_bits,
    ])
}

fn low(old: u64, value: u32) -> u64 {
    old & !u64::from(u32::MAX) | u64::from(value)
}

fn high(old: u64, value: u32) -> u64 {
    old & u64::from(u32::MAX) | (u64::from(value) << 32)
}
