// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma`: what a device is, and copies of files through it.

mod args;
mod buffer;
mod copy;
mod digest;
mod host;
mod info;
mod report;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// The command did not succeed; 2, a usage error, is clap's.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Info(args) => info::run(&args),
        Command::Copy(args) => copy::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pindma: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
