// SPDX-License-Identifier: GPL-2.0

//! Mapped memory that a transfer moves: a run of bytes, in one mapping or in several.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::slots::Handle,
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
    Part(Place, bool),
    /// So many bytes, all of which go to or come from the same short part of such a mapping, over
    /// and over.
    Repeated(Place, u64),
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

impl Place {
    fn skip(self, offset: u64) -> Self {
        Self {
            offset: self.offset + offset,
            len: self.len - offset,
            ..self
        }
    }

    fn first(self, len: u64) -> Self {
        Self {
            len: self.len.min(len),
            ..self
        }
    }
}

impl Piece {
    /// Its bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Window(window) => window.len(),
            Self::Region { len, .. } => *len,
            Self::Part(part, _) => part.len,
            Self::Repeated(_, len) => *len,
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
            Self::Region {
                region,
                offset: start,
                len,
            } => region.place(start + offset).first(len - offset),
            Self::Part(part, _) => part.skip(offset),
            Self::Repeated(part, len) => part.skip(offset % part.len).first(len - offset),
        }
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
            Self::Window(_) | Self::Repeated(..) => false,
        }
    }
}

#[kunit_tests(pindma_piece)]
mod tests {
    use super::*;

    const PART: Place = Place {
        handle: Handle::from_abi(1),
        offset: 100,
        len: 10,
    };

    fn place(piece: &Piece, offset: u64) -> (u64, u64) {
        let place = piece.place(offset);
        (place.offset, place.len)
    }

    #[test]
    fn a_part_ends_where_it_ends() {
        let piece = Piece::Part(PART, false);
        assert_eq!(piece.len(), 10);
        assert_eq!(place(&piece, 0), (100, 10));
        assert_eq!(place(&piece, 9), (109, 1));
    }

    #[test]
    fn what_is_repeated_starts_again() {
        let piece = Piece::Repeated(PART, 25);
        assert_eq!(piece.len(), 25);
        assert_eq!(place(&piece, 0), (100, 10));
        assert_eq!(place(&piece, 13), (103, 7));
        assert_eq!(place(&piece, 20), (100, 5));
        assert_eq!(place(&Piece::Repeated(PART, 4), 0), (100, 4));
    }
}
