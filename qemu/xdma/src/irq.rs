// SPDX-License-Identifier: MIT OR GPL-2.0

//! Causes of interrupts are gated and given vectors ("IRQ Block Registers").

use crate::edit::Edit;
use crate::switches::AliasReads;

const USER_ENABLE: u8 = 0x04;
const CHANNEL_ENABLE: u8 = 0x10;
/// Lines of user logic.
pub(crate) const USER_LINES: u8 = 16;
const CHANNELS: usize = 8;

/// The block. Channels are numbered to the card first, then from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Irq {
    user_enable: u32,
    channel_enable: u32,
    user_lines: u32,
    channel_levels: u32,
    user_vectors: [u8; USER_LINES as usize],
    channel_vectors: [u8; CHANNELS],
    /// Requests at the last look.
    seen: Requests,
}

/// One bit for each source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) user: u32,
    pub(crate) channel: u32,
}

impl Irq {
    pub(crate) fn read(&self, register: u8, aliases: AliasReads) -> u32 {
        if let Some(edit) = Edit::at(USER_ENABLE, register) {
            return edit.read(self.user_enable, aliases);
        }
        if let Some(edit) = Edit::at(CHANNEL_ENABLE, register) {
            return edit.read(self.channel_enable, aliases);
        }
        match register {
            0x40 => self.requests().user,
            0x44 => self.requests().channel,
            0x48 => self.user_lines,
            0x4c => self.channel_levels,
            _ => vectors(&self.user_vectors, 0x80, register)
                .or(vectors(&self.channel_vectors, 0xa0, register))
                .unwrap_or(0),
        }
    }

    /// Takes a write; enables of channels that are not there stay 0.
    pub(crate) fn write(&mut self, register: u8, value: u32, channels: u8) {
        if let Some(edit) = Edit::at(USER_ENABLE, register) {
            self.user_enable = edit.apply(self.user_enable, value) & 0xffff;
        }
        if let Some(edit) = Edit::at(CHANNEL_ENABLE, register) {
            let present = (1 << channels) - 1;
            self.channel_enable = edit.apply(self.channel_enable, value) & present;
        }
        set_vectors(&mut self.user_vectors, 0x80, register, value);
        set_vectors(&mut self.channel_vectors, 0xa0, register, value);
    }

    /// Raises or lowers a line of user logic.
    pub(crate) fn set_user_line(&mut self, line: u8, high: bool) {
        let bit = 1 << (line % USER_LINES);
        self.user_lines = self.user_lines & !bit | if high { bit } else { 0 };
    }

    /// Lines that are high.
    pub(crate) fn user_lines(&self) -> u32 {
        self.user_lines
    }

    /// Follows the channels' causes.
    pub(crate) fn set_channels(&mut self, levels: u32) {
        self.channel_levels = levels;
    }

    /// Requests that rose since the last call.
    pub(crate) fn rising(&mut self) -> Requests {
        let now = self.requests();
        let rising = Requests {
            user: now.user & !self.seen.user,
            channel: now.channel & !self.seen.channel,
        };
        self.seen = now;
        rising
    }

    /// Has what is high rise again.
    pub(crate) fn forget(&mut self) {
        self.seen = Requests::default();
    }

    pub(crate) fn user_vector(&self, line: usize) -> u32 {
        self.user_vectors[line].into()
    }

    pub(crate) fn channel_vector(&self, channel: usize) -> u32 {
        self.channel_vectors[channel].into()
    }

    /// INTA to INTD as bits: the two low bits of a vector choose.
    pub(crate) fn pins(&self) -> u8 {
        let Requests { user, channel } = self.requests();
        chosen(user, &self.user_vectors) | chosen(channel, &self.channel_vectors)
    }

    fn requests(&self) -> Requests {
        Requests {
            user: self.user_lines & self.user_enable,
            channel: self.channel_levels & self.channel_enable,
        }
    }
}

/// The numbers of the bits that are 1.
pub(crate) fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |bit| (mask >> bit) & 1 != 0)
}

fn chosen(requests: u32, vectors: &[u8]) -> u8 {
    bits(requests).fold(0, |pins, bit| pins | (1 << (vectors[bit] & 3)))
}

/// Four numbers of 5 bits in a word.
fn vectors(all: &[u8], base: u8, register: u8) -> Option<u32> {
    let four = all.get(place(base, register)?..)?.get(..4)?;
    Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn set_vectors(all: &mut [u8], base: u8, register: u8, value: u32) {
    let four = place(base, register).and_then(|first| all.get_mut(first..)?.get_mut(..4));
    for (vector, byte) in four.into_iter().flatten().zip(value.to_le_bytes()) {
        *vector = byte & 0x1f;
    }
}

fn place(base: u8, register: u8) -> Option<usize> {
    register.checked_sub(base).map(usize::from)
}
