// SPDX-License-Identifier: GPL-2.0

//! Everything that a process can do with the driver.

use super::chance::Chance;
use super::frames::Consumer;
use super::memory::Memory;
use super::requests::Requests;
use super::rings::Reads;
use crate::abi;
use crate::check::{check, Fail, Outcome};
use crate::device::{copy, seg, transfer, Call, Device, PAGE, WINDOW};
use crate::os;
use crate::sys::Mapping;

/// What a process has.
pub(super) struct Tools {
    device: Device,
    reads: Reads,
    requests: Requests,
    consumer: Option<Consumer>,
    memory: Memory,
}

impl Tools {
    pub(super) fn new(seed: u64) -> Outcome<Tools> {
        let memory = Memory::new(seed)?;
        let device = Device::open()?;
        Ok(Tools {
            reads: Reads::new(&memory)?,
            requests: Requests::new(&device)?,
            device,
            consumer: None,
            memory,
        })
    }

    /// At the end of a life without an accident.
    pub(super) fn finish(mut self) -> Outcome {
        self.reads.end_all()?;
        drop(self.device);
        self.requests.finish()?;
        self.memory.verify()
    }
}

type Work = fn(&mut Tools, &mut Chance) -> Outcome;

const WORKS: &[Work] = &[
    by_address,
    one_copy,
    short_deadline,
    copied,
    read_or_write,
    by_region,
    by_region,
    sync,
    unregister,
    submit,
    submit,
    submit,
    reap,
    reap,
    cancel,
    begin_read,
    begin_read,
    end_read,
    cancel_read,
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

/// A call may end well, or too late, or because a read of io_uring has ended;
/// nothing else.
pub(super) fn well_or_late(call: Call) -> Outcome {
    let errno = if call.errno != 0 {
        call.errno
    } else {
        -call.out.status
    };
    match errno {
        0 | libc::ETIMEDOUT | libc::EINTR => Ok(()),
        _ => Err(Fail::new(format!("{call}"))),
    }
}

fn by_address(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let part = tools.memory.by_address(chance, WINDOW);
    let segs = [part.seg];
    let mut request = transfer(part.direction, 0, &segs);
    request.deadline = soon(chance);
    well_or_late(tools.device.transfer(request))
}

/// Nobody gets between: what comes back is what was sent.
fn one_copy(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let mut part = tools.memory.by_address(chance, 2 * PAGE);
    while part.direction != abi::TO_DEVICE {
        part = tools.memory.by_address(chance, 2 * PAGE);
    }
    let to = Mapping::anonymous(part.seg.len as usize)?;
    let (src, dst) = ([part.seg], [seg(&to, 0, to.len())]);
    let mut request = copy(&src, &dst);
    request.deadline = soon(chance);
    let call = tools.device.copy(request);
    let bytes = call.out.bytes as usize;
    well_or_late(call)?;
    tools.memory.expect(part.seg, &to.read(0, bytes))
}

fn short_deadline(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let part = tools.memory.any(chance, PAGE);
    let segs = [part.seg];
    let mut request = transfer(part.direction, 0, &segs);
    request.deadline = os::now() + chance.below(150) as i64 * 1_000_000;
    well_or_late(tools.device.transfer(request))
}

/// By the CPU, which is to give the same result.
fn copied(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let part = tools.memory.by_address(chance, WINDOW);
    let segs = [part.seg];
    let mut request = transfer(part.direction, 0, &segs);
    request.flags = *chance.one_of(&[abi::MAY_COPY, abi::MUST_COPY]);
    request.deadline = soon(chance);
    well_or_late(tools.device.transfer(request))
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
    let all = len.min(WINDOW - offset);
    match moved {
        Ok(bytes) if bytes == all => Ok(()),
        // A read of io_uring that ends is as good as a signal.
        Ok(bytes) => check(
            bytes < all && !tools.reads.is_idle(),
            format!("{bytes} bytes, not {all}"),
        ),
        Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn by_region(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    let part = tools.memory.by_region(&tools.device, chance)?;
    let segs = [part.seg];
    let mut request = transfer(part.direction, 0, &segs);
    request.deadline = soon(chance);
    well_or_late(tools.device.transfer(request))
}

fn sync(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.memory.sync(&tools.device, chance)
}

fn unregister(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.memory.unregister(&tools.device, chance)
}

fn submit(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.requests.submit(&tools.device, &tools.memory, chance)
}

fn reap(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.requests.reap(chance)
}

fn cancel(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.requests.cancel(chance)
}

fn begin_read(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    tools.reads.begin(&tools.device, &tools.memory, chance)
}

fn end_read(tools: &mut Tools, _: &mut Chance) -> Outcome {
    tools.reads.end_one()
}

fn cancel_read(tools: &mut Tools, _: &mut Chance) -> Outcome {
    tools.reads.cancel()
}

fn use_pool(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    if tools.consumer.is_none() {
        tools.consumer = Some(Consumer::new(&tools.device, chance)?);
    }
    tools
        .consumer
        .as_mut()
        .map_or(Ok(()), |consumer| consumer.consume(&tools.device, chance))
}

fn stop_pool(tools: &mut Tools, _: &mut Chance) -> Outcome {
    tools.consumer.take().map_or(Ok(()), Consumer::stop)
}

/// The file goes with its region and its requests, and perhaps while its pool is
/// in use; the queue and the pool's mapping stay.
fn reopen(tools: &mut Tools, chance: &mut Chance) -> Outcome {
    // A read keeps the file open.
    tools.reads.end_all()?;
    let old = std::mem::replace(&mut tools.device, Device::open()?);
    drop(old);
    tools.memory.forget();
    let requests = Requests::new(&tools.device)?;
    std::mem::replace(&mut tools.requests, requests).finish()?;
    if let Some(mut consumer) = tools.consumer.take() {
        consumer.outlive(chance)?;
    }
    tools.memory.verify()
}
