// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma stat`: what a device and everybody who has it open have done.

mod files;
mod totals;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use pindma::{Device, ErrorKind, Info, State};
use serde_json::{json, Value};

use crate::args::StatArgs;
use crate::host::bus_of;
use crate::report::{count, print_json, print_json_line, short, Table};
use files::OpenFile;

/// Names and values as the kernel shows them.
type Values = BTreeMap<String, u64>;

/// Prints statistics, once or again and again.
pub fn run(args: &StatArgs) -> Result<()> {
    let mut before = Sample::take(&args.common.device)?;
    before.print(args, None)?;
    let mut left = args.count.unwrap_or(u64::MAX);
    while let Some(interval) = args.interval.filter(|_| left > 1) {
        thread::sleep(Duration::from_secs_f64(interval));
        let now = Sample::take(&args.common.device)?;
        now.print(args, Some(&before))?;
        (before, left) = (now, left - 1);
    }
    Ok(())
}

/// What the device says of itself, and where it is on the bus.  It is not held
/// open, as nobody else could open it exclusively then; while somebody has, it
/// cannot be asked.
fn ask(node: &Path) -> Result<(Option<Info>, String)> {
    match Device::open(node).and_then(|device| device.info()) {
        Ok(info) => {
            let bus = info.bus.clone();
            Ok((Some(info), bus))
        }
        Err(error) => match bus_of(Path::new("/"), node) {
            Some(bus) if matches!(error.kind(), ErrorKind::InUse { .. }) => Ok((None, bus)),
            _ => Err(error.into()),
        },
    }
}

/// How things stand at one moment.
struct Sample {
    at: Instant,
    /// The same by the clock on the wall.
    time: SystemTime,
    bus: String,
    /// None if the device is open exclusively.
    info: Option<Info>,
    /// Sums over all files, if debugfs can be read.
    totals: io::Result<Values>,
    files: Vec<OpenFile>,
}

impl Sample {
    fn take(node: &Path) -> Result<Self> {
        let (info, bus) = ask(node)?;
        Ok(Self {
            totals: totals::of(&bus),
            at: Instant::now(),
            time: SystemTime::now(),
            files: files::of(&bus),
            info,
            bus,
        })
    }

    fn print(&self, args: &StatArgs, before: Option<&Self>) -> Result<()> {
        match (args.common.json, args.interval) {
            (true, None) => print_json(&self.as_json(args, before)),
            (true, Some(_)) => print_json_line(&self.as_json(args, before)),
            (false, _) => self.table(args, before).print(),
        }
    }

    /// The sums of an earlier sample, and how many seconds ago that was.
    fn since<'b>(&self, before: Option<&'b Self>) -> Option<(&'b Values, f64)> {
        let before = before?;
        // The sleep was longer, and what is read here takes its time as well.
        let elapsed = self.at.duration_since(before.at);
        Some((before.totals.as_ref().ok()?, elapsed.as_secs_f64()))
    }

    fn table(&self, args: &StatArgs, before: Option<&Self>) -> Table {
        let mut table = Table::default();
        if before.is_none() {
            self.describe(args, &mut table);
        }
        match &self.totals {
            Ok(totals) => totals::rows(&mut table, totals, self.since(before)),
            Err(error) => table.row("totals", totals::unreadable(error)),
        }
        files::rows(&mut table, &self.files);
        table
    }

    fn describe(&self, args: &StatArgs, table: &mut Table) {
        let (path, bus) = (args.common.device.display(), &self.bus);
        let Some(info) = &self.info else {
            table.row("device", format!("{path} at {bus}"));
            table.row("state", "open exclusively, so that it cannot be asked");
            return;
        };
        table.row("device", format!("{path}, {} at {bus}", info.engine));
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

    /// What is not known is null.
    fn as_json(&self, args: &StatArgs, before: Option<&Self>) -> Value {
        let (info, totals) = (self.info.as_ref(), self.totals.as_ref().ok());
        let since = self.since(before);
        let rates = totals
            .zip(since)
            .map(|(now, since)| totals::rates(now, since));
        let time = self.time.duration_since(SystemTime::UNIX_EPOCH);
        json!({
            "time": time.ok().map(|time| time.as_secs_f64()),
            "device": args.common.device.display().to_string(),
            "engine": info.map(|info| &info.engine),
            "bus": self.bus,
            "failed": info.map(|info| info.state.contains(State::FAILED)),
            "pinned_pages": info.map(|info| info.pinned_pages),
            "leaked_pages": info.map(|info| info.leaked_pages),
            "totals": totals,
            "seconds": since.map(|(_, seconds)| seconds),
            "rates": rates,
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
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn sample(at: Instant, jobs: u64) -> Sample {
        Sample {
            at,
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
            bus: "0000:00:03.0".to_owned(),
            info: None,
            totals: Ok(parse(&format!("jobs {jobs}"))),
            files: Vec::new(),
        }
    }

    fn arguments() -> StatArgs {
        match Args::parse_from(["pindma", "stat", "--interval", "1"]).command {
            Command::Stat(args) => args,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn rates_are_of_the_time_that_has_passed() {
        let begin = Instant::now();
        let later = sample(begin + Duration::from_secs(4), 12);
        let table = later.table(&arguments(), Some(&sample(begin, 4)));
        assert!(table.text().contains("2/s\n"), "{}", table.text());
    }

    #[test]
    fn programs_are_told_when_and_how_fast() {
        let begin = Instant::now();
        let (first, later) = (sample(begin, 4), sample(begin + Duration::from_secs(4), 12));
        let json = first.as_json(&arguments(), None);
        assert_eq!((&json["time"], &json["rates"]), (&json!(1.5), &Value::Null));
        let json = later.as_json(&arguments(), Some(&first));
        assert_eq!(
            (&json["seconds"], &json["rates"]["jobs"]),
            (&json!(4.0), &json!(2.0))
        );
    }

    #[test]
    fn a_device_that_is_open_exclusively_is_told() {
        let sample = sample(Instant::now(), 7);
        let table = sample.table(&arguments(), None);
        for words in [
            "/dev/pindma0 at 0000:00:03.0\n",
            "open exclusively",
            "jobs  ",
        ] {
            assert!(table.text().contains(words), "{}", table.text());
        }
        let json = sample.as_json(&arguments(), None);
        assert_eq!(
            (&json["engine"], &json["totals"]["jobs"]),
            (&json!(null), &json!(7))
        );
    }

    #[test]
    fn lines_of_both_kinds_are_read() {
        let values = parse("bytes 12\npindma-jobs:\t7\npindma-device:\t0000:00:03.0\n\n");
        assert_eq!(values.len(), 2);
        assert_eq!((values["bytes"], values["pindma-jobs"]), (12, 7));
    }
}
