// SPDX-License-Identifier: MIT OR GPL-2.0
//! Bytes of a region are not looked at while a queue owns it.

use pindma::{Queue, Region, Result, Transfer};

fn misuse(queue: &Queue<Region>, region: Region) -> Result<()> {
    let first = &region[0];
    queue.submit(Transfer::from_device(), region)?;
    println!("{first}");
    Ok(())
}

fn main() {}
