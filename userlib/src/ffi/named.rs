// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that has a handle.

use std::ops::Range;
use std::result::Result;

use super::Refusal;
use crate::node::Node;
use crate::{sys, Block, Region};

/// Memory that a transfer names by handle instead of by address.
///
/// # Safety
///
/// What `segment` describes is owned by the value alone, or borrowed by it for
/// as long as it lives; after `lose` nothing lends it any more and it is never
/// given back.
pub unsafe trait Named {
    /// A range in bytes, for a call on `node`.
    fn segment(&self, node: &Node, range: Range<usize>) -> Result<sys::pindma_seg, Refusal>;

    /// Its length in bytes.
    fn length(&self) -> usize;

    /// The device may write the memory at any later time.
    fn lose(&mut self);
}

// SAFETY: a region is a part.
unsafe impl Named for Region {
    fn segment(&self, node: &Node, range: Range<usize>) -> Result<sys::pindma_seg, Refusal> {
        self.part().segment(node, range)
    }

    fn length(&self) -> usize {
        self.part().len()
    }

    fn lose(&mut self) {
        self.part_mut().lose();
    }
}

// SAFETY: a block is a claim.
unsafe impl Named for Block {
    fn segment(&self, node: &Node, range: Range<usize>) -> Result<sys::pindma_seg, Refusal> {
        self.claim().segment(node, range)
    }

    fn length(&self) -> usize {
        self.claim().len()
    }

    fn lose(&mut self) {
        self.claim_mut().lose();
    }
}
