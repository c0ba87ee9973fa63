// SPDX-License-Identifier: MIT OR GPL-2.0
//! Vectors of memory that a call borrows.

use std::io::{IoSlice, IoSliceMut};
use std::marker::PhantomData;
use std::ops::Range;
use std::result::Result;

use super::named::Named;
use super::segments::Segs;
use super::{address, die, seg, Outcome, Params, Refusal};
use crate::destination::{self, Destination};
use crate::node::Node;
use crate::source::{self, Source};
use crate::sys;

/// What the device is to read, one piece after the other.
///
/// # Invariants
///
/// The segments describe memory that is borrowed for `'a`.
pub(crate) struct Sources<'a> {
    rest: Rest,
    borrow: PhantomData<&'a [u8]>,
}

/// What the device is to write, one piece after the other.
///
/// # Invariants
///
/// The segments describe memory that is mutably borrowed for as long as `owners` is.
pub(crate) struct Destinations<'a, 'b> {
    rest: Rest,
    owners: Owners<'a, 'b>,
}

/// Whose the memory is that the device writes.
enum Owners<'a, 'b> {
    /// Of slices, which have to be handed back.
    Slices(PhantomData<&'a mut [u8]>),
    /// Of one with a handle.
    Named(&'a mut dyn Named),
    /// Of several, of either kind.
    Parts(&'a mut [Destination<'b>]),
}

/// What is left of a vector.
struct Rest {
    segs: Segs,
    /// Segments that were there before.
    passed: usize,
}

impl Rest {
    fn new(segs: Segs) -> Self {
        Self { segs, passed: 0 }
    }

    fn advance(&mut self, by: u64) {
        let before = self.segs.as_slice().len();
        self.segs.advance(by);
        self.passed += before - self.segs.as_slice().len();
    }
}

impl<'a> Sources<'a> {
    fn new(segs: Segs) -> Self {
        let borrow = PhantomData;
        let rest = Rest::new(segs);
        Self { rest, borrow }
    }

    pub(crate) fn slices(slices: &'a [IoSlice<'_>]) -> Self {
        let segs = slices.iter();
        Self::new(segs.map(|slice| readable(slice)).collect())
    }

    pub(crate) fn named(
        node: &Node,
        memory: &'a dyn Named,
        range: Range<usize>,
    ) -> Result<Self, Refusal> {
        let segs = [memory.segment(node, range)?];
        Ok(Self::new(segs.into_iter().collect()))
    }

    pub(crate) fn parts(node: &Node, parts: &'a [Source<'_>]) -> Result<Self, Refusal> {
        let segs = parts.iter().map(|part| match &part.place {
            source::Place::Slice(slice) => Ok(readable(slice)),
            source::Place::Named(memory, range) => memory.segment(node, range.clone()),
        });
        Ok(Self::new(segs.collect::<Result<_, _>>()?))
    }

    /// Leaves out the first bytes of what is left.
    pub(crate) fn advance(&mut self, by: u64) {
        self.rest.advance(by);
    }

    /// Bytes that are left.
    pub(crate) fn bytes(&self) -> u64 {
        self.rest.segs.bytes()
    }

    pub(crate) fn as_segs(&self) -> &[sys::pindma_seg] {
        self.rest.segs.as_slice()
    }

    /// Segments that were there before those that are left.
    pub(super) fn passed(&self) -> usize {
        self.rest.passed
    }
}

impl<'a, 'b> Destinations<'a, 'b> {
    fn new(segs: Segs, owners: Owners<'a, 'b>) -> Self {
        let rest = Rest::new(segs);
        Self { rest, owners }
    }

    pub(crate) fn slices(slices: &'a mut [IoSliceMut<'_>]) -> Self {
        let segs = slices.iter_mut().map(|slice| writable(slice)).collect();
        Self::new(segs, Owners::Slices(PhantomData))
    }

    pub(crate) fn named(
        node: &Node,
        memory: &'a mut dyn Named,
        range: Range<usize>,
    ) -> Result<Self, Refusal> {
        let segs = [memory.segment(node, range)?];
        Ok(Self::new(segs.into_iter().collect(), Owners::Named(memory)))
    }

    pub(crate) fn parts(node: &Node, parts: &'a mut [Destination<'b>]) -> Result<Self, Refusal> {
        let segs = parts.iter_mut().map(|part| match &mut part.place {
            destination::Place::Slice(slice) => Ok(writable(slice)),
            destination::Place::Named(memory, range) => memory.segment(node, range.clone()),
        });
        let segs = segs.collect::<Result<_, _>>()?;
        Ok(Self::new(segs, Owners::Parts(parts)))
    }

    /// Leaves out the first bytes of what is left.
    pub(crate) fn advance(&mut self, by: u64) {
        self.rest.advance(by);
    }

    /// Bytes that are left.
    pub(crate) fn bytes(&self) -> u64 {
        self.rest.segs.bytes()
    }

    pub(crate) fn as_segs(&self) -> &[sys::pindma_seg] {
        self.rest.segs.as_slice()
    }

    /// Segments that were there before those that are left.
    pub(super) fn passed(&self) -> usize {
        self.rest.passed
    }

    /// Keeps memory from being seen again that the device may still write after a
    /// call: what has a handle is lost, and for a slice the process ends.
    pub(super) fn settle(&mut self, outcome: &Outcome, params: &Params) {
        if !outcome.may_still_run() {
            return;
        }
        match &mut self.owners {
            Owners::Slices(_) => spare(params),
            // Whatever was asked of it: what has a handle is mapped, and can be reached.
            Owners::Named(memory) => memory.lose(),
            Owners::Parts(parts) => {
                for part in parts.iter_mut() {
                    match &mut part.place {
                        destination::Place::Slice(_) => spare(params),
                        destination::Place::Named(memory, _) => memory.lose(),
                    }
                }
            }
        }
    }
}

/// Ends the process, unless the device only ever saw a buffer of the kernel's.
fn spare(params: &Params) {
    if params.flags & sys::PINDMA_MUST_COPY == 0 {
        die();
    }
}

fn readable(slice: &[u8]) -> sys::pindma_seg {
    seg(address(slice.as_ptr()), slice.len())
}

fn writable(slice: &mut [u8]) -> sys::pindma_seg {
    seg(address(slice.as_mut_ptr()), slice.len())
}
