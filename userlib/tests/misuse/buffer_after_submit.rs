// SPDX-License-Identifier: MIT OR GPL-2.0
//! A buffer is the queue's once it is submitted.

use pindma::{Buffer, Queue, Result, Transfer};

fn misuse(queue: &Queue, buffer: Buffer) -> Result<()> {
    queue.submit(Transfer::from_device(), buffer)?;
    println!("{}", buffer[0]);
    Ok(())
}

fn main() {}
