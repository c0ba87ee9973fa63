// SPDX-License-Identifier: MIT OR GPL-2.0
//! Nor while the kernel copies to it what was bounced.

use pindma::{Region, Result};

fn misuse(region: &mut Region) -> Result<()> {
    let first = &region[0];
    region.sync_for_cpu(..)?;
    println!("{first}");
    Ok(())
}

fn main() {}
