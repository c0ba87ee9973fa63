// SPDX-License-Identifier: GPL-2.0

//! What of a process's memory is named, pinned and mapped.

pub(crate) mod client;
pub(crate) mod fit;
pub(crate) mod loan;
pub(crate) mod names;
pub(crate) mod piece;
pub(crate) mod region;
pub(crate) mod vector;
pub(crate) mod window;
