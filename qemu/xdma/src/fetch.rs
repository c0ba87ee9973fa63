// SPDX-License-Identifier: MIT OR GPL-2.0

//! The walk from block to block of descriptors ("Descriptors").
//!
//! A block is contiguous. Only its last descriptor says where the next block is and how
//! many descriptors that has; a request may be smaller than a block, so the walk counts
//! what is left of it.

use crate::checker::{Faults, Rule};
use crate::descriptor::{Descriptor, Flags, DESCRIPTOR};
use crate::Channel;

const PAGE: u64 = 4096;

/// The state of the walk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fetcher {
    next: u64,
    /// Descriptors of the block that are still to come.
    left: u32,
    /// Nothing comes after what was fetched.
    ended: bool,
}

/// One read request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) address: u64,
    pub(crate) count: u32,
}

/// The watch over the rules of blocks.
pub(crate) struct Watch<'a> {
    pub(crate) channel: Channel,
    pub(crate) faults: &'a mut Faults,
}

impl Watch<'_> {
    fn note(&mut self, rule: Rule, sentence: String) {
        self.faults.note(rule, Some(self.channel), sentence);
    }
}

impl Fetcher {
    /// Begins with the block that the registers name: `adjacent` more than one.
    pub(crate) fn begin(&mut self, first: u64, adjacent: u32, watch: &mut Watch<'_>) {
        self.ended = false;
        self.enter(first, adjacent, watch);
    }

    /// Whether the walk goes on.
    pub(crate) fn goes_on(&self) -> bool {
        !self.ended
    }

    /// Ends the walk: nothing more is wanted.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The rest of the block: its address and bytes.
    pub(crate) fn block(&self) -> (u64, u64) {
        (self.next, u64::from(self.left) * DESCRIPTOR as u64)
    }

    /// The next request, of at most `most` descriptors; it stays inside a page.
    pub(crate) fn request(&self, most: u32) -> Request {
        let to_page_end = ((PAGE - self.next % PAGE) / DESCRIPTOR as u64).max(1) as u32;
        Request {
            address: self.next,
            count: self.left.min(most).min(to_page_end),
        }
    }

    /// Goes past a descriptor that came. `single`: the card takes each as a block.
    pub(crate) fn pass(&mut self, descriptor: &Descriptor, single: bool, watch: &mut Watch<'_>) {
        self.left -= 1;
        self.next += DESCRIPTOR as u64;
        if descriptor.flags.contains(Flags::STOP) || !descriptor.has_magic {
            self.ended = true;
            self.check_end(descriptor, watch);
        } else if self.left == 0 {
            let adjacent = if single { 0 } else { descriptor.adjacent };
            self.enter(descriptor.next, adjacent, watch);
        } else {
            self.check_inside(descriptor, watch);
        }
    }

    fn enter(&mut self, address: u64, adjacent: u32, watch: &mut Watch<'_>) {
        self.next = address;
        self.left = adjacent + 1;
        if address % DESCRIPTOR as u64 != 0 {
            watch.note(
                Rule::DescriptorAlignment,
                format!("a block starts at {address:#x}, which is no multiple of 32"),
            );
        }
        if address % PAGE + u64::from(self.left) * DESCRIPTOR as u64 > PAGE {
            let count = self.left;
            watch.note(
                Rule::BlockCrossesPage,
                format!("{count} descriptors from {address:#x} on cross a page"),
            );
        }
    }

    fn check_end(&self, descriptor: &Descriptor, watch: &mut Watch<'_>) {
        if descriptor.has_magic && self.left > 0 {
            let (address, left) = (descriptor.address, self.left);
            watch.note(
                Rule::BlockReachesTooFar,
                format!("the list stops at {address:#x}, its block has {left} more"),
            );
        }
    }

    fn check_inside(&self, descriptor: &Descriptor, watch: &mut Watch<'_>) {
        let Descriptor { address, next, .. } = *descriptor;
        if next != 0 && next != self.next {
            watch.note(
                Rule::BlockIsBroken,
                format!("{address:#x} stands inside a block and names {next:#x} as next"),
            );
        }
        if descriptor.adjacent >= self.left {
            let (adjacent, left) = (descriptor.adjacent, self.left);
            watch.note(
                Rule::BlockReachesTooFar,
                format!("{address:#x} tells of {adjacent} behind the next, of {left} that follow"),
            );
        }
    }
}
