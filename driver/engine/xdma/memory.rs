// SPDX-License-Identifier: GPL-2.0

//! The engine's own memory that the card reads and writes: a channel's ring of descriptors, the word in
//! which the card counts those that are done, and a stream's records.

use kernel::{
    device::{
        Bound,
        Device, //
    },
    dma::Coherent,
    io::{
        io_project,
        io_read,
        io_write,
        Io, //
    },
    prelude::*,
    sync::barrier::{
        dma_mb,
        Read,
        Write, //
    }, //
};

use super::{
    descriptor::{
        Descriptor,
        Words, //
    },
    ring::SIZE,
};

/// The memory of a channel.
pub(super) struct Memory {
    descriptors: Coherent<[Words; SIZE]>,
    word: Coherent<u32>,
    /// Only of a stream from the card.
    records: Option<Coherent<[u64; SIZE]>>,
}

impl Memory {
    /// The memory of a channel, with `records` if it is a stream from the card.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(dev: &Device<Bound>, records: bool) -> Result<Self> {
        Ok(Self {
            descriptors: Coherent::zeroed(dev, GFP_KERNEL)?,
            word: Coherent::zeroed(dev, GFP_KERNEL)?,
            records: match records {
                true => Some(Coherent::zeroed(dev, GFP_KERNEL)?),
                false => None,
            },
        })
    }

    /// Bus address of the descriptor at a position.
    pub(super) fn descriptor(&self, at: u64) -> u64 {
        self.descriptors.dma_address() + (place(at) * size_of::<Words>()) as u64
    }

    /// Bus address of the word.
    pub(super) fn word(&self) -> u64 {
        self.word.dma_address()
    }

    /// Bus address of the record of the descriptor at a position.
    pub(super) fn record(&self, at: u64) -> Option<u64> {
        let records = self.records.as_ref()?;
        Some(records.dma_address() + (place(at) * size_of::<u64>()) as u64)
    }

    /// Writes the descriptor at a position, which leads to the next one. What makes it one, its first
    /// word, is written last.
    pub(super) fn write(&self, at: u64, descriptor: &Descriptor) {
        let next = self.descriptor(at + 1);
        let [first, from, to, next] = Descriptor {
            next,
            ..*descriptor
        }
        .words();
        if let Some(records) = &self.records {
            io_write!(records, [build: place(at)], 0);
        }
        let view = io_project!(self.descriptors, [build: place(at)]);
        io_write!(view, [build: 1], from);
        io_write!(view, [build: 2], to);
        io_write!(view, [build: 3], next);
        dma_mb(Write);
        io_write!(view, [build: 0], first);
    }

    /// Has the card stop should it begin with the descriptor at a position: what that was for may be in
    /// use for something else.
    pub(super) fn wipe(&self, at: u64) {
        io_write!(self.descriptors, [build: place(at)][build: 0], 0);
    }

    /// Sets or clears flags of the descriptor at a position.
    pub(super) fn set_flags(&self, at: u64, flags: u32, set: bool) {
        let flags = u64::from(flags).to_le();
        let view = io_project!(self.descriptors, [build: place(at)]);
        let first = io_read!(view, [build: 0]);
        let first = if set { first | flags } else { first & !flags };
        io_write!(view, [build: 0], first);
    }

    /// Sets the word to zero. The card must not count.
    pub(super) fn reset_word(&self) {
        self.word.write_val(0);
    }

    /// What the card has counted; whatever it wrote before it did, is seen.
    pub(super) fn read_word(&self) -> u32 {
        let word = u32::from_le(io_read!(self.word,));
        dma_mb(Read);
        word
    }

    /// The record of the descriptor at a position, if it has one.
    pub(super) fn read_record(&self, at: u64) -> Option<u64> {
        let records = self.records.as_ref()?;
        Some(io_read!(records, [build: place(at)]))
    }
}

#[inline(always)]
fn place(at: u64) -> usize {
    at as usize % SIZE
}
