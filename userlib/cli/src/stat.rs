// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma stat`: what a device and everybody who has it open have done.

mod files;
mod totals;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use pindma::{Device, Info, State};
use serde_json::json;

use crate::args::StatArgs;
use crate::report::{count, print_json, short, Table};
use files::OpenFile;

/// Names and values as the kernel shows them.
type Values = BTreeMap<String, u64>;

/// Prints statistics, once or again and again.
pub fn run(args: &StatArgs) -> Result<()> {
    let device = Device::open(&args.common.device)?;
    let mut before = Sample::take(&device)?;
    before.print(args, None)?;
    let mut left = args.count.unwrap_or(u64::MAX);
    while let Some(interval) = args.interval.filter(|_| left > 1) {
        thread::sleep(Duration::from_secs_f64(interval));
        let now = Sample::take(&device)?;
        now.print(args, Some((&before, interval)))?;
        (before, left) = (now, left - 1);
    }
    Ok(())
}

/// How things stand at one moment.
struct Sample {
    info: Info,
    /// Sums over all files; None if debugfs cannot be read.
    totals: Option<Values>,
    files: Vec<OpenFile>,
}

impl Sample {
    fn take(device: &Device) -> Result<Self> {
        let info = device.info()?;
        Ok(Self {
            totals: totals::of(&info.bus),
            files: files::of(&info.bus),
            info,
        })
    }

    fn print(&self, args: &StatArgs, before: Option<(&Self, f64)>) -> Result<()> {
        if args.common.json {
            print_json(&self.as_json(args))?;
        } else {
            self.table(args, before).print()?;
        }
        Ok(())
    }

    fn table(&self, args: &StatArgs, before: Option<(&Self, f64)>) -> Table {
        let mut table = Table::default();
        if before.is_none() {
            self.describe(args, &mut table);
        }
        let earlier =
            before.and_then(|(sample, interval)| Some((sample.totals.as_ref()?, interval)));
        match &self.totals {
            Some(totals) => totals::rows(&mut table, totals, earlier),
            None => table.row("totals", "only root can read them (/sys/kernel/debug)"),
        }
        files::rows(&mut table, &self.files);
        table
    }

    fn describe(&self, args: &StatArgs, table: &mut Table) {
        let info = &self.info;
        let path = args.common.device.display();
        table.row("device", format!("{path}, {} at {}", info.engine, info.bus));
        table.row("state", state(info.state));
        let most = count(info.pinned_limit, "page");
        table.row("pinned", format!("{} of {most} at most", info.pinned_pages));
        if info.leaked_pages > 0 {
            table.row("leaked", count(info.leaked_pages, "page"));
        }
        let used = short(info.memlock.used);
        let limit = info.memlock.limit.map_or("unlimited".to_owned(), short);
        table.row("memlock", format!("{used} used, limit {limit}"));
    }

    fn as_json(&self, args: &StatArgs) -> serde_json::Value {
        json!({
            "device": args.common.device.display().to_string(),
            "engine": self.info.engine,
            "bus": self.info.bus,
            "failed": self.info.state.contains(State::FAILED),
            "pinned_pages": self.info.pinned_pages,
            "leaked_pages": self.info.leaked_pages,
            "totals": self.totals,
            "files": self.files,
        })
    }
}

fn state(state: State) -> &'static str {
    if state.contains(State::FAILED) {
        "FAILED: the device did not stop when told to; bind it again or power-cycle it"
    } else {
        "ready"
    }
}

/// Lines of a name, blanks or a colon, and a number.
fn parse(text: &str) -> Values {
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        let name = name.trim_end_matches(':');
        Some((name.to_owned(), value.trim().parse().ok()?))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_kinds_are_read() {
        let values = parse("bytes 12\npindma-jobs:\t7\npindma-device:\t0000:00:03.0\n\n");
        assert_eq!(values.len(), 2);
        assert_eq!((values["bytes"], values["pindma-jobs"]), (12, 7));
    }
}
