// SPDX-License-Identifier: MIT OR GPL-2.0
//! Bytes of a buffer are not looked at while a queue owns it.

use pindma::{Buffer, Queue, Result, Transfer};

fn misuse(queue: &Queue, buffer: Buffer) -> Result<()> {
    let first = &buffer[0];
    queue.submit(Transfer::from_device(), buffer)?;
    println!("{first}");
    Ok(())
}

fn main() {}
