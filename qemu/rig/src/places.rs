// SPDX-License-Identifier: GPL-2.0

//! Where things are: given by the script that starts the runner.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use pindma_selftests::kernel::Kernel;
use pindma_selftests::leg::Leg;

use crate::initramfs::{self, Extra, Sources};
use crate::machine::Boot;
use crate::mode::Mode;
use crate::vm::{Patience, Run};

/// A kernel and what was built for it.
pub struct Target {
    /// Which kernel it is.
    pub kernel: Kernel,
    /// Its image.
    pub image: PathBuf,
    /// Its modules, with `modules.dep`, if it has any.
    pub modules: Option<PathBuf>,
    /// `pindma.ko` for it.
    pub module: PathBuf,
    /// The same with its source lines, if there is one.
    pub lines: Option<PathBuf>,
    /// The program fio, if it has any.
    pub fio: Option<PathBuf>,
}

/// Files and directories of a run.
pub struct Places {
    kernel: Kernel,
    image: PathBuf,
    sources: Sources,
    model: PathBuf,
    lines: Option<PathBuf>,
    logs: PathBuf,
    initramfs: PathBuf,
}

impl Places {
    /// Of a kernel with its module, our programs, and the directory for logs.
    pub fn new(target: Target, bin: PathBuf, logs: PathBuf) -> Places {
        Places {
            kernel: target.kernel,
            image: target.image,
            initramfs: logs.join("initramfs.cpio"),
            model: bin.join("xdma"),
            sources: Sources {
                bin,
                module: target.module,
                modules: target.modules,
                fio: target.fio,
            },
            lines: target.lines,
            logs,
        }
    }

    /// Our module with its source lines.
    pub fn lines(&self) -> Option<&Path> {
        self.lines.as_deref()
    }

    /// Which kernel runs.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Makes the initramfs; returns its path.
    pub fn make_initramfs(&self) -> io::Result<&Path> {
        self.make_initramfs_with(&[])
    }

    /// The same, with more files.
    pub fn make_initramfs_with(&self, extra: &[Extra]) -> io::Result<&Path> {
        std::fs::create_dir_all(&self.logs)?;
        initramfs::write(&self.initramfs, &self.sources, extra)?;
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
            kernel: self.kernel,
            image: &self.image,
            initramfs: &self.initramfs,
            model: &self.model,
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
        let output = Command::new("modinfo").arg(&self.sources.module).output()?;
        if !output.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
