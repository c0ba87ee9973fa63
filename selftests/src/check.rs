// SPDX-License-Identifier: GPL-2.0

//! How a case says that it failed.

use std::fmt::Display;
use std::panic::Location;

/// Why a case failed, with the line that noticed.
#[derive(Debug)]
pub(crate) struct Fail(pub(crate) String);

/// Result of a case, or of a step of one.
pub(crate) type Outcome<T = ()> = Result<T, Fail>;

impl Fail {
    #[track_caller]
    pub(crate) fn new(what: impl Display) -> Fail {
        let at = Location::caller();
        Fail(format!("{}:{}: {what}", at.file(), at.line()))
    }
}

impl From<std::io::Error> for Fail {
    #[track_caller]
    fn from(error: std::io::Error) -> Fail {
        Fail::new(error)
    }
}

impl From<rustix::io::Errno> for Fail {
    #[track_caller]
    fn from(error: rustix::io::Errno) -> Fail {
        Fail::new(error)
    }
}

impl From<std::num::ParseIntError> for Fail {
    #[track_caller]
    fn from(error: std::num::ParseIntError) -> Fail {
        Fail::new(error)
    }
}

/// Fails with a message unless `ok`.
#[track_caller]
pub(crate) fn check(ok: bool, what: impl Display) -> Outcome {
    if ok {
        Ok(())
    } else {
        Err(Fail::new(what))
    }
}

/// Fails unless both are equal; `what` names the thing.
#[track_caller]
pub(crate) fn same<T: PartialEq + Display>(what: &str, got: T, want: T) -> Outcome {
    check(got == want, format!("{what} is {got}, not {want}"))
}

/// Name of an errno, or its number.
pub(crate) fn errno_name(errno: i32) -> String {
    let known = [
        (0, "success"),
        (libc::EAGAIN, "EAGAIN"),
        (libc::EBADF, "EBADF"),
        (libc::EBUSY, "EBUSY"),
        (libc::ECANCELED, "ECANCELED"),
        (libc::E2BIG, "E2BIG"),
        (libc::EFAULT, "EFAULT"),
        (libc::EINTR, "EINTR"),
        (libc::EINVAL, "EINVAL"),
        (libc::EIO, "EIO"),
        (libc::EMSGSIZE, "EMSGSIZE"),
        (libc::ENODEV, "ENODEV"),
        (libc::ENOENT, "ENOENT"),
        (libc::ENOMEM, "ENOMEM"),
        (libc::ENOSPC, "ENOSPC"),
        (libc::ENOTRECOVERABLE, "ENOTRECOVERABLE"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::ENXIO, "ENXIO"),
        (libc::EOPNOTSUPP, "EOPNOTSUPP"),
        (libc::EPERM, "EPERM"),
        (libc::ERANGE, "ERANGE"),
        (libc::ETIMEDOUT, "ETIMEDOUT"),
    ];
    known
        .iter()
        .find(|(number, _)| *number == errno)
        .map_or_else(|| format!("errno {errno}"), |(_, name)| (*name).to_string())
}
