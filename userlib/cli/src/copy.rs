// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma copy`.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use pindma::{Device, Info, State, Stats};
use serde::Serialize;

use crate::args::{deadline, CopyArgs};
use crate::buffer::Buffer;
use crate::digest::sha256;
use crate::failure;
use crate::host::kernel_release;
use crate::info::setting;
use crate::progress;
use crate::report::{bytes, count, print_json, throughput, time, with_error, yes_no, Table};

/// Bytes of one call: small enough for the progress bar to move.
const PIECE: usize = 64 * 1024;

/// Copies the file through the device and reports; an error if the copy differs.
pub fn run(args: &CopyArgs) -> Result<()> {
    let device = Device::open(&args.common.device)?;
    let info = device.info()?;
    let source = load(&args.input, args.offset)?;
    let mut destination = Buffer::zeroed(source.len(), args.offset);
    let elapsed = copy(&device, args, &source, &mut destination)?;
    let stats = device.stats()?;
    fs::write(&args.output, &*destination)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    let report = Report::new(args, &info, &stats, elapsed, [&source, &destination]);
    report.print(args, &info)
}

fn load(path: &Path, offset: usize) -> Result<Buffer> {
    let read = || -> Result<Buffer> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        ensure!(metadata.is_file(), "not a regular file");
        Ok(Buffer::read(file, metadata.len().try_into()?, offset)?)
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Copies piece by piece; the time is that of the copies alone.
fn copy(device: &Device, args: &CopyArgs, from: &[u8], to: &mut [u8]) -> Result<Duration> {
    let request = device
        .request()
        .channel(args.channel)
        .deadline(deadline(args.timeout));
    let bar = progress::bar(Some(from.len() as u64), args.quiet);
    let mut elapsed = Duration::ZERO;
    for (from, to) in from.chunks(PIECE).zip(to.chunks_mut(PIECE)) {
        let start = Instant::now();
        request.copy_all(from, to)?;
        elapsed += start.elapsed();
        bar.inc(from.len() as u64);
    }
    Ok(elapsed)
}

/// What a copy has been.  The names of the fields are those of the JSON keys.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    engine: String,
    bus: String,
    kernel_release: String,
    iommu: bool,
    bounce_possible: bool,
    offset: usize,
    bytes: usize,
    pages: u64,
    segments: u64,
    segments_unmerged: u64,
    bounced: bool,
    bounced_segments: u64,
    seconds: f64,
    mib_per_second: Option<f64>,
    sha256_source: String,
    sha256_destination: String,
    equal: bool,
}

impl Report {
    fn new(
        args: &CopyArgs,
        info: &Info,
        stats: &Stats,
        elapsed: Duration,
        sides: [&[u8]; 2],
    ) -> Self {
        let [source, destination] = sides;
        let (sha256_source, sha256_destination) = (sha256(source), sha256(destination));
        Self {
            device: args.common.device.display().to_string(),
            engine: info.engine.clone(),
            bus: info.bus.clone(),
            kernel_release: kernel_release(),
            iommu: info.state.contains(State::IOMMU),
            bounce_possible: info.state.contains(State::BOUNCE),
            offset: args.offset,
            bytes: source.len(),
            pages: stats.pages,
            segments: stats.segments,
            segments_unmerged: stats.segments_unmerged,
            bounced: stats.bounced > 0,
            bounced_segments: stats.bounced,
            seconds: elapsed.as_secs_f64(),
            mib_per_second: throughput(source.len() as u64, elapsed),
            equal: sha256_source == sha256_destination,
            sha256_source,
            sha256_destination,
        }
    }

    fn print(&self, args: &CopyArgs, info: &Info) -> Result<()> {
        let same = self.same();
        if args.common.json {
            print_json(&with_error(serde_json::to_value(self)?, &same))?;
            return same.map_err(failure::told);
        }
        if !args.quiet {
            self.table(info).print()?;
        }
        same
    }

    fn same(&self) -> Result<()> {
        ensure!(self.equal, "the copy differs from its source");
        Ok(())
    }

    fn table(&self, info: &Info) -> Table {
        let mut table = Table::default();
        setting(&mut table, &self.device, info);
        table.row("copied", bytes(self.bytes as u64));
        table.row(
            "buffers",
            format!("both {} into a page", count(self.offset as u64, "byte")),
        );
        table.row("pinned", count(self.pages, "page"));
        table.row(
            "segments",
            format!(
                "{} before merging, {} after",
                self.segments_unmerged, self.segments
            ),
        );
        table.row("bounced", self.bounced_row());
        let elapsed = Duration::from_secs_f64(self.seconds);
        table.row("time", time(elapsed, self.bytes as u64));
        table.row("SHA-256", format!("{}  source", self.sha256_source));
        table.row("", format!("{}  destination", self.sha256_destination));
        table.row("equal", yes_no(self.equal));
        table
    }

    fn bounced_row(&self) -> String {
        match self.bounced_segments {
            0 => "no".to_owned(),
            number => format!("yes, {}", count(number, "segment")),
        }
    }
}

#[cfg(test)]
mod tests;
