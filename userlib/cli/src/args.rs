// SPDX-License-Identifier: MIT OR GPL-2.0
//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Zero-copy DMA between an application's own memory and a device.
#[derive(Debug, Parser)]
#[command(
    name = "pindma",
    version,
    after_help = "Exit status: 0 success; 1 the command failed, or a copy differs from its \
                  source; 2 wrong usage."
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what a device and its channels are and can do
    Info(InfoArgs),
    /// Copy a file through a device, from one user buffer to another
    ///
    /// Reads IN into a buffer, has the device copy that buffer to another one,
    /// and writes the other one to OUT.  Prints what was pinned and mapped for
    /// it, how fast it was, and the SHA-256 of both buffers.
    #[command(after_help = COPY_JSON)]
    Copy(CopyArgs),
}

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

Exit status: 0 success; 1 the command failed, or the copy differs; 2 wrong usage.";

/// Which device, and how to print.
#[derive(Debug, ClapArgs)]
pub struct Common {
    /// Device node
    #[arg(long, value_name = "PATH", default_value = "/dev/pindma0")]
    pub device: PathBuf,
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
    /// Print neither a progress bar nor, without --json, a report
    #[arg(long, short)]
    pub quiet: bool,
    /// Which device, and how to print.
    #[command(flatten)]
    pub common: Common,
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
