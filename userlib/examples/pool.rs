// SPDX-License-Identifier: MIT OR GPL-2.0
//! Takes frames as a device fills them, and hands them to another thread.
//!
//! `cargo run --example pool [/dev/pindma0]`; it overwrites what is at the start of the
//! device's memory.

use std::error::Error;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pindma::{Access, Device, ErrorKind, Lease, Start};

/// Bytes of a frame.
const FRAME: usize = 1000;
/// Frames to take.
const COUNT: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let device = Device::open(path.as_deref().unwrap_or("/dev/pindma0"))?;
    device.send_all(&[9; FRAME], 0)?;

    let pool = device.pool(FRAME, 8, Access::WRITE)?;
    let (sender, receiver) = mpsc::channel::<Lease>();
    let consumer = thread::spawn(move || {
        // Each buffer goes back to the device when its lease is dropped.
        let sums = receiver.iter().map(|frame| {
            let bytes = frame.data().iter();
            bytes.map(|byte| usize::from(*byte)).sum::<usize>()
        });
        sums.sum::<usize>()
    });

    let start = Start::from_device().frame_bytes(FRAME as u64);
    let mut frames = pool.frames(start)?.timeout(Duration::from_secs(10));
    let mut taken = 0;
    while taken < COUNT {
        match frames.next() {
            Some(Ok(frame)) => sender.send(frame)?,
            // The other thread has all of them.
            Some(Err(error)) if *error.kind() == ErrorKind::NothingEnqueued => {
                thread::yield_now();
                continue;
            }
            Some(Err(error)) => return Err(error.into()),
            None => return Err("the pool was stopped".into()),
        }
        taken += 1;
    }
    let stopped = frames.stop()?;
    drop(sender);
    let sum = consumer.join().map_err(|_| "the consumer panicked")?;
    if sum != COUNT * 9 * FRAME {
        return Err(format!("the sum of all bytes is {sum}").into());
    }
    println!(
        "{COUNT} frames of {FRAME} bytes; the device made {}",
        stopped.frames
    );
    Ok(())
}
