// SPDX-License-Identifier: MIT OR GPL-2.0

//! Registers of user logic, as an FPGA design would have them ("PCIe to AXI-Lite Master").
//!
//! | offset | register |
//! |---|---|
//! | 0x00 | RO `0x70646d78` |
//! | 0x04 | RO lines of user interrupts |
//! | 0x08 | lines to raise (W1S) |
//! | 0x0c | lines to lower (W1C) |
//! | 0x10 | RO reads that found no register, and were perhaps meant for the DMA BAR |
//! | 0x14 | RO faults of the driver |
//! | 0x100-0xfff | scratch |

/// Says that this is the model.
const IDENTIFIER: u32 = 0x7064_6d78;
const SCRATCH: u64 = 0x100;
const END: u64 = 0x1000;

/// The part of user logic that keeps a state of its own.
#[derive(Clone, Debug)]
pub(crate) struct User {
    scratch: Vec<u32>,
}

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserRegister {
    Identifier,
    Lines,
    RaiseLines,
    LowerLines,
    StrayReads,
    Faults,
    Scratch(usize),
}

impl UserRegister {
    /// The register at an offset, if there is one.
    pub(crate) fn at(offset: u64) -> Option<Self> {
        Some(match offset {
            0x00 => UserRegister::Identifier,
            0x04 => UserRegister::Lines,
            0x08 => UserRegister::RaiseLines,
            0x0c => UserRegister::LowerLines,
            0x10 => UserRegister::StrayReads,
            0x14 => UserRegister::Faults,
            SCRATCH..END => UserRegister::Scratch(((offset - SCRATCH) / 4) as usize),
            _ => return None,
        })
    }
}

impl Default for User {
    fn default() -> Self {
        User {
            scratch: vec![0; ((END - SCRATCH) / 4) as usize],
        }
    }
}

impl User {
    pub(crate) fn identifier() -> u32 {
        IDENTIFIER
    }

    pub(crate) fn scratch(&self, number: usize) -> u32 {
        self.scratch[number]
    }

    pub(crate) fn set_scratch(&mut self, number: usize, value: u32) {
        self.scratch[number] = value;
    }

    pub(crate) fn reset(&mut self) {
        self.scratch.fill(0);
    }
}
