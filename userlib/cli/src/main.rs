// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma`: what a device is and does, and data to and from it.

mod again;
mod args;
mod buffer;
mod copy;
mod dd;
mod digest;
mod doctor;
mod host;
mod info;
mod operands;
mod progress;
mod register;
mod report;
mod size;
mod stat;
mod stream;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// The command did not succeed; 2, a usage error, is clap's.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Info(args) => info::run(&args),
        Command::Stat(args) => stat::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Copy(args) => copy::run(&args),
        Command::Read(args) => dd::read(&args),
        Command::Write(args) => dd::write(&args),
        Command::Stream(args) => stream::run(&args),
        Command::Register(args) => register::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pindma: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
