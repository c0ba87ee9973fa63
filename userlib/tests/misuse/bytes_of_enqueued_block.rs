// SPDX-License-Identifier: MIT OR GPL-2.0
//! Bytes of a block are not looked at while the device has it.

use pindma::{Pool, Result};

fn misuse(pool: &Pool) -> Result<()> {
    if let Some(block) = pool.take(0)? {
        let first = &block[0];
        pool.enqueue(block)?;
        println!("{first}");
    }
    Ok(())
}

fn main() {}
