// SPDX-License-Identifier: MIT OR GPL-2.0
//! A region is written by the program while it is a source.

use pindma::{Device, Region, Result, Source};

fn misuse(device: &Device, region: &mut Region) -> Result<()> {
    let from = [Source::new(region, ..10)];
    region[0] = 1;
    device.request().send_parts(&from)?;
    Ok(())
}

fn main() {}
