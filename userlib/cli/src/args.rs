// SPDX-License-Identifier: MIT OR GPL-2.0
//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use pindma::Deadline;

use crate::operands::Operand;
use crate::size;

const STATUS: &str = "\
With --json one object goes to standard output, or to standard error where standard
output is the data (read, stream -o -).  A command that fails says why in the key
error of that object: kind, exit_status, message, and from the device errno,
operation and bytes_moved.

Exit status: 0 success; 1 the command failed, a copy differs from its source, or the
doctor has found a problem; 2 wrong usage; 3 there is no such device, or it is gone;
4 no permission for it; 5 the time is over; 6 somebody else has it exclusively.";

/// Zero-copy DMA between an application's own memory and a device.
#[derive(Debug, Parser)]
#[command(
    name = "pindma",
    version,
    after_help = STATUS
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show which devices there are
    ///
    /// State is ready, failed, in-use (open exclusively), denied (not for you) or
    /// unknown; the JSON object says why in the key error of a device.
    List(ListArgs),
    /// Show what a device and its channels are and can do
    Info(InfoArgs),
    /// Show what a device and everybody who has it open have done
    ///
    /// Sums over all files are read from debugfs, and files of other users from
    /// /proc, both of which only root can.
    #[command(after_help = STAT_JSON)]
    Stat(StatArgs),
    /// Say in words what is wrong on this machine, and what to do about it
    Doctor(DoctorArgs),
    /// Read device memory into a file, in the manner of dd
    #[command(after_help = READ_HELP)]
    Read(DdArgs),
    /// Write a file to device memory, in the manner of dd
    #[command(after_help = WRITE_HELP)]
    Write(DdArgs),
    /// Take what a device sends, frame after frame, through a pool of buffers
    ///
    /// Frames that find no buffer are lost and counted.  Ctrl-C ends it.  The
    /// report goes to standard error, also if it ends with an error.
    Stream(StreamArgs),
    /// Register memory, show what became of it, and what transfers cost then
    Register(RegisterArgs),
    /// Copy a file through a device, from one user buffer to another
    ///
    /// Reads IN into a buffer, has the device copy that buffer to another one,
    /// and writes the other one to OUT.  Prints what was pinned and mapped for
    /// it, how fast it was, and the SHA-256 of both buffers.
    #[command(after_help = COPY_JSON)]
    Copy(CopyArgs),
}

const READ_HELP: &str = "\
Operands:
  of=FILE       write to FILE instead of standard output; it is replaced.  A
                terminal is refused, as the data is binary
  bs=BYTES      bytes of a block, which is one transfer (default: 1M)
  count=N       blocks to read (default: until the end of the memory)
  offset=BYTES  where in device memory to begin (default: 0)

BYTES may end in K, M, G or T, powers of 1024, or be hexadecimal with 0x.  The
report goes to standard error, that of --json to standard output unless that is
the data.

  pindma read of=dump.bin offset=0x1000 bs=4K count=1
  pindma read | xxd | less";

const WRITE_HELP: &str = "\
Operands:
  if=FILE       read from FILE instead of standard input
  bs=BYTES      bytes of a block, which is one transfer (default: 1M)
  count=N       blocks to write (default: until the end of the file)
  offset=BYTES  where in device memory to begin (default: 0)

BYTES may end in K, M, G or T, powers of 1024, or be hexadecimal with 0x.  The
report goes to standard error, that of --json to standard output unless that is
the data.

  pindma write if=bitstream.bin offset=64K      # if the card has as much
  printf hello | pindma write offset=0x100";

const COPY_JSON: &str = "\
Keys of the JSON object:
  device, engine, bus     node, name of the engine, address on the bus
  kernel_release          as of uname
  iommu, bounce_possible  whether an IOMMU translates, whether memory may be bounced
  offset                  of both buffers in their first page, in bytes
  bytes                   copied
  pages, segments         pinned and mapped, both sides together
  segments_unmerged       segments before merging
  bounced                 whether anything went through a bounce buffer
  bounced_segments        how many segments did
  seconds                 time of the copies alone
  mib_per_second          bytes / seconds / 1048576; null if nothing was copied
  sha256_source, sha256_destination, equal

  error                   why the command failed, if it did";

const STAT_JSON: &str = "\
Keys of the JSON object, which is one line each with --interval:
  time                    when it was, in seconds since 1970
  device, engine, bus     node, name of the engine, address on the bus
  failed                  whether the device has not stopped when told to
  pinned_pages, leaked_pages
  totals                  sums over all files, by the names of the kernel
  seconds, rates          since the line before, and what was added to the sums in
                          each of them; null in the first
  files                   open ones besides its own

What is not known is null.";

/// Which device, and how to print.
#[derive(Debug, ClapArgs)]
pub struct Common {
    /// Device node
    #[arg(
        long,
        value_name = "PATH",
        env = "PINDMA_DEVICE",
        default_value = "/dev/pindma0"
    )]
    pub device: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `pindma list`.
#[derive(Debug, ClapArgs)]
pub struct ListArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `pindma info`.
#[derive(Debug, ClapArgs)]
pub struct InfoArgs {
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `pindma copy`.
#[derive(Debug, ClapArgs)]
pub struct CopyArgs {
    /// File to read
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// File to write; it is replaced
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Where in a page both buffers start, in bytes; anything but 0 misaligns
    /// them on purpose
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = in_page)]
    pub offset: usize,
    /// Channel whose memory the copy goes through
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub channel: u32,
    /// Give up after so many seconds
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Print neither a progress bar nor, without --json, a report
    #[arg(long, short)]
    pub quiet: bool,
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `pindma stat`.
#[derive(Debug, ClapArgs)]
pub struct StatArgs {
    /// Go on, every so many seconds, with rates
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds)]
    pub interval: Option<f64>,
    /// With --interval: how many times in all
    #[arg(long, short, value_name = "N", requires = "interval")]
    pub count: Option<u64>,
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `pindma doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `pindma read` and `pindma write`.
#[derive(Debug, ClapArgs)]
pub struct DdArgs {
    /// NAME=VALUE, see below
    #[arg(value_name = "OPERAND")]
    pub operands: Vec<Operand>,
    /// Channel of the device
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub channel: u32,
    /// Give up after so many seconds
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Print neither a progress bar nor, without --json, a report
    #[arg(long, short)]
    pub quiet: bool,
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `pindma stream`.
#[derive(Debug, ClapArgs)]
pub struct StreamArgs {
    /// File for the frames, one after the other; - is standard output, unless
    /// that is a terminal
    /// (default: they are counted and thrown away)
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Channel that they come from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub channel: u32,
    /// Where in the channel's memory each frame begins
    #[arg(long, value_name = "BYTES", default_value = "0", value_parser = size::parse)]
    pub dev_addr: u64,
    /// Keep the device address from advancing, as for a FIFO
    #[arg(long)]
    pub fixed: bool,
    /// Buffers in the pool
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub buffers: u32,
    /// Bytes of a buffer (default: 64K, or what the channel's memory has from
    /// where frames begin, if that is less)
    #[arg(long, value_name = "BYTES", value_parser = size::parse_length)]
    pub buffer_bytes: Option<usize>,
    /// Bytes of a frame (default: those of a buffer)
    #[arg(long, value_name = "BYTES", default_value = "0", hide_default_value = true, value_parser = size::parse)]
    pub frame_bytes: u64,
    /// Each buffer contiguous in physical memory
    #[arg(long)]
    pub contiguous: bool,
    /// Take fewer buffers if there is no memory for all
    #[arg(long)]
    pub as_many: bool,
    /// Have the device wait for buffers rather than lose frames
    #[arg(long)]
    pub lossless: bool,
    /// End after so many frames
    #[arg(long, short = 'n', value_name = "N")]
    pub frames: Option<u64>,
    /// End after so many seconds
    #[arg(long, short = 's', value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Print neither a live rate nor, without --json, a report
    #[arg(long, short)]
    pub quiet: bool,
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `pindma register`.
#[derive(Debug, ClapArgs)]
pub struct RegisterArgs {
    /// Bytes to register
    #[arg(value_name = "BYTES", default_value = "1M", value_parser = size::parse_length)]
    pub size: usize,
    /// What the device may do with them
    #[arg(long, value_enum, default_value_t = AccessArg::Both)]
    pub access: AccessArg,
    /// Ask for huge pages
    #[arg(long)]
    pub huge: bool,
    /// Bounce what is out of the device's reach, rather than refuse it
    #[arg(long)]
    pub may_bounce: bool,
    /// Transfers to time, each kind by itself: by handle, by address, and copied by the CPU; they
    /// overwrite device memory if the device may only read
    #[arg(long, short = 'n', value_name = "N", default_value_t = 0)]
    pub transfers: u32,
    /// Bytes of each of them
    #[arg(long, short, value_name = "BYTES", default_value = "4K", value_parser = size::parse_length)]
    pub bytes: usize,
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// What a device may do with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessArg {
    /// Read it
    Read,
    /// Write it
    Write,
    /// Read and write it
    Both,
}

impl Command {
    /// Whether a program reads what it prints.
    pub fn json(&self) -> bool {
        match self {
            Self::List(args) => args.json,
            Self::Info(args) => args.common.json,
            Self::Stat(args) => args.common.json,
            Self::Doctor(args) => args.common.json,
            Self::Read(args) | Self::Write(args) => args.common.json,
            Self::Stream(args) => args.common.json,
            Self::Register(args) => args.common.json,
            Self::Copy(args) => args.common.json,
        }
    }

    /// Whether standard output is data.
    pub fn data(&self) -> bool {
        match self {
            Self::Read(args) => args.is_output(),
            Self::Stream(args) => args.is_output(),
            _ => false,
        }
    }
}

impl DdArgs {
    /// Whether no file was named for what is read.
    pub fn is_output(&self) -> bool {
        let mut operands = self.operands.iter();
        !operands.any(|operand| matches!(operand, Operand::File(..)))
    }
}

impl StreamArgs {
    /// Whether frames go to standard output.
    pub fn is_output(&self) -> bool {
        self.output.as_deref() == Some(Path::new("-"))
    }
}

/// When a command that may take so many seconds gives up.
pub fn deadline(timeout: Option<f64>) -> Deadline {
    timeout.map_or(Deadline::NONE, |seconds| {
        Deadline::after(Duration::from_secs_f64(seconds))
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if seconds > 0.0 && seconds <= 1e9 {
        Ok(seconds)
    } else {
        Err("must be more than 0".to_owned())
    }
}

fn in_page(text: &str) -> Result<usize, String> {
    let page = rustix::param::page_size();
    let offset: usize = text.parse().map_err(|error| format!("{error}"))?;
    if offset < page {
        Ok(offset)
    } else {
        Err(format!(
            "must be smaller than a page, which has {page} bytes"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn offset_stays_in_a_page() {
        assert_eq!(in_page("4095"), Ok(4095));
        assert!(in_page(&rustix::param::page_size().to_string()).is_err());
        assert!(in_page("-1").is_err());
    }
}
