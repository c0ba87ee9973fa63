// SPDX-License-Identifier: MIT OR GPL-2.0
//! Output for people and for programs.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

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
    pub fn print(&self) -> io::Result<()> {
        io::stdout().lock().write_all(self.0.as_bytes())
    }

    /// What is in it.
    #[cfg(test)]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Writes one JSON object to standard output.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
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
