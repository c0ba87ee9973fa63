// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_TRANSFER`: user memory to device memory, or back.

use kernel::prelude::*;

use crate::{
    base::{
        deadline::Deadline,
        failure::{
            Failure,
            Side, //
        },
        params,
        progress::Progress, //
    },
    card::entry::Route,
    engine::{
        Chan,
        ChannelLimits, //
    },
    kapi::abi::{
        self,
        pindma_seg,
        pindma_transfer, //
    },
    memory::{
        client::Caller,
        fit,
        piece::Piece,
        vector::{
            Cursor,
            Source,
            Vector, //
        },
        window::Window, //
    },
    request::{
        copied::{
            self,
            NotCopied, //
        },
        means::Means,
        mover::Mover, //
    }, //
};

/// A transfer that was found to be in order.
pub(crate) struct Transfer<'a> {
    caller: Caller<'a>,
    route: Route,
    deadline: Deadline,
    vector: Vector,
    means: Means,
    /// What is cut is cut at multiples of this.
    unit: u64,
}

/// Runs a transfer.
pub(crate) fn run(
    caller: Caller<'_>,
    arg: &pindma_transfer,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let transfer = Transfer::check(caller, arg)?;
    caller.client.check_usable()?;
    transfer.run(progress)
}

impl<'a> Transfer<'a> {
    fn check(caller: Caller<'a>, arg: &pindma_transfer) -> Result<Self, Failure> {
        // Flags are looked at first; what they mean depends on the length.
        Means::asked_for(arg.flags, 0, 0)?;
        let limits = caller.client.channel_limits(arg.channel)?;
        let direction = fit::direction(arg.direction, limits)?;
        let mode = caller.client.mode();
        mode.admit(direction, abi::PINDMA_FIELD_DIRECTION)?;
        let dev_fixed = fit::dev_fixed(arg.dev_flags, limits)?;
        let deadline = Deadline::from_abi(arg.deadline)
            .ok_or_else(|| Failure::field(EINVAL, abi::PINDMA_FIELD_DEADLINE))?;
        let source = Source {
            addr: arg.segs,
            count: arg.nr_segs,
            side: Side::First,
        };
        let vector = Vector::read_named(source, caller.client.names(), direction)?;
        if arg.flags & abi::PINDMA_MUST_COPY != 0 {
            vector.check_unnamed(EOPNOTSUPP)?;
        }
        let means = Means::asked_for(arg.flags, vector.total(), params::copy_below())?;
        let route = Route {
            ch: Chan(arg.channel),
            direction,
            dev_addr: arg.dev_addr,
            dev_fixed,
        };
        Self::new(caller, limits, route, deadline, vector, means)
    }

    /// A transfer of a vector.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not aligned as the device needs it, `ERANGE` if it does not fit into that.
    pub(crate) fn new(
        caller: Caller<'a>,
        limits: &ChannelLimits,
        route: Route,
        deadline: Deadline,
        vector: Vector,
        means: Means,
    ) -> Result<Self, Failure> {
        let cache_align = caller.client.device().facts.cache_align;
        let means = match fit::check_memory(limits, &vector, route.direction, cache_align) {
            Ok(()) => means,
            // What is mapped already is not copied.
            Err(failure) if vector.check_unnamed(EINVAL).is_err() => return Err(failure),
            Err(failure) => means.unaligned(failure)?,
        };
        fit::check_device(limits, route.dev_addr, vector.total(), route.dev_fixed)?;
        Ok(Self {
            caller,
            route,
            deadline,
            vector,
            means,
            unit: limits.addr_align.into(),
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
        if self.means == Means::Copy {
            return self.copy(cursor, self.copied_window(cursor), progress);
        }
        let before = cursor.clone();
        let mut bytes = cursor.reach(params::window_pages());
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
            deadline: self.deadline,
            ..self.mover()
        };
        mover.run(&piece, progress)
    }

    /// Bytes that are left before the address that a failure is about.
    fn bytes_before(&self, failure: &Failure, progress: &Progress) -> u64 {
        failure
            .bytes_before(self.vector.segments())
            .map_or(0, |bytes| {
                bytes.saturating_sub(progress.bytes) & !(self.unit - 1)
            })
    }

    /// Bytes of the next window of memory that need not be aligned: it ends where the device can go
    /// on.
    fn copied_window(&self, cursor: &Cursor<'_>) -> u64 {
        let (window, all) = (
            cursor.reach(params::window_pages()),
            cursor.reach(usize::MAX),
        );
        if window == all {
            all
        } else {
            (window & !(self.unit - 1)).max(self.unit).min(all)
        }
    }

    /// Copies the next `bytes` bytes, or as many as are copied at a time, which is a multiple of any
    /// alignment.
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
        let client = self.caller.client;
        let ranges = cursor.take(bytes)?;
        let window = Window::open(client, &self.vector, ranges, self.route.direction, progress)?;
        client.stats().windows.add(1);
        Ok(Piece::Window(window))
    }

    /// What moves memory that is pinned for this transfer alone, which must not stay so for ever.
    fn mover(&self) -> Mover<'a> {
        let total = self.vector.total();
        Mover::new(self.caller, self.route, total, self.deadline)
    }
}
