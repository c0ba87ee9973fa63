// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_TRANSFER`: user memory to device memory, or back.

use kernel::prelude::*;

use crate::{
    card::Work,
    deadline::Deadline,
    engine::{
        Chan,
        ChannelLimits,
        Kind, //
    },
    failure::{
        Failure,
        Side, //
    },
    file::Caller,
    job,
    kapi::{
        abi::{
            self,
            pindma_transfer, //
        },
        pins::Direction, //
    },
    params,
    progress::Progress,
    vector::{
        Cursor,
        Source,
        Vector, //
    },
    window::{
        check_cache_lines,
        Window, //
    }, //
};

/// A transfer that was found to be in order.
struct Transfer<'a> {
    caller: Caller<'a>,
    ch: Chan,
    direction: Direction,
    dev_addr: u64,
    dev_fixed: bool,
    deadline: Deadline,
    vector: Vector,
}

/// Runs a transfer.
pub(crate) fn run(
    caller: Caller<'_>,
    arg: &pindma_transfer,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let transfer = Transfer::check(caller, arg)?;
    caller.file.check_usable()?;
    let mut cursor = Cursor::new(&transfer.vector);
    while !cursor.at_end() {
        let ranges = cursor.take(cursor.reach(params::window_pages()))?;
        let window = Window::open(
            caller.file,
            &transfer.vector,
            ranges,
            transfer.direction,
            progress,
        )?;
        caller.file.stats().windows.add(1);
        transfer.work_through(&window, progress)?;
    }
    Ok(())
}

impl<'a> Transfer<'a> {
    fn check(caller: Caller<'a>, arg: &pindma_transfer) -> Result<Self, Failure> {
        if arg.flags != 0 {
            return Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_FLAGS));
        }
        let limits = caller.file.channel_limits(arg.channel)?;
        let direction = direction(arg.direction, limits)?;
        let dev_fixed = dev_fixed(arg.dev_flags, limits)?;
        let deadline = Deadline::from_abi(arg.deadline)
            .ok_or_else(|| Failure::field(EINVAL, abi::PINDMA_FIELD_DEADLINE))?;
        let vector = Vector::read(Source {
            addr: arg.segs,
            count: arg.nr_segs,
            side: Side::First,
        })?;
        vector.check_alignment(limits.addr_align, limits.len_align)?;
        if direction == Direction::FromDevice {
            check_cache_lines(&vector, caller.file.device().facts.cache_align)?;
        }
        check_device_range(arg.dev_addr, vector.total(), dev_fixed, limits)?;
        Ok(Self {
            caller,
            ch: Chan(arg.channel),
            direction,
            dev_addr: arg.dev_addr,
            dev_fixed,
            deadline,
            vector,
        })
    }

    /// Moves all bytes of `window`, in as many jobs as it takes; others get their turn in between.
    fn work_through(&self, window: &Window<'_>, progress: &mut Progress) -> Result<(), Failure> {
        let file = self.caller.file;
        let channel = file.channel(self.ch)?;
        let deadline = self.deadline.min(Deadline::after(params::max_timeout_ns()));
        let mut offset = 0;
        while offset < window.len() {
            if deadline.passed() {
                return Err(ETIMEDOUT.into());
            }
            let lease = channel.acquire(deadline, self.caller.must_not_wait(progress))?;
            let work = self.work(window, offset, progress.bytes);
            let ended = job::run(file, &lease, &work, deadline, progress)?;
            file.stats().bytes(self.direction).add(ended.bytes);
            progress.bytes += ended.bytes;
            offset += ended.bytes;
            if let Some(why) = ended.why {
                return progress.cut_short(why, self.vector.total());
            }
        }
        Ok(())
    }

    fn work(&self, window: &Window<'_>, offset: u64, done: u64) -> Work {
        Work {
            handle: window.handle(),
            ch: self.ch,
            offset,
            len: window.len() - offset,
            dev_addr: if self.dev_fixed {
                self.dev_addr
            } else {
                self.dev_addr + done
            },
            dev_fixed: self.dev_fixed,
        }
    }
}

fn direction(
    direction: abi::pindma_direction,
    limits: &ChannelLimits,
) -> Result<Direction, Failure> {
    let (direction, able) = match direction {
        abi::PINDMA_TO_DEVICE => (Direction::ToDevice, limits.to_device),
        abi::PINDMA_FROM_DEVICE => (Direction::FromDevice, limits.from_device),
        _ => return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_DIRECTION)),
    };
    if able {
        Ok(direction)
    } else {
        Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_DIRECTION))
    }
}

fn dev_fixed(flags: u32, limits: &ChannelLimits) -> Result<bool, Failure> {
    match flags {
        0 => Ok(false),
        abi::PINDMA_DEV_FIXED if limits.fixed => Ok(true),
        _ => Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_DEV_FLAGS)),
    }
}

fn check_device_range(
    addr: u64,
    len: u64,
    fixed: bool,
    limits: &ChannelLimits,
) -> Result<(), Failure> {
    let within = match limits.kind {
        Kind::Memory(bytes) if fixed => addr < bytes,
        Kind::Memory(bytes) => addr.checked_add(len).is_some_and(|end| end <= bytes),
        Kind::Stream => addr == 0,
    };
    if within {
        Ok(())
    } else {
        Err(Failure::field(ERANGE, abi::PINDMA_FIELD_DEV_ADDR))
    }
}
