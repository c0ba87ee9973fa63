// SPDX-License-Identifier: MIT OR GPL-2.0

//! A driver's order for one piece of work ("Descriptors").

use bitflags::bitflags;

/// Bytes of a descriptor.
pub(crate) const DESCRIPTOR: usize = 32;

bitflags! {
    /// Control bits of a descriptor.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u8 {
        const STOP = 1;
        const COMPLETED = 1 << 1;
        const EOP = 1 << 4;
    }
}

/// One descriptor as it was fetched: a copy, whatever its memory holds later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Its address.
    pub(crate) address: u64,
    /// Whether its first word has the magic number.
    pub(crate) has_magic: bool,
    /// Whether bits are set that mean nothing.
    pub(crate) has_reserved: bool,
    pub(crate) flags: Flags,
    /// How many descriptors stand behind the next one.
    pub(crate) adjacent: u32,
    pub(crate) length: u32,
    pub(crate) source: u64,
    pub(crate) destination: u64,
    pub(crate) next: u64,
}

const MAGIC: u32 = 0xad4b << 16;
const MAGIC_MASK: u32 = 0xffff << 16;
/// Bits of the first word that have a meaning.
const KNOWN: u32 = MAGIC_MASK | (0x3f << 8) | 0x13;
const LENGTH: u32 = (1 << 28) - 1;

impl Descriptor {
    /// Eight words, the lowest byte first.
    pub(crate) fn parse(address: u64, bytes: &[u8]) -> Self {
        let word = |n: usize| {
            let at = n * 4;
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let long = |n: usize| u64::from(word(n)) | (u64::from(word(n + 1)) << 32);
        Descriptor {
            address,
            has_magic: word(0) & MAGIC_MASK == MAGIC,
            has_reserved: word(0) & !KNOWN != 0 || word(1) & !LENGTH != 0,
            flags: Flags::from_bits_truncate(word(0) as u8),
            adjacent: (word(0) >> 8) & 0x3f,
            length: word(1) & LENGTH,
            source: long(2),
            destination: long(4),
            next: long(6),
        }
    }
}
