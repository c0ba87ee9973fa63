// SPDX-License-Identifier: MIT OR GPL-2.0

//! Bits of a channel's Control, Status and interrupt mask ("H2C Channel Control").

use bitflags::bitflags;

use crate::host::BusError;
use crate::memory::AxiError;

bitflags! {
    /// A channel's orders. From bit 1 to 23 the bits stand as in [`Status`]: each
    /// lets its namesake be logged.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Control: u32 {
        const RUN = 1;
        const LOGGED = 0x00ff_fe7e;
        /// The device's address does not advance (`non_inc_mode`).
        const FIXED_ADDRESS = 1 << 25;
        /// The word of poll mode is written (`pollmode_wb_enable`).
        const WORD = 1 << 26;
        /// A stream's descriptors leave no record.
        const NO_RECORD = 1 << 27;
    }
}

bitflags! {
    /// A channel's report.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Status: u32 {
        const BUSY = 1;
        const STOPPED = 1 << 1;
        const COMPLETED = 1 << 2;
        const ALIGN_MISMATCH = 1 << 3;
        const MAGIC_STOPPED = 1 << 4;
        const INVALID_LENGTH = 1 << 5;
        const IDLE_STOPPED = 1 << 6;
        const READ_ERROR = 0x1f << 9;
        const WRITE_ERROR = 0x1f << 14;
        const DESCRIPTOR_ERROR = 0x1f << 19;
    }
}

impl Control {
    /// Bits of Status that Control lets be logged.
    pub(crate) fn logs(self) -> Status {
        Status::from_bits_truncate(self.intersection(Control::LOGGED).bits())
    }
}

impl Status {
    /// A bus error while data came from the host.
    pub(crate) fn of_read(error: BusError) -> Self {
        Self::nth(9, error as u32)
    }

    /// A bus error while a descriptor came.
    pub(crate) fn of_descriptor(error: BusError) -> Self {
        Self::nth(19, error as u32)
    }

    /// The card's side refused to be read.
    pub(crate) fn of_axi_read(error: AxiError) -> Self {
        Self::nth(9, error as u32)
    }

    /// The card's side refused to be written.
    pub(crate) fn of_axi_write(error: AxiError) -> Self {
        Self::nth(14, error as u32)
    }

    fn nth(first: u32, number: u32) -> Self {
        Status::from_bits_retain(1 << (first + number))
    }
}
