// SPDX-License-Identifier: MIT OR GPL-2.0
//! Ranges of registered memory.

use std::mem::{self, ManuallyDrop};
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::result::Result;
use std::slice;
use std::sync::Arc;

use super::named::Named;
use super::registration::Registration;
use super::{die, Refusal, LOST};
use crate::node::Node;
use crate::sys;

/// A range of registered memory that nobody else has.
///
/// # Invariants
///
/// The parts of a registration do not overlap.  `start + len` lies within it.
/// The device accesses the range only during a call that borrows the part, or
/// while a queue owns it; or it is `lost`.
pub struct Part {
    registration: Arc<Registration>,
    start: usize,
    len: usize,
    lost: bool,
}

impl Part {
    pub(crate) fn whole(registration: Registration) -> Self {
        Self {
            start: 0,
            len: registration.raw().len(),
            registration: Arc::new(registration),
            lost: false,
        }
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(crate) fn node(&self) -> Arc<Node> {
        self.registration.node().clone()
    }

    /// A range of the part as one of the registration.
    pub(crate) fn absolute(&self, range: &Range<usize>) -> Result<Range<usize>, Refusal> {
        super::within(range, self.len)?;
        Ok(self.start + range.start..self.start + range.end)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the part begins in its registration.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Two parts: up to `mid`, and from there on.
    pub(crate) fn split(mut self, mid: usize) -> (Self, Self) {
        assert!(mid <= self.len, "{mid} is beyond the region's end");
        let tail = Self {
            registration: self.registration.clone(),
            start: self.start + mid,
            len: self.len - mid,
            lost: self.lost,
        };
        self.len = mid;
        (self, tail)
    }

    /// Undoes a split.
    pub(crate) fn join(mut self, tail: Self) -> Result<Self, (Self, Self)> {
        let adjacent = Arc::ptr_eq(&self.registration, &tail.registration)
            && self.start + self.len == tail.start
            && self.lost == tail.lost;
        if !adjacent {
            return Err((self, tail));
        }
        self.len += tail.len;
        drop(tail);
        Ok(self)
    }

    /// The registration, if this is all there is of it.
    pub(crate) fn into_registration(self) -> Result<Registration, Self> {
        if self.lost {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        let (start, len, lost) = (this.start, this.len, this.lost);
        // SAFETY: `this` is not dropped and not used below, so the Arc moves.
        let registration = unsafe { ptr::read(&this.registration) };
        Arc::try_unwrap(registration).map_err(|registration| Self {
            registration,
            start,
            len,
            lost,
        })
    }

    /// The bytes, without a reference to them.
    pub(crate) fn raw(&self) -> NonNull<[u8]> {
        let whole = self.registration.raw();
        // SAFETY: `start` lies within the registration, or at its end.
        let start = unsafe { whole.cast::<u8>().add(self.start) };
        NonNull::slice_from_raw_parts(start, self.len)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        assert!(!self.lost, "{LOST}");
        let raw = self.raw();
        // SAFETY: the type's invariants; `self` is borrowed for as long.
        unsafe { slice::from_raw_parts(raw.cast().as_ptr(), raw.len()) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        assert!(!self.lost, "{LOST}");
        let raw = self.raw();
        // SAFETY: the type's invariants; `self` is mutably borrowed for as long.
        unsafe { slice::from_raw_parts_mut(raw.cast().as_ptr(), raw.len()) }
    }
}

/// Keeps the whole registration from ever ending if the part is lost.
impl Drop for Part {
    fn drop(&mut self) {
        if !self.lost {
            return;
        }
        if self.registration.is_foreign() {
            die();
        }
        mem::forget(self.registration.clone());
    }
}

// SAFETY: parts do not overlap, and a lost one lends nothing and leaks.
unsafe impl Named for Part {
    fn segment(&self, node: &Node, range: Range<usize>) -> Result<sys::pindma_seg, Refusal> {
        if !ptr::eq(node, &**self.registration.node()) {
            return Err(Refusal::OtherFile);
        }
        if self.lost {
            return Err(Refusal::Lost);
        }
        let range = self.absolute(&range)?;
        Ok(sys::pindma_seg {
            addr: range.start as u64,
            len: range.len() as u64,
            handle: self.registration.handle(),
            flags: 0,
        })
    }

    fn length(&self) -> usize {
        self.len()
    }

    fn lose(&mut self) {
        self.lost = true;
    }
}
