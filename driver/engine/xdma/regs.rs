// SPDX-License-Identifier: GPL-2.0

//! Registers of XDMA, from AMD's product guide PG195.
//!
//! An offset is a block (`15:12`), a channel (`11:8`) and a register. Channels to the card are block 0
//! and those from it block 1, so that 16 channels to the card and 16 from it make one array, of which
//! an index is a [`Slot`]. All accesses have 32 bits.

use kernel::io::register;

/// Channels of one direction that a block has room for.
const CHANNELS: usize = 16;

/// Where the registers of a channel are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot(u8);

impl Slot {
    /// A channel to the card.
    pub(super) fn to_card(channel: u8) -> Self {
        Self(channel % CHANNELS as u8)
    }

    /// A channel from the card.
    pub(super) fn from_card(channel: u8) -> Self {
        Self(CHANNELS as u8 + channel % CHANNELS as u8)
    }

    /// Whether it is one from the card.
    pub(super) fn is_from_card(self) -> bool {
        self.index() >= CHANNELS
    }

    /// Index in an array of registers.
    #[inline(always)]
    pub(super) fn index(self) -> usize {
        usize::from(self.0) % (2 * CHANNELS)
    }

    /// Its bit in what all channels share.
    pub(super) fn bit(self) -> u32 {
        1 << self.index()
    }

    /// Its identifier.
    #[inline(always)]
    pub(super) fn id(self) -> usize {
        self.index()
    }

    /// The identifier of its registers for descriptors.
    #[inline(always)]
    pub(super) fn descriptors_id(self) -> usize {
        DESCRIPTORS * CHANNELS + self.index()
    }
}

/// Block of what concerns descriptors of channels to the card; that of those from it follows.
const DESCRIPTORS: usize = 4;

/// Identifiers of the blocks that every card has: interrupts, configuration, descriptors of all.
pub(super) const COMMON: [(usize, u32); 3] = [(0x20, 2), (0x30, 3), (0x60, 6)];

register! {
    /// What is there; all zeros if nothing is.
    pub(super) ID(u32)[256, stride = 0x100] @ 0x0000 {
        31:20 mark;
        19:16 block;
        15:15 stream => bool;
        11:8 channel;
        7:0 version;
    }

    /// What a channel does: `run`, and what is noted in its status; an error that is noted stops it.
    pub(super) CONTROL(u32)[32, stride = 0x100] @ 0x0004 {
        26:26 write_back => bool;
        23:19 descriptor_error;
        18:14 write_error;
        13:9 read_error;
        6:6 idle => bool;
        5:5 length => bool;
        4:4 magic => bool;
        3:3 misaligned => bool;
        2:2 completed => bool;
        0:0 run => bool;
    }

    /// Clears bits of [`CONTROL`].
    pub(super) CONTROL_CLEAR(u32)[32, stride = 0x100] @ 0x000c {
        25:25 fixed => bool;
        0:0 run => bool;
    }

    /// What has happened since `run` was set; a bit that is written is cleared.
    pub(super) STATUS(u32)[32, stride = 0x100] @ 0x0040 {
        6:6 idle => bool;
        2:2 completed => bool;
        1:1 stopped => bool;
        0:0 busy => bool;
    }

    /// Descriptors done since `run` was set.
    pub(super) COMPLETED(u32)[32, stride = 0x100] @ 0x0048 {
        31:0 count;
    }

    /// What a channel needs of addresses and lengths, in bytes, and the address bits of the card.
    pub(super) ALIGNMENT(u32)[32, stride = 0x100] @ 0x004c {
        23:16 address;
        15:8 length;
        7:0 address_bits;
    }

    /// Where the channel writes how many descriptors are done.
    pub(super) WORD_LOW(u32)[32, stride = 0x100] @ 0x0088 {
        31:0 value;
    }

    /// The upper half of it.
    pub(super) WORD_HIGH(u32)[32, stride = 0x100] @ 0x008c {
        31:0 value;
    }

    /// Which bits of the status are a reason for an interrupt.
    pub(super) REASONS(u32)[32, stride = 0x100] @ 0x0090 {
        31:0 bits;
    }

    /// Clears which user interrupts are let through.
    pub(super) USER_INTERRUPTS_CLEAR(u32) @ 0x200c {
        15:0 lines;
    }

    /// Sets which channels' interrupts are let through: first those to the card, then those from it.
    pub(super) INTERRUPTS_SET(u32) @ 0x2014 {
        31:0 channels;
    }

    /// Clears it.
    pub(super) INTERRUPTS_CLEAR(u32) @ 0x2018 {
        31:0 channels;
    }

    /// The interrupt vectors of four channels each, in that order.
    pub(super) VECTORS(u32)[2] @ 0x20a0 {
        28:24 fourth;
        20:16 third;
        12:8 second;
        4:0 first;
    }

    /// The descriptor to begin with, read when `run` is set.
    pub(super) FIRST_LOW(u32)[32, stride = 0x100] @ 0x4080 {
        31:0 value;
    }

    /// The upper half of it.
    pub(super) FIRST_HIGH(u32)[32, stride = 0x100] @ 0x4084 {
        31:0 value;
    }

    /// How many descriptors follow it without a gap, to be read at once.
    pub(super) ADJACENT(u32)[32, stride = 0x100] @ 0x4088 {
        5:0 extra;
    }

    /// Reads how many more descriptors it may fetch; what is written is added.
    pub(super) CREDITS(u32)[32, stride = 0x100] @ 0x408c {
        9:0 count;
    }

    /// Which channels fetch no descriptor without a credit.
    pub(super) CREDIT_MODE(u32) @ 0x6020 {
        31:0 channels;
    }

    /// Sets bits of it.
    pub(super) CREDIT_MODE_SET(u32) @ 0x6024 {
        31:0 channels;
    }

    /// Clears bits of it, and the channel's credits.
    pub(super) CREDIT_MODE_CLEAR(u32) @ 0x6028 {
        31:0 channels;
    }
}

/// Bytes of the BAR that hold registers.
pub(super) const END: usize = 0x1_0000;

/// The mark in an [`ID`].
pub(super) const MARK: u32 = 0x1fc;

/// Bits of [`STATUS`] that are errors: alignment, magic, length, reading, writing, descriptors.
pub(super) const ERRORS: u32 = 0x00ff_fe38;

/// The one of length: a stream's descriptor is no multiple of the card's data width.
pub(super) const LENGTH: u32 = 1 << 5;

/// Bits of [`STATUS`] and [`REASONS`] that say that descriptors were completed, or the channel is idle
/// since `run` was cleared.
pub(super) const COMPLETED_OR_IDLE: u32 = 1 << 2 | 1 << 6;
