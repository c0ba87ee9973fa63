// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma stream`: what a device sends, frame after frame, through a pool.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use indicatif::ProgressBar;
use pindma::{Access, ChannelInfo, ChannelKind, Device, ErrorKind, Frames, Lease, Pool, Start};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::args::StreamArgs;
use crate::output;
use crate::progress;
use crate::report::{bytes, count, throughput, time, write_output, Teller};

/// How often a signal or the end of the time is looked for while nothing comes.
const LOOK: Duration = Duration::from_millis(200);

/// Bytes of a buffer if nobody says and the memory has more.
const BUFFER: u64 = 64 << 10;

/// How often the counts on the terminal are put right.
const REFRESH: Duration = Duration::from_millis(100);

/// Streams until there was enough, or a signal comes.
pub fn run(args: &StreamArgs) -> Result<()> {
    let interrupted = signals()?;
    let device = Device::open(&args.common.device)?;
    let sizes = Sizes::of(args, &device.channel_info(args.channel)?);
    let pool = Pool::options()
        .contiguous(args.contiguous)
        .as_many(args.as_many)
        .create(&device, sizes.buffer, args.buffers, Access::WRITE)?;
    let mut sink = sink(args.output.as_deref())?;
    let mut stream = Stream::new(args, &sizes, &pool)?;
    let ended = stream.take_all(sink.as_mut(), &interrupted);
    // What has come is told however it ended.
    let (report, stopped) = stream.finish(&pool);
    let teller = Teller {
        json: args.common.json,
        quiet: args.quiet,
        data: args.is_output(),
    };
    teller.tell(&report, || report.text(), ended.and(stopped))
}

/// Bytes of a buffer and of a frame.
#[derive(Debug, PartialEq, Eq)]
struct Sizes {
    buffer: usize,
    /// 0: those of a buffer.
    frame: u64,
}

impl Sizes {
    /// What was asked for; else what the channel's memory has from where frames
    /// begin, but not too much.
    fn of(args: &StreamArgs, channel: &ChannelInfo) -> Self {
        let frame = args.frame_bytes;
        if let Some(buffer) = args.buffer_bytes {
            return Self { buffer, frame };
        }
        let memory = channel.kind == ChannelKind::Memory && !args.fixed;
        let there_is = channel.memory_bytes.saturating_sub(args.dev_addr);
        let aligned = there_is - there_is % u64::from(channel.length_align.max(1));
        // Nothing at all is for the kernel to refuse.
        let most = if memory && aligned > 0 {
            aligned
        } else {
            BUFFER
        };
        let most = most.min(BUFFER);
        Self {
            buffer: most.max(frame) as usize,
            // A buffer has whole pages, and may be more than there is.
            frame: if frame == 0 { most } else { frame },
        }
    }
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
        Some(path) if path == Path::new("-") => Ok(Box::new(output::standard("--output FILE")?)),
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
    fn new(args: &StreamArgs, sizes: &Sizes, pool: &'p Pool) -> Result<Self> {
        let start = Start::from_device()
            .channel(args.channel)
            .dev_addr(args.dev_addr)
            .fixed(args.fixed)
            .frame_bytes(sizes.frame)
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

    /// Takes frames until there was enough, or a signal comes.
    fn take_all(&mut self, sink: &mut dyn Write, interrupted: &AtomicBool) -> Result<()> {
        while !interrupted.load(Ordering::Relaxed) && self.goes_on() {
            self.take_one(sink)?;
        }
        write_output(sink, b"")
    }

    /// Waits for a frame for a short time, and passes it on.
    fn take_one(&mut self, sink: &mut dyn Write) -> Result<()> {
        match self.frames.next() {
            Some(Ok(frame)) => self.pass_on(&frame, sink),
            Some(Err(error)) if is_pause(error.kind()) => Ok(()),
            Some(Err(error)) => Err(error.into()),
            // Nobody else can have stopped the pool, which is this program's.
            None => bail!("the device has stopped, and sends no more"),
        }
    }

    fn pass_on(&mut self, frame: &Lease, sink: &mut dyn Write) -> Result<()> {
        write_output(sink, frame.data()).context("cannot write a frame")?;
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

    /// The report, and whether the device has stopped as it should.
    fn finish(self, pool: &Pool) -> (Report, Result<()>) {
        let elapsed = self.begin.elapsed();
        self.bar.finish_and_clear();
        let stopped = self.frames.stop();
        let report = Report {
            buffers: pool.count(),
            buffer_bytes: pool.buffer_bytes(),
            frames: self.got,
            bytes: self.bytes,
            seconds: elapsed.as_secs_f64(),
            mib_per_second: throughput(self.bytes, elapsed),
            device_frames: stopped.as_ref().ok().map(|stopped| stopped.frames),
            overruns: stopped
                .as_ref()
                .map_or(self.overruns, |stopped| stopped.overruns),
        };
        (report, stopped.map(drop).map_err(Into::into))
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
    /// was taken among them; not known if it did not say so when it was stopped.
    device_frames: Option<u64>,
    overruns: u64,
}

impl Report {
    fn text(&self) -> String {
        let elapsed = Duration::from_secs_f64(self.seconds);
        let made = self.device_frames;
        let made = made.map_or("nobody knows how many".to_owned(), |made| {
            count(made, "frame")
        });
        format!(
            "{}, {}, {}\n{} of {} each; the device made {made}, {} lost\n",
            count(self.frames, "frame"),
            bytes(self.bytes),
            time(elapsed, self.bytes),
            count(self.buffers.into(), "buffer"),
            bytes(self.buffer_bytes as u64),
            self.overruns,
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pindma::sys::{PINDMA_CHANNEL_MEMORY, PINDMA_CHANNEL_STREAM};

    use super::*;
    use crate::args::{Args, Command};

    #[test]
    fn the_report_says_what_was_lost() {
        let report = Report {
            buffers: 16,
            buffer_bytes: 4096,
            frames: 10,
            bytes: 40960,
            seconds: 2.0,
            mib_per_second: None,
            device_frames: Some(13),
            overruns: 3,
        };
        assert_eq!(
            report.text(),
            "10 frames, 40960 bytes (40.0 KiB), 2.000 s, 20.0 KiB/s\n\
             16 buffers of 4096 bytes (4.0 KiB) each; the device made 13 frames, 3 lost\n"
        );
    }

    fn sizes(options: &[&str], memory: u64, kind: u32) -> (usize, u64) {
        let words = ["pindma", "stream"].iter().chain(options);
        let Command::Stream(args) = Args::parse_from(words).command else {
            unreachable!("it is a stream");
        };
        let raw = pindma::sys::pindma_channel_info {
            out_kind: kind,
            out_mem_bytes: memory,
            out_len_align: 4,
            ..Default::default()
        };
        let Sizes { buffer, frame } = Sizes::of(&args, &ChannelInfo::from(&raw));
        (buffer, frame)
    }

    #[test]
    fn frames_fit_into_the_memory_by_themselves() {
        let memory = |options: &[&str]| sizes(options, 4096, PINDMA_CHANNEL_MEMORY);
        assert_eq!(memory(&[]), (4096, 4096));
        assert_eq!(memory(&["--dev-addr", "0x101"]), (3836, 3836));
        assert_eq!(memory(&["--frame-bytes", "100"]), (4096, 100));
        assert_eq!(memory(&["--buffer-bytes", "1M"]), (1 << 20, 0));
        assert_eq!(memory(&["--fixed"]), (65536, 65536));
        assert_eq!(memory(&["--dev-addr", "4096"]), (65536, 65536));
        assert_eq!(memory(&["--frame-bytes", "1M"]), (1 << 20, 1 << 20));
        assert_eq!(sizes(&[], 1 << 30, PINDMA_CHANNEL_MEMORY), (65536, 65536));
        assert_eq!(sizes(&[], 0, PINDMA_CHANNEL_STREAM), (65536, 65536));
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
