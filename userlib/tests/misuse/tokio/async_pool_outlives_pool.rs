// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a runtime watches is the pool's file.

use pindma::{Access, AsyncPool, Device, Result};

async fn misuse(device: &Device) -> Result<()> {
    let frames;
    {
        let pool = device.pool(4096, 1, Access::WRITE)?;
        frames = AsyncPool::new(&pool)?;
    }
    frames.dequeue().await?;
    Ok(())
}

fn main() {}
