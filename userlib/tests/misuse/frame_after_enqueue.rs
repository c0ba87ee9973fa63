// SPDX-License-Identifier: MIT OR GPL-2.0
//! The data of a frame is looked at when its buffer is the device's again.

use pindma::{Deadline, Pool, Result};

fn misuse(pool: &Pool) -> Result<()> {
    if let Some(frame) = pool.dequeue(Deadline::NONE)? {
        let data = frame.data();
        pool.enqueue(frame.block)?;
        println!("{}", data[0]);
    }
    Ok(())
}

fn main() {}
