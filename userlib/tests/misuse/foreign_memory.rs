// SPDX-License-Identifier: MIT OR GPL-2.0
//! Only the caller can know whose memory it is.

use std::ptr::NonNull;

use pindma::{Access, Device, Region, Result};

fn misuse(device: &Device, memory: NonNull<[u8]>) -> Result<Region> {
    Region::options().register_foreign(device, memory, Access::BOTH)
}

fn main() {}
