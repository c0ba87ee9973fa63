// SPDX-License-Identifier: MIT OR GPL-2.0

//! Halt and credit mode of all channels ("SGDMA Common Registers").

use crate::edit::Edit;
use crate::switches::AliasReads;
use crate::Channel;

const HALT: u8 = 0x10;
const CREDIT_MODE: u8 = 0x20;

/// The two registers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Common {
    halt: u32,
    credit_mode: u32,
}

/// A channel's bit: 3:0 to the card, 19:16 from it.
fn bit(channel: Channel) -> u32 {
    match channel {
        Channel::H2c(n) => 1 << n,
        Channel::C2h(n) => 1 << (16 + n),
    }
}

impl Common {
    /// Whether a channel may not fetch.
    pub(crate) fn is_halted(&self, channel: Channel) -> bool {
        self.halt & bit(channel) != 0
    }

    /// Whether a channel fetches only what it has credits for.
    pub(crate) fn has_credit_mode(&self, channel: Channel) -> bool {
        self.credit_mode & bit(channel) != 0
    }

    pub(crate) fn read(&self, register: u8, aliases: AliasReads) -> u32 {
        if let Some(edit) = Edit::at(HALT, register) {
            return edit.read(self.halt, aliases);
        }
        let edit = Edit::at(CREDIT_MODE, register);
        edit.map_or(0, |edit| edit.read(self.credit_mode, aliases))
    }

    /// Takes a write; bits of channels that are not there stay 0.
    pub(crate) fn write(&mut self, register: u8, value: u32, channels: u32, credits: bool) {
        if let Some(edit) = Edit::at(HALT, register) {
            self.halt = edit.apply(self.halt, value) & channels;
        }
        if let (Some(edit), true) = (Edit::at(CREDIT_MODE, register), credits) {
            self.credit_mode = edit.apply(self.credit_mode, value) & channels;
        }
    }
}

/// The bits of channels that are there.
pub(crate) fn present(h2c: u8, c2h: u8) -> u32 {
    ((1 << h2c) - 1) | (((1 << c2h) - 1) << 16)
}
