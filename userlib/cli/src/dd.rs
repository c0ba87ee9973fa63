// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma read` and `pindma write`: device memory and files, in the manner of
//! dd(1).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{anyhow, Context, Result};
use indicatif::ProgressBar;
use pindma::{Buffer, ChannelKind, Device};
use serde::Serialize;

use crate::args::DdArgs;
use crate::operands::Operands;
use crate::progress;
use crate::report::{bytes, throughput, time};

/// Reads device memory into a file.
pub fn read(args: &DdArgs) -> Result<()> {
    let plan = Operands::collect(&args.operands, "of")?;
    let device = Device::open(&args.common.device)?;
    let mut output = output(plan.file.as_deref())?;
    go_to(&device, plan.offset)?;
    let len = plan.len().or(rest_of_memory(&device, plan.offset)?);
    let mut work = Work::new(&plan, len, args.quiet)?;
    while let Some(wanted) = work.wanted() {
        let read = work.timed(|piece| (&device).read(&mut piece[..wanted]))?;
        if read == 0 {
            break;
        }
        let written = output.write_all(&work.buffer[..read]);
        written.with_context(|| format!("cannot write {}", plan.name("standard output")))?;
        work.advance(read);
    }
    output.flush()?;
    work.finish().print(args, "read", &plan)
}

/// Writes a file to device memory.
pub fn write(args: &DdArgs) -> Result<()> {
    let plan = Operands::collect(&args.operands, "if")?;
    let device = Device::open(&args.common.device)?;
    let (mut input, size) = input(plan.file.as_deref())?;
    go_to(&device, plan.offset)?;
    let mut work = Work::new(&plan, plan.len().or(size), args.quiet)?;
    while let Some(wanted) = work.wanted() {
        let filled = fill(&mut input, &mut work.buffer[..wanted]);
        let filled =
            filled.with_context(|| format!("cannot read {}", plan.name("standard input")))?;
        if filled == 0 {
            break;
        }
        let written = work.timed(|piece| (&device).write_all(&piece[..filled]));
        written.map_err(|error| anyhow!("{error} ({} were written before)", bytes(work.done)))?;
        work.advance(filled);
    }
    work.finish().print(args, "written", &plan)
}

fn output(path: Option<&Path>) -> Result<Box<dyn Write>> {
    let Some(path) = path else {
        return Ok(Box::new(io::stdout().lock()));
    };
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Box::new(file))
}

/// A file and, if it is a regular one, how long it is.
fn input(path: Option<&Path>) -> Result<(Box<dyn Read>, Option<u64>)> {
    let Some(path) = path else {
        return Ok((Box::new(io::stdin().lock()), None));
    };
    let open = || -> io::Result<_> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok((file, metadata.is_file().then_some(metadata.len())))
    };
    let (file, size) = open().with_context(|| format!("cannot read {}", path.display()))?;
    Ok((Box::new(file), size))
}

/// A stream has no places, and the start is where a file is when it is opened.
fn go_to(mut device: &Device, offset: u64) -> Result<()> {
    if offset > 0 {
        device.seek(SeekFrom::Start(offset))?;
    }
    Ok(())
}

/// Bytes from `offset` to the end of the memory; None for a stream.
fn rest_of_memory(device: &Device, offset: u64) -> Result<Option<u64>> {
    let channel = device.channel_info(0)?;
    let memory = channel.kind == ChannelKind::Memory;
    Ok(memory.then(|| channel.memory_bytes.saturating_sub(offset)))
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Blocks on their way.
struct Work {
    buffer: Buffer,
    /// Bytes still to go; None: until the end.
    left: Option<u64>,
    done: u64,
    /// Spent with the device.
    elapsed: Duration,
    bar: ProgressBar,
}

impl Work {
    fn new(plan: &Operands, len: Option<u64>, quiet: bool) -> Result<Self> {
        Ok(Self {
            buffer: Buffer::zeroed(plan.bs)?,
            left: plan.len(),
            done: 0,
            elapsed: Duration::ZERO,
            bar: progress::bar(len, quiet),
        })
    }

    /// Bytes of the next block; None if that was the last.
    fn wanted(&self) -> Option<usize> {
        let block = self.buffer.len();
        match self.left {
            None => Some(block),
            Some(0) => None,
            Some(left) => Some(usize::try_from(left).map_or(block, |left| left.min(block))),
        }
    }

    fn timed<T>(&mut self, call: impl Fn(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
        let start = Instant::now();
        let result = loop {
            match call(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.elapsed += start.elapsed();
        result
    }

    fn advance(&mut self, moved: usize) {
        let moved = moved as u64;
        self.done += moved;
        self.left = self.left.map(|left| left.saturating_sub(moved));
        self.bar.inc(moved);
    }

    fn finish(self) -> Report {
        self.bar.finish_and_clear();
        Report {
            bytes: self.done,
            seconds: self.elapsed.as_secs_f64(),
            mib_per_second: throughput(self.done, self.elapsed),
        }
    }
}

/// What was moved.  The names of the fields are those of the JSON keys.
#[derive(Debug, Serialize)]
struct Report {
    bytes: u64,
    seconds: f64,
    mib_per_second: Option<f64>,
}

impl Report {
    /// To standard error, as dd(1) does: standard output may be the data.
    fn print(&self, args: &DdArgs, verb: &str, plan: &Operands) -> Result<()> {
        if args.common.json {
            eprintln!("{}", serde_json::to_string_pretty(self)?);
        } else if !args.quiet {
            let elapsed = Duration::from_secs_f64(self.seconds);
            let at = plan.offset;
            eprintln!(
                "{} {verb} at {at:#x}, {}",
                bytes(self.bytes),
                time(elapsed, self.bytes)
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(plan: &[&str]) -> Work {
        let operands: Vec<_> = plan
            .iter()
            .map(|text| text.parse().expect("good"))
            .collect();
        let plan = Operands::collect(&operands, "if").expect("good");
        Work::new(&plan, None, true).expect("memory")
    }

    #[test]
    fn blocks_end_with_the_count() {
        let mut work = work(&["bs=100", "count=2"]);
        assert_eq!(work.wanted(), Some(100));
        work.advance(150);
        assert_eq!(work.wanted(), Some(50));
        work.advance(50);
        assert_eq!((work.wanted(), work.done), (None, 200));
    }

    #[test]
    fn without_a_count_there_is_always_more() {
        let mut work = work(&["bs=100"]);
        work.advance(1000);
        assert_eq!(work.wanted(), Some(100));
    }

    #[test]
    fn a_slow_input_fills_blocks() {
        let mut slow = Read::chain(&b"ab"[..], &b"cd"[..]);
        let mut block = [0; 3];
        assert_eq!(fill(&mut slow, &mut block).expect("readable"), 3);
        assert_eq!(fill(&mut slow, &mut block).expect("readable"), 1);
        assert_eq!(fill(&mut slow, &mut block).expect("readable"), 0);
    }

    #[test]
    fn calls_are_made_again_after_a_signal() {
        let mut work = work(&["bs=1"]);
        let calls = std::cell::Cell::new(0);
        let ended = work.timed(|_| {
            calls.set(calls.get() + 1);
            match calls.get() {
                1 => Err(io::ErrorKind::Interrupted.into()),
                number => Ok(number),
            }
        });
        assert_eq!(ended.expect("the second time"), 2);
    }
}
