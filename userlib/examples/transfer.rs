// SPDX-License-Identifier: MIT OR GPL-2.0
//! Moves memory of the program's own to the device and back, in place.
//!
//! `cargo run --example transfer [/dev/pindma0]`; it overwrites what is at the start of
//! the device's memory.

use std::error::Error;
use std::time::Duration;

use pindma::Device;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let device = Device::open(path.as_deref().unwrap_or("/dev/pindma0"))?;
    let info = device.info()?;
    println!("{} at {}", info.engine, info.bus);

    // Any slice will do, of any length and alignment.
    let sent: Vec<u8> = (0..3000).map(|n| n as u8).collect();
    let mut received = vec![0; sent.len()];

    // With a deadline, and whatever signals come.
    let request = device.request().timeout(Duration::from_secs(10));
    request.send_all(&sent)?;
    let done = request.receive_all(&mut received)?;
    if received != sent {
        return Err("what came back is something else".into());
    }
    println!(
        "{} bytes there and back, into {} pages in {} segments",
        done.bytes, done.pages, done.segments
    );
    Ok(())
}
