// SPDX-License-Identifier: MIT OR GPL-2.0
//! Who has which memory when, with a made-up kernel that writes to it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::event::{poll, PollFd, PollFlags};

use super::*;
use crate::ffi::fake::Fake;
use crate::{sys, Access, AnyMemory, ErrorKind};

/// Bytes of the buffers here: no whole number of pages.
const LEN: usize = 5000;

fn filled(byte: u8) -> Buffer {
    vec![byte; LEN].into()
}

fn prepared() -> (Device, Arc<Fake>, Queue) {
    let (device, fake) = Fake::device();
    let queue = device.queue(4).expect("a queue");
    (device, fake, queue)
}

fn next<M: Memory>(queue: &Queue<M>) -> Completion<M> {
    let completion = queue.next(Deadline::NONE).expect("no error");
    completion.expect("a request in flight")
}

fn read() -> Transfer {
    Transfer::from_device()
}

fn write() -> Transfer {
    Transfer::to_device()
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_buffer_goes_in_and_comes_back_filled() {
    let (_device, _, queue) = prepared();
    queue.submit(write(), filled(7)).expect("room");
    let id = queue.submit(read(), Buffer::zeroed(LEN).expect("memory"));
    next(&queue).finish().expect("written");
    let completion = next(&queue);
    assert_eq!(
        (completion.id, completion.bytes),
        (id.expect("room"), LEN as u64)
    );
    assert_eq!(*completion.finish().expect("read"), [7; LEN]);
    assert!(queue.next(Deadline::NONE).expect("no error").is_none());
}

#[test]
fn a_full_queue_hands_the_buffer_back() {
    let (_device, fake, queue) = prepared();
    fake.hold();
    for _ in 0..4 {
        queue.submit(read(), filled(0)).expect("room");
    }
    let refused = queue.submit(read(), filled(9)).expect_err("no room");
    assert_eq!(refused.error().kind(), &ErrorKind::QueueFull);
    assert_eq!(*refused.into_memory(), [9; LEN]);
    assert_eq!(queue.in_flight(), 4);
}

#[test]
fn what_the_kernel_refuses_comes_back_with_the_reason() {
    let (_device, fake, queue) = prepared();
    fake.refuse(sys::PINDMA_SUBMIT, Errno::NOMEM);
    let refused = queue.submit(read(), filled(1)).expect_err("no memory");
    assert_eq!(refused.error().kind(), &ErrorKind::OutOfMemory);
    let refused = queue
        .submit(read().channel(5), filled(1))
        .expect_err("no channel");
    let (error, buffer) = refused.into_parts();
    assert!(matches!(
        error.kind(),
        ErrorKind::NoChannel { channel: 5, .. }
    ));
    assert_eq!((buffer.len(), queue.in_flight()), (LEN, 0));
}

#[test]
fn of_a_batch_the_rest_stays() {
    let (_device, fake, queue) = prepared();
    fake.hold();
    let mut batch: Vec<_> = (0..6).map(|byte| (read(), filled(byte))).collect();
    let submitted = queue.submit_all(&mut batch);
    assert_eq!(submitted.ids.len(), 4);
    let stopped = submitted.stopped.expect("two are left");
    assert_eq!(stopped.kind(), &ErrorKind::QueueFull);
    let rest: Vec<u8> = batch.iter().map(|(_, buffer)| buffer[0]).collect();
    assert_eq!(rest, [4, 5]);
    fake.release();
    let mut completions = Vec::new();
    assert_eq!(queue.wait(4, Deadline::NONE, &mut completions), Ok(4));
    let ids: Vec<_> = completions.iter().map(|completion| completion.id).collect();
    assert_eq!(ids, submitted.ids);
}

#[test]
fn a_batch_stops_where_the_kernel_does() {
    let (_device, _, queue) = prepared();
    let wrong = read().channel(1);
    let mut batch = vec![(read(), filled(1)), (wrong, filled(2)), (read(), filled(3))];
    let submitted = queue.submit_all(&mut batch);
    assert_eq!(submitted.ids.len(), 1);
    let kind = submitted
        .stopped
        .expect("there is no channel 1")
        .kind()
        .clone();
    assert!(matches!(kind, ErrorKind::NoChannel { channel: 1, .. }));
    let rest: Vec<u8> = batch.iter().map(|(_, buffer)| buffer[0]).collect();
    assert_eq!((rest, queue.in_flight()), (vec![2, 3], 1));
}

#[test]
fn a_batch_of_many_goes_in_several_calls() {
    let (device, _) = Fake::device();
    let queue = device.queue(100).expect("a queue");
    let mut batch: Vec<_> = (0..100).map(|_| (read(), filled(1))).collect();
    let submitted = queue.submit_all(&mut batch);
    assert_eq!((submitted.ids.len(), submitted.stopped), (100, None));
    let mut completions = Vec::new();
    assert_eq!(queue.wait(90, Deadline::NONE, &mut completions), Ok(90));
    assert_eq!(queue.wait(1, Deadline::NONE, &mut completions), Ok(1));
    assert_eq!(queue.wait(50, Deadline::NONE, &mut completions), Ok(9));
    let sequence: Vec<u64> = completions.iter().map(|done| done.sequence).collect();
    assert_eq!(sequence, (0..100).collect::<Vec<_>>());
}

#[test]
fn an_empty_batch_is_no_call() {
    let (_device, _, queue) = prepared();
    let submitted = queue.submit_all(&mut Vec::new());
    assert_eq!((submitted.ids, submitted.stopped), (vec![], None));
}

#[test]
fn nothing_in_flight_is_no_error() {
    let (_device, _, queue) = prepared();
    assert!(queue.next(Deadline::NONE).expect("no error").is_none());
    assert!(queue.try_next().expect("no error").is_none());
    assert_eq!(queue.wait(0, Deadline::NONE, &mut Vec::new()), Ok(0));
}

#[test]
fn a_timeout_of_the_wait_ends_only_the_wait() {
    let (_device, fake, queue) = prepared();
    fake.hold();
    queue.submit(read(), filled(1)).expect("room");
    let soon = Deadline::after(Duration::ZERO);
    let error = queue.next(soon).expect_err("it is held");
    assert_eq!(error.kind(), &ErrorKind::NothingInTime);
    assert_eq!(queue.in_flight(), 1);
    fake.release();
    next(&queue).finish().expect("read all the same");
}

#[test]
fn a_range_is_all_that_the_device_gets() {
    let (device, _, _) = prepared();
    device.send(&[9; 300], 0).expect("there is room");
    let queue = device.queue(4).expect("a queue");
    let memory = || vec![filled(1), filled(2)];
    // The end of the one and the start of the other.
    let range = LEN - 100..LEN + 200;
    queue.submit(read().range(range), memory()).expect("room");
    let completion = next(&queue);
    assert_eq!(completion.bytes, 300);
    let both = completion.finish().expect("read");
    let nines = |buffer: &Buffer| buffer.iter().filter(|byte| **byte == 9).count();
    assert_eq!((nines(&both[0]), nines(&both[1])), (100, 200));
    assert_eq!((both[0][LEN - 101], both[0][LEN - 100]), (1, 9));
    assert_eq!((both[1][199], both[1][200]), (9, 2));
    queue
        .submit(write().range(2 * LEN - 1..), memory())
        .expect("room");
    assert_eq!(next(&queue).bytes, 1);
}

#[test]
fn a_range_outside_is_an_error_and_gives_the_memory_back() {
    let (_device, _, queue) = prepared();
    let refused = queue
        .submit(read().range(..=LEN), filled(3))
        .expect_err("too long");
    let outside = ErrorKind::OutsideMemory {
        start: 0,
        end: LEN + 1,
        len: LEN,
    };
    assert_eq!(refused.error().kind(), &outside);
    assert_eq!(refused.into_memory()[0], 3);
    let refused = queue
        .submit(read().range(5..5), filled(3))
        .expect_err("empty");
    assert!(matches!(refused.error().kind(), ErrorKind::Invalid { .. }));
}

#[test]
fn the_name_of_a_request_means_nothing_to_another_queue() {
    let (device, fake, queue) = prepared();
    fake.hold();
    let other: Queue = device.queue(4).expect("a queue");
    let id = queue.submit(read(), filled(0)).expect("room");
    let same = other.submit(read(), filled(0)).expect("room");
    assert_ne!(id, same);
    assert_eq!(other.cancel(id), Ok(false));
    assert_eq!(queue.cancel(id), Ok(true));
    fake.release();
}

#[test]
fn a_cancelled_request_ends_once_and_gives_its_buffer_back() {
    let (_device, fake, queue) = prepared();
    fake.hold();
    let first = queue.submit(read(), filled(1)).expect("room");
    queue.submit(read(), filled(2)).expect("room");
    assert_eq!(queue.cancel(first), Ok(true));
    let completion = next(&queue);
    let error = completion.result.clone().expect_err("cancelled");
    assert_eq!(
        (completion.id, error.kind()),
        (first, &ErrorKind::Cancelled)
    );
    assert_eq!(completion.into_memory().expect("its buffer")[0], 1);
    assert_eq!(queue.cancel(first), Ok(false));
    assert_eq!((queue.cancel_all(), queue.cancel_all()), (Ok(1), Ok(0)));
}

#[test]
fn a_refused_request_is_told_with_its_size() {
    let (device, fake) = Fake::device();
    let queue = device.queue(4).expect("a queue");
    let memory = || vec![filled(1), filled(2)];
    fake.refuse(sys::PINDMA_SUBMIT, Errno::RANGE);
    let refused = queue.submit(read().dev_addr(7), memory());
    assert_eq!(
        refused.expect_err("refused").error().to_string(),
        format!(
            "submit: {} bytes at device address 0x7 do not lie inside the memory of channel 0, \
             which has bytes: 1048576",
            2 * LEN
        )
    );
    fake.refuse(sys::PINDMA_SUBMIT, Errno::MSGSIZE);
    let mut batch = vec![(read(), memory())];
    let stopped = queue.submit_all(&mut batch).stopped.expect("refused");
    let expected = ErrorKind::TooManySegments {
        given: 2,
        max: Some(16),
    };
    assert_eq!((stopped.kind(), batch.len()), (&expected, 1));
}

#[test]
fn closing_returns_everything() {
    let (_device, fake, queue) = prepared();
    queue.submit(read(), filled(1)).expect("room");
    fake.perform_one();
    fake.hold();
    queue.submit(read(), filled(2)).expect("room");
    let completions = queue.close();
    let good: Vec<bool> = completions.iter().map(|done| done.result.is_ok()).collect();
    assert_eq!(good, [true, false]);
    assert!(completions.iter().all(|done| done.memory.is_some()));
}

#[test]
fn dropping_a_queue_drops_what_it_owns_once_the_device_is_done() {
    let (device, fake) = Fake::device();
    let drops = Arc::new(AtomicUsize::new(0));
    let queue = device.queue(4).expect("a queue");
    fake.hold();
    for _ in 0..3 {
        queue
            .submit(read(), (filled(1), Counted(drops.clone())))
            .expect("room");
    }
    drop(queue);
    assert_eq!(drops.load(Ordering::Relaxed), 3);
}

#[test]
fn what_the_device_may_still_write_is_leaked() {
    let (device, fake) = Fake::device();
    let drops = Arc::new(AtomicUsize::new(0));
    let queue = device.queue(4).expect("a queue");
    fake.hang();
    queue
        .submit(read(), (filled(1), Counted(drops.clone())))
        .expect("room");
    let completion = next(&queue);
    let error = completion.result.clone().expect_err("stuck");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    assert!(completion.memory.is_none());
    assert!(completion.into_memory().is_err());
    drop(queue);
    assert_eq!(drops.load(Ordering::Relaxed), 0);
}

#[test]
fn what_a_stuck_device_only_reads_comes_back() {
    let (_device, fake, queue) = prepared();
    fake.hang();
    queue.submit(write(), filled(3)).expect("room");
    let completion = next(&queue);
    assert!(completion.result.is_err());
    assert_eq!(completion.into_memory().expect("only read")[0], 3);
}

#[test]
fn what_the_kernel_does_not_account_for_is_leaked() {
    let (device, fake) = Fake::device();
    let drops = Arc::new(AtomicUsize::new(0));
    let queue = device.queue(4).expect("a queue");
    fake.hold();
    queue
        .submit(read(), (filled(1), Counted(drops.clone())))
        .expect("room");
    fake.refuse(sys::PINDMA_QUEUE_WAIT, Errno::NODEV);
    drop(queue);
    assert_eq!(drops.load(Ordering::Relaxed), 0);
}

#[test]
fn a_signal_does_not_end_the_drain() {
    let (device, fake) = Fake::device();
    let drops = Arc::new(AtomicUsize::new(0));
    let queue = device.queue(4).expect("a queue");
    queue
        .submit(read(), (filled(1), Counted(drops.clone())))
        .expect("room");
    fake.refuse(sys::PINDMA_QUEUE_WAIT, Errno::INTR);
    drop(queue);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn a_forgotten_queue_leaks() {
    let (device, fake) = Fake::device();
    let drops = Arc::new(AtomicUsize::new(0));
    let queue = device.queue(4).expect("a queue");
    fake.hold();
    queue
        .submit(read(), (filled(1), Counted(drops.clone())))
        .expect("room");
    std::mem::forget(queue);
    // The device still writes to where it was told.
    assert!(fake.perform_one());
    assert_eq!(drops.load(Ordering::Relaxed), 0);
}

#[test]
fn several_buffers_are_one_request() {
    let (device, _) = Fake::device();
    let queue = device.queue(2).expect("a queue");
    queue
        .submit(write(), vec![filled(1), filled(2)])
        .expect("room");
    let zeros = || Buffer::zeroed(LEN).expect("memory");
    queue
        .submit(read().dev_addr(LEN as u64), vec![zeros()])
        .expect("room");
    next(&queue).finish().expect("written");
    assert_eq!(*next(&queue).finish().expect("read")[0], [2; LEN]);
    let refused = queue
        .submit(read(), Vec::new())
        .expect_err("nothing to read");
    assert!(matches!(refused.error().kind(), ErrorKind::Invalid { .. }));
}

#[test]
fn parts_of_a_region_go_their_own_ways() {
    let (device, fake) = Fake::device();
    let queue = device.queue(4).expect("a queue");
    let region = device
        .register(filled(5), Access::BOTH)
        .expect("registered");
    let parts = region.split_into(2000);
    assert_eq!(
        parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
        [2000, 2000, 1000]
    );
    for part in parts {
        let at = part.offset() as u64;
        queue.submit(read().dev_addr(at), part).expect("room");
    }
    let mut whole = next(&queue).finish().expect("read");
    while let Some(completion) = queue.next(Deadline::NONE).expect("no error") {
        let part = completion.finish().expect("read");
        whole = whole.join(part).expect("in order");
    }
    let buffer = whole.unregister().expect("it is whole");
    assert_eq!((*buffer == [0; LEN], fake.registered()), (true, 0));
}

#[test]
fn a_region_of_another_device_is_refused() {
    let (_device, _, _) = prepared();
    let (device, _) = Fake::device();
    let (other, _) = Fake::device();
    let queue = device.queue(4).expect("a queue");
    let region = other.register(filled(5), Access::BOTH).expect("registered");
    let refused = queue
        .submit(read(), region)
        .expect_err("not of this device");
    assert_eq!(refused.error().kind(), &ErrorKind::OtherFile);
    assert_eq!(refused.into_memory().len(), LEN);
}

#[test]
fn it_is_readable_when_something_has_ended() {
    let (_device, fake, queue) = prepared();
    let readable = |queue: &Queue| {
        let mut fds = [PollFd::new(queue, PollFlags::IN)];
        poll(&mut fds, Some(&rustix::event::Timespec::default())).expect("an fd") == 1
    };
    queue.submit(read(), filled(1)).expect("room");
    assert!(!readable(&queue));
    fake.perform_one();
    assert!(readable(&queue));
    assert!(queue.try_next().expect("no error").is_some());
    assert!(!readable(&queue));
}

#[test]
fn one_thread_submits_and_another_waits() {
    let (device, fake) = Fake::device();
    let queue = device.queue::<Buffer>(3).expect("a queue");
    fake.hold();
    thread::scope(|scope| {
        let device_at_work = scope.spawn(|| {
            let mut performed = 0;
            while performed < 200 {
                performed += usize::from(fake.perform_one());
            }
        });
        scope.spawn(|| {
            let mut left = 200;
            while left > 0 {
                left -= usize::from(queue.submit(read(), filled(left as u8)).is_ok());
            }
        });
        let mut ended = 0;
        while ended < 200 {
            if let Some(completion) = queue.next(Deadline::NONE).expect("no error") {
                assert_eq!(*completion.finish().expect("read"), [0; LEN]);
                ended += 1;
            }
        }
        device_at_work.join().expect("no panic");
    });
    assert_eq!(queue.in_flight(), 0);
}

#[test]
fn a_queue_may_have_memory_of_all_kinds() {
    let (device, _) = Fake::device();
    let queue: Queue<Vec<AnyMemory>> = device.queue(2).expect("a queue");
    let pool = device.pool(4096, 1, Access::BOTH).expect("a pool");
    let mut block = pool.take(0).expect("no error").expect("ours");
    block.fill(3);
    let region = device
        .register(filled(2), Access::BOTH)
        .expect("registered");
    let whole = vec![filled(1).into(), region.into(), block.into()];
    let range = LEN - 1..2 * LEN + 1;
    queue.submit(write().range(range), whole).expect("room");
    let mut memory = next(&queue).finish().expect("sent");
    let mut back = vec![0; LEN + 2];
    device.receive(&mut back, 0).expect("received");
    assert_eq!((back[0], back[1], back[LEN], back[LEN + 1]), (1, 2, 2, 3));
    // It is what it was: a block goes back to its pool.
    memory.iter_mut().for_each(|memory| memory[0] = 9);
    let Some(AnyMemory::Block(block)) = memory.pop() else {
        panic!("the last was a block");
    };
    pool.enqueue(block).expect("its pool's");
}
