// SPDX-License-Identifier: GPL-2.0

//! read(2), write(2) and their relatives: user memory to the memory of the first channel, at the
//! position of the file, or back.

use kernel::prelude::*;

use crate::{
    base::{
        deadline::Deadline,
        failure::{
            restartable,
            Failure, //
        },
        params,
        progress::Progress, //
    },
    card::entry::Route,
    engine::{
        Chan,
        ChannelLimits,
        Kind, //
    },
    file::transfer::Transfer,
    kapi::{
        backing::Backing,
        iter,
        pins::Direction,
        read_write::{
            kill_process,
            ReadWrite, //
        }, //
    },
    memory::{
        client::{
            Caller,
            Client, //
        },
        fit,
        piece::Piece,
        vector::Vector,
        window::Window, //
    },
    request::{
        means::Means,
        mover::Mover, //
    }, //
};

/// The channel that has the file's content.
const CHANNEL: u32 = 0;

/// Where the content of `file` ends.
///
/// # Errors
///
/// `ESPIPE` if it has no end, being a stream; `ENODEV`.
pub(crate) fn size(client: &Client) -> Result<u64> {
    client.check_usable()?;
    match limits(client)?.kind {
        Kind::Memory(bytes) => Ok(bytes),
        Kind::Stream => Err(ESPIPE),
    }
}

/// Runs a call. What was moved before something failed is what it returns; the next call will
/// find what is wrong. Only that the device has not let go is told whatever was moved.
pub(crate) fn run(caller: Caller<'_>, call: &mut ReadWrite<'_>) -> Result<usize> {
    let client = caller.client;
    client.check_usable().map_err(not_begun)?;
    let limits = limits(client)?;
    if !able(limits, call.direction) {
        return Err(EOPNOTSUPP);
    }
    if !clip(call, limits.kind)? {
        return Ok(0);
    }
    // All of it sleeps: pinning, and waiting for the device.
    if call.must_not_sleep {
        return Err(EAGAIN);
    }
    let mut progress = Progress::default();
    let end = move_all(caller, limits, call, &mut progress);
    if progress.started {
        client.stats().calls.add(1);
    }
    call.memory.set_used(progress.bytes);
    if let Kind::Memory(_) = limits.kind {
        call.at += progress.bytes;
    }
    match end {
        Err(failure) if failure.error() == ENOTRECOVERABLE && progress.at_work => {
            Err(not_let_go(call.direction))
        }
        Err(failure) if progress.bytes == 0 => Err(errno(&failure, &progress)),
        _ => Ok(progress.bytes as usize),
    }
}

fn limits(client: &Client) -> Result<&ChannelLimits> {
    client
        .channel_limits(CHANNEL)
        .map_err(|failure| failure.error())
}

fn able(limits: &ChannelLimits, direction: Direction) -> bool {
    match direction {
        Direction::ToDevice => limits.to_device,
        Direction::FromDevice => limits.from_device,
        Direction::Both => false,
    }
}

/// Clips a call to the device's memory; whether anything is left to do.
///
/// # Errors
///
/// `ENOSPC` for a write that begins at the end or beyond.
fn clip(call: &mut ReadWrite<'_>, kind: Kind) -> Result<bool> {
    let wanted = call.memory.len();
    if let Kind::Memory(bytes) = kind {
        call.memory.truncate(bytes.saturating_sub(call.at));
    }
    match call.memory.len() {
        0 if wanted > 0 && call.direction == Direction::ToDevice => Err(ENOSPC),
        left => Ok(left > 0),
    }
}

fn move_all(
    caller: Caller<'_>,
    limits: &ChannelLimits,
    call: &mut ReadWrite<'_>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let route = Route {
        ch: Chan(CHANNEL),
        direction: call.direction,
        dev_addr: match limits.kind {
            Kind::Memory(_) => call.at,
            Kind::Stream => 0,
        },
        dev_fixed: false,
    };
    match call.memory.kind() {
        iter::Kind::User => by_address(caller, limits, route, call)?.run(progress),
        iter::Kind::Pages => by_page(caller, limits, route, call, progress),
        iter::Kind::Other => Err(EOPNOTSUPP.into()),
    }
}

fn by_address<'a>(
    caller: Caller<'a>,
    limits: &ChannelLimits,
    route: Route,
    call: &ReadWrite<'_>,
) -> Result<Transfer<'a>, Failure> {
    let vector = Vector::of_ranges(|push| call.memory.try_for_each_range(push))?;
    let deadline = Deadline::NONE;
    Transfer::new(caller, limits, route, deadline, vector, Means::PinPrefix)
}

/// Moves pages that somebody else keeps in place.
fn by_page(
    caller: Caller<'_>,
    limits: &ChannelLimits,
    route: Route,
    call: &mut ReadWrite<'_>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let total = call.memory.len();
    fit::check_device(limits, route.dev_addr, total, route.dev_fixed)?;
    let edge = match route.direction {
        Direction::ToDevice => 1,
        _ => caller.client.device().facts.cache_align,
    };
    while call.memory.len() > 0 {
        let pages = call
            .memory
            .take_pages(params::window_pages(), route.direction)?;
        let (addr, len) = (limits.addr_align.max(edge), limits.len_align.max(edge));
        let ends_here = call.memory.len() == 0;
        pages.check_alignment(addr, if ends_here { len } else { addr })?;
        let len = pages.bytes();
        let window = Window::of(caller.client, Backing::Borrowed(pages), len, progress)?;
        let mover = Mover::new(caller, route, total, Deadline::NONE);
        mover.run(&Piece::Window(window), progress)?;
    }
    Ok(())
}

/// What to tell of memory that the device has not let go. If it may still change, nobody is left to
/// be told: whoever has lent it, in whatever language, takes any return for the end of the loan.
fn not_let_go(direction: Direction) -> Error {
    if direction.writes() {
        let process = current!().tgid();
        pr_err!("process {process} is killed: a read of it may still change its memory\n");
        kill_process();
    }
    ENOTRECOVERABLE
}

/// What to tell when nothing was moved.
fn errno(failure: &Failure, progress: &Progress) -> Error {
    if progress.started {
        not_begun(failure.error())
    } else {
        not_begun(restartable(failure.error()))
    }
}

/// What to tell of a call on which the device is not at work. That number says that the device has
/// not let go of its memory, and there is no flag here that would say otherwise.
fn not_begun(error: Error) -> Error {
    if error == ENOTRECOVERABLE {
        EIO
    } else {
        error
    }
}
