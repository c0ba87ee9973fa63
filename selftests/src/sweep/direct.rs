// SPDX-License-Identifier: GPL-2.0

//! read(2) and write(2), of a vector of ranges.

use super::command::{failed, Command, Ended};
use super::moves::bind_anew;
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::pattern::{self, GUARD};
use crate::rw::{device_holds, fill_device, gathered, preadv, pwritev, range};
use crate::sys::rw::Range;
use crate::sys::Mapping;

/// What a fault leads to.
const ERRNOS: [i32; 3] = [libc::ENOMEM, libc::EFAULT, libc::ENOSPC];

/// Ranges, each in a page of its own: more than the kernel has room for on its
/// stack.
const PARTS: usize = 10;
/// Bytes of each.
const PART: usize = 100;

/// A read or a write, always on a device that was bound just before.
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
        bind_anew()?;
        let device = Device::open()?;
        Ok(Ready {
            device,
            memory,
            parts,
        })
    }

    /// What was moved is where it belongs, and nothing else.
    fn arrived(&self, ready: &Ready) -> Outcome {
        let Ready {
            device,
            memory,
            parts,
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
        let ask = if self.write { pwritev } else { preadv };
        let answer = ask(&ready.device, &ready.parts, 0, 0);
        let errno = answer.errno();
        self.moved = answer.some().unwrap_or(0);
        errno
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
