// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma stream`: what a device sends, frame after frame, through a pool.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use pindma::{Access, Device, ErrorKind, Frames, Lease, Pool, Start, Stopped};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::args::StreamArgs;
use crate::progress;
use crate::report::{bytes, count, throughput, time};

/// How often a signal or the end of the time is looked for while nothing comes.
const LOOK: Duration = Duration::from_millis(200);

/// How often the counts on the terminal are put right.
const REFRESH: Duration = Duration::from_millis(100);

/// Streams until there was enough, or a signal comes.
pub fn run(args: &StreamArgs) -> Result<()> {
    let interrupted = signals()?;
    let device = Device::open(&args.common.device)?;
    let pool = Pool::options()
        .contiguous(args.contiguous)
        .as_many(args.as_many)
        .create(&device, args.buffer_bytes, args.buffers, Access::WRITE)?;
    let mut sink = sink(args.output.as_deref())?;
    let mut stream = Stream::new(args, &pool)?;
    while !interrupted.load(Ordering::Relaxed) && stream.goes_on() {
        stream.take_one(sink.as_mut())?;
    }
    sink.flush()?;
    let report = stream.finish(&pool)?;
    report.print(args)
}

/// Set once a signal has come, so that the device is stopped in an orderly way.
fn signals() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // A second one ends the program at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, interrupted.clone())?;
        signal_hook::flag::register(signal, interrupted.clone())?;
    }
    Ok(interrupted)
}

/// Where frames go: a file, standard output for `-`, or nowhere.
fn sink(path: Option<&Path>) -> Result<Box<dyn Write>> {
    match path {
        None => Ok(Box::new(io::sink())),
        Some(path) if path == Path::new("-") => Ok(Box::new(io::stdout().lock())),
        Some(path) => {
            let file = File::create(path);
            let file = file.with_context(|| format!("cannot write {}", path.display()))?;
            Ok(Box::new(file))
        }
    }
}

/// A stream and how far it has got.
struct Stream<'p> {
    frames: Frames<'p>,
    most: Option<u64>,
    until: Option<Instant>,
    begin: Instant,
    got: u64,
    bytes: u64,
    overruns: u64,
    bar: ProgressBar,
    /// When the counts on the terminal were put right.
    shown: Instant,
}

impl<'p> Stream<'p> {
    fn new(args: &StreamArgs, pool: &'p Pool) -> Result<Self> {
        let start = Start::from_device()
            .channel(args.channel)
            .dev_addr(args.dev_addr)
            .fixed(args.fixed)
            .frame_bytes(args.frame_bytes)
            .lossy(!args.lossless);
        let frames = pool.frames(start)?.timeout(LOOK);
        let begin = Instant::now();
        Ok(Self {
            frames,
            most: args.frames,
            until: args
                .seconds
                .map(|seconds| begin + Duration::from_secs_f64(seconds)),
            begin,
            got: 0,
            bytes: 0,
            overruns: 0,
            bar: progress::bar(None, args.quiet),
            shown: begin,
        })
    }

    fn goes_on(&self) -> bool {
        self.most.is_none_or(|most| self.got < most)
            && self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Waits for a frame for a short time, and passes it on.
    fn take_one(&mut self, sink: &mut dyn Write) -> Result<()> {
        match self.frames.next() {
            Some(Ok(frame)) => self.pass_on(&frame, sink),
            Some(Err(error)) if is_pause(error.kind()) => Ok(()),
            Some(Err(error)) => Err(error.into()),
            // Nobody else can have stopped the pool, which is this program's.
            None => Ok(()),
        }
    }

    fn pass_on(&mut self, frame: &Lease<'_>, sink: &mut dyn Write) -> Result<()> {
        sink.write_all(frame.data())
            .context("cannot write a frame")?;
        self.got += 1;
        self.bytes += frame.data().len() as u64;
        self.overruns += frame.overruns;
        self.bar.inc(frame.data().len() as u64);
        if self.shown.elapsed() > REFRESH {
            self.shown = Instant::now();
            let (frames, lost) = (count(self.got, "frame"), self.overruns);
            self.bar.set_message(format!(", {frames}, {lost} lost"));
        }
        Ok(())
    }

    fn finish(self, pool: &Pool) -> Result<Report> {
        let elapsed = self.begin.elapsed();
        self.bar.finish_and_clear();
        let stopped = self.frames.stop()?;
        Ok(Report::new(pool, elapsed, (self.got, self.bytes), &stopped))
    }
}

/// Whether there is just nothing yet.
fn is_pause(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::NothingInTime | ErrorKind::Interrupted)
}

/// What a stream has been.  The names of the fields are those of the JSON keys.
#[derive(Debug, Serialize)]
struct Report {
    buffers: u32,
    buffer_bytes: usize,
    /// Written or thrown away by this program.
    frames: u64,
    bytes: u64,
    seconds: f64,
    mib_per_second: Option<f64>,
    /// All that the device has made, lost ones and those after the last that
    /// was taken among them.
    device_frames: u64,
    overruns: u64,
}

impl Report {
    fn new(pool: &Pool, elapsed: Duration, (frames, bytes): (u64, u64), stopped: &Stopped) -> Self {
        Self {
            buffers: pool.count(),
            buffer_bytes: pool.buffer_bytes(),
            frames,
            bytes,
            seconds: elapsed.as_secs_f64(),
            mib_per_second: throughput(bytes, elapsed),
            device_frames: stopped.frames,
            overruns: stopped.overruns,
        }
    }

    /// To standard error: standard output may be the frames.
    fn print(&self, args: &StreamArgs) -> Result<()> {
        if args.common.json {
            eprintln!("{}", serde_json::to_string_pretty(self)?);
        } else if !args.quiet {
            eprint!("{}", self.text());
        }
        Ok(())
    }

    fn text(&self) -> String {
        let elapsed = Duration::from_secs_f64(self.seconds);
        format!(
            "{}, {}, {}\n{} of {} each; the device made {}, {} lost\n",
            count(self.frames, "frame"),
            bytes(self.bytes),
            time(elapsed, self.bytes),
            count(self.buffers.into(), "buffer"),
            bytes(self.buffer_bytes as u64),
            count(self.device_frames, "frame"),
            self.overruns,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_what_was_lost() {
        let report = Report {
            buffers: 16,
            buffer_bytes: 4096,
            frames: 10,
            bytes: 40960,
            seconds: 2.0,
            mib_per_second: None,
            device_frames: 13,
            overruns: 3,
        };
        assert_eq!(
            report.text(),
            "10 frames, 40960 bytes (40.0 KiB), 2.000 s, 20.0 KiB/s\n\
             16 buffers of 4096 bytes (4.0 KiB) each; the device made 13 frames, 3 lost\n"
        );
    }

    #[test]
    fn frames_can_go_nowhere() {
        sink(None)
            .expect("nowhere")
            .write_all(b"x")
            .expect("nowhere");
        assert!(sink(Some(Path::new("/nowhere/x"))).is_err());
    }
}
