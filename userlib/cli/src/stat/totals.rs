// SPDX-License-Identifier: MIT OR GPL-2.0
//! Sums over all files of a device, from debugfs.

use std::fs;

use super::{parse, Values};
use crate::report::{short, Table};

/// The sums of the device at `bus`; None if they cannot be read.
pub fn of(bus: &str) -> Option<Values> {
    let text = fs::read_to_string(format!("/sys/kernel/debug/pindma-{bus}/stats"));
    text.ok().map(|text| parse(&text))
}

/// Columns of a number.
const WIDTH: usize = 12;

/// Adds a row for each sum, with the rate since the last time.
pub fn rows(table: &mut Table, totals: &Values, before: Option<(&Values, f64)>) {
    for (name, value) in totals {
        let is_bytes = name.starts_with("bytes") || name == "copied";
        let show = |number: u64| {
            if is_bytes {
                short(number)
            } else {
                number.to_string()
            }
        };
        let rate = before.map(|(before, seconds)| {
            let earlier = before.get(name).copied().unwrap_or(0);
            let rate = value.saturating_sub(earlier) as f64 / seconds;
            format!("{:>WIDTH$}/s", show(rate.round() as u64))
        });
        let label = name.replace('_', " ");
        let rate = rate.unwrap_or_default();
        table.wide_row(&label, format!("{:>WIDTH$}{rate}", show(*value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_differences() {
        let values = |bytes, jobs| parse(&format!("bytes_to_device {bytes}\njobs {jobs}"));
        let mut table = Table::default();
        rows(&mut table, &values(4096, 10), Some((&values(0, 4), 2.0)));
        assert_eq!(
            table.text(),
            "bytes to device           4.0 KiB     2.0 KiB/s\n\
             jobs                           10           3/s\n"
        );
    }
}
