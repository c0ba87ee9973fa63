// SPDX-License-Identifier: GPL-2.0

//! What the device may do with memory, and which open mode of a file that needs.

use kernel::prelude::*;

use crate::{
    base::failure::Failure,
    kapi::{
        abi,
        file_ops::OpenFlags,
        pins::Direction, //
    }, //
};

/// What data a file may move, by the mode that it was opened with.
#[derive(Clone, Copy)]
pub(crate) struct OpenMode {
    to_device: bool,
    from_device: bool,
}

impl OpenMode {
    /// That of a file which is being opened: as with write(2) and read(2).
    pub(crate) fn of(flags: OpenFlags) -> Self {
        Self {
            to_device: flags.writable(),
            from_device: flags.readable(),
        }
    }

    /// Fails with `EBADF`, for `field`, if data must not go that way.
    pub(crate) fn admit(
        self,
        direction: Direction,
        field: abi::pindma_field,
    ) -> Result<(), Failure> {
        let admitted = match direction {
            Direction::ToDevice => self.to_device,
            Direction::FromDevice => self.from_device,
            Direction::Both => self.to_device && self.from_device,
        };
        if admitted {
            Ok(())
        } else {
            Err(Failure::field(EBADF, field))
        }
    }

    /// Which way data may go of memory that is made for `access`, of an ABI struct.
    ///
    /// # Errors
    ///
    /// `EINVAL` for none, `EOPNOTSUPP` for an unknown one, `EBADF` if the file may not.
    pub(crate) fn direction(self, access: u32) -> Result<Direction, Failure> {
        const BOTH: u32 = abi::PINDMA_DEV_READ | abi::PINDMA_DEV_WRITE;
        const FIELD: abi::pindma_field = abi::PINDMA_FIELD_ACCESS;
        let direction = match access {
            abi::PINDMA_DEV_READ => Direction::ToDevice,
            abi::PINDMA_DEV_WRITE => Direction::FromDevice,
            BOTH => Direction::Both,
            0 => return Err(Failure::field(EINVAL, FIELD)),
            _ => return Err(Failure::field(EOPNOTSUPP, FIELD)),
        };
        self.admit(direction, FIELD)?;
        Ok(direction)
    }
}

/// As the ABI has what the device may do.
pub(crate) fn to_abi(direction: Direction) -> u32 {
    match direction {
        Direction::ToDevice => abi::PINDMA_DEV_READ,
        Direction::FromDevice => abi::PINDMA_DEV_WRITE,
        Direction::Both => abi::PINDMA_DEV_READ | abi::PINDMA_DEV_WRITE,
    }
}
