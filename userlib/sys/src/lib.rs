// SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT
//! The ABI of pindma's devices: the numbers and structs of its ioctls, as in the
//! kernel's header `pindma.h`.
//!
//! There is nothing to call here, and nothing is linked.  The crate `pindma` is the
//! safe way to use a device; this one is for programs that make the calls by
//! themselves, say as commands of an io_uring.
//!
//! ```
//! use pindma_sys::{pindma_info, PINDMA_INFO};
//!
//! // Every struct begins with its size, and what is not used is zero.
//! let arg = pindma_info {
//!     size: size_of::<pindma_info>() as u32,
//!     ..Default::default()
//! };
//! assert_eq!((PINDMA_INFO, arg.flags), (0xbc00, 0));
//! ```

#![no_std]

mod abi;

pub use abi::*;
