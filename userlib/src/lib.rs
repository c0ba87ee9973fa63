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
//! device.send(&out, 0)?; // the device reads `out`, in place
//! device.receive(&mut back, 0)?; // the device writes `back`, in place
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
//! several slices at once, a copy by the CPU where memory cannot be pinned.
//!
//! # Which way to choose
//!
//! | way | memory | cost of a transfer | for |
//! |---|---|---|---|
//! | [`Device::send`], [`Device::receive`], [`Device::copy`] | any slice | pin, map, unmap, unpin | now and then; memory that is different each time |
//! | [`Request::may_copy`] | any slice | a copy by the CPU, if short | small transfers, memory that cannot be pinned |
//! | [`Device`] as a file: [`Read`](std::io::Read), [`Write`](std::io::Write), [`Device::read_at`] | any slice | as the first | code that takes a file |
//! | [`Region`] | a [`Buffer`] of the program's, registered | none of these | the same memory again and again |
//! | [`Request::send_parts`] and the like | slices, [`Region`]s and [`Block`]s in one transfer | as that of the memory | headers and payload |
//! | [`Queue`] | a [`Buffer`], [`Region`] or [`Block`] that it owns meanwhile | as that of its memory | several at once, or something else meanwhile |
//! | [`Pool`] | [`Block`]s that the kernel has allocated | none of these | streams of frames |
//!
//! `docs/choosing.md` of the project says more, with measured figures.
//!
//! # Soundness
//!
//! **Calls** block, borrow the memory that the device reads or writes, and return
//! only after the kernel has seen the device finish with it: also after an error,
//! a signal or a deadline.
//!
//! **Queues** own the memory of their requests: `submit` moves it in, the
//! completion gives it back.  A timeout of a wait ends the wait and nothing else;
//! cancelling is a request, too, and the memory comes back when the device is
//! done.  Dropping a queue waits for that; forgetting one leaks.
//!
//! **Regions** are bytes that the crate owns; memory of somebody else can only be
//! registered by an `unsafe` function.  A [`Block`] of a pool lends its bytes only
//! while the kernel says that it is the program's, and keeps the pool's memory alive.
//!
//! There is one case in which the kernel cannot keep the promise that the device
//! is done: it does not stop when told to.  The memory then stays pinned and may
//! change at any later time.  No reference to such memory may exist in a safe
//! program:
//!
//! - If it was borrowed as a slice, for a call with a destination in user memory
//!   ([`Request::receive`], [`Request::copy`], the vectored forms), the crate
//!   writes a message to standard error and **aborts the process**.  A read of the
//!   file, by this crate or any other, is **ended by the kernel**, with the process.
//! - If it is the crate's own, it is lost: a queue leaks it, and a region or block
//!   stays but panics when it is looked at, and is never freed.
//!
//! A call that only has a source returns [`ErrorKind::NotRecoverable`]; so does
//! every call on the device from then on, as nothing is started any more.
//!
//! What this does not cover: other processes that are given the open file, a
//! device that writes to other addresses than it was given (an IOMMU can contain
//! it).  With a device that writes to registered memory on its own, that takes an
//! `unsafe` function too, see [`Region`].

#![deny(unsafe_code)]

mod access;
#[cfg(feature = "tokio")]
mod asynchronous;
mod block;
mod channel;
mod completion;
mod deadline;
mod destination;
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
mod source;
mod start;
mod stats;
mod stream;
mod transfer;
mod watch;

pub use access::{Access, Direction};
#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncPool, AsyncQueue};
pub use block::Block;
pub use channel::{ChannelCapabilities, ChannelInfo, ChannelKind};
pub use completion::{Completion, RequestId};
pub use deadline::Deadline;
pub use destination::Destination;
pub use device::{Device, OpenOptions};
pub use done::Done;
pub use error::{Error, ErrorKind, Field, Operation, Side};
pub use ffi::buffer::Buffer;
pub use frame::Frame;
pub use frames::{Frames, Lease};
pub use info::{Capabilities, Info, Memlock, State};
pub use memory::{AnyMemory, Memory};
pub use named::Registered;
pub use pool::{Pool, PoolOptions, Stopped};
pub use queue::{Queue, Submitted};
pub use refused::Refused;
pub use region::{Region, RegionInfo, RegionOptions};
pub use request::Request;
pub use source::Source;
pub use start::Start;
pub use stats::Stats;
pub use stream::{PoolStream, QueueStream};
pub use transfer::Transfer;
pub use watch::Watch;

/// The ABI beneath.
#[doc(no_inline)]
pub use pindma_sys as sys;

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The README's example is compiled as a test of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
