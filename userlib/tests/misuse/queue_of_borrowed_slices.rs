// SPDX-License-Identifier: MIT OR GPL-2.0
//! A queue owns its memory: a borrow could end while the device writes.

use pindma::{Device, Queue, Result, Transfer};

fn misuse(device: &Device, bytes: &mut [u8]) -> Result<()> {
    let queue: Queue<&mut [u8]> = device.queue(1)?;
    queue.submit(Transfer::from_device(), bytes)?;
    Ok(())
}

fn main() {}
