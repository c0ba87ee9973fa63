// SPDX-License-Identifier: MIT OR GPL-2.0
//! Why a command failed: in words, in JSON, and as an exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Error, Result};
use pindma::ErrorKind;
use serde::Serialize;
use serde_json::{json, Value};

use crate::report;

/// The caller has asked for something that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Standard output is a pipe that nobody reads any more.  That is no failure: the
/// reader had enough.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
pub struct Unread;

/// Put around an error that a report has told already.
#[derive(Debug, thiserror::Error)]
#[error("told")]
struct Told;

/// Kinds of failures that a script tells apart; the numbers are exit statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Failed = 1,
    Usage = 2,
    Absent = 3,
    Denied = 4,
    TimedOut = 5,
    InUse = 6,
}

impl Kind {
    fn of(error: &Error) -> Self {
        if error.downcast_ref::<Usage>().is_some() {
            return Self::Usage;
        }
        device_error(error).map_or(Self::Failed, |error| Self::of_device(error.kind()))
    }

    fn of_device(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound { .. } | ErrorKind::DeviceGone => Self::Absent,
            ErrorKind::PermissionDenied { .. } => Self::Denied,
            ErrorKind::TimedOut | ErrorKind::NothingInTime => Self::TimedOut,
            ErrorKind::InUse { .. } => Self::InUse,
            _ => Self::Failed,
        }
    }
}

/// What the device, or its node, had to do with it.
fn device_error(error: &Error) -> Option<&pindma::Error> {
    error.chain().find_map(|cause| {
        let through_io = || cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        cause.downcast_ref().or_else(through_io)
    })
}

/// The error as a report has it.
pub fn as_json(error: &Error) -> Value {
    let (kind, device) = (Kind::of(error), device_error(error));
    json!({
        "kind": kind,
        "exit_status": kind as u8,
        "message": format!("{error:#}"),
        "errno": device.map(pindma::Error::errno),
        "operation": device.map(|error| error.operation().to_string()),
        "bytes_moved": device.map(pindma::Error::bytes),
    })
}

/// Marks an error as told.
pub fn told(error: Error) -> Error {
    error.context(Told)
}

/// Whether nothing is wrong but that nobody reads the output.
pub fn is_unread(error: &Error) -> bool {
    error.is::<Unread>()
}

/// Ends the program: says what is to be said, and tells its exit status.
pub fn end(outcome: Result<()>, json: bool, data: bool) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    if is_unread(&error) {
        return ExitCode::SUCCESS;
    }
    if !error.is::<Told>() {
        tell(&error, json, data);
    }
    ExitCode::from(Kind::of(&error) as u8)
}

/// Where it cannot be said there is still the exit status.
fn tell(error: &Error, json: bool, data: bool) {
    if json {
        let _ = report::print_json_beside(&json!({ "error": as_json(error) }), data);
    } else {
        let _ = writeln!(io::stderr(), "pindma: {error:#}");
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{anyhow, Context};
    use pindma::Device;

    use super::*;

    fn absent() -> pindma::Error {
        Device::open("/nowhere").expect_err("no device")
    }

    #[test]
    fn the_device_s_part_is_found_wherever_it_stands() {
        let plain = Error::from(absent());
        let through_io = Error::from(io::Error::from(absent()));
        let in_context = Err::<(), _>(absent()).context("cannot read x");
        let in_context = in_context.expect_err("an error");
        for error in [plain, through_io, in_context] {
            assert_eq!(Kind::of(&error), Kind::Absent, "{error:#}");
            assert_eq!(Kind::of(&told(error)), Kind::Absent);
        }
        assert_eq!(Kind::of(&anyhow!("no device")), Kind::Failed);
        assert_eq!(Kind::of(&Usage("if=".to_owned()).into()), Kind::Usage);
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        for (kind, name, status) in [
            (ErrorKind::DeviceGone, "absent", 3),
            (ErrorKind::TimedOut, "timed-out", 5),
            (ErrorKind::DeviceError, "failed", 1),
        ] {
            let kind = Kind::of_device(&kind);
            assert_eq!((json!(kind), kind as u8), (json!(name), status));
        }
    }

    #[test]
    fn json_says_all_of_it() {
        let error = as_json(&absent().into());
        assert_eq!(
            (&error["errno"], &error["exit_status"]),
            (&json!(2), &json!(3))
        );
        assert_eq!(error["operation"], json!("open"));
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains("/nowhere does not exist"), "{message}");
        let other = as_json(&anyhow!("why"));
        assert_eq!(
            (&other["errno"], &other["kind"]),
            (&Value::Null, &json!("failed"))
        );
    }
}
