// SPDX-License-Identifier: MIT OR GPL-2.0

//! How many descriptors a channel may still fetch ("H2C SGDMA Descriptor Credits").

/// The most that a register of 10 bits holds.
const MOST: u32 = 1023;

/// Credits of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credits {
    left: u32,
}

impl Credits {
    /// Credits that were given and not yet used.
    pub(crate) fn left(self) -> u32 {
        self.left
    }

    /// Adds credits; a sum that is too large is cut and given back.
    pub(crate) fn give(&mut self, written: u32) -> Result<(), u32> {
        let sum = self.left + (written & MOST);
        self.left = sum.min(MOST);
        if sum > MOST {
            return Err(sum);
        }
        Ok(())
    }

    /// Uses some up.
    pub(crate) fn take(&mut self, count: u32) {
        self.left -= count;
    }

    /// Takes all away.
    pub(crate) fn clear(&mut self) {
        self.left = 0;
    }
}
