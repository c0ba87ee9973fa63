// SPDX-License-Identifier: GPL-2.0

//! The model of the card as a program of its own, which lives as long as its machine.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pindma_selftests::leg::Leg;

use crate::machine::{self, Boot, SOCKET};
use crate::mode::Mode;

/// Its log.
pub const LOG: &str = "xdma.log";
/// Where it takes commands, in the machine's folder.
pub const CONTROL: &str = "xdma.control";

/// What it says when QEMU can connect.
const READY: &str = "XDMA: ready";

/// How long it may take to be ready, and to end: for hangs only.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// The running program. Dropping it ends it.
pub struct Model(Child);

impl Model {
    /// Starts it, if the machine of this leg has one, and waits until it is ready.
    pub fn of_leg(leg: Leg, mode: Mode, boot: &Boot<'_>) -> io::Result<Option<Model>> {
        forget(boot.logs)?;
        let arguments = machine::model(leg, mode);
        arguments
            .map(|words| Model::start(words.split(' '), boot))
            .transpose()
    }

    /// Starts it with these arguments and waits until it is ready.
    pub fn start<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
        boot: &Boot<'_>,
    ) -> io::Result<Model> {
        forget(boot.logs)?;
        let log = File::create(boot.logs.join(LOG))?;
        let child = Command::new(boot.model)
            .args(["--socket", SOCKET, "--control", CONTROL])
            .args(arguments)
            .current_dir(boot.logs)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut model = Model(child);
        model.wait_until_ready(&boot.logs.join(LOG))?;
        Ok(model)
    }

    /// Waits for its end, which comes with that of QEMU, and takes it if it does not.
    pub fn end(mut self) -> io::Result<()> {
        let begin = Instant::now();
        while self.0.try_wait()?.is_none() && begin.elapsed() < PATIENCE {
            sleep(POLL);
        }
        Ok(())
    }

    fn wait_until_ready(&mut self, log: &Path) -> io::Result<()> {
        let begin = Instant::now();
        loop {
            let ended = self.0.try_wait()?;
            let said = fs::read_to_string(log)?;
            if said.lines().any(|line| line == READY) {
                return Ok(());
            }
            if ended.is_some() || begin.elapsed() > PATIENCE {
                return Err(io::Error::other(format!(
                    "the model of the card is not ready: {}",
                    said.trim()
                )));
            }
            sleep(POLL);
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes away what an earlier run left: a socket of that name cannot be made again, and
/// an old log must not be taken for a new one.
fn forget(folder: &Path) -> io::Result<()> {
    for name in [SOCKET, CONTROL, LOG] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
