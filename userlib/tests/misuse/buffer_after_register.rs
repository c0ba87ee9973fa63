// SPDX-License-Identifier: MIT OR GPL-2.0
//! A buffer is the region's once it is registered.

use pindma::{Access, Buffer, Device, Result};

fn misuse(device: &Device, mut buffer: Buffer) -> Result<()> {
    let _region = device.register(buffer, Access::WRITE)?;
    buffer[0] = 1;
    Ok(())
}

fn main() {}
