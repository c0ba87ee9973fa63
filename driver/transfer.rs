// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_TRANSFER`: user memory to device memory, or back.

use kernel::prelude::*;

use crate::{
    copied::{
        self,
        NotCopied, //
    },
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
            pindma_seg,
            pindma_transfer, //
        },
        pins::Direction, //
    },
    means::Means,
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
pub(crate) struct Transfer<'a> {
    caller: Caller<'a>,
    route: Route,
    deadline: Deadline,
    vector: Vector,
    means: Means,
}

/// Runs a transfer.
pub(crate) fn run(
    caller: Caller<'_>,
    arg: &pindma_transfer,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let transfer = Transfer::check(caller, arg)?;
    caller.file.check_usable()?;
    transfer.run(progress)
}

impl<'a> Transfer<'a> {
    fn check(caller: Caller<'a>, arg: &pindma_transfer) -> Result<Self, Failure> {
        // Flags are looked at first; what they mean depends on the length.
        Means::asked_for(arg.flags, 0, 0)?;
        let limits = caller.file.channel_limits(arg.channel)?;
        let direction = direction(arg.direction, limits)?;
        let mode = caller.file.mode();
        mode.admit(direction, abi::PINDMA_FIELD_DIRECTION)?;
        let dev_fixed = dev_fixed(arg.dev_flags, limits)?;
        let deadline = Deadline::from_abi(arg.deadline)
            .ok_or_else(|| Failure::field(EINVAL, abi::PINDMA_FIELD_DEADLINE))?;
        let source = Source {
            addr: arg.segs,
            count: arg.nr_segs,
            side: Side::First,
        };
        let vector = Vector::read_named(source, caller.file.names(), direction)?;
        if arg.flags & abi::PINDMA_MUST_COPY != 0 {
            vector.check_unnamed(EOPNOTSUPP)?;
        }
        check_device_range(arg.dev_addr, vector.total(), dev_fixed, limits)?;
        let means = Means::asked_for(arg.flags, vector.total(), params::copy_below())?;
        let route = Route {
            ch: Chan(arg.channel),
            direction,
            dev_addr: arg.dev_addr,
            dev_fixed,
        };
        Self::new(caller, limits, route, deadline, vector, means)
    }

    /// A transfer of a vector that fits into the device's memory.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the vector is not aligned as the device needs it.
    pub(crate) fn new(
        caller: Caller<'a>,
        limits: &ChannelLimits,
        route: Route,
        deadline: Deadline,
        vector: Vector,
        means: Means,
    ) -> Result<Self, Failure> {
        let means = match check_alignment(caller, limits, route.direction, &vector) {
            Ok(()) => means,
            // What is mapped already is not copied.
            Err(failure) if vector.check_unnamed(EINVAL).is_err() => return Err(failure),
            Err(failure) => means.unaligned(failure)?,
        };
        if vector.total() & (u64::from(limits.len_align) - 1) != 0 {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_NR_SEGS));
        }
        Ok(Self {
            caller,
            route,
            deadline,
            vector,
            means,
        })
    }

    /// Moves all of it, a window after the other.
    pub(crate) fn run(&self, progress: &mut Progress) -> Result<(), Failure> {
        let mut cursor = Cursor::new(&self.vector);
        while !cursor.at_end() {
            self.step(&mut cursor, progress)?;
        }
        Ok(())
    }

    /// Moves a window, or as much of it as can be moved by one and the same means.
    fn step(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Failure> {
        if let Some(segment) = cursor.take_named() {
            return self.move_named(&segment, progress);
        }
        let before = cursor.clone();
        let mut bytes = cursor.reach(params::window_pages());
        if self.means == Means::Copy {
            return self.copy(cursor, bytes, progress);
        }
        loop {
            let failure = match self.open(cursor, bytes, progress) {
                Ok(piece) => return self.mover().run(&piece, progress),
                Err(failure) => failure,
            };
            *cursor = before.clone();
            match (self.means, self.bytes_before(&failure, progress)) {
                (Means::PinPrefix | Means::PinOrCopy, usable) if 0 < usable && usable < bytes => {
                    bytes = usable;
                }
                (Means::PinOrCopy, _) if failure.may_be_copied() => {
                    return self.copy(cursor, bytes, progress);
                }
                _ => return Err(failure),
            }
        }
    }

    /// Moves memory that is mapped already, and may take as long as the caller likes.
    fn move_named(&self, segment: &pindma_seg, progress: &mut Progress) -> Result<(), Failure> {
        let piece = self.vector.piece(segment)?;
        progress.bounced |= piece.bounced();
        let mover = Mover {
            until: Until::deadline(self.deadline),
            ..self.mover()
        };
        mover.run(&piece, progress)
    }

    /// Bytes that are left before the address that a failure is about.
    fn bytes_before(&self, failure: &Failure, progress: &Progress) -> u64 {
        failure
            .bytes_before(self.vector.segments())
            .map_or(0, |bytes| bytes.saturating_sub(progress.bytes))
    }

    /// Copies the next `bytes` bytes, or as many as are copied at a time.
    fn copy(
        &self,
        cursor: &mut Cursor<'_>,
        bytes: u64,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let bytes = bytes.min(copied::MOST);
        let ranges = cursor.take(bytes)?;
        copied::run(&self.mover(), &ranges, bytes, progress).map_err(|why| match why {
            NotCopied::Fault(fault) => {
                Failure::copy(&fault, self.vector.side(), self.vector.segments())
            }
            NotCopied::Failed(failure) => failure,
        })
    }

    /// Pins and maps the next `bytes` bytes.
    fn open(
        &self,
        cursor: &mut Cursor<'_>,
        bytes: u64,
        progress: &mut Progress,
    ) -> Result<Piece, Failure> {
        let file = self.caller.file;
        let ranges = cursor.take(bytes)?;
        let window = Window::open(file, &self.vector, ranges, self.route.direction, progress)?;
        file.stats().windows.add(1);
        Ok(Piece::Window(window))
    }

    /// What moves memory that is pinned for this transfer alone, which must not stay so for ever.
    fn mover(&self) -> Mover<'a> {
        let total = self.vector.total();
        Mover::new(self.caller, self.route, total, self.deadline)
    }
}

fn check_alignment(
    caller: Caller<'_>,
    limits: &ChannelLimits,
    direction: Direction,
    vector: &Vector,
) -> Result<(), Failure> {
    vector.check_alignment(limits.addr_align, limits.len_align)?;
    if direction == Direction::FromDevice {
        check_cache_lines(vector, caller.file.device().facts.cache_align)?;
    }
    Ok(())
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
