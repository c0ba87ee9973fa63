// SPDX-License-Identifier: GPL-2.0

//! Selftests of pindma.
//!
//! The library holds the table of cases by legs, which the runner on the host
//! reads as well, and everything that `/init` in the VM needs to run it.  The
//! tests talk to the driver through the ioctls themselves, not through the
//! crate `pindma`, so that it is the ABI that is tested.

#![deny(unsafe_code)]

pub mod debug;
pub mod kernel;
pub mod leg;
pub(crate) mod load;
pub mod table;

mod abi;
mod bench;
pub mod boot;
mod card;
mod cases;
mod cgroup;
mod check;
#[cfg(test)]
mod checklist;
mod compare;
mod counters;
mod demo;
mod device;
mod flight;
mod fuse;
mod gate;
mod harness;
mod kmsg;
mod ktap;
mod module;
mod mutants;
mod os;
mod pagemap;
mod pattern;
mod pci;
mod pool;
mod process;
mod queue;
mod region;
mod rw;
pub mod shell;
mod soak;
mod sweep;
#[allow(unsafe_code)]
mod sys;
mod tracing;
mod uring;
mod user;
mod ways;
