// SPDX-License-Identifier: MIT OR GPL-2.0
//! read(2) and write(2) on a device.

use std::io::{IoSlice, IoSliceMut};

use rustix::io::{self, Errno};

use super::{die, info};
use crate::node::Node;
use crate::sys;

/// Reads at `offset`, or at the file's position and moves it.
///
/// A count says neither whether the call has started nor whether it has ended
/// well, so the device is asked before and, if anything is odd, after it.
pub(crate) fn read(
    node: &Node,
    to: &mut [IoSliceMut<'_>],
    offset: Option<u64>,
) -> io::Result<usize> {
    let wanted = to
        .iter()
        .fold(0, |sum: usize, slice| sum.saturating_add(slice.len()));
    if is_failed(node)? {
        return Err(Errno::NOTRECOVERABLE);
    }
    let read = match offset {
        Some(offset) => io::preadv(node, to, offset),
        None => io::readv(node, to),
    };
    match read {
        Err(Errno::NOTRECOVERABLE) => die(),
        Ok(count) if count < wanted && is_failed(node).unwrap_or(false) => die(),
        read => read,
    }
}

/// Writes at `offset`, or at the file's position and moves it.
pub(crate) fn write(node: &Node, from: &[IoSlice<'_>], offset: Option<u64>) -> io::Result<usize> {
    match offset {
        Some(offset) => io::pwritev(node, from, offset),
        None => io::writev(node, from),
    }
}

/// Whether the device has not stopped when it was told to.
fn is_failed(node: &Node) -> io::Result<bool> {
    info(node).map(|info| info.out_state & sys::PINDMA_STATE_FAILED != 0)
}
