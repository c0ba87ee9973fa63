// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma copy`.

use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use pindma::{Device, Info, State, Stats};
use serde::Serialize;

use crate::args::CopyArgs;
use crate::buffer::Buffer;
use crate::digest::sha256;
use crate::host::kernel_release;
use crate::info::setting;
use crate::report::{bytes, count, print_json, yes_no, Table};

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
    report.print(args, &info)?;
    ensure!(report.equal, "the copy differs from its source");
    Ok(())
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
    let request = device.request().channel(args.channel);
    let bar = progress(from.len() as u64, args.quiet);
    let mut elapsed = Duration::ZERO;
    for (from, to) in from.chunks(PIECE).zip(to.chunks_mut(PIECE)) {
        let start = Instant::now();
        let done = request.copy(from, to)?;
        elapsed += start.elapsed();
        bar.inc(done.bytes);
    }
    Ok(elapsed)
}

fn progress(len: u64, quiet: bool) -> ProgressBar {
    let visible = io::stderr().is_terminal() && !quiet;
    let target = if visible {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let template = "{bar:40} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(len), target)
        .with_style(style)
        .with_finish(ProgressFinish::AndClear)
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
            mib_per_second: throughput(source.len(), elapsed),
            equal: sha256_source == sha256_destination,
            sha256_source,
            sha256_destination,
        }
    }

    fn print(&self, args: &CopyArgs, info: &Info) -> io::Result<()> {
        if args.common.json {
            return print_json(self);
        }
        if args.quiet {
            return Ok(());
        }
        self.table(info).print()
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
        table.row("time", self.time_row());
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

    fn time_row(&self) -> String {
        let speed = self.mib_per_second;
        let speed = speed.map_or(String::new(), |speed| format!(", {speed:.2} MiB/s"));
        format!("{:.3} s{speed}", self.seconds)
    }
}

/// MiB/s; None where there is nothing to divide.
fn throughput(bytes: usize, elapsed: Duration) -> Option<f64> {
    let mib = bytes as f64 / f64::from(1 << 20);
    (bytes > 0 && !elapsed.is_zero()).then(|| mib / elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests;
