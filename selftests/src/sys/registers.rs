// SPDX-License-Identifier: GPL-2.0

//! Registers of a card, in a [`Mapping`] of a BAR.

use super::Mapping;

impl Mapping {
    /// Reads the register of four bytes at `offset`, in one access.
    pub(crate) fn read_word(&self, offset: usize) -> u32 {
        let at = self.word(offset);
        // SAFETY: The word is mapped and aligned; volatile, no reference.
        unsafe { at.read_volatile() }
    }

    /// Writes it, likewise.
    pub(crate) fn write_word(&self, offset: usize, value: u32) {
        let at = self.word(offset);
        // SAFETY: As above.
        unsafe { at.write_volatile(value) };
    }

    fn word(&self, offset: usize) -> *mut u32 {
        assert_eq!(offset % 4, 0, "registers are aligned");
        self.range(offset, 4).cast()
    }
}
