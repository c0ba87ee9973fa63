// SPDX-License-Identifier: MIT OR GPL-2.0
//! Made-up results of the kernel, and what a user gets to read.

use std::io;

use super::*;

const STARTED: u32 = sys::PINDMA_OUT_STARTED;

fn made(operation: Operation) -> Call {
    Call {
        channel: 2,
        dev_addr: 0xff0,
        bytes: 64,
        segments: 3,
        ..Call::of(operation)
    }
}

fn decoded(operation: Operation, errno: Errno, result: sys::pindma_result) -> Error {
    call(&made(operation), errno.raw_os_error(), &result)
}

fn limited(errno: Errno, limit: Option<u64>) -> Error {
    let call_made = Call {
        limit,
        ..made(Operation::ToDevice)
    };
    call(
        &call_made,
        errno.raw_os_error(),
        &sys::pindma_result::default(),
    )
}

fn at_segment(flags: u32) -> sys::pindma_result {
    sys::pindma_result {
        flags: flags | sys::PINDMA_OUT_FAULT,
        fault_index: 1,
        fault_addr: 0x7000_1000,
        pages_pinned: 4,
        ..Default::default()
    }
}

fn in_field(field: sys::pindma_field) -> sys::pindma_result {
    sys::pindma_result {
        field,
        fault_index: 2,
        ..Default::default()
    }
}

#[test]
fn fault_says_where_and_how_far() {
    let error = decoded(Operation::FromDevice, Errno::FAULT, at_segment(0));
    assert_eq!(
        error.to_string(),
        "transfer from device: memory at 0x70001000 cannot be used (segment 1 of the \
         destination, after 4 good pages): it is not mapped, not accessible, or read-only"
    );
    assert_eq!((error.errno(), error.bytes()), (14, 0));
}

#[test]
fn fault_of_a_copy_names_the_side() {
    for (flags, expected) in [
        (0, Side::Source),
        (sys::PINDMA_OUT_FAULT_DST, Side::Destination),
    ] {
        let error = decoded(Operation::Copy, Errno::FAULT, at_segment(flags));
        assert!(matches!(error.kind(), ErrorKind::Fault { side, .. } if *side == expected));
    }
}

#[test]
fn a_file_of_another_mode_is_told_from_a_wrong_one() {
    let kind = |operation, field| {
        decoded(operation, Errno::BADF, in_field(field))
            .kind()
            .clone()
    };
    let direction = sys::PINDMA_FIELD_DIRECTION;
    assert_eq!(
        kind(Operation::ToDevice, direction),
        ErrorKind::NotOpenForThis
    );
    let access = sys::PINDMA_FIELD_ACCESS;
    assert_eq!(kind(Operation::Register, access), ErrorKind::NotOpenForThis);
    let none = sys::PINDMA_FIELD_NONE;
    assert_eq!(kind(Operation::Copy, none), ErrorKind::NotOpenForThis);
    let queue = sys::PINDMA_FIELD_QUEUE;
    assert_eq!(kind(Operation::Submit, queue), ErrorKind::WrongFile);
}

#[test]
fn fault_without_a_place_is_not_given_one() {
    let error = decoded(Operation::Copy, Errno::FAULT, sys::pindma_result::default());
    assert_eq!(error.kind(), &ErrorKind::Other { errno: 14 });
}

#[test]
fn memlock_says_what_to_raise() {
    let result = sys::pindma_result {
        flags: sys::PINDMA_OUT_MEMLOCK,
        memlock_needed: 4_194_304,
        memlock_used: 5_000,
        memlock_limit: 8_192,
        ..Default::default()
    };
    let error = decoded(Operation::Copy, Errno::NOMEM, result);
    assert_eq!(
        error.to_string(),
        "copy: 4194304 bytes must be locked, 5000 are already, and the limit is 8192; raise it \
         (`ulimit -l 4101`, LimitMEMLOCK= of a service, limits.conf), or run with CAP_IPC_LOCK, \
         or transfer less at a time"
    );
}

#[test]
fn no_memory_without_the_flag_is_another_matter() {
    let error = decoded(Operation::Copy, Errno::NOMEM, sys::pindma_result::default());
    assert_eq!(error.kind(), &ErrorKind::OutOfMemory);
}

#[test]
fn out_of_reach_says_which_address_and_what_helps() {
    let text = decoded(Operation::ToDevice, Errno::NXIO, at_segment(0)).to_string();
    assert!(
        text.contains("memory at 0x70001000 (segment 1 of the source)"),
        "{text}"
    );
    assert!(text.contains("intel_iommu=on"), "{text}");
}

#[test]
fn bad_input_is_named() {
    let error = decoded(
        Operation::Copy,
        Errno::INVAL,
        in_field(sys::PINDMA_FIELD_SEG_LEN),
    );
    assert_eq!(
        error.to_string(),
        "copy: the length of segment 2 of the source is not valid: no slice may be empty, the \
         length must fit the device's length alignment, and both sides of a copy must have the \
         same sum"
    );
    let error = decoded(
        Operation::ToDevice,
        Errno::INVAL,
        in_field(sys::PINDMA_FIELD_DEADLINE),
    );
    assert_eq!(
        error.to_string(),
        "transfer to device: the deadline is not valid: it must not be negative"
    );
}

#[test]
fn field_that_a_newer_kernel_names_is_kept() {
    let error = decoded(Operation::ToDevice, Errno::INVAL, in_field(99));
    assert!(matches!(
        error.kind(),
        ErrorKind::Invalid {
            field: Field::Internal(99),
            segment: None,
            ..
        }
    ));
}

#[test]
fn range_says_what_there_is() {
    assert_eq!(
        limited(Errno::RANGE, Some(4096)).to_string(),
        "transfer to device: 64 bytes at device address 0xff0 do not lie inside the memory of \
         channel 2, which has bytes: 4096"
    );
    assert_eq!(
        limited(Errno::RANGE, None).to_string(),
        "transfer to device: 64 bytes at device address 0xff0 do not lie inside the memory of \
         channel 2"
    );
}

#[test]
fn limits_of_counts_are_told() {
    assert_eq!(
        limited(Errno::MSGSIZE, Some(2)).to_string(),
        "transfer to device: 3 slices are too many for one call, which takes at most 2; make \
         several calls"
    );
    assert_eq!(
        limited(Errno::NOENT, Some(1)).to_string(),
        "transfer to device: there is no channel 2; channels of the device, counted from 0: 1"
    );
}

#[test]
fn what_an_old_module_or_a_small_channel_cannot_do() {
    for errno in [Errno::NOTTY, Errno::TOOBIG] {
        assert_eq!(limited(errno, None).kind(), &ErrorKind::OlderModule);
    }
    let error = decoded(
        Operation::Copy,
        Errno::OPNOTSUPP,
        in_field(sys::PINDMA_FIELD_CHANNEL),
    );
    assert_eq!(
        error.to_string(),
        "copy: channel 2 cannot do this (the channel); `pindma info` lists what it can"
    );
}

#[test]
fn access_is_no_matter_of_the_channel() {
    let field = in_field(sys::PINDMA_FIELD_SEG_HANDLE);
    let error = decoded(Operation::ToDevice, Errno::OPNOTSUPP, field);
    assert_eq!(error.kind(), &ErrorKind::WrongAccess);
}

#[test]
fn an_early_end_tells_how_far_it_came() {
    let result = sys::pindma_result {
        flags: STARTED | sys::PINDMA_OUT_BOUNCED,
        bytes: 4096,
        pages: 2,
        segments: 1,
        ..Default::default()
    };
    let error = decoded(Operation::ToDevice, Errno::INTR, result);
    assert_eq!(
        error.to_string(),
        "transfer to device: a signal came; the call can be made again for the rest (4096 bytes \
         were moved before)"
    );
    let done = error.done();
    assert_eq!(
        (done.bytes, done.pages, done.segments, done.bounced),
        (4096, 2, 1, true)
    );
}

#[test]
fn numbers_that_say_it_all() {
    for (errno, kind) in [
        (Errno::NOSPC, ErrorKind::NoSpace),
        (Errno::AGAIN, ErrorKind::Busy),
        (Errno::TIMEDOUT, ErrorKind::TimedOut),
        (Errno::IO, ErrorKind::DeviceError),
        (Errno::STALE, ErrorKind::Reset),
        (Errno::NODEV, ErrorKind::DeviceGone),
        (Errno::NOTRECOVERABLE, ErrorKind::NotRecoverable),
        (Errno::DOM, ErrorKind::Other { errno: 33 }),
    ] {
        let error = limited(errno, None);
        assert_eq!((error.kind(), error.errno()), (&kind, errno.raw_os_error()));
    }
}

#[test]
fn open_gives_advice() {
    let path = Path::new("/dev/pindma0");
    let text = |errno: Errno| open(path, errno.raw_os_error()).to_string();
    assert_eq!(
        text(Errno::NOENT),
        "open: /dev/pindma0 does not exist or has no device behind it; is the module loaded \
         (`modprobe pindma`) and bound to a card (`dmesg`, `lspci -k`)? `pindma doctor` looks"
    );
    assert!(text(Errno::ACCESS).contains("its mode is 0600"));
    assert!(text(Errno::BUSY).contains("`fuser /dev/pindma0`"));
    assert!(text(Errno::NOTTY).contains("is not a pindma device"));
}

#[test]
fn becomes_an_io_error_that_keeps_the_text() {
    let error = limited(Errno::AGAIN, None);
    let text = error.to_string();
    let converted = io::Error::from(error);
    assert_eq!(converted.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(converted.to_string(), text);
}

#[test]
fn a_pool_that_is_not_made_says_what_to_do() {
    let text = |errno: Errno| plain_call(Operation::CreatePool, errno).to_string();
    assert!(text(Errno::PERM).contains("CAP_SYS_RESOURCE"));
    assert!(text(Errno::AGAIN).contains("mlockall"));
}
