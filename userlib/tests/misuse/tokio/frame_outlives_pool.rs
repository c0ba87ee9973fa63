// SPDX-License-Identifier: MIT OR GPL-2.0
//! A frame that a task has waited for is memory of its pool.

use pindma::{Access, AsyncPool, Device, Frame, Result};

async fn misuse(device: &Device) -> Result<Option<Frame<'static>>> {
    let pool = device.pool(4096, 1, Access::WRITE)?;
    AsyncPool::new(&pool)?.dequeue().await
}

fn main() {}
