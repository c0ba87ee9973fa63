// SPDX-License-Identifier: MIT OR GPL-2.0
//! Pools with a made-up kernel.

use std::sync::Arc;

use super::*;
use crate::ffi::fake::Fake;
use crate::{sys, Access, Device, ErrorKind, Queue, Transfer};

fn prepared() -> (Device, Arc<Fake>, Pool) {
    let (device, fake) = Fake::device();
    let pool = device.pool(5000, 3, Access::BOTH).expect("a pool");
    (device, fake, pool)
}

#[test]
fn buffers_are_whole_pages_of_zeros() {
    let (_device, _, pool) = prepared();
    assert_eq!((pool.count(), pool.buffer_bytes()), (3, 8192));
    let blocks = pool.take_all().expect("no error");
    assert_eq!(
        blocks.iter().map(Block::index).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert!(blocks.iter().all(|block| **block == [0; 8192]));
}

#[test]
fn a_buffer_is_taken_once_at_a_time() {
    let (_device, _, pool) = prepared();
    let block = pool.take(1).expect("no error").expect("it is ours");
    assert!(pool.take(1).expect("no error").is_none());
    assert_eq!(pool.take_all().expect("no error").len(), 2);
    drop(block);
    assert!(pool.take(1).expect("no error").is_some());
    assert!(pool.take(3).expect("no error").is_none());
}

#[test]
fn blocks_do_not_overlap() {
    let (_device, _, pool) = prepared();
    let mut blocks = pool.take_all().expect("no error");
    for block in &mut blocks {
        let index = block.index() as u8;
        block.fill(index + 1);
    }
    for (block, byte) in blocks.iter().zip(1..) {
        assert!(block.iter().all(|found| *found == byte));
    }
}

#[test]
fn buffers_go_round() {
    let (device, _, pool) = prepared();
    device.send(&[9; 8192], 0).expect("sent");
    assert_eq!(pool.enqueue_all(), Ok(3));
    assert!(pool.take(0).expect("no error").is_none());
    pool.start(Start::from_device()).expect("started");
    for sequence in 0..10 {
        let frame = pool
            .dequeue(Deadline::NONE)
            .expect("no error")
            .expect("enqueued");
        assert_eq!(
            (frame.sequence, frame.block.index()),
            (sequence, sequence as u32 % 3)
        );
        assert!(frame.data().iter().all(|byte| *byte == 9));
        let mut block = frame.finish().expect("done");
        block.fill(0);
        pool.enqueue(block).expect("its handle is good");
    }
    assert_eq!(pool.stop().expect("started").frames, 10);
    let back = pool
        .dequeue(Deadline::NONE)
        .expect("no error")
        .expect("stopped");
    assert_eq!(
        back.finish().expect_err("not begun").kind(),
        &ErrorKind::Cancelled
    );
}

#[test]
fn a_part_of_a_buffer_is_moved() {
    let (_device, _, pool) = prepared();
    let block = pool.take(2).expect("no error").expect("ours");
    pool.enqueue_bytes(block, 100).expect("good");
    pool.start(Start::from_device()).expect("started");
    let frame = pool
        .dequeue(Deadline::NONE)
        .expect("no error")
        .expect("enqueued");
    assert_eq!((frame.data().len(), frame.block.len()), (100, 8192));
}

#[test]
fn a_refused_block_comes_back() {
    let (_device, fake, pool) = prepared();
    let block = pool.take(0).expect("no error").expect("ours");
    fake.refuse(sys::PINDMA_POOL_ENQUEUE, Errno::NODEV);
    let refused = pool.enqueue(block).expect_err("gone");
    assert_eq!(refused.error().kind(), &ErrorKind::DeviceGone);
    let mut blocks = vec![refused.into_memory()];
    fake.refuse(sys::PINDMA_POOL_ENQUEUE, Errno::NODEV);
    pool.enqueue_batch(&mut blocks).expect_err("still gone");
    assert_eq!(blocks.len(), 1);
    drop(blocks);
    assert!(pool.take(0).expect("no error").is_some());
}

#[test]
fn a_block_of_another_pool_is_refused() {
    let (device, _, pool) = prepared();
    let other = device.pool(5000, 1, Access::BOTH).expect("a pool");
    let block = other.take(0).expect("no error").expect("ours");
    let refused = pool.enqueue(block).expect_err("not of this pool");
    assert_eq!(refused.error().kind(), &ErrorKind::OtherFile);
}

#[test]
fn nothing_enqueued_is_nothing_to_wait_for() {
    let (_device, _, pool) = prepared();
    pool.start(Start::from_device()).expect("started");
    assert!(pool.dequeue(Deadline::NONE).expect("no error").is_none());
    let error = pool.start(Start::from_device()).expect_err("twice");
    assert_eq!(error.kind(), &ErrorKind::AlreadyStarted);
    pool.stop().expect("started");
    let error = pool
        .start(Start::from_device().channel(3))
        .expect_err("no such");
    assert!(matches!(
        error.kind(),
        ErrorKind::NoChannel { channel: 3, .. }
    ));
}

#[test]
fn a_task_does_not_wait_for_a_run_that_is_over() {
    let (_device, fake, pool) = prepared();
    pool.start(Start::from_device()).expect("started");
    let block = pool.take(0).expect("no error").expect("ours");
    pool.enqueue(block).expect("its handle is good");
    assert!(matches!(pool.attempt(), Ok(None)), "one is to come");
    fake.end_runs(Errno::NXIO);
    let frame = pool.attempt().expect("no error").expect("come back");
    let frame = frame.expect("come back");
    assert!(frame.result.is_err());
    pool.enqueue(frame.block).expect("its handle is good");
    let error = pool.attempt().expect_err("nothing comes, and why");
    assert_eq!(error.operation(), Operation::Run);
}

#[test]
fn a_run_that_ends_by_itself_says_why_until_the_next() {
    let (_device, fake, pool) = prepared();
    assert!(pool.dequeue(Deadline::NONE).expect("not started").is_none());
    pool.start(Start::from_device()).expect("started");
    fake.end_runs(Errno::NODEV);
    for _ in 0..2 {
        let error = pool.dequeue(Deadline::NONE).expect_err("ended");
        assert_eq!(error.kind(), &ErrorKind::DeviceGone);
        assert!(
            error.to_string().starts_with("run of the pool: "),
            "{error}"
        );
    }
    let error = pool.try_dequeue().expect_err("ended");
    assert_eq!(error.operation(), Operation::Run);
    pool.start(Start::from_device()).expect("again");
    assert!(pool.dequeue(Deadline::NONE).expect("running").is_none());
    pool.stop().expect("started");
    assert!(pool.dequeue(Deadline::NONE).expect("stopped").is_none());
}

#[test]
fn a_block_keeps_the_memory_of_its_pool() {
    let (device, fake, pool) = prepared();
    let mut block = pool.take(1).expect("no error").expect("ours");
    drop(pool);
    assert_eq!(fake.registered(), 1);
    block.fill(3);
    assert_eq!(block.send(.., 0).expect("sent").bytes, 8192);
    let mut back = [0; 8192];
    device.receive(&mut back, 0).expect("received");
    assert_eq!(back, [3; 8192]);
    drop(block);
    assert_eq!(fake.registered(), 0);
}

#[test]
fn an_enqueued_block_keeps_nothing() {
    let (_device, fake, pool) = prepared();
    pool.enqueue_all().expect("ours");
    pool.start(Start::from_device()).expect("started");
    let mut frames = Vec::new();
    pool.dequeue_batch(2, Deadline::NONE, &mut frames)
        .expect("enqueued");
    let blocks = frames.into_iter().map(|frame| frame.block);
    pool.enqueue_batch(&mut blocks.collect()).expect("ours");
    drop(pool);
    assert_eq!(fake.registered(), 0);
}

#[test]
fn a_refused_start_is_told_with_its_frame() {
    let (device, fake) = Fake::device();
    let pool = device.pool(5000, 1, Access::WRITE).expect("a pool");
    let refused = |errno, start| {
        fake.refuse(sys::PINDMA_POOL_START, errno);
        pool.start(start).expect_err("refused").to_string()
    };
    assert_eq!(
        refused(Errno::RANGE, Start::from_device().dev_addr(9)),
        "start the pool: 8192 bytes at device address 0x9 do not lie inside the memory of channel 0, \
             which has bytes: 1048576"
    );
    assert_eq!(
        refused(Errno::RANGE, Start::from_device().frame_bytes(9000)),
        "start the pool: bytes 0 to 9000 do not lie inside the memory, which has 8192"
    );
    let text = refused(Errno::OPNOTSUPP, Start::to_device());
    assert!(text.contains("not made for this direction"), "{text}");
    let text = refused(Errno::OPNOTSUPP, Start::from_device());
    assert!(text.contains("channel 0 cannot do this"), "{text}");
}

#[test]
fn waiting_too_long_ends_nothing() {
    let (_device, fake, pool) = prepared();
    fake.refuse(sys::PINDMA_POOL_DEQUEUE, Errno::TIMEDOUT);
    let error = pool.dequeue(Deadline::default()).expect_err("too late");
    assert_eq!(error.kind(), &ErrorKind::NothingInTime);
    assert!(!error.to_string().contains("was ended"), "{error}");
}

#[test]
fn a_block_is_memory_for_transfers() {
    let (device, _, pool) = prepared();
    device.send(&[4; 8192], 0).expect("sent");
    let mut block = pool.take(1).expect("no error").expect("ours");
    block.receive(10..20, 0).expect("received");
    assert_eq!((block[9], block[10], block[19], block[20]), (0, 4, 4, 0));
    block.send(.., 8192).expect("sent");
    let queue: Queue<Block> = device.queue(2).expect("a queue");
    queue.submit(Transfer::from_device(), block).expect("room");
    assert!(pool.take(1).expect("no error").is_none());
    let completion = queue.next(Deadline::NONE).expect("no error").expect("one");
    assert_eq!(*completion.finish().expect("read"), [4; 8192]);
}

#[test]
fn a_lost_block_shows_nothing_and_is_not_taken_again() {
    let (_device, fake, pool) = prepared();
    fake.hang();
    pool.enqueue_all().expect("ours");
    pool.start(Start::from_device()).expect("started");
    let frame = pool
        .dequeue(Deadline::NONE)
        .expect("no error")
        .expect("enqueued");
    let error = frame.result.clone().expect_err("stuck");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    assert!(frame.block.is_lost());
    assert!(!frame.block.is_empty());
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| frame.data()[0]));
    assert!(looked.is_err());
    let refused = pool.enqueue(frame.block).expect_err("lost");
    assert_eq!(refused.error().kind(), &ErrorKind::Lost);
    drop(refused);
    assert!(pool.take(0).expect("no error").is_none());
}

#[test]
fn a_dropped_pool_is_unregistered() {
    let (_device, fake, pool) = prepared();
    assert_eq!(fake.registered(), 1);
    drop(pool);
    assert_eq!(fake.registered(), 0);
}

#[test]
fn a_pool_of_nothing_is_refused_by_name() {
    let (device, _) = Fake::device();
    let error = device.pool(0, 1, Access::READ).expect_err("no bytes");
    assert!(
        error.to_string().contains("the length of the buffers"),
        "{error}"
    );
}
