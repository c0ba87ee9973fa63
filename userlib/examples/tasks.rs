// SPDX-License-Identifier: MIT OR GPL-2.0
//! A task that waits for requests, and one that waits for frames, on one thread.
//!
//! `cargo run --features tokio --example tasks [/dev/pindma0]`; it overwrites what is at
//! the start of the device's memory.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use pindma::{Access, AsyncPool, AsyncQueue, Buffer, Device, Start, Transfer};

/// Bytes of a request and of a frame.
const LEN: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let device = Device::open(path.as_deref().unwrap_or("/dev/pindma0"))?;
    device.send_all(&[5; LEN], 0)?;

    let queue = AsyncQueue::new(device.queue(4)?)?;
    for _ in 0..4 {
        let read = Transfer::from_device();
        queue.get_ref().submit(read, Buffer::zeroed(LEN)?)?;
    }
    let pool = device.pool(LEN, 4, Access::WRITE)?;
    pool.enqueue_all()?;
    pool.start(Start::from_device().frame_bytes(LEN as u64))?;

    let requests = tokio::spawn(all_requests(queue));
    let frames = tokio::spawn(some_frames(AsyncPool::new(pool)?));
    println!("{} requests, {} frames", requests.await??, frames.await??);
    Ok(())
}

/// The queue as a stream; it ends with what is in flight.
async fn all_requests(mut queue: AsyncQueue) -> pindma::Result<usize> {
    let mut count = 0;
    while let Some(completion) = poll_fn(|cx| Pin::new(&mut queue).poll_next(cx)).await {
        let buffer = completion?.finish()?;
        assert!(buffer.iter().all(|byte| *byte == 5), "something else came");
        count += 1;
    }
    Ok(count)
}

/// Frames one by one, each looked at by a task of its own.
async fn some_frames(pool: AsyncPool) -> pindma::Result<usize> {
    for sequence in 0..20 {
        let Some(frame) = pool.dequeue().await? else {
            return Ok(sequence);
        };
        let looked = tokio::spawn(async move {
            let good = frame.data().iter().all(|byte| *byte == 5);
            (good, frame.block)
        });
        let (good, block) = looked.await.expect("it does not panic");
        assert!(good, "something else came");
        pool.get_ref().enqueue(block)?;
    }
    Ok(20)
}
