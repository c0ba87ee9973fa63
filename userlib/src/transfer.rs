// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a request of a queue is to do.

use std::ops::{Bound, Range, RangeBounds};
use std::time::Duration;

use crate::named::resolve;
use crate::{sys, Deadline, Direction};

/// What a request of a [`Queue`](crate::Queue) is to do with its memory.
///
/// ```
/// use pindma::Transfer;
/// use std::time::Duration;
///
/// let read = Transfer::from_device()
///     .channel(1)
///     .dev_addr(0x1000)
///     .timeout(Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a transfer does nothing before it is submitted"]
pub struct Transfer {
    direction: Direction,
    channel: u32,
    dev_addr: u64,
    fixed: bool,
    deadline: Deadline,
    start: usize,
    end: Option<usize>,
}

impl Transfer {
    fn new(direction: Direction) -> Self {
        Self {
            direction,
            channel: 0,
            dev_addr: 0,
            fixed: false,
            deadline: Deadline::NONE,
            start: 0,
            end: None,
        }
    }

    /// The device is to read the memory.
    pub fn to_device() -> Self {
        Self::new(Direction::ToDevice)
    }

    /// The device is to write the memory.
    pub fn from_device() -> Self {
        Self::new(Direction::FromDevice)
    }

    /// The channel to use, 0 unless said.
    pub fn channel(mut self, channel: u32) -> Self {
        self.channel = channel;
        self
    }

    /// Where in the channel's memory the transfer begins, in bytes, 0 unless said.
    pub fn dev_addr(mut self, dev_addr: u64) -> Self {
        self.dev_addr = dev_addr;
        self
    }

    /// Whether the device address stays where it is while data goes by, as for
    /// a FIFO; only for channels with
    /// [`FIXED`](crate::ChannelCapabilities::FIXED).
    pub fn fixed(mut self, fixed: bool) -> Self {
        self.fixed = fixed;
        self
    }

    /// Which bytes of the memory, that of a `Vec` counted through; all of them unless
    /// said.  The request owns the rest of it, too.
    pub fn range(mut self, range: impl RangeBounds<usize>) -> Self {
        // That of a memory without end, since nobody knows it yet.
        let Range { start, end } = resolve(&range, usize::MAX);
        self.start = start;
        self.end = (range.end_bound() != Bound::Unbounded).then_some(end);
        self
    }

    /// When the kernel ends the request if it is not done by then;
    /// [`Deadline::NONE`] unless said.
    pub fn deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same, `timeout` from now.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(Deadline::after(timeout))
    }

    /// Which way data goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The range, of `len` bytes; whether it is inside is for others to say.
    pub(crate) fn range_of(&self, len: usize) -> Range<usize> {
        self.start..self.end.unwrap_or(len)
    }

    pub(crate) fn channel_number(&self) -> u32 {
        self.channel
    }

    pub(crate) fn device_address(&self) -> u64 {
        self.dev_addr
    }

    /// The entry without its memory.
    pub(crate) fn entry(&self, user_data: u64) -> sys::pindma_entry {
        sys::pindma_entry {
            user_data,
            channel: self.channel,
            direction: self.direction.raw(),
            dev_flags: if self.fixed { sys::PINDMA_DEV_FIXED } else { 0 },
            dev_addr: self.dev_addr,
            deadline: self.deadline.as_nanos(),
            ..Default::default()
        }
    }
}
