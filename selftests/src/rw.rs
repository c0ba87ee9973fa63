// SPDX-License-Identifier: GPL-2.0

//! read(2), write(2) and their relatives on the node, and what they answer.

use std::io;

use crate::check::{check, errno_name, same, Outcome};
use crate::device::{errno_of, Device, WINDOW};
use crate::pattern;
use crate::sys::rw::{self, Range, Vector};
use crate::sys::Mapping;

/// A range of a mapping.
pub(crate) fn range(mapping: &Mapping, offset: usize, len: usize) -> Range {
    (mapping.addr(offset), len as u64)
}

/// What a call returned.
#[derive(Debug)]
pub(crate) struct Answer(io::Result<usize>);

impl Answer {
    /// So many bytes were moved.
    #[track_caller]
    pub(crate) fn moved(self, bytes: usize) -> Outcome {
        same("bytes", self.some()?, bytes)
    }

    /// Some bytes were moved, or none at the end.
    #[track_caller]
    pub(crate) fn some(self) -> Outcome<usize> {
        match self.0 {
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(crate::check::Fail::new(error)),
        }
    }

    /// It failed.
    #[track_caller]
    pub(crate) fn failed(self, errno: i32) -> Outcome {
        check(
            self.errno() == errno,
            format!("{:?}, not {}", self.0, errno_name(errno)),
        )
    }

    /// Its errno, 0 for success.
    pub(crate) fn errno(&self) -> i32 {
        match &self.0 {
            Ok(_) => 0,
            Err(error) => error.raw_os_error().unwrap_or(-1),
        }
    }
}

/// At the position, which it moves.
pub(crate) fn read(device: &Device, to: Range) -> Answer {
    Answer(rw::plain(device.fd(), false, to))
}

/// At the position, which it moves.
pub(crate) fn write(device: &Device, from: Range) -> Answer {
    Answer(rw::plain(device.fd(), true, from))
}

pub(crate) fn pread(device: &Device, to: Range, at: i64) -> Answer {
    Answer(rw::positioned(device.fd(), false, to, at))
}

pub(crate) fn pwrite(device: &Device, from: Range, at: i64) -> Answer {
    Answer(rw::positioned(device.fd(), true, from, at))
}

/// `preadv2(2)`.
pub(crate) fn preadv(device: &Device, to: &[Range], at: i64, flags: i32) -> Answer {
    Answer(rw::vectored(
        device.fd(),
        false,
        &Vector::new(to),
        at,
        flags,
    ))
}

/// `pwritev2(2)`.
pub(crate) fn pwritev(device: &Device, from: &[Range], at: i64, flags: i32) -> Answer {
    Answer(rw::vectored(
        device.fd(),
        true,
        &Vector::new(from),
        at,
        flags,
    ))
}

/// `lseek(2)`: the new position, or a negative errno.
pub(crate) fn seek(device: &Device, offset: i64, whence: i32) -> i64 {
    let sought = rw::seek(device.fd(), offset, whence);
    match sought {
        Ok(position) => position,
        error => -i64::from(errno_of(error)),
    }
}

/// The position.
pub(crate) fn position(device: &Device) -> i64 {
    seek(device, 0, libc::SEEK_CUR)
}

/// Fills all of the device's memory with a pattern.
pub(crate) fn fill_device(device: &Device, seed: u64) -> Outcome {
    let memory = Mapping::anonymous(WINDOW)?;
    pattern::write(&memory, 0, WINDOW, seed);
    pwrite(device, range(&memory, 0, WINDOW), 0).moved(WINDOW)
}

/// Checks that a pattern is in all of the device's memory.
#[track_caller]
pub(crate) fn device_holds(device: &Device, want: &[u8]) -> Outcome {
    let memory = Mapping::anonymous(WINDOW)?;
    pread(device, range(&memory, 0, WINDOW), 0).moved(WINDOW)?;
    pattern::expect(&memory.read(0, WINDOW), want)
}

/// `count` parts of the device's memory, each at an odd place of a page of its own: so that each
/// is a job of its own.
pub(crate) fn scattered(mapping: &Mapping, count: usize) -> Vec<Range> {
    let len = WINDOW / count;
    (0..count)
        .map(|part| range(mapping, part * WINDOW + part, len))
        .collect()
}

/// What is in those parts, in their order.
pub(crate) fn gathered(mapping: &Mapping, parts: &[Range]) -> Vec<u8> {
    let base = mapping.addr(0);
    let part = |(addr, len): &Range| mapping.read((addr - base) as usize, *len as usize);
    parts.iter().flat_map(part).collect()
}
