// SPDX-License-Identifier: MIT OR GPL-2.0
//! Sums over all files of a device, from debugfs.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use super::{parse, Values};
use crate::report::{short, Table};

/// The sums of the device at `bus`.
pub fn of(bus: &str) -> io::Result<Values> {
    let text = fs::read_to_string(format!("/sys/kernel/debug/pindma-{bus}/stats"));
    text.map(|text| parse(&text))
}

/// Why there are none.
pub fn unreadable(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(EACCES) => "only root can read them (/sys/kernel/debug)".to_owned(),
        Some(EPERM) => "the kernel's lockdown forbids to read them (/sys/kernel/debug)".to_owned(),
        Some(ENOENT) => "debugfs is not there; mount -t debugfs none /sys/kernel/debug".to_owned(),
        _ => format!("they cannot be read: {error}"),
    }
}

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EACCES: i32 = 13;

/// Columns of a number.
const WIDTH: usize = 12;

/// What is shown, in this order; what the kernel has besides is told elsewhere.
const SHOWN: [(&str, &str); 17] = [
    ("bytes_to_device", "to device"),
    ("bytes_from_device", "from device"),
    ("copied", "copied by the CPU"),
    ("calls", "calls"),
    ("submitted", "requests submitted"),
    ("ended", "requests ended"),
    ("frames", "frames"),
    ("overruns", "frames lost"),
    ("windows", "windows"),
    ("jobs", "jobs"),
    ("pages", "pages pinned, in all"),
    ("segments", "segments, merged"),
    ("segments_unmerged", "segments, unmerged"),
    ("bounced", "segments bounced"),
    ("regions", "regions now"),
    ("pinned_pages", "pages pinned now"),
    ("lost_interrupts", "interrupts lost"),
];

/// Whether it goes up and down, and so has no rate.
fn stands(name: &str) -> bool {
    matches!(name, "regions" | "pinned_pages")
}

/// What was added to a sum in a second.
fn rate(name: &str, value: u64, (before, seconds): (&Values, f64)) -> Option<f64> {
    let earlier = before.get(name).copied().unwrap_or(0);
    (!stands(name)).then(|| value.saturating_sub(earlier) as f64 / seconds)
}

/// Rates of all sums that are shown and only grow.
pub fn rates(totals: &Values, before: (&Values, f64)) -> BTreeMap<&'static str, f64> {
    let rates = SHOWN.iter().filter_map(|(name, _)| {
        let value = totals.get(*name)?;
        Some((*name, rate(name, *value, before)?))
    });
    rates.collect()
}

/// Adds a row for each sum, with the rate since the last time.
pub fn rows(table: &mut Table, totals: &Values, before: Option<(&Values, f64)>) {
    for (name, label) in SHOWN {
        let Some(value) = totals.get(name).copied() else {
            continue;
        };
        let rate = before.and_then(|before| rate(name, value, before));
        let rate = rate.map_or(String::new(), |rate| {
            format!("{:>WIDTH$}/s", show(name, rate.round() as u64))
        });
        table.wide_row(label, format!("{:>WIDTH$}{rate}", show(name, value)));
    }
}

/// A number, or one of bytes.
fn show(name: &str, number: u64) -> String {
    if name.starts_with("bytes") || name == "copied" {
        short(number)
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_not_told_to_become_root() {
        let text = |errno| unreadable(&io::Error::from_raw_os_error(errno));
        assert!(text(EACCES).contains("only root"));
        for errno in [EPERM, ENOENT, 5] {
            assert!(!text(errno).contains("root"), "{}", text(errno));
        }
    }

    #[test]
    fn rates_are_differences() {
        let values = |bytes, jobs| parse(&format!("bytes_to_device {bytes}\njobs {jobs}"));
        let mut table = Table::default();
        rows(&mut table, &values(4096, 10), Some((&values(0, 4), 2.0)));
        assert_eq!(
            table.text(),
            "to device                 4.0 KiB     2.0 KiB/s\n\
             jobs                           10           3/s\n"
        );
    }
}
