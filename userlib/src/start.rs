// SPDX-License-Identifier: MIT OR GPL-2.0
//! What the device does with the buffers of a pool.

use crate::{sys, Direction};

/// What the device does with the buffers of a [`Pool`](crate::Pool), one frame
/// each.
///
/// ```
/// use pindma::Start;
///
/// let camera = Start::from_device().channel(2).frame_bytes(1920 * 1080).lossy(true);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "this does nothing before Pool::start"]
pub struct Start {
    direction: Direction,
    channel: u32,
    dev_addr: u64,
    fixed: bool,
    frame_bytes: u64,
    lossy: bool,
}

impl Start {
    fn new(direction: Direction) -> Self {
        Self {
            direction,
            channel: 0,
            dev_addr: 0,
            fixed: false,
            frame_bytes: 0,
            lossy: false,
        }
    }

    /// The device reads the buffers.
    pub fn to_device() -> Self {
        Self::new(Direction::ToDevice)
    }

    /// The device fills the buffers.
    pub fn from_device() -> Self {
        Self::new(Direction::FromDevice)
    }

    /// The channel to use, 0 unless said.
    pub fn channel(mut self, channel: u32) -> Self {
        self.channel = channel;
        self
    }

    /// Where in the channel's memory each frame begins, in bytes, 0 unless said.
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

    /// Bytes of a frame; those of a buffer unless said, or if 0.
    pub fn frame_bytes(mut self, frame_bytes: u64) -> Self {
        self.frame_bytes = frame_bytes;
        self
    }

    /// Whether frames go on when no buffer is enqueued: those are lost, and the
    /// next [`Frame`](crate::Frame) says how many there were.  Otherwise the
    /// device waits.  Only from the device.
    pub fn lossy(mut self, lossy: bool) -> Self {
        self.lossy = lossy;
        self
    }

    pub(crate) fn raw(&self) -> sys::pindma_pool_start {
        sys::pindma_pool_start {
            size: size_of::<sys::pindma_pool_start>() as u32,
            flags: if self.lossy {
                sys::PINDMA_START_STREAM
            } else {
                0
            },
            channel: self.channel,
            direction: self.direction.raw(),
            dev_addr: self.dev_addr,
            dev_flags: if self.fixed { sys::PINDMA_DEV_FIXED } else { 0 },
            frame_bytes: self.frame_bytes,
            ..Default::default()
        }
    }
}
