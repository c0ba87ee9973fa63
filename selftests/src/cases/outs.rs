// SPDX-License-Identifier: GPL-2.0

//! Out fields of calls that fail: they are written, so that what was in them before is not taken
//! for an answer.

use std::mem::size_of;

use crate::abi;
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::queue::{ask, wait_into, Queue};
use crate::region::{register, BOTH};
use crate::sys::{Mapping, Plain};
use crate::table::{Case, EDU};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "handle_is_0_when_a_registration_fails",
        "whatever the caller had left there",
        handle,
    ),
    Case::new(
        "descriptor_is_none_when_a_queue_cannot_be_made",
        "whatever the caller had left there",
        descriptor,
    ),
    Case::new(
        "answers_are_written_when_a_question_fails",
        "of device, channel, file, region",
        answers,
    )
    .not_on_xdma(EDU),
    Case::new(
        "counts_are_0_when_a_call_on_a_queue_fails",
        "a wait and a cancel that are wrong",
        counts,
    ),
];

/// What a caller may have left in an out field.
const GARBAGE: u32 = 77;

/// The call fails with this errno; what is in its argument then.
#[track_caller]
fn fails<T: Plain>(command: impl FnOnce(&mut T) -> i32, mut argument: T, want: i32) -> Outcome<T> {
    let errno = command(&mut argument);
    same("errno", errno_name(errno), errno_name(want))?;
    Ok(argument)
}

fn handle(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(2 * PAGE)?;
    memory.punch(PAGE, PAGE)?;
    let segs = [seg(&memory, 0, PAGE), seg(&memory, PAGE, PAGE)];
    let mut request = register(BOTH, &segs);
    request.out_handle = GARBAGE;
    let call = |arg: &mut _| device.command(abi::PINDMA_REGION_REGISTER, arg);
    let after = fails(call, request, libc::EFAULT)?;
    same("handle", after.out_handle, 0)?;
    request.access = 0;
    let after = fails(call, request, libc::EINVAL)?;
    same("handle", after.out_handle, 0)
}

fn descriptor(_: Leg) -> Outcome {
    let device = Device::open()?;
    let call = |arg: &mut _| device.command(abi::PINDMA_QUEUE_CREATE, arg);
    for (depth, flags, errno) in [(0, 0, libc::EINVAL), (1, 1 << 31, libc::EOPNOTSUPP)] {
        let mut request = ask(depth);
        request.flags = flags;
        request.out_fd = GARBAGE as i32;
        same("descriptor", fails(call, request, errno)?.out_fd, -1)?;
    }
    Ok(())
}

fn answers(_: Leg) -> Outcome {
    let device = Device::open()?;
    let info = abi::pindma_info {
        size: size_of::<abi::pindma_info>() as u32,
        flags: 1,
        out_channels: GARBAGE,
        ..abi::pindma_info::default()
    };
    let call = |arg: &mut _| device.command(abi::PINDMA_INFO, arg);
    let after = fails(call, info, libc::EOPNOTSUPP)?;
    check(after.out_channels != GARBAGE, "info was not written")?;
    let channel = abi::pindma_channel_info {
        size: size_of::<abi::pindma_channel_info>() as u32,
        channel: 1,
        out_kind: GARBAGE,
        ..abi::pindma_channel_info::default()
    };
    let call = |arg: &mut _| device.command(abi::PINDMA_CHANNEL_INFO, arg);
    let after = fails(call, channel, libc::ENOENT)?;
    check(after.out_kind != GARBAGE, "channel info was not written")?;
    let stats = abi::pindma_stats {
        size: size_of::<abi::pindma_stats>() as u32,
        flags: 1,
        out_jobs: GARBAGE.into(),
        ..abi::pindma_stats::default()
    };
    let call = |arg: &mut _| device.command(abi::PINDMA_STATS, arg);
    let after = fails(call, stats, libc::EOPNOTSUPP)?;
    same("jobs", after.out_jobs, 0)?;
    let region = abi::pindma_region_info {
        size: size_of::<abi::pindma_region_info>() as u32,
        handle: 1,
        out_users: GARBAGE,
        ..abi::pindma_region_info::default()
    };
    let call = |arg: &mut _| device.command(abi::PINDMA_REGION_INFO, arg);
    let after = fails(call, region, libc::ENOENT)?;
    same("users", after.out_users, 0)
}

fn counts(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 1)?;
    let room = Mapping::anonymous(PAGE)?;
    let mut wait = wait_into(room.addr(0), 1, 2, 0);
    wait.out_reaped = GARBAGE;
    let call = |arg: &mut _| queue.command(abi::PINDMA_QUEUE_WAIT, arg);
    let after = fails(call, wait, libc::EINVAL)?;
    same("reaped", after.out_reaped, 0)?;
    let cancel = abi::pindma_queue_cancel {
        size: size_of::<abi::pindma_queue_cancel>() as u32,
        reserved: 1,
        out_canceled: GARBAGE,
        ..abi::pindma_queue_cancel::default()
    };
    let call = |arg: &mut _| queue.command(abi::PINDMA_QUEUE_CANCEL, arg);
    let after = fails(call, cancel, libc::EINVAL)?;
    same("canceled", after.out_canceled, 0)
}
