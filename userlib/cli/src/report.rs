// SPDX-License-Identifier: MIT OR GPL-2.0
//! Output for people and for programs.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::failure::{self, Unread};

/// Columns of the name of a row.
const NAME_WIDTH: usize = 14;
/// The same for names that are whole words of the kernel's.
const WIDE: usize = 21;

/// Rows of a name and a value, one below the other.
#[derive(Default)]
pub struct Table(String);

impl Table {
    /// Adds one row; no name continues the row above.
    pub fn row(&mut self, name: &str, value: impl Display) {
        self.0 += &format!("{name:NAME_WIDTH$}{value}\n");
    }

    /// Adds one row with room for a long name.
    pub fn wide_row(&mut self, name: &str, value: impl Display) {
        self.0 += &format!("{name:WIDE$}{value}\n");
    }

    /// Adds a line of its own.
    pub fn title(&mut self, title: impl Display) {
        self.0 += &format!("{title}\n");
    }

    /// Writes it to standard output.
    pub fn print(&self) -> Result<()> {
        print(&self.0)
    }

    /// What is in it.
    #[cfg(test)]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Writes text to standard output; [`Unread`] if nobody reads it.
pub fn print(text: &str) -> Result<()> {
    write_output(&mut io::stdout().lock(), text.as_bytes())
}

/// Writes to standard output and leaves nothing behind in its buffer.
pub fn write_output(output: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    let written = output.write_all(bytes).and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Unread.into(),
        _ => error.into(),
    })
}

/// Writes one JSON object to standard output.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// The same, but to standard error where standard output is data.
pub fn print_json_beside(value: &Value, data: bool) -> Result<()> {
    if data {
        return Ok(writeln!(io::stderr(), "{value:#}")?);
    }
    print_json(value)
}

/// The same as one line, for objects that follow each other.
pub fn print_json_line(value: &impl Serialize) -> Result<()> {
    print(&format!("{}\n", serde_json::to_string(value)?))
}

/// How a command that moves data tells what it has moved.
#[derive(Clone, Copy, Debug)]
pub struct Teller {
    /// As one JSON object.
    pub json: bool,
    /// Not in words.
    pub quiet: bool,
    /// Standard output is the data.
    pub data: bool,
}

impl Teller {
    /// Tells the report, however the command has ended; in JSON with the error in it.
    pub fn tell(
        self,
        report: &impl Serialize,
        text: impl FnOnce() -> String,
        ended: Result<()>,
    ) -> Result<()> {
        if self.json {
            return self.tell_json(serde_json::to_value(report)?, ended);
        }
        if !self.quiet {
            // In the manner of dd(1); where nobody listens the data counts.
            let _ = io::stderr().write_all(text().as_bytes());
        }
        ended
    }

    fn tell_json(self, report: Value, ended: Result<()>) -> Result<()> {
        print_json_beside(&with_error(report, &ended), self.data)?;
        ended.map_err(failure::told)
    }
}

/// The report with the error in it, if there is one.
pub fn with_error(mut report: Value, ended: &Result<()>) -> Value {
    let error = ended.as_ref().err();
    if let Some(error) = error.filter(|error| !failure::is_unread(error)) {
        report["error"] = failure::as_json(error);
    }
    report
}

/// "514 pages", "1 page".
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Bytes, and the same in a binary unit where that is shorter.
pub fn bytes(number: u64) -> String {
    let plain = count(number, "byte");
    in_unit(number).map_or(plain.clone(), |short| format!("{plain} ({short})"))
}

/// Bytes in a binary unit.
pub fn short(number: u64) -> String {
    in_unit(number).unwrap_or_else(|| format!("{number} B"))
}

fn in_unit(number: u64) -> Option<String> {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let (name, shift) = UNITS.iter().find(|(_, shift)| number >> shift > 0)?;
    let value = number as f64 / f64::from(*shift).exp2();
    Some(format!("{value:.1} {name}"))
}

/// MiB/s; None where there is nothing to divide.
pub fn throughput(bytes: u64, elapsed: Duration) -> Option<f64> {
    let mib = bytes as f64 / f64::from(1 << 20);
    (bytes > 0 && !elapsed.is_zero()).then(|| mib / elapsed.as_secs_f64())
}

/// "0.500 s, 3.0 MiB/s".
pub fn time(elapsed: Duration, bytes: u64) -> String {
    let seconds = elapsed.as_secs_f64();
    let speed = (bytes > 0 && !elapsed.is_zero()).then(|| bytes as f64 / seconds);
    let speed = speed.map_or(String::new(), |speed| {
        format!(", {}/s", short(speed as u64))
    });
    format!("{seconds:.3} s{speed}")
}

/// "1.585 ms", "12.3 us": a time that is short.
pub fn moment(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{:.1} us", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.3} ms", seconds * 1e3)
    } else {
        format!("{seconds:.3} s")
    }
}

/// "yes" or "no".
pub fn yes_no(yes: bool) -> &'static str {
    if yes {
        "yes"
    } else {
        "no"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_nobody_reads_is_no_failure() {
        struct Closed(io::ErrorKind);
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (kind, unread) in [
            (io::ErrorKind::BrokenPipe, true),
            (io::ErrorKind::StorageFull, false),
        ] {
            let error = write_output(&mut Closed(kind), b"x").expect_err("closed");
            assert_eq!(failure::is_unread(&error), unread);
        }
    }

    #[test]
    fn a_report_tells_what_ended_it() {
        let report = || serde_json::json!({ "bytes": 7 });
        let failed = with_error(report(), &Err(anyhow::anyhow!("why")));
        assert_eq!(failed["error"]["message"], "why");
        for ended in [Ok(()), Err(Unread.into())] {
            assert_eq!(with_error(report(), &ended), report());
        }
    }

    #[test]
    fn bytes_have_named_units() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(4096), "4096 bytes (4.0 KiB)");
        assert_eq!(bytes(3 << 19), "1572864 bytes (1.5 MiB)");
        assert_eq!(bytes(1 << 45), "35184372088832 bytes (32.0 TiB)");
    }

    #[test]
    fn time_and_speed() {
        let half = Duration::from_millis(500);
        assert_eq!(time(half, 3 << 19), "0.500 s, 3.0 MiB/s");
        assert_eq!(time(half, 0), "0.500 s");
        assert_eq!(throughput(1, Duration::ZERO), None);
    }

    #[test]
    fn moments_have_units_of_their_own() {
        let moments = [0.000_012_34, 0.0015, 2.5].map(moment);
        assert_eq!(moments, ["12.3 us", "1.500 ms", "2.500 s"]);
    }

    #[test]
    fn rows_are_aligned() {
        let mut table = Table::default();
        table.row("IOMMU", "translating");
        table.row("", count(2, "page"));
        assert_eq!(
            table.text(),
            "IOMMU         translating\n              2 pages\n"
        );
    }
}
