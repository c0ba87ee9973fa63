// SPDX-License-Identifier: MIT OR GPL-2.0
//! A run goes on after its pool was dropped.

use pindma::{Access, Device, Frames, Result, Start};

fn misuse(device: &Device) -> Result<Frames<'_>> {
    let pool = device.pool(4096, 1, Access::WRITE)?;
    pool.frames(Start::from_device())
}

fn main() {}
