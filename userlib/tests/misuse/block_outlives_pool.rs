// SPDX-License-Identifier: MIT OR GPL-2.0
//! A block is memory of its pool.

use pindma::{Access, Block, Device, Result};

fn misuse(device: &Device) -> Result<()> {
    let block: Option<Block<'_>>;
    {
        let pool = device.pool(4096, 1, Access::BOTH)?;
        block = pool.take(0)?;
    }
    println!("{block:?}");
    Ok(())
}

fn main() {}
