// SPDX-License-Identifier: MIT OR GPL-2.0
//! The device does not write what is only borrowed for reading.

use pindma::{Device, Result};

fn misuse(device: &Device, bytes: &[u8]) -> Result<()> {
    device.receive(bytes, 0)?;
    Ok(())
}

fn main() {}
