// SPDX-License-Identifier: GPL-2.0

//! Where things are: given by the script that starts the runner.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use pindma_selftests::leg::Leg;

use crate::initramfs::{self, Sources};
use crate::machine::{Boot, Mode};
use crate::vm::{Patience, Run};

/// Files and directories of a run.
pub struct Places {
    kernel: PathBuf,
    sources: Sources,
    logs: PathBuf,
    initramfs: PathBuf,
}

impl Places {
    /// Of the stock kernel's directory (`vmlinuz` and modules), our builds, and
    /// the directory for logs.
    pub fn new(modules: PathBuf, bin: PathBuf, logs: PathBuf) -> Places {
        Places {
            kernel: modules.join("vmlinuz"),
            initramfs: logs.join("initramfs.cpio"),
            sources: Sources { bin, modules },
            logs,
        }
    }

    /// Makes the initramfs; returns its path.
    pub fn make_initramfs(&self) -> io::Result<&Path> {
        std::fs::create_dir_all(&self.logs)?;
        initramfs::write(&self.initramfs, &self.sources)?;
        Ok(&self.initramfs)
    }

    /// Directory for the logs of one run.
    pub fn logs_of(&self, name: &str) -> PathBuf {
        self.logs.join(name)
    }

    /// A run with its logs in `logs`.
    pub fn run<'a>(
        &'a self,
        leg: Leg,
        mode: Mode,
        filter: &'a str,
        logs: &'a Path,
        patience: Patience,
    ) -> Run<'a> {
        let boot = Boot {
            kernel: &self.kernel,
            initramfs: &self.initramfs,
            logs,
        };
        Run {
            leg,
            mode,
            filter,
            boot,
            patience,
        }
    }

    /// What `modinfo` says of the module that is in the initramfs.
    pub fn modinfo(&self) -> io::Result<String> {
        let output = Command::new("modinfo")
            .arg(self.sources.bin.join("pindma.ko"))
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
