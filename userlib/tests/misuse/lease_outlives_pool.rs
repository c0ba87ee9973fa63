// SPDX-License-Identifier: MIT OR GPL-2.0
//! A lease would give its buffer back to a pool that is gone.

use pindma::{Access, Device, Lease, Result, Start};

fn misuse(device: &Device) -> Result<()> {
    let lease: Option<Lease<'_>>;
    {
        let pool = device.pool(4096, 1, Access::WRITE)?;
        lease = pool.frames(Start::from_device())?.next().transpose()?;
    }
    drop(lease);
    Ok(())
}

fn main() {}
