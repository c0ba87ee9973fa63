// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_COPY`: user memory to user memory, staged in device memory.

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
    card::entry::{
        Parts,
        Route, //
    },
    engine::Chan,
    kapi::{
        abi::{
            self,
            pindma_copy, //
        },
        pins::Direction, //
    },
    memory::{
        client::Caller,
        fit,
        vector::{
            Cursor,
            Source,
            Vector, //
        },
        window::Window, //
    },
    request::reservation::Reservation, //
};

/// A copy that was found to be in order.
struct Copy<'a> {
    caller: Caller<'a>,
    ch: Chan,
    /// Device address and length of the staging window.
    staging: (u64, u64),
    deadline: Deadline,
    src: Vector,
    dst: Vector,
}

/// Both sides of a window.
struct Pair {
    src: Window,
    dst: Window,
}

/// Runs a copy.
pub(crate) fn run(
    caller: Caller<'_>,
    arg: &pindma_copy,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let copy = Copy::check(caller, arg)?;
    caller.client.check_usable()?;
    let (mut src, mut dst) = (Cursor::new(&copy.src), Cursor::new(&copy.dst));
    while !src.at_end() {
        let pair = copy.open(&mut src, &mut dst, progress)?;
        caller.client.stats().windows.add(1);
        copy.work_through(&pair, progress)?;
    }
    Ok(())
}

impl<'a> Copy<'a> {
    fn check(caller: Caller<'a>, arg: &pindma_copy) -> Result<Self, Failure> {
        if arg.flags != 0 {
            return Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_FLAGS));
        }
        if arg.reserved != 0 {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_RESERVED));
        }
        let limits = caller.client.channel_limits(arg.channel)?;
        let staging = limits
            .staging
            .ok_or_else(|| Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_CHANNEL))?;
        // It overwrites device memory, and gives nothing away but what it has put there.
        let mode = caller.client.mode();
        mode.admit(Direction::ToDevice, abi::PINDMA_FIELD_NONE)?;
        let deadline = Deadline::from_abi(arg.deadline)
            .ok_or_else(|| Failure::field(EINVAL, abi::PINDMA_FIELD_DEADLINE))?;
        let cache_align = caller.client.device().facts.cache_align;
        let src = read(arg.src, arg.nr_src, Side::First)?;
        fit::check_memory(limits, &src, Direction::ToDevice, cache_align)?;
        let dst = read(arg.dst, arg.nr_dst, Side::Destination)?;
        fit::check_memory(limits, &dst, Direction::FromDevice, cache_align)?;
        if src.total() != dst.total() {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_NR_DST));
        }
        Ok(Self {
            caller,
            ch: Chan(arg.channel),
            staging,
            deadline,
            src,
            dst,
        })
    }

    /// Opens the next window on both sides, which share its pages.
    fn open(
        &self,
        src: &mut Cursor<'_>,
        dst: &mut Cursor<'_>,
        progress: &mut Progress,
    ) -> Result<Pair, Failure> {
        let pages = params::window_pages() / 2;
        let bytes = src.reach(pages).min(dst.reach(pages));
        let client = self.caller.client;
        let (to, from) = (Direction::ToDevice, Direction::FromDevice);
        let src = Window::open(client, &self.src, src.take(bytes)?, to, progress)?;
        let dst = Window::open(client, &self.dst, dst.take(bytes)?, from, progress)?;
        Ok(Pair { src, dst })
    }

    /// Copies a window, a staging window's worth at a time. Nobody else has the channel from the first
    /// byte in to the last byte out: what another call moved through it in between would be taken for
    /// ours, or ours for its.
    fn work_through(&self, pair: &Pair, progress: &mut Progress) -> Result<(), Failure> {
        let deadline = self.deadline.min(Deadline::after(params::max_timeout_ns()));
        let mut offset = 0;
        while offset < pair.src.len() {
            if deadline.passed() {
                return Err(ETIMEDOUT.into());
            }
            let route = self.route(Direction::ToDevice);
            let channel = Reservation::new(self.caller, route, deadline, progress)?;
            let len = self.staging.1.min(pair.src.len() - offset);
            let mut unseen = 0;
            self.hop(&channel, &pair.src, offset, len, &mut unseen, progress)?;
            let mut copied = 0;
            let end = self.hop(&channel, &pair.dst, offset, len, &mut copied, progress);
            progress.bytes += copied;
            if progress.bytes < self.src.total() {
                end?;
            }
            offset += len;
        }
        Ok(())
    }

    /// Moves `len` bytes of `window` into the staging window or out of it, and counts them in
    /// `moved`.
    fn hop(
        &self,
        channel: &Reservation<'_>,
        window: &Window,
        offset: u64,
        len: u64,
        moved: &mut u64,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut parts = Parts::new();
        parts.push(Some(window.part(offset, len)))?;
        channel.run(self.route(window.direction()), parts, len, moved, progress)
    }

    fn route(&self, direction: Direction) -> Route {
        Route {
            ch: self.ch,
            direction,
            dev_addr: self.staging.0,
            dev_fixed: false,
        }
    }
}

fn read(addr: u64, count: u32, side: Side) -> Result<Vector, Failure> {
    Vector::read(Source { addr, count, side })
}
