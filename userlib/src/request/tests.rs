// SPDX-License-Identifier: MIT OR GPL-2.0
//! Vectors with a made-up kernel.

use std::io::{IoSlice, IoSliceMut};

use super::*;
use crate::ffi::fake::Fake;
use crate::{Access, Buffer, Destination, Device, Region, Source};

fn region(device: &Device, byte: u8) -> Region {
    let buffer = Buffer::from(vec![byte; 3000]);
    device.register(buffer, Access::BOTH).expect("registered")
}

fn back(device: &Device, len: usize) -> Vec<u8> {
    let mut back = vec![0; len];
    device.receive(&mut back, 0).expect("received");
    back
}

#[test]
fn a_vector_has_slices_regions_and_blocks() {
    let (device, _) = Fake::device();
    let mut one = region(&device, 1);
    let pool = device.pool(4096, 1, Access::BOTH).expect("a pool");
    let mut block = pool.take(0).expect("no error").expect("ours");
    block.fill(2);
    let from = [
        Source::new(&one, 10..12),
        Source::from(&[3, 4][..]),
        Source::new(&block, ..=0),
        Source::new(&one, 2999..),
    ];
    let done = device.request().send_parts(&from).expect("sent");
    assert_eq!((done.bytes, back(&device, 6)), (6, vec![1, 1, 3, 4, 2, 1]));
    let mut slice = [0; 2];
    let mut to = [
        Destination::new(&mut block, 4095..),
        Destination::from(&mut slice[..]),
        Destination::new(&mut one, 100..103),
    ];
    device.request().receive_parts(&mut to).expect("received");
    assert_eq!(
        (block[4095], slice, &one[99..104]),
        (1, [1, 3], &[1, 4, 2, 1, 1][..])
    );
}

#[test]
fn a_range_outside_is_refused_before_anything_moves() {
    let (device, fake) = Fake::device();
    let (mut one, other) = (region(&device, 1), Fake::device().0);
    let from = [Source::from(&[9][..]), Source::new(&one, 2999..3001)];
    let error = device.request().send_parts(&from).expect_err("outside");
    assert!(matches!(
        error.kind(),
        ErrorKind::OutsideMemory { end: 3001, .. }
    ));
    let mut to = [Destination::new(&mut one, ..)];
    let error = other.request().receive_parts(&mut to).expect_err("not its");
    assert_eq!(error.kind(), &ErrorKind::OtherFile);
    assert_eq!(back(&device, 1), [0]);
    let _ = fake;
}

#[test]
fn calls_for_all_go_on_in_the_middle_of_a_vector() {
    let (device, fake) = Fake::device();
    let mut one = region(&device, 7);
    let head = [5; 10];
    // Signals after 4, 9 and 20 bytes of what was left.
    [4, 9, 20].map(|bytes| fake.interrupt_after(bytes));
    let from = [Source::from(&head[..]), Source::new(&one, ..100)];
    let done = device.request().send_all_parts(&from).expect("sent");
    assert_eq!(done.bytes, 110);
    assert_eq!(back(&device, 111), [&[5; 10][..], &[7; 100], &[0]].concat());

    fake.interrupt_after(15);
    let slices = [IoSlice::new(&head), IoSlice::new(&[6; 10])];
    let done = device.request().dev_addr(50).send_all_vectored(&slices);
    assert_eq!(done.expect("sent").bytes, 20);
    assert_eq!(back(&device, 70)[50..], [[5; 10], [6; 10]].concat());

    fake.interrupt_after(3);
    let request = device.request().dev_addr(50);
    request
        .receive_all_into(&mut one, 200..210)
        .expect("received");
    fake.interrupt_after(3);
    request.send_all_from(&one, 195..215).expect("sent");
    assert_eq!(
        back(&device, 70)[50..],
        [[7; 5], [5; 5], [5; 5], [7; 5]].concat()
    );
}

#[test]
fn destinations_are_filled_once_whatever_signals_come() {
    let (device, fake) = Fake::device();
    let mut one = region(&device, 7);
    let bytes: Vec<u8> = (0..100).collect();
    device.send(&bytes, 0).expect("sent");
    [9, 1, 30].map(|bytes| fake.interrupt_after(bytes));
    let (mut head, mut tail) = ([0; 10], [0; 50]);
    let mut to = [
        Destination::from(&mut head[..]),
        Destination::new(&mut one, ..40),
        Destination::from(&mut tail[..]),
    ];
    let done = device
        .request()
        .receive_all_parts(&mut to)
        .expect("received");
    assert_eq!(done.bytes, 100);
    assert_eq!([&head, &one[..40], &tail].concat(), bytes);
    fake.interrupt_after(12);
    let mut slices = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
    let done = device.request().receive_all_vectored(&mut slices);
    assert_eq!(done.expect("received").bytes, 60);
    assert_eq!([&head[..], &tail].concat(), bytes[..60]);
}

#[test]
fn a_signal_after_the_last_byte_ends_nothing() {
    let (device, fake) = Fake::device();
    fake.interrupt_after(10);
    assert_eq!(device.send_all(&[1; 10], 0).expect("sent").bytes, 10);
}

#[test]
fn an_error_counts_segments_from_the_start_of_the_vector() {
    let (device, fake) = Fake::device();
    let one = region(&device, 7);
    fake.interrupt_after(15);
    let head = [5; 10];
    let from = [
        Source::from(&head[..]),
        Source::from(&head[..]),
        Source::new(&one, ..),
    ];
    fake.forget_regions();
    let error = device.request().send_all_parts(&from).expect_err("stale");
    assert_eq!(error.kind(), &ErrorKind::StaleHandle);
    assert_eq!(error.bytes(), 15);
}

#[test]
fn what_a_stuck_device_may_write_is_leaked_all_of_it() {
    let (device, fake) = Fake::device();
    let (mut one, mut two) = (region(&device, 1), region(&device, 2));
    fake.hang();
    let mut to = [
        Destination::new(&mut one, ..10),
        Destination::new(&mut two, ..10),
    ];
    let error = device.request().receive_parts(&mut to).expect_err("stuck");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    assert!(one.is_lost() && two.is_lost());
}

#[test]
fn a_copy_of_all_goes_on_in_the_middle_of_both_vectors() {
    let (device, fake) = Fake::device();
    let (mut one, mut two) = ([0; 2], [0; 4]);
    let from = [IoSlice::new(&[9, 8, 7]), IoSlice::new(&[6, 5, 4])];
    let mut to = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    [3, 1].map(|bytes| fake.interrupt_after(bytes));
    let done = device.request().copy_all_vectored(&from, &mut to);
    assert_eq!(done.expect("copied").bytes, 6);
    assert_eq!((one, two), ([9, 8], [7, 6, 5, 4]));
}
