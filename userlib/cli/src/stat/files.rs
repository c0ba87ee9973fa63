// SPDX-License-Identifier: MIT OR GPL-2.0
//! Open files of a device, from /proc.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::{parse, Values};
use crate::report::{count, short, Table};

/// A file that some process has open.
#[derive(Debug, Serialize)]
pub struct OpenFile {
    /// The process.
    pub pid: u32,
    /// Its name.
    pub command: String,
    /// The number of the file there.
    pub fd: u32,
    /// What has been done through it, without the prefix `pindma-`.
    pub values: Values,
}

/// Open files of the device at `bus` besides this program's own, as far as they
/// can be seen.
pub fn of(bus: &str) -> Vec<OpenFile> {
    let mut files = Vec::new();
    let own = std::process::id();
    let others = numbers(Path::new("/proc"))
        .into_iter()
        .filter(|pid| *pid != own);
    for pid in others {
        let process = Path::new("/proc").join(pid.to_string());
        for fd in numbers(&process.join("fdinfo")) {
            let info = fs::read_to_string(process.join(format!("fdinfo/{fd}")));
            let values = info.ok().and_then(|info| of_device(&info, bus));
            files.extend(values.map(|values| OpenFile {
                pid,
                command: name(&process),
                fd,
                values,
            }));
        }
    }
    files
}

/// The names that are numbers in a directory, in their order.
fn numbers(directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut numbers: Vec<u32> = names.collect();
    numbers.sort_unstable();
    numbers
}

fn name(process: &Path) -> String {
    let comm = fs::read_to_string(process.join("comm")).unwrap_or_default();
    comm.trim_end().to_owned()
}

/// The statistics in an fdinfo, if it is that of an open device, and not of one
/// of its queues or pools.
fn of_device(info: &str, bus: &str) -> Option<Values> {
    let device = info
        .lines()
        .find_map(|line| line.strip_prefix("pindma-device:"))?;
    let values = parse(info).into_iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("pindma-")?;
        Some((name.to_owned(), value))
    });
    let values: Values = values.collect();
    (device.trim() == bus && values.contains_key("calls")).then_some(values)
}

/// Adds a row for each file.
pub fn rows(table: &mut Table, files: &[OpenFile]) {
    let number = count(files.len() as u64, "open file");
    table.title(format!("{number} besides this one"));
    if files.is_empty() {
        return;
    }
    table.title(format!(
        "{:>9} {:16} {:>8} {:>8} {:>8} {:>11} {:>11}",
        "pid", "command", "calls", "regions", "pinned", "to device", "from device"
    ));
    for file in files {
        table.title(row(file));
    }
}

fn row(file: &OpenFile) -> String {
    let value = |name: &str| file.values.get(name).copied().unwrap_or(0);
    format!(
        "{:>9} {:16} {:>8} {:>8} {:>8} {:>11} {:>11}",
        file.pid,
        file.command,
        value("calls"),
        value("regions"),
        value("pinned_pages"),
        short(value("bytes_to_device")),
        short(value("bytes_from_device")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "pos:\t0\nflags:\t0100002\npindma-device:\t0000:00:03.0\n\
                        pindma-calls:\t3\npindma-bytes_to_device:\t2048\n";

    #[test]
    fn only_files_of_the_device_count() {
        let values = of_device(INFO, "0000:00:03.0").expect("its file");
        assert_eq!((values["calls"], values.contains_key("pos")), (3, false));
        assert!(of_device(INFO, "0000:00:04.0").is_none());
        assert!(of_device("pos:\t0\n", "0000:00:03.0").is_none());
        assert!(of_device("pindma-device:\t0000:00:03.0\n", "0000:00:03.0").is_none());
    }

    #[test]
    fn columns_fit_their_heads() {
        let file = OpenFile {
            pid: 77,
            command: "dd".to_owned(),
            fd: 3,
            values: of_device(INFO, "0000:00:03.0").expect("its file"),
        };
        let mut table = Table::default();
        rows(&mut table, &[file]);
        let widths: Vec<usize> = table.text().lines().map(str::len).collect();
        assert!(table.text().starts_with("1 open file besides this one\n"));
        assert_eq!(widths[1], widths[2]);
    }
}
