// SPDX-License-Identifier: MIT OR GPL-2.0
//! Tasks that wait for a made-up kernel.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::ffi::fake::Fake;
use crate::{Device, Transfer};

/// How long to wait for what must not come.
const MOMENT: Duration = Duration::from_millis(20);

fn prepared() -> (Device, Arc<Fake>, AsyncQueue) {
    let (device, fake) = Fake::device();
    let queue = device.queue(4).expect("a queue");
    let queue = AsyncQueue::new(queue).expect("watched");
    (device, fake, queue)
}

fn submit(queue: &AsyncQueue) {
    let buffer = Buffer::zeroed(100).expect("memory");
    let submitted = queue.get_ref().submit(Transfer::from_device(), buffer);
    submitted.expect("room");
}

#[tokio::test]
async fn nothing_in_flight_is_nothing_to_wait_for() {
    let (_device, _, queue) = prepared();
    assert!(queue.next().await.expect("no error").is_none());
}

#[tokio::test]
async fn a_task_is_woken_by_a_completion() {
    let (_device, fake, queue) = prepared();
    submit(&queue);
    let device = std::thread::spawn(move || {
        std::thread::sleep(MOMENT);
        assert!(fake.perform_one());
    });
    let completion = queue.next().await.expect("no error").expect("in flight");
    assert_eq!(completion.finish().expect("read").len(), 100);
    device.join().expect("no panic");
    assert_eq!(queue.into_inner().in_flight(), 0);
}

#[tokio::test]
async fn a_dropped_future_loses_nothing() {
    let (_device, fake, queue) = prepared();
    submit(&queue);
    submit(&queue);
    assert!(timeout(MOMENT, queue.next()).await.is_err());
    fake.perform_one();
    let first = queue.next().await.expect("no error").expect("in flight");
    assert!(timeout(MOMENT, queue.next()).await.is_err());
    fake.perform_one();
    let second = queue.next().await.expect("no error").expect("in flight");
    assert_eq!((first.sequence, second.sequence), (0, 1));
}

#[test]
fn a_runtime_that_is_gone_is_an_error_and_nothing_is_lost() {
    let runtime = || {
        let builder = &mut tokio::runtime::Builder::new_current_thread();
        builder.enable_io().build().expect("a runtime")
    };
    let first = runtime();
    let (_device, fake, queue) = first.block_on(async { prepared() });
    submit(&queue);
    drop(first);
    let error = runtime().block_on(queue.next()).expect_err("shut down");
    assert_eq!(error.kind(), &crate::ErrorKind::NoRuntime);
    fake.perform_one();
    let next = queue.into_inner().try_next().expect("no error");
    assert!(next.is_some_and(|completion| completion.finish().is_ok()));
}

#[tokio::test]
async fn a_stream_ends_with_what_is_in_flight() {
    let (_device, fake, mut queue) = prepared();
    submit(&queue);
    submit(&queue);
    let device = std::thread::spawn(move || {
        for _ in 0..2 {
            std::thread::sleep(MOMENT);
            assert!(fake.perform_one());
        }
    });
    let mut sequence = Vec::new();
    while let Some(next) = poll_fn(|cx| Pin::new(&mut queue).poll_next(cx)).await {
        sequence.push(next.expect("no error").sequence);
    }
    assert_eq!(sequence, [0, 1]);
    device.join().expect("no panic");
}

#[test]
fn they_can_go_to_other_threads() {
    fn goes<T: Send + Sync + Unpin + 'static>() {}
    goes::<AsyncQueue>();
    goes::<AsyncPool>();
    goes::<Frame>();
    goes::<crate::Lease>();
}
