// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions over kernel facilities that the `kernel` crate does not offer yet.
//!
//! This is the only place of the module with `unsafe` and raw bindings. Each file is written as
//! if it were to move to `rust/kernel` one day: it knows nothing of pindma's own types, except the
//! ABI's structs in [`abi`].

pub(crate) mod abi;
pub(crate) mod anon;
pub(crate) mod backing;
pub(crate) mod binding;
pub(crate) mod block;
pub(crate) mod borrowed;
mod bouncing;
pub(crate) mod bus_master;
pub(crate) mod charge;
pub(crate) mod claim;
pub(crate) mod clock;
pub(crate) mod dma_view;
pub(crate) mod event;
pub(crate) mod eventfd;
mod extent;
pub(crate) mod file_ops;
pub(crate) mod gauge;
pub(crate) mod gfp;
pub(crate) mod held;
pub(crate) mod irq_set;
pub(crate) mod iter;
pub(crate) mod link;
pub(crate) mod mapped;
mod mmap;
pub(crate) mod node;
pub(crate) mod outages;
mod pinning;
pub(crate) mod pins;
mod raw;
pub(crate) mod read_write;
mod shim;
pub(crate) mod signal;
pub(crate) mod trace;
pub(crate) mod user_copy;
pub(crate) mod vendor;
pub(crate) mod workqueue;
