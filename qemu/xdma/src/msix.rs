// SPDX-License-Identifier: MIT OR GPL-2.0

//! The MSI-X table and its pending bits ("MSI-X Vector Table and PBA").

/// Vectors of the table.
pub(crate) const VECTORS: u32 = 32;
const ENTRY: u64 = 16;
const TABLE_END: u64 = VECTORS as u64 * ENTRY;
/// Place of the pending bits in the page.
const PENDING: u64 = 0xfe0;
const MASKED: u32 = 1;

/// 32 entries of address, data and vector control, and a pending bit for each.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    entries: [[u32; 4]; VECTORS as usize],
    pending: u32,
}

impl Default for Table {
    fn default() -> Self {
        Table {
            entries: [[0, 0, 0, u32::MAX]; VECTORS as usize],
            pending: 0,
        }
    }
}

impl Table {
    /// Reads at an offset in the page.
    pub(crate) fn read(&self, offset: u64) -> u32 {
        match offset {
            ..TABLE_END => self.entries[(offset / ENTRY) as usize][(offset % ENTRY / 4) as usize],
            PENDING => self.pending,
            _ => 0,
        }
    }

    /// Writes at an offset in the page; pending bits cannot be written.
    pub(crate) fn write(&mut self, offset: u64, value: u32) {
        if offset < TABLE_END {
            self.entries[(offset / ENTRY) as usize][(offset % ENTRY / 4) as usize] = value;
        }
    }

    pub(crate) fn set_masked(&mut self, vector: u32, masked: bool) {
        if let Some(entry) = self.entries.get_mut(vector as usize) {
            entry[3] = entry[3] & !MASKED | u32::from(masked);
        }
    }

    fn is_masked(&self, vector: u32) -> bool {
        let entry = self.entries.get(vector as usize);
        entry.is_none_or(|entry| entry[3] & MASKED != 0)
    }

    /// Notes a message; [`Table::open`] gives it back when it may be sent.
    pub(crate) fn note(&mut self, vector: u32) {
        self.pending |= 1u32.checked_shl(vector).unwrap_or(0);
    }

    /// Takes the messages that are not masked any more.
    pub(crate) fn open(&mut self) -> u32 {
        let masked = (0..VECTORS).filter(|vector| self.is_masked(*vector));
        let open = self.pending & !masked.fold(0, |all, vector| all | (1 << vector));
        self.pending &= !open;
        open
    }
}
