// SPDX-License-Identifier: MIT OR GPL-2.0
//! A region is gone when it is unregistered.

use pindma::{Region, Result};

fn misuse(region: Region) -> Result<()> {
    region.unregister()?;
    println!("{}", region[0]);
    Ok(())
}

fn main() {}
