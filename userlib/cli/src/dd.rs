// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma read` and `pindma write`: device memory and files, in the manner of
//! dd(1).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use indicatif::ProgressBar;
use pindma::{Buffer, ChannelInfo, ChannelKind, Device};
use serde::Serialize;

use crate::args::DdArgs;
use crate::operands::Operands;
use crate::progress;
use crate::report::{bytes, throughput, time};

/// Reads device memory into a file.
pub fn read(args: &DdArgs) -> Result<()> {
    let plan = Operands::collect(&args.operands, "of")?;
    let device = Device::open(&args.common.device)?;
    let memory = go_to(&device, plan.offset)?;
    let mut output = output(plan.file.as_deref())?;
    let len = plan.len().or(memory.map(|bytes| bytes - plan.offset));
    let mut work = Work::new(&plan, len, args.quiet)?;
    let ended = read_all(&mut work, &device, output.as_mut(), &plan);
    // What was moved is told however it ended, as dd(1) does.
    work.finish().print(args, "read", &plan)?;
    ended
}

fn read_all(
    work: &mut Work,
    mut device: impl Read,
    output: &mut dyn Write,
    plan: &Operands,
) -> Result<()> {
    while let Some(wanted) = work.wanted() {
        let read = work.timed(|piece| device.read(&mut piece[..wanted]))?;
        if read == 0 {
            break;
        }
        let written = output.write_all(&work.buffer[..read]);
        written.with_context(|| format!("cannot write {}", plan.name("standard output")))?;
        work.advance(read);
    }
    Ok(output.flush()?)
}

/// Writes a file to device memory.
pub fn write(args: &DdArgs) -> Result<()> {
    let plan = Operands::collect(&args.operands, "if")?;
    let device = Device::open(&args.common.device)?;
    go_to(&device, plan.offset)?;
    let (mut input, size) = input(plan.file.as_deref())?;
    let mut work = Work::new(&plan, plan.len().or(size), args.quiet)?;
    let ended = write_all(&mut work, input.as_mut(), &device, &plan);
    work.finish().print(args, "written", &plan)?;
    ended
}

fn write_all(
    work: &mut Work,
    mut input: &mut dyn Read,
    mut device: impl Write,
    plan: &Operands,
) -> Result<()> {
    while let Some(wanted) = work.wanted() {
        let filled = fill(&mut input, &mut work.buffer[..wanted]);
        let filled =
            filled.with_context(|| format!("cannot read {}", plan.name("standard input")))?;
        if filled == 0 {
            break;
        }
        write_block(work, filled, &mut device)?;
    }
    Ok(())
}

/// Writes the first bytes of the block, and takes note of each part of them.
fn write_block(work: &mut Work, filled: usize, device: &mut impl Write) -> Result<()> {
    let mut at = 0;
    while at < filled {
        let written = work.timed(|piece| device.write(&piece[at..filled]))?;
        ensure!(written > 0, "the device takes no more");
        work.advance(written);
        at += written;
    }
    Ok(())
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

/// Goes to a place in the device's memory; how much it has of that, None for a
/// stream.
fn go_to(mut device: &Device, offset: u64) -> Result<Option<u64>> {
    let channel = device.channel_info(0)?;
    check_offset(offset, &channel)?;
    // A stream has no places, and the start is where a file is when it is opened.
    if offset > 0 {
        device.seek(SeekFrom::Start(offset))?;
    }
    let memory = channel.kind == ChannelKind::Memory;
    Ok(memory.then_some(channel.memory_bytes))
}

fn check_offset(offset: u64, channel: &ChannelInfo) -> Result<()> {
    let memory = channel.memory_bytes;
    ensure!(
        channel.kind != ChannelKind::Memory || offset <= memory,
        "offset={offset:#x} is beyond the end of the device's memory, which has {}",
        bytes(memory)
    );
    Ok(())
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

    fn timed<T>(&mut self, mut call: impl FnMut(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
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
mod tests;
