// SPDX-License-Identifier: MIT OR GPL-2.0
//! Bytes of a region are not looked at while the device writes it.

use pindma::{Region, Result};

fn misuse(region: &mut Region) -> Result<()> {
    let first = &region[0];
    region.receive(.., 0)?;
    println!("{first}");
    Ok(())
}

fn main() {}
