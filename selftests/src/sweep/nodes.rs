// SPDX-License-Identifier: GPL-2.0

//! Nodes of radix trees, which the kernel's watch over DMA mappings needs for
//! every mapping, also while there is no memory: without them it switches itself
//! off for good.
//!
//! It is not struck when it asks for a node.  But once all of them are in use, it
//! takes a page for more, and that is: so there must always be some that are not.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::check::Outcome;
use crate::device::PAGE;
use crate::module::pause;

/// Files of which every page needs a node of its own.
const KEPT: &str = "/tmp/nodes-kept";
const GONE: &str = "/tmp/nodes-gone";

/// Nodes that are laid up: more than eight points of any sweep take.
const COUNT: u64 = 1000;

/// From one page to the next that has another node.
const APART: u64 = 64 * PAGE as u64;

/// Makes nodes, and lets go of every other one: their neighbours keep the memory
/// that they lie in from being given back.
pub(super) fn lay_up() -> Outcome {
    if Path::new(KEPT).exists() {
        return Ok(());
    }
    let (kept, gone) = (File::create(KEPT)?, File::create(GONE)?);
    for node in 0..COUNT {
        kept.write_all_at(b"x", node * APART)?;
        gone.write_all_at(b"x", node * APART)?;
    }
    drop(gone);
    fs::remove_file(GONE)?;
    // They go when nobody can look at them any more.
    pause(100);
    set_free()
}

/// KASAN keeps what is freed to itself for long, but for a cache that shrinks.
pub(super) fn set_free() -> Outcome {
    Ok(fs::write("/sys/kernel/slab/radix_tree_node/shrink", "1")?)
}
