// SPDX-License-Identifier: GPL-2.0

//! read(2), write(2) and their relatives on the node.

use std::io;

use crate::check::{same, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::pattern;
use crate::sys::rw::{self, Range};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[memory(
    "write_and_read_make_a_round_trip",
    "one page, at the position",
    round_trip,
)];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn all(mapping: &Mapping) -> Range {
    (mapping.addr(0), mapping.len() as u64)
}

fn round_trip(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 1);
    same("written", rw::plain(device.fd(), true, all(&src))?, WINDOW)?;
    same(
        "position",
        rw::seek(device.fd(), 0, libc::SEEK_CUR)?,
        WINDOW as i64,
    )?;
    same("sought", rw::seek(device.fd(), 0, libc::SEEK_SET)?, 0)?;
    same("position", rw::seek(device.fd(), 0, libc::SEEK_CUR)?, 0)?;
    same(
        "read at",
        rw::positioned(device.fd(), false, all(&dst), 0)?,
        WINDOW,
    )?;
    same("read", rw::plain(device.fd(), false, all(&dst))?, WINDOW)?;
    same("read", rw::plain(device.fd(), false, all(&dst))?, 0)?;
    pattern::verify(&dst, 0, PAGE, 1)
}
