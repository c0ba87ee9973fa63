// SPDX-License-Identifier: GPL-2.0

//! `rig card`: a machine with the model of the card, for somebody at a terminal.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use pindma_selftests::leg::Leg;

use crate::console;
use crate::initramfs::Extra;
use crate::machine::{self, arguments};
use crate::mode::Mode;
use crate::model::{self, Model};
use crate::places::Places;
use crate::vm::Patience;

/// Where files for the guest go.
const HOME: &str = "root";

/// Starts the model with `arguments`, or the usual ones, and a guest whose first port is this
/// terminal; `files` are in its `/root`. True when the card found nothing wrong.
pub fn shell(places: &Places, files: Option<&Path>, model: &[String]) -> io::Result<bool> {
    const LEG: Leg = Leg::Xdma;
    let extra = files.map(contents).transpose()?.unwrap_or_default();
    places.make_initramfs_with(&extra)?;
    let logs = places.logs_of("card");
    fs::create_dir_all(&logs)?;
    let boot = places
        .run(LEG, Mode::Shell, "", &logs, Patience::NORMAL)
        .boot;
    let usual = machine::model(LEG, Mode::Shell)
        .unwrap_or_default()
        .split(' ');
    let usual: Vec<String> = usual.map(str::to_owned).collect();
    let model = if model.is_empty() { &usual } else { model };
    let card = Model::start(model, &boot)?;
    println!("the card is built with {}", model.join(" "));
    println!("commands for it: {}", logs.join(model::CONTROL).display());
    println!("control-a x ends the machine, exit switches it off; booting ...");
    let ended = Command::new("qemu-system-x86_64")
        .args(arguments(LEG, Mode::Shell, "", &boot))
        .current_dir(&logs)
        .status()?;
    card.end()?;
    let log = fs::read_to_string(logs.join(model::LOG))?;
    let wrong = console::model_errors(&log);
    println!(
        "what the card has seen, also in {}:",
        logs.join(model::LOG).display()
    );
    log.lines().for_each(|line| println!("{line}"));
    Ok(ended.success() && wrong.is_empty())
}

/// The files of a folder, as they are to be in the guest.
fn contents(folder: &Path) -> io::Result<Vec<Extra>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            files.push(Extra {
                path: format!("{HOME}/{}", name.to_string_lossy()),
                permissions: fs::metadata(&path)?.mode() & 0o777,
                content: fs::read(&path)?,
            });
        }
    }
    Ok(files)
}
