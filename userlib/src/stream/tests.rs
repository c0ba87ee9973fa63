// SPDX-License-Identifier: MIT OR GPL-2.0
//! Tasks without a runtime, which a made-up kernel has news for.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use rustix::io::Errno;

use super::*;
use crate::ffi::fake::Fake;
use crate::{Access, Buffer, Device, ErrorKind, Start, Transfer};

/// Has news as often as is said, and counts who asks.
#[derive(Default)]
struct Told {
    news: u32,
    asked: u32,
}

impl Watch for Told {
    fn poll_news(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.asked += 1;
        match self.news.checked_sub(1) {
            Some(left) => {
                self.news = left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Pending,
        }
    }
}

fn poll<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

fn prepared() -> (Device, Arc<Fake>, Queue) {
    let (device, fake) = Fake::device();
    fake.hold();
    let queue: Queue = device.queue(4).expect("a queue");
    let buffer = Buffer::zeroed(100).expect("memory");
    let submitted = queue.submit(Transfer::from_device(), buffer);
    submitted.expect("room");
    (device, fake, queue)
}

#[test]
fn a_completion_that_is_there_is_not_waited_for() {
    let (_device, fake, queue) = prepared();
    fake.perform_one();
    let mut stream = queue.stream(Told::default());
    let next = poll(&mut stream).map_ok(|completion| completion.bytes);
    assert_eq!(next, Poll::Ready(Some(Ok(100))));
    assert!(matches!(poll(&mut stream), Poll::Ready(None)));
    assert_eq!(stream.watch.asked, 0);
}

#[test]
fn a_task_waits_for_news_and_looks_again() {
    let (_device, fake, queue) = prepared();
    let mut stream = queue.stream(Told {
        news: 2,
        ..Told::default()
    });
    // News that were none: somebody else has taken the completion, say.
    assert!(poll(&mut stream).is_pending());
    assert_eq!(stream.watch.asked, 3);
    fake.perform_one();
    let next = poll(&mut stream).map_ok(|completion| completion.bytes);
    assert_eq!(next, Poll::Ready(Some(Ok(100))));
}

#[test]
fn frames_come_until_the_run_ends_and_then_why() {
    let (device, fake) = Fake::device();
    let pool = device.pool(4096, 1, Access::WRITE).expect("a pool");
    let mut stream = pool.stream(Told::default());
    assert!(matches!(poll(&mut stream), Poll::Ready(None)));
    pool.start(Start::from_device()).expect("started");
    pool.enqueue_all().expect("ours");
    assert!(poll(&mut stream).is_pending());
    fake.end_runs(Errno::IO);
    let Poll::Ready(Some(Ok(frame))) = poll(&mut stream) else {
        panic!("not begun with, and not told");
    };
    assert!(frame.result.is_err());
    let Poll::Ready(Some(Err(error))) = poll(&mut stream) else {
        panic!("it has not said why");
    };
    assert_eq!(error.kind(), &ErrorKind::DeviceError);
}
