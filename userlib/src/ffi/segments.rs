// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a queue can own.

use std::ops::Range;
use std::slice;

use super::claim::Claim;
use super::named::Named;
use super::part::Part;
use super::{address, seg, Buffer, Refusal};
use crate::node::Node;
use crate::{sys, AnyMemory, Block, Region};

/// Memory that can be moved into a queue, and what the kernel has to know of it.
///
/// # Safety
///
/// What `describe` describes is owned by the value alone, is valid until the
/// value is dropped, and does not move with it.
pub unsafe trait Describe {
    /// Adds the memory, for a request on `node`.
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal>;
}

/// Segments, without an allocation for the first one.
#[derive(Debug, Default)]
pub struct Segs {
    first: Option<sys::pindma_seg>,
    /// All of them, if there are several.
    all: Vec<sys::pindma_seg>,
}

impl Segs {
    fn push(&mut self, seg: sys::pindma_seg) {
        match self.first {
            None => self.first = Some(seg),
            Some(first) => {
                if self.all.is_empty() {
                    self.all.push(first);
                }
                self.all.push(seg);
            }
        }
    }

    /// Bytes that they have together.
    pub(crate) fn bytes(&self) -> u64 {
        let lengths = self.as_slice().iter().map(|seg| seg.len);
        lengths.fold(0, u64::saturating_add)
    }

    /// Leaves out the first bytes.
    pub(super) fn advance(&mut self, by: u64) {
        if by > 0 {
            *self = self.kept(by..self.bytes());
        }
    }

    /// A range in bytes of what they are one after the other.
    pub(crate) fn cut(&self, range: &Range<usize>) -> Result<Self, Refusal> {
        super::within(range, usize::try_from(self.bytes()).unwrap_or(usize::MAX))?;
        Ok(self.kept(range.start as u64..range.end as u64))
    }

    fn kept(&self, range: Range<u64>) -> Self {
        let (mut kept, mut at) = (Self::default(), 0);
        for seg in self.as_slice() {
            let (from, to) = (range.start.max(at), range.end.min(at + seg.len));
            if from < to {
                kept.push(sys::pindma_seg {
                    addr: seg.addr + (from - at),
                    len: to - from,
                    ..*seg
                });
            }
            at += seg.len;
        }
        kept
    }

    pub(crate) fn as_slice(&self) -> &[sys::pindma_seg] {
        match &self.first {
            Some(first) if self.all.is_empty() => slice::from_ref(first),
            _ => &self.all,
        }
    }
}

impl FromIterator<sys::pindma_seg> for Segs {
    fn from_iter<I: IntoIterator<Item = sys::pindma_seg>>(iter: I) -> Self {
        let mut segs = Self::default();
        iter.into_iter().for_each(|seg| segs.push(seg));
        segs
    }
}

// SAFETY: a buffer owns its bytes, and they do not move with it.
unsafe impl Describe for Buffer {
    fn describe(&self, _: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        let raw = self.raw();
        segs.push(seg(address(raw.cast::<u8>().as_ptr()), raw.len()));
        Ok(())
    }
}

// SAFETY: nobody else has the part's range, see its invariants.
unsafe impl Describe for Part {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        segs.push(self.segment(node, 0..self.len())?);
        Ok(())
    }
}

// SAFETY: a region is a part.
unsafe impl Describe for Region {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        self.part().describe(node, segs)
    }
}

// SAFETY: nobody else has the buffer of the pool, see the claim's invariants.
unsafe impl Describe for Claim {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        segs.push(self.segment(node, 0..self.len())?);
        Ok(())
    }
}

// SAFETY: a block is a claim.
unsafe impl Describe for Block {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        self.claim().describe(node, segs)
    }
}

// SAFETY: whichever it is, it keeps the promise by itself.
unsafe impl Describe for AnyMemory {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        match self {
            Self::Buffer(buffer) => buffer.describe(node, segs),
            Self::Region(region) => region.describe(node, segs),
            Self::Block(block) => block.describe(node, segs),
        }
    }
}

// SAFETY: each element keeps the promise by itself.
unsafe impl<M: Describe> Describe for Vec<M> {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        self.iter()
            .try_for_each(|memory| memory.describe(node, segs))
    }
}

// SAFETY: the first element keeps the promise; the other is not described.
unsafe impl<M: Describe, T> Describe for (M, T) {
    fn describe(&self, node: &Node, segs: &mut Segs) -> Result<(), Refusal> {
        self.0.describe(node, segs)
    }
}
