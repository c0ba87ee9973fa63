// SPDX-License-Identifier: MIT OR GPL-2.0
//! What one channel of a device can do.

use std::ops::Range;

use bitflags::bitflags;

use crate::sys;

bitflags! {
    /// What a channel can do.  Bits that this version of the crate does not
    /// know are kept.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), pindma::Error> {
    /// # let device = pindma::Device::open("/dev/pindma0")?;
    /// use pindma::ChannelCapabilities;
    ///
    /// for number in 0..device.info()?.channels {
    ///     let channel = device.channel_info(number)?;
    ///     if channel.capabilities.contains(ChannelCapabilities::FROM_DEVICE) {
    ///         println!("channel {number} can be read");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ChannelCapabilities: u64 {
        /// It can read user memory.
        const TO_DEVICE = sys::PINDMA_CHANNEL_TO_DEVICE as u64;
        /// It can write user memory.
        const FROM_DEVICE = sys::PINDMA_CHANNEL_FROM_DEVICE as u64;
        /// It can stage a copy.
        const COPY = sys::PINDMA_CHANNEL_COPY as u64;
        /// Its device address can be kept from advancing.
        const FIXED = sys::PINDMA_CHANNEL_FIXED as u64;
        /// It writes to memory only while a request has it do so.
        const WHEN_TOLD = sys::PINDMA_CHANNEL_WHEN_TOLD as u64;
        const _ = !0;
    }
}

/// What is behind a channel.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::ChannelKind;
///
/// let channel = device.channel_info(0)?;
/// // A stream has no addresses.
/// let at = match channel.kind {
///     ChannelKind::Memory => channel.memory_bytes / 2,
///     _ => 0,
/// };
/// device.request().dev_addr(at).send(b"here")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelKind {
    /// Memory, addressed by the device address.
    Memory,
    /// A stream; the device address must be 0.
    Stream,
    /// Something that this version of the crate does not know.
    Other(u32),
}

impl From<sys::pindma_channel_kind> for ChannelKind {
    fn from(raw: sys::pindma_channel_kind) -> Self {
        match raw {
            sys::PINDMA_CHANNEL_MEMORY => Self::Memory,
            sys::PINDMA_CHANNEL_STREAM => Self::Stream,
            other => Self::Other(other),
        }
    }
}

/// What one channel can do, from
/// [`Device::channel_info`](crate::Device::channel_info).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// let channel = device.channel_info(0)?;
/// if channel.kind == pindma::ChannelKind::Memory {
///     println!("{} bytes behind channel {}", channel.memory_bytes, channel.channel);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Its number.
    pub channel: u32,
    /// What is behind it.
    pub kind: ChannelKind,
    /// What it can do.
    pub capabilities: ChannelCapabilities,
    /// Bytes of device memory behind it.
    pub memory_bytes: u64,
    /// Alignment in bytes that the device needs of addresses; 1: none.
    pub address_align: u32,
    /// Alignment in bytes that the device needs of lengths; 1: none.
    pub length_align: u32,
    /// Most bytes that the device takes at a time.
    pub max_job_bytes: u64,
    /// Most DMA segments that the device takes at a time.
    pub max_job_segments: u32,
    /// Device memory that a copy overwrites, in bytes from its start.
    pub copy_window: Range<u64>,
}

impl From<&sys::pindma_channel_info> for ChannelInfo {
    fn from(raw: &sys::pindma_channel_info) -> Self {
        Self {
            channel: raw.channel,
            kind: raw.out_kind.into(),
            capabilities: ChannelCapabilities::from_bits_retain(raw.out_caps),
            memory_bytes: raw.out_mem_bytes,
            address_align: raw.out_addr_align,
            length_align: raw.out_len_align,
            max_job_bytes: raw.out_max_job_bytes,
            max_job_segments: raw.out_max_job_segs,
            copy_window: raw.out_copy_addr..raw.out_copy_addr.saturating_add(raw.out_copy_len),
        }
    }
}
