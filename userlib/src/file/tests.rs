// SPDX-License-Identifier: MIT OR GPL-2.0
//! A device as a file, with a file as a device.

use super::*;
use crate::ffi::fake::{Fake, MEMORY, READ_WRITE};
use crate::ErrorKind;

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
    let (mut device, fake) = Fake::device();
    fake.refuse(READ_WRITE, Errno::NOSPC);
    let error = device.write(&[0]).expect_err("at the end");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("the end of the device's memory"));
}

#[test]
fn a_failed_device_is_told_to_who_has_started_nothing() {
    let (device, fake) = Fake::device();
    fake.hang();
    for _ in 0..2 {
        fake.refuse(READ_WRITE, Errno::IO);
    }
    let error = device.read_at(&mut [0], 0).expect_err("failed before");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    let error = device.write_at(&[0], 0).expect_err("failed before");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
}

#[test]
fn an_error_of_the_device_is_no_failed_device() {
    let (device, fake) = Fake::device();
    fake.refuse(READ_WRITE, Errno::IO);
    let error = device.read_at(&mut [0], 0).expect_err("refused");
    assert_eq!(error.kind(), &ErrorKind::DeviceError);
}

#[test]
fn a_short_read_is_good_whatever_becomes_of_the_device() {
    let (device, fake) = Fake::device();
    fake.hang();
    assert_eq!(device.read_at(&mut [1; 10], MEMORY - 3), Ok(3));
}

#[test]
fn a_limit_of_locked_memory_is_told_from_a_lack_of_memory() {
    let (device, fake) = Fake::device();
    let page = rustix::param::page_size() as u64;
    fake.limit_memlock(page, 2 * page);
    // Two pages, wherever they are.
    let bytes = vec![0; page as usize + 1];
    fake.refuse(READ_WRITE, Errno::NOMEM);
    let error = device.write_at(&bytes, 0).expect_err("refused");
    let (used, limit) = (page, 2 * page);
    assert!(
        matches!(error.kind(), ErrorKind::MemlockLimit { needed, used: was, limit: most }
            if *needed > page && (*was, *most) == (used, limit)),
        "{error}"
    );
    fake.limit_memlock(page, u64::MAX);
    fake.refuse(READ_WRITE, Errno::NOMEM);
    let error = device.write_at(&bytes, 0).expect_err("refused");
    assert_eq!(error.kind(), &ErrorKind::OutOfMemory);
}

#[test]
fn memory_out_of_reach_is_told_without_a_place() {
    let (device, fake) = Fake::device();
    fake.refuse(READ_WRITE, Errno::NXIO);
    let error = device.read_at(&mut [0], 0).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.starts_with("read: memory of the destination lies in RAM beyond"),
        "{text}"
    );
}
