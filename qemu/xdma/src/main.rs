// SPDX-License-Identifier: MIT OR GPL-2.0

//! `xdma`: the card as a program, for QEMU's `vfio-user-pci`.

#![forbid(unsafe_code)]

mod options;
mod server;

use std::process::ExitCode;

use clap::Parser;
use log::{Level, LevelFilter, Log, Metadata, Record};

use options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    if log::set_logger(&Complaints).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
    let ended = options
        .build()
        .and_then(|build| server::serve(&build, &options.socket, options.control.as_deref()));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xdma: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the protocol's library complains of.
struct Complaints;

impl Log for Complaints {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("XDMA: vfio-user: {}", record.args());
        }
    }

    fn flush(&self) {}
}
