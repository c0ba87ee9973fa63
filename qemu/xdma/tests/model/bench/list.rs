// SPDX-License-Identifier: MIT OR GPL-2.0

//! Lists of descriptors as drivers write them.

use super::ram::Ram;

pub const STOP: u32 = 1;
pub const COMPLETED: u32 = 2;
pub const EOP: u32 = 16;
pub const MAGIC: u32 = 0xad4b_0000;

/// One descriptor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    pub flags: u32,
    pub adjacent: u32,
    pub length: u32,
    pub source: u64,
    pub destination: u64,
    pub next: u64,
}

impl Entry {
    /// So many bytes from one place to another.
    pub fn of(source: u64, destination: u64, length: u32) -> Self {
        Entry {
            source,
            destination,
            length,
            ..Entry::default()
        }
    }

    pub fn with(self, flags: u32) -> Self {
        let flags = self.flags | flags;
        Entry { flags, ..self }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let words = [
            MAGIC | (self.adjacent << 8) | self.flags,
            self.length,
            self.source as u32,
            (self.source >> 32) as u32,
            self.destination as u32,
            (self.destination >> 32) as u32,
            self.next as u32,
            (self.next >> 32) as u32,
        ];
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// Writes entries one behind the other, each naming the next; the last one stops.
/// `adjacent` says what an entry at a place tells of, given how many come behind it.
fn write(
    ram: &mut Ram,
    at: u64,
    entries: &[Entry],
    link: impl Fn(usize, usize, u64) -> (u32, u64),
) {
    for (number, entry) in entries.iter().enumerate() {
        let behind = entries.len() - 1 - number;
        let (adjacent, next) = link(number, behind, at + 32 * (number as u64 + 1));
        let mut entry = Entry {
            adjacent,
            next,
            ..*entry
        };
        if behind == 0 {
            entry = entry.with(STOP | COMPLETED);
        }
        ram.put(at + 32 * number as u64, &entry.bytes());
    }
}

/// One fetch for each: the simplest list.
pub fn chain(ram: &mut Ram, at: u64, entries: &[Entry]) {
    write(ram, at, entries, |_, behind, next| {
        (0, if behind == 0 { 0 } else { next })
    });
}

/// As the vendor's driver: every entry tells of what follows, in blocks that end where
/// 64 descriptors' addresses do. Returns what goes into the register.
pub fn vendor(ram: &mut Ram, at: u64, entries: &[Entry]) -> u32 {
    let adjacent = |behind: usize, next: u64| {
        let index = (next / 32 % 64) as usize;
        match behind {
            0 | 1 => 0,
            _ => (63 - index).min(behind - 1) as u32,
        }
    };
    write(ram, at, entries, |_, behind, next| match behind {
        0 => (0, 0),
        _ => (adjacent(behind, next), next),
    });
    adjacent(entries.len(), at)
}

/// As the driver in the kernel: blocks of 32, and only the last of a block names the
/// next. Returns what goes into the register.
pub fn in_tree(ram: &mut Ram, at: u64, entries: &[Entry]) -> u32 {
    let count = entries.len();
    write(ram, at, entries, |number, behind, next| {
        let ends_block = number % 32 == 31;
        if !ends_block || behind == 0 {
            return (0, 0);
        }
        ((count - number - 1).min(32) as u32 - 1, next)
    });
    count.min(32) as u32 - 1
}
