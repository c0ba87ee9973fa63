// SPDX-License-Identifier: MIT OR GPL-2.0
//! Registers memory once, and transfers parts of it many times.
//!
//! `cargo run --example region [/dev/pindma0]`; it overwrites what is at the start of
//! the device's memory.

use std::error::Error;

use pindma::{Access, Buffer, Destination, Device, Region, Source};

/// Bytes of one record.
const RECORD: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let device = Device::open(path.as_deref().unwrap_or("/dev/pindma0"))?;

    // Pinned and mapped here, and never again.
    let mut region = Region::options().may_bounce(true).register(
        &device,
        Buffer::huge(1 << 20)?,
        Access::BOTH,
    )?;
    for (number, record) in region.chunks_mut(RECORD).take(10).enumerate() {
        record.fill(number as u8);
    }

    // One by one, ...
    for number in 0..10 {
        let record = number * RECORD..(number + 1) * RECORD;
        region.send(record.clone(), record.start as u64)?;
    }

    // ... and with a header in front that is not registered, in one transfer.
    let request = device.request().dev_addr(10 * RECORD as u64);
    let header = *b"ten records";
    request.send_parts(&[
        Source::from(&header[..]),
        Source::new(&region, ..10 * RECORD),
    ])?;

    region.fill(0);
    let mut back = [0; 11];
    request.receive_parts(&mut [
        Destination::from(&mut back[..]),
        Destination::new(&mut region, 4096..4096 + 10 * RECORD),
    ])?;
    if back != header || region[4096 + 7 * RECORD] != 7 {
        return Err("what came back is something else".into());
    }
    let info = region.info()?;
    println!(
        "{} bytes in {} segments, used 12 times",
        info.len, info.segments
    );
    region.unregister()?;
    Ok(())
}
