// SPDX-License-Identifier: GPL-2.0

//! Everything that a process can do with the driver.

use super::chance::Chance;
use super::frames::Consumer;
use crate::abi;
use crate::check::{same, Fail, Outcome};
use crate::device::{copy, seg, transfer, Call, Device, PAGE, WINDOW};
use crate::os;
use crate::pattern;
use crate::sys::Mapping;

/// What a process has.
pub(super) struct Tools {
    device: Device,
    memory: Mapping,
    consumer: Option<Consumer>,
    seed: u64,
}

/// Pages of memory of its own.
const PAGES: usize = 8;

impl Tools {
    pub(super) fn new(seed: u64) -> Outcome<Tools> {
        let memory = Mapping::anonymous(PAGES * PAGE)?;
        pattern::write(&memory, 0, memory.len(), seed);
        Ok(Tools {
            device: Device::open()?,
            memory,
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

/// The file goes while its pool is still mapped and perhaps in use.
fn reopen(tools: &mut Tools, _: &mut Chance) -> Outcome {
    tools.consumer = None;
    tools.device = Device::open()?;
    Ok(())
}
