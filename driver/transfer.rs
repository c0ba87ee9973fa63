// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_TRANSFER`: user memory to device memory, or back.

use kernel::prelude::*;

use crate::{
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
    kapi::{
        abi::{
            self,
            pindma_transfer, //
        },
        pins::Direction, //
    },
    mover::{
        Mover,
        Route, //
    },
    params,
    piece::Piece,
    progress::Progress,
    until::Until,
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
    route: Route,
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
        let piece = transfer.next_piece(&mut cursor, progress)?;
        transfer.mover().run(&piece, progress)?;
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
        let route = Route {
            ch: Chan(arg.channel),
            direction,
            dev_addr: arg.dev_addr,
            dev_fixed,
        };
        Ok(Self {
            caller,
            route,
            deadline,
            vector,
        })
    }

    /// Pins and maps the next window.
    fn next_piece(
        &self,
        cursor: &mut Cursor<'_>,
        progress: &mut Progress,
    ) -> Result<Piece, Failure> {
        let file = self.caller.file;
        let ranges = cursor.take(cursor.reach(params::window_pages()))?;
        let window = Window::open(file, &self.vector, ranges, self.route.direction, progress)?;
        file.stats().windows.add(1);
        Ok(Piece::Window(window))
    }

    /// What moves a piece: its time counts from now.
    fn mover(&self) -> Mover<'a> {
        let longest = Deadline::after(params::max_timeout_ns());
        Mover {
            file: self.caller.file,
            route: self.route,
            total: self.vector.total(),
            until: Until::deadline(self.deadline.min(longest)),
            nonblocking: self.caller.nonblocking,
        }
    }
}

/// The direction of an ABI struct, if the channel knows it.
pub(crate) fn direction(
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

/// Whether the device address is fixed, as `dev_flags` say.
pub(crate) fn dev_fixed(flags: u32, limits: &ChannelLimits) -> Result<bool, Failure> {
    match flags {
        0 => Ok(false),
        abi::PINDMA_DEV_FIXED if limits.fixed => Ok(true),
        _ => Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_DEV_FLAGS)),
    }
}

/// Checks that what is addressed lies within the channel's memory.
pub(crate) fn check_device_range(
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
