// SPDX-License-Identifier: MIT OR GPL-2.0
//! Keeps several requests in flight and works on what has come meanwhile.
//!
//! `cargo run --example queue [/dev/pindma0]`; it overwrites what is at the start of the
//! device's memory.

use std::error::Error;

use pindma::{Access, AnyMemory, Buffer, Deadline, Device, Queue, Region, Transfer};

/// Bytes of a request.
const LEN: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let device = Device::open(path.as_deref().unwrap_or("/dev/pindma0"))?;
    device.send_all(&[7; LEN], 0)?;

    // A queue owns memory of all kinds for as long as the device may touch it.
    let queue: Queue<AnyMemory> = device.queue(4)?;
    let options = Region::options().may_bounce(true);
    for _ in 0..2 {
        let buffer = Buffer::zeroed(LEN)?;
        queue.submit(Transfer::from_device(), buffer.into())?;
        let region = options.register(&device, Buffer::zeroed(LEN)?, Access::WRITE)?;
        queue.submit(Transfer::from_device(), region.into())?;
    }

    let mut sum = 0;
    for _ in 0..100 {
        let Some(completion) = queue.next(Deadline::NONE)? else {
            return Err("nothing is in flight".into());
        };
        let mut memory = completion.finish()?;
        sum += memory.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        // Then it is filled again.
        memory.fill(0);
        queue.submit(Transfer::from_device(), memory)?;
    }
    // What is in flight is cancelled, and comes back.
    let left = queue.close().len();
    if sum != 100 * 7 * LEN as u64 {
        return Err(format!("the sum of all bytes is {sum}").into());
    }
    println!("100 requests of {LEN} bytes, {left} in flight at the end");
    Ok(())
}
