// SPDX-License-Identifier: GPL-2.0

//! The crate `pindma`: what tasks and threads get of queues and pools.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use pindma::{
    Access, Buffer, Deadline, ErrorKind, Lease, Operation, Queue, Start, Transfer, Watch,
};

use crate::check::{check, same, Fail, Outcome};
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::table::{Case, Needs};

use super::library::{buffer, expect_kind, failed, open, prepared, queue_of, LEN};
use super::unbind::Unbound;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "library_queue_is_a_stream",
        "polled without a runtime; it ends with what is in flight",
        completions,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_pool_is_a_stream",
        "polled without a runtime; it ends with the run",
        frames,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_frames_go_to_another_thread",
        "and their buffers back to the device from there",
        handed_over,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_says_why_a_run_has_ended",
        "the device was unbound while the program had all buffers",
        ended,
    )
    .needs(Needs::Race),
];

/// For hangs only.
const LONG: Duration = Duration::from_secs(200);

/// Waits on the spot; an error is news as well.
struct OnTheSpot<'a>(BorrowedFd<'a>);

impl Watch for OnTheSpot<'_> {
    fn poll_news(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let news = os::poll(self.0, LONG);
        Poll::Ready(match news {
            Ok(news) if news.is_empty() => Err(io::ErrorKind::TimedOut.into()),
            news => news.map(drop),
        })
    }
}

/// The next item of a stream whose watch waits on the spot.
fn next<S: Stream + Unpin>(stream: &mut S) -> Outcome<Option<S::Item>> {
    let polled = Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(item) => Ok(item),
        Poll::Pending => Err(Fail::new("it waits for news that were there")),
    }
}

fn completions(_: Leg) -> Outcome {
    let device = prepared(1)?;
    let queue: Queue = queue_of(&device, 4)?;
    for at in [0, 1000, 2000] {
        let read = Transfer::from_device().dev_addr(at);
        queue.submit(read, buffer(1000)?).map_err(failed)?;
    }
    let mut stream = queue.stream(OnTheSpot(queue.as_fd()));
    let mut seen = Vec::new();
    while let Some(completion) = next(&mut stream)? {
        let completion = completion.map_err(failed)?;
        let buffer: Buffer = completion.finish().map_err(failed)?;
        seen.extend_from_slice(&buffer);
    }
    pattern::expect(&seen, &pattern::bytes(1, LEN))
}

fn frames(_: Leg) -> Outcome {
    let device = prepared(2)?;
    let pool = device.pool(LEN, 2, Access::WRITE).map_err(failed)?;
    let mut stream = pool.stream(OnTheSpot(pool.as_fd()));
    check(next(&mut stream)?.is_none(), "it was not started")?;
    pool.enqueue_all().map_err(failed)?;
    let start = Start::from_device().frame_bytes(LEN as u64);
    pool.start(start).map_err(failed)?;
    for sequence in 0..5 {
        let frame = next(&mut stream)?.ok_or_else(|| Fail::new("it has ended"))?;
        let frame = frame.map_err(failed)?;
        same("sequence", frame.sequence, sequence)?;
        pattern::expect(frame.data(), &pattern::bytes(2, LEN))?;
        pool.enqueue(frame.block).map_err(failed)?;
    }
    pool.stop().map_err(failed)?;
    while let Some(frame) = next(&mut stream)? {
        drop(frame.map_err(failed)?);
    }
    Ok(())
}

fn handed_over(_: Leg) -> Outcome {
    let device = prepared(3)?;
    let pool = device.pool(LEN, 2, Access::WRITE).map_err(failed)?;
    let start = Start::from_device().frame_bytes(LEN as u64);
    let frames = pool.frames(start).map_err(failed)?;
    let (sender, receiver) = mpsc::channel::<Lease>();
    let consumer = thread::spawn(move || {
        for (lease, sequence) in receiver.iter().zip(0..) {
            same("sequence", lease.sequence, sequence)?;
            pattern::expect(lease.data(), &pattern::bytes(3, LEN))?;
        }
        Ok(())
    });
    let mut sent = 0;
    for lease in frames {
        match lease {
            Ok(lease) => {
                sent += 1;
                if sender.send(lease).is_err() || sent == 8 {
                    break;
                }
            }
            // The other thread has both.
            Err(error) => expect_kind(&error, &ErrorKind::NothingEnqueued)?,
        }
    }
    drop(sender);
    let consumed = consumer.join();
    consumed.map_err(|_| Fail::new("it panicked"))?
}

fn ended(_: Leg) -> Outcome {
    let device = open()?;
    let pool = device.pool(LEN, 1, Access::WRITE).map_err(failed)?;
    pool.start(Start::from_device()).map_err(failed)?;
    let unbound = Unbound::now()?;
    for _ in 0..2 {
        let ended = pool.dequeue(Deadline::NONE);
        let error = ended.expect_err("the device is gone");
        same(
            "it is about",
            error.operation().to_string(),
            Operation::Run.to_string(),
        )?;
        expect_kind(&error, &ErrorKind::DeviceGone)?;
    }
    drop((pool, device));
    unbound.end()
}
