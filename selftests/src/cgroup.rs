// SPDX-License-Identifier: GPL-2.0

//! Memory cgroups.

use std::fs;
use std::io;

use crate::check::{Fail, Outcome};
use crate::counters::after;
use crate::flight;
use crate::module::pause;
use crate::os;
use crate::process::Process;

const MOUNT: &str = "/tmp/cgroup";

/// A memory cgroup.
pub(crate) struct Cgroup(String);

impl Cgroup {
    pub(crate) fn new(name: &str) -> Outcome<Cgroup> {
        if !fs::exists(MOUNT)? {
            fs::create_dir(MOUNT)?;
            os::mount("cgroup2", MOUNT)?;
            fs::write(format!("{MOUNT}/cgroup.subtree_control"), "+memory")?;
        }
        let path = format!("{MOUNT}/{name}");
        fs::create_dir(&path)?;
        Ok(Cgroup(path))
    }

    /// Puts the caller into it.
    pub(crate) fn enter(&self) -> io::Result<()> {
        fs::write(format!("{}/cgroup.procs", self.0), "0")
    }

    /// Puts a process into it.
    pub(crate) fn take(&self, process: &Process) -> io::Result<()> {
        self.set("cgroup.procs", &process.pid().to_string())
    }

    /// Stops all of its processes where they are.
    pub(crate) fn freeze(&self) -> Outcome {
        self.set("cgroup.freeze", "1")?;
        flight::wait_until("the cgroup does not freeze", || {
            Ok(self.get("cgroup.events")?.contains("frozen 1"))
        })
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) -> io::Result<()> {
        self.set("cgroup.freeze", "0")
    }

    /// Bytes of kernel memory on its account, up to about two seconds old.
    pub(crate) fn kernel_memory(&self) -> Outcome<i64> {
        let stat = fs::read_to_string(format!("{}/memory.stat", self.0))?;
        after(&stat, "\nkernel ")
    }

    /// Waits until its kernel memory is as wanted.
    #[track_caller]
    pub(crate) fn wait(&self, wanted: impl Fn(i64) -> bool) -> Outcome {
        let mut bytes = 0;
        for _ in 0..100 {
            bytes = self.kernel_memory()?;
            if wanted(bytes) {
                return Ok(());
            }
            pause(100);
        }
        Err(Fail::new(format!("{bytes} bytes of kernel memory")))
    }

    /// What one of its files says.
    pub(crate) fn get(&self, name: &str) -> io::Result<String> {
        fs::read_to_string(format!("{}/{name}", self.0))
    }

    /// Writes to one of its files.
    pub(crate) fn set(&self, name: &str, value: &str) -> io::Result<()> {
        fs::write(format!("{}/{name}", self.0), value)
    }
}
