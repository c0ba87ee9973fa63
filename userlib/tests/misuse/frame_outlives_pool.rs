// SPDX-License-Identifier: MIT OR GPL-2.0
//! So is a frame of a stream.

use pindma::{Access, Device, Lease, Result, Start};

fn misuse(device: &Device) -> Result<Option<Lease<'static>>> {
    let pool = device.pool(4096, 1, Access::WRITE)?;
    pool.frames(Start::from_device())?.next().transpose()
}

fn main() {}
