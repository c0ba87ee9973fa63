// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a device may do with memory, and which way data goes.

use bitflags::bitflags;

use crate::error::{decode, Operation};
use crate::ffi::{self, Refusal};
use crate::node::Node;
use crate::{sys, Result};

bitflags! {
    /// What the device may do with memory, seen from the device: what it reads,
    /// the program has written.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), pindma::Error> {
    /// # let device = pindma::Device::open("/dev/pindma0")?;
    /// use pindma::Access;
    ///
    /// // For data that only goes out, the device needs to read and nothing else.
    /// let pool = device.pool(4096, 8, Access::READ)?;
    /// assert!(Access::BOTH.contains(Access::READ | Access::WRITE));
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Access: u32 {
        /// The device may read the memory.
        const READ = sys::PINDMA_DEV_READ;
        /// The device may write the memory.
        const WRITE = sys::PINDMA_DEV_WRITE;
        const _ = !0;
    }
}

impl Access {
    /// The device may do both.
    pub const BOTH: Self = Self::READ.union(Self::WRITE);

    /// Fails if memory that the device has for good may change at any time.
    pub(crate) fn check_told(self, node: &Node, operation: Operation) -> Result<()> {
        if !self.contains(Self::WRITE) {
            return Ok(());
        }
        match ffi::writes_when_told(node) {
            Ok(true) => Ok(()),
            Ok(false) => Err(decode::refusal(operation, Refusal::Unasked)),
            Err(errno) => Err(decode::plain_call(operation, errno)),
        }
    }

    /// Whether transfers in that direction are among it.
    pub(crate) fn allows(self, direction: sys::pindma_direction) -> bool {
        self.contains(match direction {
            sys::PINDMA_TO_DEVICE => Self::READ,
            _ => Self::WRITE,
        })
    }
}

/// Which way data goes.
///
/// ```
/// use pindma::{Direction, Transfer};
///
/// assert_eq!(Transfer::from_device().direction(), Direction::FromDevice);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The device reads memory of the program.
    ToDevice,
    /// The device writes memory of the program.
    FromDevice,
}

impl Direction {
    pub(crate) fn raw(self) -> sys::pindma_direction {
        match self {
            Self::ToDevice => sys::PINDMA_TO_DEVICE,
            Self::FromDevice => sys::PINDMA_FROM_DEVICE,
        }
    }
}
