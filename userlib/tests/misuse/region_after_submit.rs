// SPDX-License-Identifier: MIT OR GPL-2.0
//! A region is the queue's once it is submitted.

use pindma::{Queue, Region, Result, Transfer};

fn misuse(queue: &Queue<Region>, region: Region) -> Result<()> {
    queue.submit(Transfer::from_device(), region)?;
    println!("{}", region[0]);
    Ok(())
}

fn main() {}
