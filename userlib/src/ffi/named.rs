// SPDX-License-Identifier: MIT OR GPL-2.0
//! Transfers of memory that has a handle.

use std::ops::Range;
use std::result::Result;

use super::{Outcome, Params, Refusal};
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

/// Has the device read a range of `from`.
pub(crate) fn to_device_named(
    node: &Node,
    params: &Params,
    from: &impl Named,
    range: Range<usize>,
) -> Result<Outcome, Refusal> {
    let segs = [from.segment(node, range)?];
    // SAFETY: the device only reads, and `from` is borrowed.
    Ok(unsafe { super::transfer(node, params, sys::PINDMA_TO_DEVICE, &segs) })
}

/// Has the device write a range of `to`.
pub(crate) fn from_device_named(
    node: &Node,
    params: &Params,
    to: &mut impl Named,
    range: Range<usize>,
) -> Result<Outcome, Refusal> {
    let segs = [to.segment(node, range)?];
    // SAFETY: `to` is mutably borrowed.  If the device is not done with it,
    // nobody gets to see it again.
    let outcome = unsafe { super::transfer(node, params, sys::PINDMA_FROM_DEVICE, &segs) };
    // Whatever was asked of it: registered memory is mapped, and can be reached.
    if outcome.may_still_run() {
        to.lose();
    }
    Ok(outcome)
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
