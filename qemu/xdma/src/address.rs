// SPDX-License-Identifier: MIT OR GPL-2.0

//! Places of registers in the DMA BAR ("PCIe to DMA Address Format").

use crate::statistics::Block;

/// A register: block, channel and place in the channel's 256 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) block: Block,
    pub(crate) channel: u8,
    pub(crate) register: u8,
}

impl Place {
    /// Bits 15:12 are the block, 11:8 the channel, 7:0 the register.
    pub(crate) fn of(offset: u64) -> Self {
        let channel = ((offset >> 8) & 0xf) as u8;
        Place {
            block: block(offset >> 12, channel),
            channel,
            register: (offset & 0xff) as u8,
        }
    }
}

fn block(target: u64, channel: u8) -> Block {
    match (target, channel) {
        (0, _) => Block::H2c,
        (1, _) => Block::C2h,
        (2, 0) => Block::Irq,
        (3, 0) => Block::Config,
        (4, _) => Block::H2cSgdma,
        (5, _) => Block::C2hSgdma,
        (6, 0) => Block::Common,
        (8, _) => Block::MsiX,
        _ => Block::Absent,
    }
}

/// The word at 0 of every block ("H2C Channel Identifier"): version 6, as since 2017.
pub(crate) fn identifier(block: Block, stream: bool, channel: u8) -> u32 {
    let target = match block {
        Block::H2c => 0,
        Block::C2h => 1,
        Block::Irq => 2,
        Block::Config => 3,
        Block::H2cSgdma => 4,
        Block::C2hSgdma => 5,
        Block::Common => 6,
        Block::MsiX | Block::Absent => return 0,
    };
    let of_channel = !matches!(block, Block::Irq | Block::Config | Block::Common);
    let stream = u32::from(stream && of_channel) << 15;
    0x1fc0_0006 | (target << 16) | stream | (u32::from(channel) << 8)
}
