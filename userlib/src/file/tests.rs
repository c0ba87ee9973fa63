// SPDX-License-Identifier: MIT OR GPL-2.0
//! A device as a file, with a file as a device.

use super::*;
use crate::ffi::fake::{Fake, MEMORY};

#[test]
fn it_reads_and_writes_at_a_place() {
    let (device, _) = Fake::device();
    assert_eq!(device.write_at(b"hello", 100), Ok(5));
    let mut back = [0; 3];
    assert_eq!(device.read_at(&mut back, 102), Ok(3));
    assert_eq!(&back, b"llo");
    let (mut one, mut two) = ([0; 1], [0; 2]);
    let mut both = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(device.read_vectored_at(&mut both, 100), Ok(3));
    assert_eq!((&one, &two), (b"h", b"el"));
}

#[test]
fn it_has_a_position_and_an_end() {
    let (mut device, _) = Fake::device();
    assert_eq!(device.seek(SeekFrom::End(-3)).expect("inside"), MEMORY - 3);
    device.write_all(b"end").expect("room");
    device.seek(SeekFrom::Current(-3)).expect("inside");
    let mut rest = Vec::new();
    device.read_to_end(&mut rest).expect("readable");
    assert_eq!(rest, b"end");
    device.rewind().expect("inside");
    let mut first = [9];
    device.read_exact(&mut first).expect("readable");
    assert_eq!(first, [0]);
}

#[test]
fn the_end_of_the_memory_is_told() {
    let error = failed(Operation::Write, Errno::NOSPC);
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("the end of the device's memory"));
}

#[test]
fn a_failed_device_is_not_read() {
    let (device, fake) = Fake::device();
    fake.hang();
    let error = device.read_at(&mut [0], 0).expect_err("failed before");
    assert_eq!(error.kind(), &crate::ErrorKind::NotRecoverable);
}
