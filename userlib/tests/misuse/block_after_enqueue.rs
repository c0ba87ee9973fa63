// SPDX-License-Identifier: MIT OR GPL-2.0
//! A block is the device's once it is enqueued.

use pindma::{Pool, Result};

fn misuse(pool: &Pool) -> Result<()> {
    if let Some(block) = pool.take(0)? {
        pool.enqueue(block)?;
        println!("{}", block[0]);
    }
    Ok(())
}

fn main() {}
