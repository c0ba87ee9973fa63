// SPDX-License-Identifier: GPL-2.0

//! open(2): shared, exclusive, closed meanwhile.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::check::{errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new("many_opens_at_once_work", "100 of them, each counted", many),
    Case::new(
        "ebusy_for_exclusive_open_of_open_device",
        "until it is closed",
        exclusive_second,
    ),
    Case::new(
        "ebusy_for_open_of_exclusive_device",
        "exclusive or not",
        exclusive_first,
    ),
    Case::new(
        "exclusive_open_lasts_until_the_last_reference",
        "a duplicate, a child",
        last_reference,
    ),
    Case::new(
        "exclusive_open_works_for_data",
        "as any other file",
        exclusive_data,
    )
    .needs(Needs::Memory),
    Case::new(
        "close_during_dma_waits_for_nothing",
        "the call goes on",
        close_during,
    )
    .needs(Needs::Race),
];

fn refused(flags: i32) -> Outcome {
    let errno = errno_of(Device::open_with(flags));
    same("open", errno_name(errno), errno_name(libc::EBUSY))
}

fn many(_: Leg) -> Outcome {
    let before = counters::driver("files")?;
    let files: Result<Vec<_>, _> = (0..100).map(|_| Device::open()).collect();
    let files = files?;
    same("files", counters::driver("files")?, before + 100)?;
    same(
        "caps",
        files[0].info()?.out_caps,
        files[99].info()?.out_caps,
    )
}

fn exclusive_second(_: Leg) -> Outcome {
    let first = Device::open()?;
    refused(libc::O_EXCL)?;
    let second = Device::open()?;
    drop(first);
    refused(libc::O_EXCL)?;
    drop(second);
    Device::open_with(libc::O_EXCL)?;
    Ok(())
}

fn exclusive_first(_: Leg) -> Outcome {
    let first = Device::open_with(libc::O_EXCL)?;
    refused(0)?;
    refused(libc::O_EXCL)?;
    refused(libc::O_NONBLOCK)?;
    drop(first);
    Device::open()?;
    Ok(())
}

fn last_reference(_: Leg) -> Outcome {
    let first = Device::open_with(libc::O_EXCL)?;
    let second = first.duplicate()?;
    drop(first);
    refused(0)?;
    let (mut ours, mut theirs) = UnixStream::pair()?;
    let child = flight::child(|| Ok(theirs.read_exact(&mut [0])?))?;
    drop(second);
    // The child has it still.
    refused(0)?;
    ours.write_all(&[0])?;
    flight::finish(child)?;
    Device::open()?;
    Ok(())
}

fn exclusive_data(_: Leg) -> Outcome {
    let device = Device::open_with(libc::O_EXCL)?;
    let pair = Pair::new(PAGE + 5, 1)?;
    pair.copy(&device).succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

fn close_during(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(2 * PAGE, 2)?;
    let call = pair.start(&device)?;
    flight::wait()?;
    drop(device);
    call.join()?.succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}
