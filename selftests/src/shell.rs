// SPDX-License-Identifier: GPL-2.0

//! A shell beside the card, for somebody at a terminal.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::card::Card;
use crate::check::{Fail, Outcome};

/// The first port is the terminal.
const TERMINAL: &str = "/dev/ttyS0";

/// Hands a command to the card, which is a program of its own here.
const SCRIPT: &str = "#!/bin/sh\nexec /init --card \"$@\"\n";

const HINT: &str = "
The card is on the bus, no driver has it. Registers: devmem ADDRESS, with the BARs' addresses in
/sys/bus/pci/devices/*/resource. What the card has to do besides: card help. Your files are here.
";

/// Runs a shell on the terminal until somebody leaves it.
pub(crate) fn run() -> Outcome {
    fs::write("/bin/card", SCRIPT)?;
    fs::set_permissions("/bin/card", Permissions::from_mode(0o755))?;
    busybox(&["--install", "-s", "/bin"])?;
    let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
    let hint = fs::write(TERMINAL, HINT);
    let status = Command::new("/bin/busybox")
        // A session of its own, so that keys interrupt what runs in it and not the shell.
        .args(["setsid", "-c", "sh", "-l"])
        .env_clear()
        .envs([
            ("PATH", "/bin"),
            ("HOME", "/root"),
            ("TERM", "vt100"),
            ("PS1", "card # "),
        ])
        .current_dir("/root")
        .stdin(terminal.try_clone()?)
        .stdout(terminal.try_clone()?)
        .stderr(terminal)
        .status()?;
    hint?;
    match status.code() {
        Some(_) => Ok(()),
        None => Err(Fail::new(format!("the shell: {status}"))),
    }
}

fn busybox(args: &[&str]) -> Outcome {
    let status = Command::new("/bin/busybox").args(args).status()?;
    if status.success() {
        return Ok(());
    }
    Err(Fail::new(format!("busybox {}: {status}", args.join(" "))))
}

/// The other half of `/bin/card`; the exit code.
pub fn card(words: &[&str]) -> i32 {
    match Card::find().and_then(|card| card.command(&words.join(" "))) {
        Ok(answer) => {
            println!("{answer}");
            0
        }
        Err(Fail(why)) => {
            eprintln!("{why}");
            1
        }
    }
}
