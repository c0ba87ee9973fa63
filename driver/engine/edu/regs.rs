// SPDX-License-Identifier: GPL-2.0

//! Registers of edu, from QEMU's `docs/specs/edu.rst`.

use kernel::io::register;

register! {
    /// What the device is.
    pub(super) ID(u32) @ 0x00 {
        31:24 major;
        23:16 minor;
        15:0 magic;
    }

    /// Reads back inverted what was written.
    pub(super) LIVENESS(u32) @ 0x04 {
        31:0 value;
    }

    /// Reasons for which the interrupt is raised.
    pub(super) IRQ_STATUS(u32) @ 0x24 {
        8:8 dma => bool;
    }

    /// Reasons to clear; one that is not cleared stays in the status.
    pub(super) IRQ_ACK(u32) @ 0x64 {
        8:8 dma => bool;
    }

    /// Where the DMA reads. Written as a whole: a half write clears the other half.
    pub(super) DMA_SRC(u64) @ 0x80 {
        63:0 addr;
    }

    /// Where the DMA writes.
    pub(super) DMA_DST(u64) @ 0x88 {
        63:0 addr;
    }

    /// Bytes.
    pub(super) DMA_COUNT(u32) @ 0x90 {
        31:0 bytes;
    }

    /// Starts a DMA. Only `run` clears itself, at the end; while it is set, writes to any of the
    /// DMA registers are ignored.
    pub(super) DMA_COMMAND(u32) @ 0x98 {
        2:2 irq => bool;
        1:1 to_memory => bool;
        0:0 run => bool;
    }
}

/// Bytes of the BAR that hold registers.
pub(super) const END: usize = 0xa0;

/// The magic number in [`ID`].
pub(super) const MAGIC: u32 = 0x00ed;

/// Start of the device's memory, in its own address space; the CPU does not see it.
pub(super) const MEMORY: u64 = 0x4_0000;

/// Bytes of the device's memory.
pub(super) const MEMORY_BYTES: u64 = 4096;
