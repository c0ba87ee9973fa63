// SPDX-License-Identifier: MIT OR GPL-2.0
//! Zero-copy DMA between an application's own memory and a PCIe device.
//!
//! ```no_run
//! use pindma::Device;
//!
//! # fn main() -> Result<(), pindma::Error> {
//! let device = Device::open("/dev/pindma0")?;
//! println!("{} at {}", device.info()?.engine, device.info()?.bus);
//!
//! let out = vec![0xa5u8; 3000];
//! let mut back = vec![0u8; 3000];
//! device.to_device(&out, 0)?; // the device reads `out`, in place
//! device.from_device(&mut back, 0)?; // the device writes `back`, in place
//! assert_eq!(out, back);
//! # Ok(())
//! # }
//! ```
//!
//! Any slice will do: on the heap, on the stack, in a memory map; of any length
//! and alignment.  The kernel pins its pages for the time of the call, has the
//! device read or write them, and unpins them; nothing is copied on the way.
//! (Where the device cannot reach a page the kernel may go through a bounce
//! buffer instead; [`Done::bounced`] tells.)
//!
//! [`Device::request`] adds what a call may need besides: a channel, a deadline,
//! several slices at once.
//!
//! # Soundness
//!
//! The calls block, borrow the memory that the device reads or writes, and
//! return only after the kernel has seen the device finish with it: also after
//! an error, a signal or a deadline.
//!
//! There is one case in which the kernel cannot keep that promise: the device
//! does not stop when told to.  The memory then stays pinned and may change at
//! any later time.  A `&mut [u8]` of such memory must not exist in a safe
//! program, so if this happens to a call that has a destination in user memory
//! ([`Request::from_device`], [`Request::copy`] and the vectored forms), the
//! crate writes a message to standard error and **aborts the process**.  A call
//! that only has a source returns [`ErrorKind::NotRecoverable`]; so does every
//! call on the device from then on, as nothing is started any more.
//!
//! The device is trusted: one that writes to other addresses than it was given
//! can be contained by an IOMMU, but not by this crate.

#![deny(unsafe_code)]

mod access;
#[cfg(feature = "tokio")]
mod asynchronous;
mod block;
mod channel;
mod completion;
mod deadline;
mod device;
mod done;
mod error;
#[allow(unsafe_code)]
mod ffi;
mod file;
mod frame;
mod frames;
mod info;
mod memory;
mod named;
mod node;
mod pool;
mod queue;
mod refused;
mod region;
mod request;
mod start;
mod stats;
pub mod sys;
mod transfer;

pub use access::{Access, Direction};
#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncPool, AsyncQueue};
pub use block::Block;
pub use channel::{ChannelCapabilities, ChannelInfo, ChannelKind};
pub use completion::{Completion, RequestId};
pub use deadline::Deadline;
pub use device::{Device, OpenOptions};
pub use done::Done;
pub use error::{Error, ErrorKind, Field, Operation, Side};
pub use ffi::buffer::Buffer;
pub use frame::Frame;
pub use frames::{Frames, Lease};
pub use info::{Capabilities, Info, Memlock, State};
pub use memory::Memory;
pub use named::Registered;
pub use pool::{Pool, PoolOptions, Stopped};
pub use queue::{Queue, Submitted};
pub use refused::Refused;
pub use region::{Region, RegionInfo, RegionOptions};
pub use request::Request;
pub use start::Start;
pub use stats::Stats;
pub use transfer::Transfer;

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The README's example is compiled as a test of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
