// SPDX-License-Identifier: GPL-2.0

//! open(2) and close(2).

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};

use super::command::{failed, round_trip, Command, Ended};
use crate::check::{same, Outcome};
use crate::device::{errno_of, Device};
use crate::sys;

/// What a fault leads to; some of them strike before the driver is asked.
const ERRNOS: [i32; 2] = [libc::ENOMEM, libc::EFAULT];

const NODE: &CStr = c"/dev/pindma0";

/// open(2).
pub(crate) struct Open {
    flags: OFlags,
    opened: Option<OwnedFd>,
}

impl Open {
    pub(crate) fn shared() -> Open {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        Open {
            flags,
            opened: None,
        }
    }

    pub(crate) fn exclusive() -> Open {
        let mut open = Open::shared();
        open.flags |= OFlags::EXCL;
        open
    }

    /// The file that was opened is good, and nothing stays of it.
    fn try_out(&mut self) -> Outcome {
        let Some(opened) = self.opened.take() else {
            return Ok(());
        };
        let exclusive = self.flags.contains(OFlags::EXCL);
        let device = Device::from(opened);
        device.info()?;
        let other = errno_of(Device::open());
        same(
            "another open",
            other,
            if exclusive { libc::EBUSY } else { 0 },
        )
    }
}

impl Command for Open {
    fn prepare(&mut self) -> Outcome {
        Ok(())
    }

    fn call(&mut self) -> i32 {
        match rustix::fs::open(NODE, self.flags, Mode::empty()) {
            Ok(opened) => {
                self.opened = Some(opened);
                0
            }
            Err(errno) => errno.raw_os_error(),
        }
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        if errno != 0 {
            return failed(errno, &ERRNOS);
        }
        self.try_out()?;
        Ok(Ended::Passed)
    }

    fn works(&mut self) -> Outcome {
        same("errno of the next open", self.call(), 0)?;
        self.try_out()?;
        round_trip()
    }
}

/// close(2), which cannot fail.
#[derive(Default)]
pub(crate) struct Close {
    opened: Option<OwnedFd>,
}

impl Command for Close {
    fn prepare(&mut self) -> Outcome {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        self.opened = Some(rustix::fs::open(NODE, flags, Mode::empty())?);
        Ok(())
    }

    fn call(&mut self) -> i32 {
        self.opened
            .take()
            .map_or(libc::EBADF, |opened| errno_of(sys::close(opened)))
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        same("errno of close", errno, 0)?;
        Ok(Ended::Passed)
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        same("errno of the next close", self.call(), 0)?;
        round_trip()
    }
}
