// SPDX-License-Identifier: MIT OR GPL-2.0

//! Accesses to registers of user logic.

use crate::card::Card;
use crate::irq::bits;
use crate::user::{User, UserRegister};

const WORD: u64 = 4;

impl Card {
    /// Any width; what is no register reads as ones.
    pub(super) fn read_user(&mut self, offset: u64, data: &mut [u8]) {
        self.parts.statistics.user.reads += 1;
        if UserRegister::at(offset / WORD * WORD).is_none() {
            self.parts.statistics.stray_reads += 1;
        }
        for (byte, offset) in data.iter_mut().zip(offset..) {
            let word = self.read_user_word(offset / WORD * WORD);
            *byte = word.to_le_bytes()[(offset % WORD) as usize];
        }
    }

    /// Whole words.
    pub(super) fn write_user(&mut self, offset: u64, data: &[u8]) {
        self.parts.statistics.user.writes += 1;
        let words = data.chunks_exact(WORD as usize);
        for (word, offset) in words.zip((offset..).step_by(WORD as usize)) {
            let value = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            self.write_user_word(offset, value);
        }
    }

    fn read_user_word(&self, offset: u64) -> u32 {
        let parts = &self.parts;
        match UserRegister::at(offset) {
            Some(UserRegister::Identifier) => User::identifier(),
            Some(UserRegister::Lines) => parts.irq.user_lines(),
            Some(UserRegister::StrayReads) => parts.statistics.stray_reads as u32,
            Some(UserRegister::Faults) => parts.faults.total() as u32,
            Some(UserRegister::Scratch(number)) => parts.user.scratch(number),
            Some(UserRegister::RaiseLines | UserRegister::LowerLines) => 0,
            None => u32::MAX,
        }
    }

    fn write_user_word(&mut self, offset: u64, value: u32) {
        match UserRegister::at(offset) {
            Some(UserRegister::RaiseLines) => self.set_lines(value, true),
            Some(UserRegister::LowerLines) => self.set_lines(value, false),
            Some(UserRegister::Scratch(number)) => self.parts.user.set_scratch(number, value),
            _ => {}
        }
    }

    fn set_lines(&mut self, lines: u32, high: bool) {
        for line in bits(lines & 0xffff) {
            self.parts.irq.set_user_line(line as u8, high);
        }
    }
}
