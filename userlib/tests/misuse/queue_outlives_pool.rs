// SPDX-License-Identifier: MIT OR GPL-2.0
//! A queue that owns blocks does not outlive their pool.

use pindma::{Access, Block, Device, Queue, Result, Transfer};

fn misuse(device: &Device) -> Result<()> {
    let queue: Queue<Block<'_>> = device.queue(1)?;
    let pool = device.pool(4096, 1, Access::WRITE)?;
    if let Some(block) = pool.take(0)? {
        queue.submit(Transfer::from_device(), block)?;
    }
    Ok(())
}

fn main() {}
