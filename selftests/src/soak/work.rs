// SPDX-License-Identifier: GPL-2.0

//! Everything that a process can do with the driver.

use super::chance::Chance;
use super::frames::Consumer;
use super::requests::Requests;
use crate::abi::{self, pindma_seg};
use crate::check::{same, Fail, Outcome};
use crate::device::{copy, seg, transfer, Call, Device, PAGE, WINDOW};
use crate::os;
use crate::pattern;
use crate::region;
use crate::sys::Mapping;

/// What a process has.
pub(super) struct Tools {
    device: Device,
    memory: Mapping,
    /// A handle of the memory, once it is registered.
    region: Option<u32>,
    requests: Requests,
    consumer: Option<Consumer>,
    seed: u64,
}

/// Pages of memory of its own.
const PAGES: usize = 8;

impl Tools {
    pub(super) fn new(seed: u64) -> Outcome<Tools> {
        let memory = Mapping::anonymous(PAGES * PAGE)?;
        pattern::write(&memory, 0, memory.len(), seed);
        let device = Device::open()?;
        Ok(Tools {
            requests: Requests::new(&device)?,
            device,
            memory,
            region: None,
            consumer: None,
            seed,
        })
    }
}

type Work = fn(&mut Tools, &mut Chance) -> Outcome;

const WORKS: &[Work] = &[
    one_transfer,
    one_copy,
    short_deadline,
    copied_transfer,
    read_or_write,
    by_region,
    by_region,
    unregister,
    submit,
    submit,
    submit,
    reap,
    reap,
    cancel,
    use_pool,
    use_pool,
    stop_pool,
    reopen,
];

/// Does one of them.
pub(super) fn do_something(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    chance.one_of(WORKS)(tools, chance)
}

/// A deadline that is far enough for the others' turns, or not.
fn soon(chance: &mut Chance) -> i64 {
    os::now() + (20 + chance.below(3000) as i64) * 1_000_000
}

/// A call may end well, or too late; nothing else.
fn well_or_late(call: Call) -> Outcome<bool> {
    let errno = if call.errno != 0 {
        call.errno
    } else {
        -call.out.status
    };
    match errno {
        0 => Ok(true),
        libc::ETIMEDOUT | libc::EINTR => Ok(false),
        _ => Err(Fail::new(format!("{call}"))),
    }
}

fn one_transfer(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let len = 1 + chance.below(WINDOW);
    let offset = chance.below(PAGES * PAGE - len);
    let segs = [seg(&tools.memory, offset, len)];
    // What comes back from the device may be somebody else's: only out.
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    request.deadline = soon(chance);
    well_or_late(tools.device.transfer(request)).map(drop)
}

fn one_copy(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let len = 1 + chance.below(2 * PAGE);
    let from = chance.below(PAGES * PAGE - len);
    let to = Mapping::anonymous(len)?;
    let (src, dst) = ([seg(&tools.memory, from, len)], [seg(&to, 0, len)]);
    let mut request = copy(&src, &dst);
    request.deadline = soon(chance);
    let call = tools.device.copy(request);
    let bytes = call.out.bytes as usize;
    well_or_late(call)?;
    let want = pattern::bytes(tools.seed, PAGES * PAGE);
    pattern::expect(&to.read(0, bytes), &want[from..from + bytes])
}

fn short_deadline(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let segs = [seg(&tools.memory, 0, 1 + chance.below(PAGE))];
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    request.deadline = os::now() + chance.below(150) as i64 * 1_000_000;
    well_or_late(tools.device.transfer(request)).map(drop)
}

/// By the CPU, which is to give the same result.
fn copied_transfer(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let len = 1 + chance.below(WINDOW);
    let segs = [seg(&tools.memory, 0, len)];
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    request.flags = *chance.one_of(&[abi::MAY_COPY, abi::MUST_COPY]);
    request.deadline = soon(chance);
    well_or_late(tools.device.transfer(request)).map(drop)
}

fn read_or_write(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let offset = chance.below(WINDOW);
    let len = 1 + chance.below(WINDOW);
    let mut into = vec![0; len];
    let fd = tools.device.fd();
    let moved = if chance.below(2) == 0 {
        rustix::io::pread(fd, &mut into, offset as u64)
    } else {
        rustix::io::pwrite(fd, &into, offset as u64)
    };
    match moved {
        Ok(bytes) => same("bytes up to the end", bytes, len.min(WINDOW - offset)),
        Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The memory as one segment: by the region's handle, if it is registered.
fn whole(tools: &Tools) -> pindma_seg {
    match tools.region {
        Some(handle) => region::within(handle, 0, PAGES * PAGE),
        None => seg(&tools.memory, 0, PAGES * PAGE),
    }
}

fn by_region(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let handle = match tools.region {
        Some(handle) => handle,
        None => tools
            .device
            .register(&[seg(&tools.memory, 0, PAGES * PAGE)])?,
    };
    tools.region = Some(handle);
    let len = 1 + chance.below(WINDOW);
    let segs = [region::within(
        handle,
        chance.below(PAGES * PAGE - len),
        len,
    )];
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    request.deadline = soon(chance);
    well_or_late(tools.device.transfer(request)).map(drop)
}

/// Which requests may still use.
fn unregister(tools: &mut Tools, _: &mut Chance) -> Outcome {
    let Some(handle) = tools.region else {
        return Ok(());
    };
    match tools.device.unregister(handle) {
        0 => tools.region = None,
        libc::EBUSY => {}
        errno => return Err(Fail::new(format!("unregister: errno {errno}"))),
    }
    Ok(())
}

fn submit(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let memory = whole(tools);
    tools.requests.submit(&tools.device, memory, chance)
}

fn reap(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.requests.reap(chance)
}

fn cancel(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.requests.cancel(chance)
}

fn use_pool(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    if tools.consumer.is_none() {
        tools.consumer = Some(Consumer::new(&tools.device, chance)?);
    }
    tools
        .consumer
        .as_mut()
        .map_or(Ok(()), |consumer| consumer.consume(chance))
}

fn stop_pool(tools: &mut Tools, _: &mut Chance) -> Outcome {
    tools.consumer.take().map_or(Ok(()), Consumer::stop)
}

/// The file goes with its region and its requests, and perhaps while its pool is
/// in use; the queue and the pool's mapping stay.
fn reopen(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let old = std::mem::replace(&mut tools.device, Device::open()?);
    drop(old);
    tools.region = None;
    let requests = Requests::new(&tools.device)?;
    std::mem::replace(&mut tools.requests, requests).finish()?;
    if let Some(mut consumer) = tools.consumer.take() {
        consumer.outlive(chance)?;
    }
    Ok(())
}
