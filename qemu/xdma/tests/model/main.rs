// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the model does, one file for each group of behaviours.

mod build;
