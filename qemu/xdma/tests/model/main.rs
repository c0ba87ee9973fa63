// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the model does, one file for each group of behaviours. A test `b07_...` shows a
//! part of behaviour 7 of the list that both Linux drivers and the guide make together.

mod bench;
mod build;
mod counters;
mod credits;
mod data;
mod failure;
mod fetch;
mod interrupts;
mod registers;
mod run;
mod stream;
