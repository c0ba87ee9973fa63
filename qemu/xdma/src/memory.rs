// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card's own memory.

use std::ops::Range;

/// How the card's side refuses an access ("C2H Channel Status").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AxiError {
    /// Nobody decodes the address.
    #[error("decode error")]
    Decode,
    /// The owner of the address refuses.
    #[error("slave error")]
    Slave,
}

/// Addresses on the card that answer with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadWindow {
    /// Addresses.
    pub addresses: Range<u64>,
    /// The answer.
    pub error: AxiError,
}

/// Memory from `base` on; nobody decodes what is outside.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    base: u64,
    bytes: Vec<u8>,
    bad: Vec<BadWindow>,
}

impl Memory {
    /// Memory of zeros. The system gives pages only to what is written.
    pub(crate) fn new(base: u64, size: u64) -> Self {
        Memory {
            base,
            bytes: vec![0; size as usize],
            bad: Vec::new(),
        }
    }

    pub(crate) fn set_bad(&mut self, windows: Vec<BadWindow>) {
        self.bad = windows;
    }

    /// Reads; bytes before the first bad one are given all the same.
    pub(crate) fn read(&self, address: u64, data: &mut [u8]) -> Result<(), AxiError> {
        let (good, end) = self.good(address, data.len());
        data[..good.len()].copy_from_slice(&self.bytes[good]);
        end
    }

    /// Writes; bytes before the first bad one are taken all the same.
    pub(crate) fn write(&mut self, address: u64, data: &[u8]) -> Result<(), AxiError> {
        let (good, end) = self.good(address, data.len());
        let length = good.len();
        self.bytes[good].copy_from_slice(&data[..length]);
        end
    }

    /// Reads as from one address, beat by beat.
    pub(crate) fn read_fixed(
        &self,
        address: u64,
        data: &mut [u8],
        beat: usize,
    ) -> Result<(), AxiError> {
        let mut beats = data.chunks_mut(beat);
        beats.try_for_each(|beat| self.read(address, beat))
    }

    /// Writes to one address, beat by beat: the last one stays.
    pub(crate) fn write_fixed(
        &mut self,
        address: u64,
        data: &[u8],
        beat: usize,
    ) -> Result<(), AxiError> {
        let mut beats = data.chunks(beat);
        beats.try_for_each(|beat| self.write(address, beat))
    }

    /// The bytes of an access that are there, and its result.
    fn good(&self, address: u64, length: usize) -> (Range<usize>, Result<(), AxiError>) {
        let Some(first) = address.checked_sub(self.base) else {
            return (0..0, Err(AxiError::Decode));
        };
        let size = self.bytes.len() as u64;
        let mut end = first.saturating_add(length as u64);
        let mut result = Ok(());
        if end > size {
            (end, result) = (size.max(first), Err(AxiError::Decode));
        }
        for window in &self.bad {
            let bad = window.addresses.start.saturating_sub(self.base);
            let bad_end = window.addresses.end.saturating_sub(self.base);
            if first < bad_end && bad < end {
                (end, result) = (bad.max(first), Err(window.error));
            }
        }
        if first >= size {
            return (0..0, result);
        }
        (first as usize..end as usize, result)
    }
}
