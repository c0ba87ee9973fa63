// SPDX-License-Identifier: GPL-2.0

//! Mapped memory that a transfer moves: a run of bytes, in one mapping or in several.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    card::entry::{
        Part,
        Parts, //
    },
    memory::{
        region::Region,
        window::Window, //
    }, //
};

/// A piece of memory.
pub(crate) enum Piece {
    /// Pinned and mapped for this transfer alone.
    Window(Window),
    /// A part of registered memory.
    Region {
        /// All of it.
        region: Arc<Region>,
        /// Where the part starts, in bytes from the start of the region.
        offset: u64,
        /// Its bytes; the region has them.
        len: u64,
    },
    /// A part of a mapping that somebody else keeps, and whether that is bounced.
    Part(Part, bool),
}

impl Piece {
    /// Its bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Window(window) => window.len(),
            Self::Region { len, .. } => *len,
            Self::Part(part, _) => part.len,
        }
    }

    /// Adds its parts to `parts`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn add_to(&self, parts: &mut Parts) -> Result {
        match self {
            Self::Window(window) => parts.push(Some(window.part(0, window.len()))),
            Self::Region {
                region,
                offset,
                len,
            } => region.add_to(parts, *offset, *len),
            Self::Part(part, _) => parts.push(Some(part.clone())),
        }
    }

    /// Whether giving it back may sleep.
    pub(crate) fn is_pinned(&self) -> bool {
        matches!(self, Self::Window(_))
    }

    /// Whether any of it goes through a bounce buffer; of a window, what has mapped it has told.
    pub(crate) fn bounced(&self) -> bool {
        match self {
            Self::Region {
                region,
                offset,
                len,
            } => region.bounced(*offset, *len),
            Self::Part(_, bounced) => *bounced,
            Self::Window(_) => false,
        }
    }
}
