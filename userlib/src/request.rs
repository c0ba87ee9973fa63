// SPDX-License-Identifier: MIT OR GPL-2.0
//! Transfers and copies.

mod copy;
mod receive;
mod send;

use std::time::Duration;

use rustix::io::Errno;

use crate::error::decode::{self, Call};
use crate::error::Operation;
use crate::ffi::{self, Outcome, Params, Refusal};
use crate::node::Node;
use crate::{sys, Deadline, Done, Error, ErrorKind, Result};

/// A transfer or a copy to be made, from [`Device::request`](crate::Device::request).
///
/// It says where and until when; the memory is an argument of the call that
/// ends it.  It can be used again.
///
/// ```no_run
/// use std::io::{IoSlice, IoSliceMut};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// let request = device
///     .request()
///     .dev_addr(0x100)
///     .timeout(Duration::from_secs(1));
/// let (head, body) = ([1u8; 16], vec![2u8; 1000]);
/// request.send_vectored(&[IoSlice::new(&head), IoSlice::new(&body)])?;
///
/// let mut whole = vec![0u8; 1016];
/// let done = request.receive_vectored(&mut [IoSliceMut::new(&mut whole)])?;
/// println!("{} bytes in {} pages", done.bytes, done.pages);
/// # Ok(())
/// # }
/// ```
///
/// # When a call ends early
///
/// An [`Error`] of a call that had started says how far it came:
/// [`bytes`](crate::Error::bytes) counts from the start of the first slice, and
/// what lies beyond in a destination is undefined.  After
/// [`Interrupted`](crate::ErrorKind::Interrupted) a program may look at what the
/// handler of the signal has left, and go on from there; [`send_all`](Self::send_all)
/// and the others with `all` in their names always do.
///
/// # What the memory may be
///
/// | | one | several |
/// |---|---|---|
/// | slices | `send`, `receive`, `copy` | `send_vectored`, ... |
/// | a range of a [`Region`](crate::Region) or [`Block`](crate::Block) | `send_from`, `receive_into` | `send_parts`, ... |
/// | both at once | | `send_parts`, `receive_parts` |
///
/// A copy takes slices only.
#[derive(Clone, Copy, Debug)]
#[must_use = "a request does nothing before a call such as send"]
pub struct Request<'a> {
    node: &'a Node,
    channel: u32,
    dev_addr: u64,
    fixed: bool,
    deadline: Deadline,
    /// `PINDMA_MAY_COPY`, `PINDMA_MUST_COPY` or nothing.
    copying: u32,
}

impl<'a> Request<'a> {
    pub(crate) fn new(node: &'a Node) -> Self {
        Self {
            node,
            channel: 0,
            dev_addr: 0,
            fixed: false,
            deadline: Deadline::NONE,
            copying: 0,
        }
    }

    /// The channel to use, 0 unless said; for a copy the one whose memory is
    /// the staging window.
    pub fn channel(mut self, channel: u32) -> Self {
        self.channel = channel;
        self
    }

    /// Where in the channel's memory a transfer begins, in bytes, 0 unless
    /// said.  A copy has no such place and refuses any other value than 0.
    pub fn dev_addr(mut self, dev_addr: u64) -> Self {
        self.dev_addr = dev_addr;
        self
    }

    /// Whether the device address stays where it is while data goes by, as for
    /// a FIFO; only for channels with
    /// [`FIXED`](crate::ChannelCapabilities::FIXED), and not for a copy.
    pub fn fixed(mut self, fixed: bool) -> Self {
        self.fixed = fixed;
        self
    }

    /// When to give up; [`Deadline::NONE`] unless said.
    pub fn deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// Gives up `timeout` from now.  It is now that the time begins, so a
    /// request that is used again does not get more of it.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(Deadline::after(timeout))
    }

    /// Allows the CPU to copy, through a buffer of the kernel's: memory that
    /// cannot be pinned or mapped, and transfers that are so short that pinning
    /// costs more ([`Info::copy_below`](crate::Info::copy_below)).
    /// [`Done::copied`] tells which way it went.  Not for a copy.
    pub fn may_copy(mut self) -> Self {
        self.copying = sys::PINDMA_MAY_COPY;
        self
    }

    /// Has the CPU copy everything, so that nothing is pinned, and the device
    /// only ever sees a buffer of the kernel's.  Not for a copy.
    pub fn must_copy(mut self) -> Self {
        self.copying = sys::PINDMA_MUST_COPY;
        self
    }

    /// Makes a call, and again for what is left whenever a signal ends it.  The call is
    /// told by how many bytes the one before has come further.
    fn go_on(&self, total: u64, mut call: impl FnMut(&Self, u64) -> Result<Done>) -> Result<Done> {
        let (mut before, mut by) = (Done::default(), 0);
        loop {
            match call(&self.advanced(before.bytes), by) {
                Ok(done) => return Ok(before.and(done)),
                Err(error) if *error.kind() == ErrorKind::Interrupted => {
                    by = error.bytes();
                    before = before.and(error.done());
                    if total > 0 && before.bytes >= total {
                        return Ok(before);
                    }
                }
                Err(error) => return Err(error.after(before)),
            }
        }
    }

    /// The request for what is left after so many bytes.
    fn advanced(&self, done: u64) -> Self {
        let by = match done {
            0 => 0,
            _ if self.fixed || self.is_stream() => 0,
            done => done,
        };
        let dev_addr = self.dev_addr.saturating_add(by);
        Self { dev_addr, ..*self }
    }

    /// Whether the channel has no addresses.
    fn is_stream(&self) -> bool {
        let info = ffi::channel_info(self.node, self.channel);
        info.is_ok_and(|info| info.out_kind == sys::PINDMA_CHANNEL_STREAM)
    }

    fn params(&self) -> Params {
        Params {
            flags: self.copying,
            channel: self.channel,
            dev_flags: if self.fixed { sys::PINDMA_DEV_FIXED } else { 0 },
            dev_addr: self.dev_addr,
            deadline: self.deadline.as_nanos(),
        }
    }

    fn call(&self, operation: Operation, segs: &[sys::pindma_seg]) -> Call {
        let lengths = segs.iter().map(|seg| seg.len);
        Call {
            channel: self.channel,
            dev_addr: self.dev_addr,
            bytes: lengths.fold(0, u64::saturating_add),
            segments: segs.len(),
            ..Call::of(operation)
        }
    }

    fn finish(&self, call: &Call, outcome: &Outcome) -> Result<Done> {
        if outcome.errno == 0 {
            return Ok(Done::from(&outcome.result));
        }
        let call = Call {
            limit: limit(self.node, self.channel, outcome.errno),
            ..*call
        };
        Err(decode::call(&call, outcome.errno, &outcome.result))
    }
}

/// The limit that an error is about, as far as the kernel tells.
pub(crate) fn limit(node: &Node, channel: u32, errno: i32) -> Option<u64> {
    match Errno::from_raw_os_error(errno) {
        Errno::MSGSIZE => Some(ffi::info(node).ok()?.out_max_segs.into()),
        Errno::NOENT => Some(ffi::info(node).ok()?.out_channels.into()),
        Errno::RANGE => Some(ffi::channel_info(node, channel).ok()?.out_mem_bytes),
        _ => None,
    }
}

/// The error of a call that was not made because of its memory.
fn refused_as(operation: Operation) -> impl Fn(Refusal) -> Error {
    move |refusal| decode::refusal(operation, refusal)
}

#[cfg(test)]
mod tests;
