// SPDX-License-Identifier: GPL-2.0

//! Vocabulary: what all floors above speak of, and what needs nothing of them.

pub(crate) mod access;
pub(crate) mod batch;
pub(crate) mod counters;
pub(crate) mod deadline;
pub(crate) mod failure;
pub(crate) mod few;
pub(crate) mod maker;
pub(crate) mod params;
pub(crate) mod progress;
pub(crate) mod quota;
pub(crate) mod slots;
