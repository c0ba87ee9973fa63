// SPDX-License-Identifier: MIT OR GPL-2.0
//! Streams with a made-up kernel.

use rustix::io::Errno;

use super::*;
use crate::ffi::fake::Fake;
use crate::{sys, Access};

#[test]
fn dropped_frames_go_back_to_the_device() {
    let (device, _) = Fake::device();
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let frames = pool.frames(Start::from_device()).expect("started");
    let sequence: Vec<u64> = frames
        .take(7)
        .map(|frame| frame.expect("done").sequence)
        .collect();
    assert_eq!(sequence, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(pool.take_all().expect("stopped").len(), 2);
}

#[test]
fn overruns_are_told() {
    let (device, fake) = Fake::device();
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let mut frames = pool
        .frames(Start::from_device().lossy(true))
        .expect("started");
    drop(frames.next());
    fake.lose_frames(3);
    let frame = frames.next().expect("running").expect("done");
    assert_eq!((frame.sequence, frame.overruns), (4, 3));
    drop(frame);
    assert_eq!(frames.stop().expect("running").frames, 5);
}

#[test]
fn held_frames_are_not_overwritten() {
    let (device, _) = Fake::device();
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let mut frames = pool.frames(Start::from_device()).expect("started");
    let first = frames.next().expect("running").expect("done");
    let second = frames.next().expect("running").expect("done");
    let error = frames.next().expect("running").expect_err("both are held");
    assert_eq!(error.kind(), &ErrorKind::NothingEnqueued);
    drop(second);
    let third = frames.next().expect("running").expect("one is back");
    assert_ne!(first.block.index(), third.block.index());
    let kept = third.keep();
    drop(frames);
    drop(first);
    assert_eq!(pool.take_all().expect("stopped").len(), 1);
    drop(kept);
    assert_eq!(pool.take_all().expect("stopped").len(), 2);
}

#[test]
fn it_ends_when_the_pool_is_stopped() {
    let (device, _) = Fake::device();
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let mut frames = pool.frames(Start::from_device()).expect("started");
    drop(frames.next());
    pool.stop().expect("running");
    // What comes back because of that is no news.
    assert!(frames.next().is_none());
    assert!(frames.next().is_none());
    assert_eq!(pool.take_all().expect("stopped").len(), 2);
}

#[test]
fn it_ends_after_a_run_that_ends_by_itself() {
    let (device, fake) = Fake::device();
    let pool = device.pool(4096, 3, Access::WRITE).expect("a pool");
    let mut frames = pool.frames(Start::from_device()).expect("started");
    let held = frames.next().expect("running").expect("done");
    fake.end_runs(Errno::IO);
    for _ in 0..2 {
        let error = frames.next().expect("not told").expect_err("not begun");
        assert_eq!(error.kind(), &ErrorKind::DeviceError);
    }
    let error = frames.next().expect("not told").expect_err("the end");
    assert_eq!(error.operation(), Operation::Run);
    assert_eq!(error.kind(), &ErrorKind::DeviceError);
    drop(held);
    assert!(frames.next().is_none());
    assert!(frames.next().is_none());
    // Nothing went to a device that does not work on it.
    assert_eq!(pool.take_all().expect("no error").len(), 3);
    drop(frames);
    let again = pool.frames(Start::from_device()).expect("not running");
    assert_eq!(again.take(5).filter_map(Result::ok).count(), 5);
}

#[test]
fn a_signal_does_not_keep_it_from_stopping() {
    let (device, fake) = Fake::device();
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let frames = pool.frames(Start::from_device()).expect("started");
    fake.refuse(sys::PINDMA_POOL_STOP, Errno::INTR);
    frames.stop().expect("the second time");
    assert_eq!(pool.take_all().expect("stopped").len(), 2);
}

#[test]
fn a_stuck_device_loses_a_buffer() {
    let (device, fake) = Fake::device();
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let mut frames = pool.frames(Start::from_device()).expect("started");
    fake.hang();
    let error = frames.next().expect("running").expect_err("stuck");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    drop(frames);
    assert_eq!(pool.take_all().expect("no error").len(), 1);
}

#[test]
fn a_lease_goes_to_another_thread_and_its_buffer_back_from_there() {
    let (device, _) = Fake::device();
    device.send(&[8; 4096], 0).expect("sent");
    let pool = device.pool(4096, 1, Access::WRITE).expect("a pool");
    let mut frames = pool.frames(Start::from_device()).expect("started");
    for sequence in 0..3 {
        let lease = frames.next().expect("running").expect("done");
        let seen = std::thread::spawn(move || (lease.sequence, lease.data()[4095]));
        assert_eq!(seen.join().expect("no panic"), (sequence, 8));
    }
}

#[test]
fn a_lease_that_outlives_the_pool_goes_nowhere() {
    let (device, fake) = Fake::device();
    device.send(&[8; 4096], 0).expect("sent");
    let pool = device.pool(4096, 2, Access::WRITE).expect("a pool");
    let lease = pool.frames(Start::from_device()).expect("started").next();
    let lease = lease.expect("running").expect("done");
    drop(pool);
    assert_eq!(lease.data()[0], 8);
    assert_eq!(fake.registered(), 1);
    drop(lease);
    assert_eq!(fake.registered(), 0);
}
