// SPDX-License-Identifier: GPL-2.0

//! read(2) and write(2), of a vector of ranges.

use super::command::{failed, Command, Ended};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::pattern::{self, GUARD};
use crate::rw::{device_holds, fill_device, gathered, range};
use crate::sys::rw::{vectored, Range, Vector};
use crate::sys::Mapping;

/// What a fault leads to.
const ERRNOS: [i32; 3] = [libc::ENOMEM, libc::EFAULT, libc::ENOSPC];

/// Ranges, each in a page of its own: more than the kernel has room for on its
/// stack.
const PARTS: usize = 10;
/// Bytes of each.
const PART: usize = 100;

/// A read or a write.
pub(crate) struct Direct {
    write: bool,
    ready: Option<Ready>,
    moved: usize,
}

/// Everything for one call.
struct Ready {
    device: Device,
    memory: Mapping,
    parts: Vec<Range>,
    vector: Vector,
}

impl Direct {
    pub(crate) fn read() -> Direct {
        Direct::new(false)
    }

    pub(crate) fn write() -> Direct {
        Direct::new(true)
    }

    fn new(write: bool) -> Direct {
        Direct {
            write,
            ready: None,
            moved: 0,
        }
    }

    fn make_ready(&self) -> Outcome<Ready> {
        fill_device(&Device::open()?, 1)?;
        let memory = Mapping::anonymous(PARTS * PAGE)?;
        let parts: Vec<_> = (0..PARTS)
            .map(|part| range(&memory, part * PAGE + part, PART))
            .collect();
        if self.write {
            pattern::write(&memory, 0, PARTS * PAGE, 2);
        } else {
            // The other half has no pages yet.
            memory.fill(0, PARTS / 2 * PAGE, GUARD);
        }
        let device = Device::open()?;
        Ok(Ready {
            device,
            memory,
            vector: Vector::new(&parts),
            parts,
        })
    }

    /// What was moved is where it belongs, and nothing else.
    fn arrived(&self, ready: &Ready) -> Outcome {
        let Ready {
            device,
            memory,
            parts,
            ..
        } = ready;
        let sent = gathered(memory, parts);
        let mut content = pattern::bytes(1, WINDOW);
        if self.write {
            content[..self.moved].copy_from_slice(&sent[..self.moved]);
        } else {
            pattern::expect(&sent[..self.moved], &content[..self.moved])?;
        }
        device_holds(device, &content)
    }
}

impl Command for Direct {
    fn prepare(&mut self) -> Outcome {
        self.ready = None;
        self.moved = 0;
        self.ready = Some(self.make_ready()?);
        Ok(())
    }

    fn call(&mut self) -> i32 {
        let Some(ready) = &self.ready else {
            return libc::EBADF;
        };
        // An allocation of ours would be struck as well.
        match vectored(ready.device.fd(), self.write, &ready.vector, 0, 0) {
            Ok(moved) => {
                self.moved = moved;
                0
            }
            Err(error) => error.raw_os_error().unwrap_or(-1),
        }
    }

    /// A short count is no error: what comes after it is what failed.
    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        match &self.ready {
            Some(ready) => self.arrived(ready)?,
            None => return failed(errno, &[]),
        }
        if errno != 0 {
            return failed(errno, &ERRNOS);
        }
        check(self.moved > 0, "0 bytes were moved")?;
        Ok(Ended::Passed)
    }

    fn files(&self) -> u64 {
        self.ready.iter().len() as u64
    }

    fn works(&mut self) -> Outcome {
        if self.ready.is_none() {
            self.prepare()?;
        }
        let errno = self.call();
        check(errno == 0, format!("then: {}", errno_name(errno)))?;
        self.judge(errno)?;
        same("bytes", self.moved, PARTS * PART)?;
        self.ready = None;
        Ok(())
    }
}
