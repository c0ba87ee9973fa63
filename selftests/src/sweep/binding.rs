// SPDX-License-Identifier: GPL-2.0

//! The driver gets the device and loses it, by sysfs.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use super::command::{failed, round_trip, Command, Ended};
use crate::check::{check, same, Outcome};
use crate::device::{Device, NODE};
use crate::module;
use crate::pci;

const DRIVER: &str = "/sys/bus/pci/drivers/pindma";
const DEVICES: &str = "/sys/bus/pci/devices";

/// What a fault leads to.  Not all of them are the driver's: the kernel says
/// ENOSPC or ENODEV when it cannot make a vector of interrupts, and EBUSY when
/// it cannot note whose a BAR is.
const ERRNOS: [i32; 5] = [
    libc::ENOMEM,
    libc::ENOSPC,
    libc::EBUSY,
    libc::ENODEV,
    libc::EFAULT,
];

/// A file of the driver, and what is to be written to it.
struct Lever {
    file: File,
    address: String,
}

impl Lever {
    fn new(name: &str) -> Outcome<Lever> {
        let path = format!("{DRIVER}/{name}");
        Ok(Lever {
            file: OpenOptions::new().write(true).open(path)?,
            address: pci::address()?,
        })
    }

    fn pull(&self) -> i32 {
        rustix::io::write(&self.file, self.address.as_bytes())
            .err()
            .map_or(0, rustix::io::Errno::raw_os_error)
    }
}

fn pull(lever: Option<&Lever>) -> i32 {
    lever.map_or(libc::EBADF, Lever::pull)
}

fn published() -> bool {
    Path::new(NODE).exists()
}

/// Binds the device if it is not bound, or was bound without its node.
fn bind_for_good() -> Outcome {
    if pci::bound() && !published() {
        // The kernel made none: it was that allocation which failed, and the
        // driver is not told.
        pci::unbind()?;
    }
    if !pci::bound() {
        pci::bind()?;
    }
    module::wait_for_node(true)?;
    round_trip()
}

/// Whether the device may access memory.
fn masters() -> Outcome<bool> {
    let config = fs::read(format!("{DEVICES}/{}/config", pci::address()?))?;
    Ok(config.get(4).is_some_and(|command| command & 4 != 0))
}

/// Probe.
#[derive(Default)]
pub(crate) struct Bind {
    lever: Option<Lever>,
}

impl Command for Bind {
    fn prepare(&mut self) -> Outcome {
        if pci::bound() {
            pci::unbind()?;
        }
        self.lever = Some(Lever::new("bind")?);
        Ok(())
    }

    fn call(&mut self) -> i32 {
        pull(self.lever.as_ref())
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        same("bound", pci::bound(), errno == 0)?;
        if errno == 0 {
            return Ok(Ended::Passed);
        }
        check(!published(), "the node is there although probe failed")?;
        check(!masters()?, "probe failed and the device may access memory")?;
        failed(errno, &ERRNOS)
    }

    fn works(&mut self) -> Outcome {
        bind_for_good()
    }
}

/// Unbind, with a file open that nobody uses.
#[derive(Default)]
pub(crate) struct Unbind {
    ready: Option<(Lever, Device)>,
}

impl Command for Unbind {
    fn prepare(&mut self) -> Outcome {
        self.ready = Some((Lever::new("unbind")?, Device::open()?));
        Ok(())
    }

    fn call(&mut self) -> i32 {
        pull(self.ready.as_ref().map(|(lever, _)| lever))
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        let device = self.ready.take().map(|(_, device)| device);
        same("bound", pci::bound(), errno != 0)?;
        same("published", published(), errno != 0)?;
        if errno != 0 {
            // Not even begun: the file is as good as before.
            device.map_or(Ok(()), |device| device.info().map(drop))?;
            return failed(errno, &ERRNOS);
        }
        check(!masters()?, "the device may access memory without a driver")?;
        Ok(Ended::Passed)
    }

    fn works(&mut self) -> Outcome {
        if !pci::bound() {
            bind_for_good()?;
        }
        self.prepare()?;
        let errno = self.call();
        self.judge(errno)?;
        same("errno of the next unbind", errno, 0)?;
        bind_for_good()
    }
}
