// SPDX-License-Identifier: MIT OR GPL-2.0
//! Regions with a made-up kernel.

use std::ptr::NonNull;

use rustix::io::Errno;

use super::*;
use crate::ffi::fake::Fake;
use crate::ErrorKind;

fn filled(byte: u8) -> Buffer {
    vec![byte; 3000].into()
}

#[test]
fn bytes_go_there_and_back() {
    let (device, fake) = Fake::device();
    let mut region = device
        .register(filled(6), Access::BOTH)
        .expect("registered");
    region[..3].copy_from_slice(b"abc");
    assert_eq!(region.send(..100, 50).expect("sent").bytes, 100);
    region.receive(1000..1100, 50).expect("received");
    assert_eq!(&region[1000..1004], b"abc\x06");
    assert_eq!(region.info().expect("registered").len, 3000);
    assert_eq!(fake.registered(), 1);
    let buffer = region.unregister().expect("nobody uses it");
    assert_eq!((&buffer[1000..1003], fake.registered()), (&b"abc"[..], 0));
}

#[test]
fn a_dropped_region_is_unregistered() {
    let (device, fake) = Fake::device();
    drop(
        device
            .register(filled(1), Access::READ)
            .expect("registered"),
    );
    assert_eq!(fake.registered(), 0);
}

#[test]
fn what_may_change_at_any_time_is_not_lent() {
    let (device, fake) = Fake::device();
    fake.write_unasked();
    for access in [Access::WRITE, Access::BOTH] {
        let refused = device.register(filled(2), access).expect_err("refused");
        assert_eq!(refused.error().kind(), &ErrorKind::WritesUnasked);
        assert_eq!(refused.into_memory()[0], 2);
        let error = device.pool(4096, 2, access).expect_err("refused");
        assert_eq!(error.kind(), &ErrorKind::WritesUnasked);
    }
    assert_eq!(fake.registered(), 0);
    device.register(filled(2), Access::READ).expect("only read");
    device.pool(4096, 2, Access::READ).expect("only read");
}

#[test]
fn what_the_kernel_refuses_comes_back() {
    let (device, fake) = Fake::device();
    fake.refuse(sys::PINDMA_REGION_REGISTER, Errno::NOSPC);
    let refused = device
        .register(filled(2), Access::READ)
        .expect_err("refused");
    assert_eq!(refused.error().kind(), &ErrorKind::TooMany);
    assert_eq!(refused.into_memory()[0], 2);
    let error = device
        .register(Vec::new().into(), Access::READ)
        .expect_err("empty");
    assert!(matches!(error.error().kind(), ErrorKind::Invalid { .. }));
}

#[test]
fn a_range_outside_is_an_error() {
    let (device, _) = Fake::device();
    let mut region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    let error = region.send(2999..3001, 0).expect_err("one too many");
    assert_eq!(
        error.to_string(),
        "transfer to device: bytes 2999 to 3001 do not lie inside the memory, which has 3000"
    );
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    let backwards = region.receive(5..4, 0);
    assert!(backwards.is_err());
    assert!(region.sync_for_cpu(3001..).is_err());
    assert_eq!(region.sync_for_device(..), Ok(()));
    assert_eq!(region.sync_for_cpu(7..7), Ok(()));
}

#[test]
fn parts_have_their_own_bytes() {
    let (device, fake) = Fake::device();
    let region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    let (mut head, mut tail) = region.split_at(1000);
    head.fill(2);
    tail.fill(3);
    tail.send(.., 0).expect("sent");
    head.receive(.., 0).expect("received");
    assert_eq!(
        (head[0], head.len(), tail[0], tail.len()),
        (3, 1000, 3, 2000)
    );
    let refused = head.unregister().expect_err("there is a tail");
    assert_eq!(refused.error().kind(), &ErrorKind::InParts);
    let head = refused.into_memory();
    let (tail, head) = tail.join(head).expect_err("the wrong order");
    let whole = head.join(tail).expect("the right order");
    assert_eq!((whole.len(), fake.registered()), (3000, 1));
    whole.unregister().expect("it is whole");
}

#[test]
#[should_panic(expected = "beyond the region's end")]
fn it_is_not_split_behind_its_end() {
    let (device, _) = Fake::device();
    let region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    let _ = region.split_at(3001);
}

#[test]
fn the_last_part_unregisters() {
    let (device, fake) = Fake::device();
    let region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    let mut parts = region.split_into(1000);
    let last = parts.pop();
    drop(parts);
    assert_eq!(fake.registered(), 1);
    drop(last);
    assert_eq!(fake.registered(), 0);
}

#[test]
fn a_region_in_use_stays() {
    let (device, fake) = Fake::device();
    let region = device
        .register(filled(4), Access::BOTH)
        .expect("registered");
    fake.refuse(sys::PINDMA_REGION_UNREGISTER, Errno::BUSY);
    let refused = region.unregister().expect_err("in use");
    assert_eq!(refused.error().kind(), &ErrorKind::RegionInUse);
    let region = refused.into_memory();
    fake.refuse(sys::PINDMA_REGION_UNREGISTER, Errno::TIMEDOUT);
    let refused = region
        .unregister_by(Deadline::default())
        .expect_err("in use");
    assert_eq!(refused.error().kind(), &ErrorKind::NothingInTime);
    let buffer = refused.into_memory().unregister_by(Deadline::NONE);
    assert_eq!(buffer.expect("no longer")[0], 4);
}

#[test]
fn what_cannot_be_unregistered_is_leaked() {
    let (device, fake) = Fake::device();
    let region = device
        .register(filled(8), Access::BOTH)
        .expect("registered");
    let at = region.as_ptr().expose_provenance() as u64;
    fake.refuse(sys::PINDMA_REGION_UNREGISTER, Errno::NOTRECOVERABLE);
    drop(region);
    // The sanitizer of `make unit` objects if this memory was freed.
    fake.write_to(at, 3000);
}

#[test]
fn a_lost_region_shows_nothing_and_leaks() {
    let (device, fake) = Fake::device();
    let mut region = device
        .register(filled(8), Access::BOTH)
        .expect("registered");
    fake.hang();
    let error = region.receive(.., 0).expect_err("stuck");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    assert!(region.is_lost());
    assert_eq!((region.len(), region.is_empty()), (3000, false));
    let looked = std::panic::catch_unwind(|| region[0]);
    assert!(looked.is_err());
    let error = region.send(.., 0).expect_err("lost");
    assert_eq!(error.kind(), &ErrorKind::Lost);
    let region = region.unregister().expect_err("lost").into_memory();
    drop(region);
    assert_eq!(fake.registered(), 1);
}

#[test]
fn what_a_lost_region_leaks_can_still_be_split() {
    let (device, fake) = Fake::device();
    let mut region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    fake.hang();
    region.receive(.., 0).expect_err("does not stop");
    let parts = region.split_into(1000);
    assert!(parts
        .iter()
        .all(|part| part.is_lost() && part.len() == 1000));
    assert_eq!(parts.len(), 3);
}

#[test]
fn what_a_stuck_device_only_reads_is_not_lost() {
    let (device, fake) = Fake::device();
    let region = device
        .register(filled(8), Access::BOTH)
        .expect("registered");
    fake.hang();
    region.send(.., 0).expect_err("stuck");
    assert!(!region.is_lost());
    assert_eq!(region[0], 8);
}

#[test]
fn what_was_copied_is_not_lost() {
    let (device, fake) = Fake::device();
    fake.hang();
    let mut bytes = [1; 10];
    let request = device.request().must_copy();
    let error = request.receive(&mut bytes).expect_err("stuck");
    assert_eq!(error.kind(), &ErrorKind::NotRecoverable);
    assert!(error.done().copied);
}

#[test]
fn a_region_of_another_device_is_refused() {
    let (device, _) = Fake::device();
    let (other, _) = Fake::device();
    let region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    let error = other
        .request()
        .send_from(&region, ..)
        .expect_err("not its own");
    assert_eq!(error.kind(), &ErrorKind::OtherFile);
}

#[test]
fn somebody_else_can_unregister_it() {
    let (device, fake) = Fake::device();
    let region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    fake.forget_regions();
    let error = region.send(.., 0).expect_err("stale");
    assert_eq!(error.kind(), &ErrorKind::StaleHandle);
    assert_eq!(
        region.info().expect_err("stale").kind(),
        &ErrorKind::StaleHandle
    );
}

#[test]
fn the_device_is_given_away_only_alone() {
    let (device, _) = Fake::device();
    let region = device
        .register(filled(1), Access::BOTH)
        .expect("registered");
    let device = std::os::fd::OwnedFd::try_from(device).expect_err("a region needs it");
    drop(region);
    assert!(std::os::fd::OwnedFd::try_from(device).is_ok());
}

#[test]
fn foreign_memory_is_used_in_place() {
    let (device, fake) = Fake::device();
    let mut memory = vec![1u8; 100];
    let raw = NonNull::from(memory.as_mut_slice());
    let mut region = crate::ffi::foreign::register(&device, raw, Access::BOTH);
    region.fill(2);
    region.send(.., 0).expect("sent");
    assert!(region.unregister().expect("nobody uses it").is_empty());
    assert_eq!((memory[99], fake.registered()), (2, 0));
}
