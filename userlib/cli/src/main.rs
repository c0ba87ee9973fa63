// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma`: what a device is and does, and data to and from it.

mod args;
mod buffer;
mod copy;
mod dd;
mod digest;
mod doctor;
mod failure;
mod host;
mod info;
mod list;
mod operands;
mod output;
mod progress;
mod register;
mod report;
mod size;
mod spread;
mod stat;
mod stream;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

fn main() -> ExitCode {
    let command = Args::parse().command;
    let outcome = match &command {
        Command::List(args) => list::run(args),
        Command::Info(args) => info::run(args),
        Command::Stat(args) => stat::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Copy(args) => copy::run(args),
        Command::Read(args) => dd::read(args),
        Command::Write(args) => dd::write(args),
        Command::Stream(args) => stream::run(args),
        Command::Register(args) => register::run(args),
    };
    failure::end(outcome, command.json(), command.data())
}
