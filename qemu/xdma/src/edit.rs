// SPDX-License-Identifier: MIT OR GPL-2.0

//! Registers with two more addresses, one that sets bits and one that clears them.

use crate::switches::AliasReads;

/// The effect of a write to one of the three addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Replaces the value (RW).
    Write,
    /// Sets the bits that are 1 (W1S).
    Set,
    /// Clears the bits that are 1 (W1C).
    Clear,
}

impl Edit {
    /// The register at `base`, W1S 4 bytes behind it, W1C 8.
    pub(crate) fn at(base: u8, register: u8) -> Option<Edit> {
        match register.checked_sub(base)? {
            0 => Some(Edit::Write),
            4 => Some(Edit::Set),
            8 => Some(Edit::Clear),
            _ => None,
        }
    }

    /// The register's next value.
    pub(crate) fn apply(self, old: u32, value: u32) -> u32 {
        match self {
            Edit::Write => value,
            Edit::Set => old | value,
            Edit::Clear => old & !value,
        }
    }

    /// The value that a read of the address gives.
    pub(crate) fn read(self, value: u32, aliases: AliasReads) -> u32 {
        match (self, aliases) {
            (Edit::Write, _) | (_, AliasReads::Value) => value,
            (_, AliasReads::Zero) => 0,
        }
    }
}
