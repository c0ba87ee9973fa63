// SPDX-License-Identifier: MIT OR GPL-2.0
//! read(2) and write(2) on a device.

use std::io::{IoSlice, IoSliceMut};

use rustix::io::{self, Errno};

use super::info;
use crate::node::Node;
use crate::sys;

/// Reads at `offset`, or at the file's position and moves it.
///
/// Once this returns the device does not write to `to` any more: the kernel lets no
/// read return otherwise, and ends the process.
pub(crate) fn read(
    node: &Node,
    to: &mut [IoSliceMut<'_>],
    offset: Option<u64>,
) -> io::Result<usize> {
    told(node, preadv(node, to, offset))
}

/// Writes at `offset`, or at the file's position and moves it.
pub(crate) fn write(node: &Node, from: &[IoSlice<'_>], offset: Option<u64>) -> io::Result<usize> {
    told(node, pwritev(node, from, offset))
}

/// A call that has moved nothing gets `EIO` of a device that did not stop in
/// another one; here it is told like every other call on such a device.
fn told(node: &Node, moved: io::Result<usize>) -> io::Result<usize> {
    match moved {
        Err(Errno::IO) if is_failed(node) => Err(Errno::NOTRECOVERABLE),
        moved => moved,
    }
}

/// Whether the device has not stopped when it was told to.
fn is_failed(node: &Node) -> bool {
    info(node).is_ok_and(|info| info.out_state & sys::PINDMA_STATE_FAILED != 0)
}

fn preadv(node: &Node, to: &mut [IoSliceMut<'_>], offset: Option<u64>) -> io::Result<usize> {
    #[cfg(test)]
    refused(node)?;
    match offset {
        Some(offset) => io::preadv(node, to, offset),
        None => io::readv(node, to),
    }
}

fn pwritev(node: &Node, from: &[IoSlice<'_>], offset: Option<u64>) -> io::Result<usize> {
    #[cfg(test)]
    refused(node)?;
    match offset {
        Some(offset) => io::pwritev(node, from, offset),
        None => io::writev(node, from),
    }
}

/// What tests have these calls fail with.
#[cfg(test)]
fn refused(node: &Node) -> io::Result<()> {
    let fake = node.port().fake.as_ref();
    fake.map_or(Ok(()), |fake| fake.read_or_write())
}
