// SPDX-License-Identifier: GPL-2.0

//! Child processes.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};

use crate::os;
use crate::sys;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
}

impl Exit {
    fn of(status: WaitStatus) -> Exit {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, signal) => Exit::Signal(signal.unwrap_or(0)),
        }
    }

    /// Killed with SIGKILL.
    pub(crate) const KILLED: Exit = Exit::Signal(libc::SIGKILL);
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit code {code}"),
            Exit::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A child process.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
}

impl Process {
    /// Forks; the child runs `body` and exits with what it returns.
    pub(crate) fn fork(body: impl FnOnce() -> i32) -> io::Result<Process> {
        let pid = sys::fork(body)?;
        Ok(Process { pid })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// A field of `/proc/PID/NAME`, of those between blanks.
    fn field(&self, name: &str, number: usize) -> io::Result<String> {
        let fields = fs::read_to_string(format!("/proc/{}/{name}", self.pid()))?;
        Ok(fields.split(' ').nth(number).unwrap_or_default().to_owned())
    }

    /// Whether it sleeps in a system call.
    pub(crate) fn sleeps_in(&self, call: i64) -> io::Result<bool> {
        Ok(self.field("syscall", 0)? == call.to_string())
    }

    /// Whether it was stopped by a signal.
    pub(crate) fn is_stopped(&self) -> io::Result<bool> {
        Ok(self.field("stat", 2)? == "T")
    }

    /// Has a debugger attach to it and let it go again.
    pub(crate) fn debug(&self) -> io::Result<()> {
        sys::attach_and_detach(self.pid)
    }

    /// Waits for its end.
    pub(crate) fn wait(self) -> io::Result<Exit> {
        let waited = rustix::io::retry_on_intr(|| {
            rustix::process::waitpid(Some(self.pid), WaitOptions::empty())
        });
        let status = waited?.ok_or_else(|| io::Error::other("no such child"))?;
        Ok(Exit::of(status.1))
    }

    /// Waits until it has ended, without reaping it; false after `time`.
    pub(crate) fn ended_within(&self, time: Duration) -> io::Result<bool> {
        let fd = rustix::process::pidfd_open(self.pid, PidfdFlags::empty())?;
        os::readable_within(fd.as_fd(), time)
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(rustix::process::kill_process(self.pid, signal)?)
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Kills what is left of the process group that it leads.
    pub(crate) fn kill_group(&self) -> io::Result<()> {
        Ok(rustix::process::kill_process_group(self.pid, Signal::KILL)?)
    }
}

/// Makes the caller the leader of a process group of its own.
pub(crate) fn own_group() -> io::Result<()> {
    Ok(rustix::process::setpgid(None, None)?)
}

/// The process group of the caller.
pub(crate) fn group() -> i32 {
    rustix::process::getpgrp().as_raw_nonzero().get()
}

/// Kills the caller.
pub(crate) fn kill_self() -> io::Result<()> {
    Ok(rustix::process::kill_process(
        rustix::process::getpid(),
        Signal::KILL,
    )?)
}

/// Waits until any child has ended.
pub(crate) fn wait_for_any() -> io::Result<Exit> {
    let waited = rustix::io::retry_on_intr(|| rustix::process::wait(WaitOptions::empty()));
    let status = waited?.ok_or_else(|| io::Error::other("no child"))?;
    Ok(Exit::of(status.1))
}

/// Reaps every child that has ended already.
pub(crate) fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
}
