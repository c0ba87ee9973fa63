// SPDX-License-Identifier: GPL-2.0

//! Mapped memory that a transfer moves: a run of bytes, in one mapping or in several.

use crate::{
    slots::Handle,
    window::Window, //
};

/// A piece of memory.
pub(crate) enum Piece {
    /// Pinned and mapped for this transfer alone.
    Window(Window),
}

/// Where in a mapping a part of a piece lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// The mapping.
    pub(crate) handle: Handle,
    /// Bytes from its start.
    pub(crate) offset: u64,
    /// Bytes of the piece from there on that lie in this mapping.
    pub(crate) len: u64,
}

impl Piece {
    /// Its bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Window(window) => window.len(),
        }
    }

    /// Where its byte `offset` lies, which must be less than its length.
    pub(crate) fn place(&self, offset: u64) -> Place {
        match self {
            Self::Window(window) => Place {
                handle: window.handle(),
                offset,
                len: window.len() - offset,
            },
        }
    }
}
