// SPDX-License-Identifier: GPL-2.0

//! Everything that a process can do with the driver.

use super::chance::Chance;
use crate::abi;
use crate::check::{Fail, Outcome};
use crate::device::{copy, seg, transfer, Call, Device, PAGE, WINDOW};
use crate::os;
use crate::pattern;
use crate::sys::Mapping;

/// What a process has.
pub(super) struct Tools {
    device: Device,
    memory: Mapping,
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
            seed,
        })
    }
}

type Work = fn(&mut Tools, &mut Chance) -> Outcome;

const WORKS: &[Work] = &[one_transfer, one_copy, short_deadline, reopen];

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

fn reopen(tools: &mut Tools, _: &mut Chance) -> Outcome {
    tools.device = Device::open()?;
    Ok(())
}
