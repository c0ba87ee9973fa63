// SPDX-License-Identifier: MIT OR GPL-2.0
//! The system calls, and the memory that the device gets to see: this file and
//! its folder are the only ones of the crate with `unsafe` in them.
//!
//! The functions here are safe because a [`Port`] is known to be pindma's,
//! because vectors are built here from borrowed memory, and because no call with
//! a destination returns while the device may still write to it.

pub(crate) mod buffer;
pub(crate) mod claim;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod file;
pub(crate) mod foreign;
mod mapping;
pub(crate) mod named;
pub(crate) mod part;
pub(crate) mod pool;
pub(crate) mod registration;
pub(crate) mod ring;
mod running;
pub(crate) mod segments;
mod slots;
mod table;
pub(crate) mod vector;
#[cfg(feature = "tokio")]
pub(crate) mod watched;

use std::io::{self, Write};
use std::ops::Range;

use rustix::io::Errno;
use rustix::ioctl::{ioctl, Opcode, Updater};

use crate::node::{Node, Port};
use crate::sys;

use buffer::Buffer;
use vector::{Destinations, Sources};

const INFO: Opcode = sys::PINDMA_INFO as Opcode;
const CHANNEL_INFO: Opcode = sys::PINDMA_CHANNEL_INFO as Opcode;
const STATS: Opcode = sys::PINDMA_STATS as Opcode;
const TRANSFER: Opcode = sys::PINDMA_TRANSFER as Opcode;
const COPY: Opcode = sys::PINDMA_COPY as Opcode;

/// Last words before an abort.
const STUCK: &str =
    "pindma: the device did not stop when told to and may still write to memory of this process; \
     aborting, because no safe program may go on with such memory";

/// What a program gets to hear that looks at such memory.
const LOST: &str = "the device did not stop when told to and may still write to this memory";

/// Why this crate does not pass memory on to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It belongs to another open file.
    OtherFile,
    /// The device may still write to it.
    Lost,
    /// There are no bytes.
    Empty,
    /// The device writes on its own to what it may write.
    Unasked,
    /// The range is not inside the memory.
    Outside {
        start: usize,
        end: usize,
        len: usize,
    },
}

fn within(range: &Range<usize>, len: usize) -> Result<(), Refusal> {
    let (start, end) = (range.start, range.end);
    if start > end || end > len {
        return Err(Refusal::Outside { start, end, len });
    }
    Ok(())
}

/// The part of a transfer or a copy that is not memory of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params {
    /// Whether memory may or must be copied, `PINDMA_MAY_COPY` and so on.
    pub(crate) flags: u32,
    pub(crate) channel: u32,
    pub(crate) dev_flags: u32,
    /// Bytes into the channel's memory.
    pub(crate) dev_addr: u64,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) deadline: i64,
}

/// How a transfer or a copy ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// 0, or why it ended before it was complete.
    pub(crate) errno: i32,
    /// Whether the device was told to work at least once.
    pub(crate) started: bool,
    pub(crate) result: sys::pindma_result,
}

impl Outcome {
    fn new(returned: rustix::io::Result<()>, result: sys::pindma_result) -> Self {
        Self {
            errno: match returned {
                Ok(()) => result.status.saturating_neg(),
                Err(errno) => errno.raw_os_error(),
            },
            started: returned.is_ok() || result.flags & sys::PINDMA_OUT_STARTED != 0,
            result,
        }
    }

    fn refused(errno: Errno) -> Self {
        Self::new(Err(errno), sys::pindma_result::default())
    }

    /// Whether the device was at work and the kernel could not stop it.
    fn may_still_run(&self) -> bool {
        self.started && self.errno == Errno::NOTRECOVERABLE.raw_os_error()
    }

    /// The same, with segments counted from the start of a vector of which so many
    /// were left out.
    fn after(mut self, passed: usize) -> Self {
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.result.fault_index = self.result.fault_index.saturating_add(passed);
        self
    }
}

/// Ends the process, since memory would have to be handed back that the device
/// may still write.
fn die() -> ! {
    // Not eprintln, which panics if it cannot write: unwinding would hand the
    // memory back.
    let _ = writeln!(io::stderr(), "{STUCK}");
    std::process::abort();
}

/// What the device is and can do.
pub(crate) fn info(node: &Node) -> rustix::io::Result<sys::pindma_info> {
    let mut arg = sys::pindma_info {
        size: size_of::<sys::pindma_info>() as u32,
        ..Default::default()
    };
    // SAFETY: INFO takes a pindma_info, which holds no pointers.
    unsafe { call::<INFO, _>(node.port(), &mut arg) }.map(|()| arg)
}

/// What one channel can do.
pub(crate) fn channel_info(
    node: &Node,
    channel: u32,
) -> rustix::io::Result<sys::pindma_channel_info> {
    let mut arg = sys::pindma_channel_info {
        size: size_of::<sys::pindma_channel_info>() as u32,
        channel,
        ..Default::default()
    };
    // SAFETY: CHANNEL_INFO takes a pindma_channel_info, which holds no pointers.
    unsafe { call::<CHANNEL_INFO, _>(node.port(), &mut arg) }.map(|()| arg)
}

/// Whether no channel of the device writes to registered memory on its own, so that
/// it can be looked at.
pub(crate) fn writes_when_told(node: &Node) -> rustix::io::Result<bool> {
    let told = |channel| {
        let caps = channel_info(node, channel)?.out_caps;
        Ok(caps & u64::from(sys::PINDMA_CHANNEL_WHEN_TOLD) != 0)
    };
    for channel in 0..info(node)?.out_channels {
        if !told(channel)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What this open file has done.
pub(crate) fn stats(node: &Node) -> rustix::io::Result<sys::pindma_stats> {
    let mut arg = sys::pindma_stats {
        size: size_of::<sys::pindma_stats>() as u32,
        ..Default::default()
    };
    // SAFETY: STATS takes a pindma_stats, which holds no pointers.
    unsafe { call::<STATS, _>(node.port(), &mut arg) }.map(|()| arg)
}

/// Has the device read `from`.
pub(crate) fn to_device(node: &Node, params: &Params, from: &Sources<'_>) -> Outcome {
    // SAFETY: the device only reads, and `from` is borrowed.
    let outcome = unsafe { transfer(node, params, sys::PINDMA_TO_DEVICE, from.as_segs()) };
    outcome.after(from.passed())
}

/// Has the device write `to`.
pub(crate) fn from_device(node: &Node, params: &Params, to: &mut Destinations<'_, '_>) -> Outcome {
    // SAFETY: `to` is mutably borrowed.  It is not seen again before the device is
    // done with it, see settle.
    let outcome = unsafe { transfer(node, params, sys::PINDMA_FROM_DEVICE, to.as_segs()) };
    to.settle(&outcome, params);
    outcome.after(to.passed())
}

/// Has the device read `from` and write it to `to`.
pub(crate) fn copy(
    node: &Node,
    params: &Params,
    from: &Sources<'_>,
    to: &mut Destinations<'_, '_>,
) -> Outcome {
    let (src, dst) = (from.as_segs(), to.as_segs());
    let (Some(nr_src), Some(nr_dst)) = (count(src), count(dst)) else {
        return Outcome::refused(Errno::MSGSIZE);
    };
    let mut arg = sys::pindma_copy {
        size: size_of::<sys::pindma_copy>() as u32,
        channel: params.channel,
        src: address(src.as_ptr()),
        dst: address(dst.as_ptr()),
        nr_src,
        nr_dst,
        deadline: params.deadline,
        ..Default::default()
    };
    // SAFETY: COPY takes a pindma_copy; `src` and `dst` live until it returns,
    // hold as many elements as said, and describe memory borrowed for reading
    // and for writing.  The latter is not seen again before the device is
    // done with it, see settle.
    let returned = unsafe { call::<COPY, _>(node.port(), &mut arg) };
    let outcome = Outcome::new(returned, arg.out);
    to.settle(&outcome, params);
    let in_destination = arg.out.flags & sys::PINDMA_OUT_FAULT_DST != 0;
    outcome.after(match in_destination {
        true => to.passed(),
        false => from.passed(),
    })
}

/// # Safety
///
/// `segs` must describe memory that is borrowed for reading or, if `direction`
/// is `PINDMA_FROM_DEVICE`, for writing, until [`Outcome::may_still_run`] has
/// been looked at.
unsafe fn transfer(
    node: &Node,
    params: &Params,
    direction: sys::pindma_direction,
    segs: &[sys::pindma_seg],
) -> Outcome {
    let Some(nr_segs) = count(segs) else {
        return Outcome::refused(Errno::MSGSIZE);
    };
    let mut arg = sys::pindma_transfer {
        size: size_of::<sys::pindma_transfer>() as u32,
        flags: params.flags,
        channel: params.channel,
        direction,
        segs: address(segs.as_ptr()),
        nr_segs,
        dev_flags: params.dev_flags,
        dev_addr: params.dev_addr,
        deadline: params.deadline,
        ..Default::default()
    };
    // SAFETY: TRANSFER takes a pindma_transfer; `segs` lives until it returns
    // and holds as many elements as said; the caller vouches for what they say.
    let returned = unsafe { call::<TRANSFER, _>(node.port(), &mut arg) };
    Outcome::new(returned, arg.out)
}

/// # Safety
///
/// `OPCODE` must be a command that takes a `T` whose first field is its size,
/// and whatever addresses `arg` holds must be valid for what the command does.
unsafe fn call<const OPCODE: Opcode, T>(port: &Port, arg: &mut T) -> rustix::io::Result<()> {
    #[cfg(test)]
    if let Some(fake) = &port.fake {
        // SAFETY: as for the kernel, the caller vouches for OPCODE and T.
        return unsafe { fake.ioctl(port, OPCODE, std::ptr::from_mut(arg).cast()) };
    }
    // SAFETY: the caller vouches for OPCODE and T.
    let update = unsafe { Updater::<OPCODE, T>::new(arg) };
    // SAFETY: a Port is pindma's, so the number means the command that it should.
    unsafe { ioctl(port, update) }
}

fn seg(addr: u64, len: usize) -> sys::pindma_seg {
    sys::pindma_seg {
        addr,
        len: len as u64,
        ..Default::default()
    }
}

/// The pointer as the ABI wants it.  It is exposed, since the device is going
/// to use it behind the compiler's back.
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

fn count(segs: &[sys::pindma_seg]) -> Option<u32> {
    u32::try_from(segs.len()).ok()
}

#[cfg(test)]
mod tests;
