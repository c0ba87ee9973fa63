// SPDX-License-Identifier: MIT OR GPL-2.0
//! Two destinations of one call are the same memory.

use pindma::{Destination, Device, Region, Result};

fn misuse(device: &Device, region: &mut Region) -> Result<()> {
    let mut to = [
        Destination::new(region, ..10),
        Destination::new(region, 5..15),
    ];
    device.request().receive_parts(&mut to)?;
    Ok(())
}

fn main() {}
