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
        progress::Progress,
        until::Until, //
    },
    card::{
        channel::Lease,
        Work, //
    },
    engine::Chan,
    kapi::{
        abi::{
            self,
            pindma_copy, //
        },
        pins::Direction,
        signal::Unnotified, //
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
    request::job, //
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

    /// Copies a window, a staging window's worth at a time. The lease is held from the first byte
    /// in to the last byte out: what another call moved through the channel in between would be
    /// taken for ours, or ours for its.
    fn work_through(&self, pair: &Pair, progress: &mut Progress) -> Result<(), Failure> {
        let deadline = self.deadline.min(Deadline::after(params::max_timeout_ns()));
        let until = Until::deadline(deadline);
        let mut offset = 0;
        while offset < pair.src.len() {
            if let Some(why) = until.over() {
                return Err(why.into());
            }
            let nonblocking = self.caller.must_not_wait(progress);
            let _unnotified = progress.started.then(Unnotified::new);
            let lease = self.caller.client.acquire(self.ch, until, nonblocking)?;
            let len = self.staging.1.min(pair.src.len() - offset);
            let mut unseen = 0;
            self.hop(&lease, &pair.src, offset, len, until, &mut unseen, progress)?;
            let mut copied = 0;
            let end = self.hop(&lease, &pair.dst, offset, len, until, &mut copied, progress);
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
    #[expect(clippy::too_many_arguments, reason = "each is one thing, used once")]
    fn hop(
        &self,
        lease: &Lease<'_>,
        window: &Window,
        offset: u64,
        len: u64,
        until: Until<'_>,
        moved: &mut u64,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let client = self.caller.client;
        while *moved < len {
            let work = Work {
                handle: window.handle(),
                direction: window.direction(),
                ch: self.ch,
                offset: offset + *moved,
                len: len - *moved,
                dev_addr: self.staging.0 + *moved,
                dev_fixed: false,
            };
            let ended = job::run(client, lease, &work, until, progress)?;
            client.stats().bytes(window.direction()).add(ended.bytes);
            *moved += ended.bytes;
            if let Some(why) = ended.why {
                return Err(why.into());
            }
        }
        Ok(())
    }
}

fn read(addr: u64, count: u32, side: Side) -> Result<Vector, Failure> {
    Vector::read(Source { addr, count, side })
}
