// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma read` and `pindma write`: device memory and files, in the manner of
//! dd(1).

mod card;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use indicatif::ProgressBar;
use pindma::{Buffer, Device};
use serde::Serialize;

use crate::args::DdArgs;
use crate::operands::Operands;
use crate::output;
use crate::progress;
use crate::report::{bytes, throughput, time, write_output, Teller};
use card::Card;

/// Reads device memory into a file.
pub fn read(args: &DdArgs) -> Result<()> {
    let plan = Operands::collect(&args.operands, "of")?;
    // Before the device is touched: this is the caller's mistake.
    let mut output = output(plan.file.as_deref())?;
    let device = Device::open(&args.common.device)?;
    let mut card = Card::new(args, &device, plan.offset)?;
    let mut work = Work::new(&plan, plan.len().or(card.left()), args.quiet)?;
    let ended = read_all(&mut work, &mut card, output.as_mut(), &plan);
    // What was moved is told however it ended, as dd(1) does.
    work.finish().tell(args, "read", &plan, ended)
}

fn read_all(
    work: &mut Work,
    device: &mut impl Read,
    output: &mut dyn Write,
    plan: &Operands,
) -> Result<()> {
    while let Some(wanted) = work.wanted() {
        let read = work.timed(|piece| device.read(&mut piece[..wanted]))?;
        if read == 0 {
            break;
        }
        let written = write_output(output, &work.buffer[..read]);
        written.with_context(|| format!("cannot write {}", plan.name("standard output")))?;
        work.advance(read);
    }
    Ok(())
}

/// Writes a file to device memory.
pub fn write(args: &DdArgs) -> Result<()> {
    let plan = Operands::collect(&args.operands, "if")?;
    let device = Device::open(&args.common.device)?;
    let mut card = Card::new(args, &device, plan.offset)?;
    let (mut input, size) = input(plan.file.as_deref())?;
    let mut work = Work::new(&plan, plan.len().or(size), args.quiet)?;
    let ended = write_all(&mut work, input.as_mut(), &mut card, &plan);
    work.finish().tell(args, "written", &plan, ended)
}

fn write_all(
    work: &mut Work,
    mut input: &mut dyn Read,
    device: &mut impl Write,
    plan: &Operands,
) -> Result<()> {
    while let Some(wanted) = work.wanted() {
        let filled = fill(&mut input, &mut work.buffer[..wanted]);
        let filled =
            filled.with_context(|| format!("cannot read {}", plan.name("standard input")))?;
        if filled == 0 {
            break;
        }
        write_block(work, filled, device)?;
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
        return Ok(Box::new(output::standard("of=FILE")?));
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
    fn tell(&self, args: &DdArgs, verb: &str, plan: &Operands, ended: Result<()>) -> Result<()> {
        let teller = Teller {
            json: args.common.json,
            quiet: args.quiet,
            data: verb == "read" && args.is_output(),
        };
        teller.tell(self, || self.text(verb, plan.offset), ended)
    }

    fn text(&self, verb: &str, at: u64) -> String {
        let elapsed = Duration::from_secs_f64(self.seconds);
        format!(
            "{} {verb} at {at:#x}, {}\n",
            bytes(self.bytes),
            time(elapsed, self.bytes)
        )
    }
}

#[cfg(test)]
mod tests;
