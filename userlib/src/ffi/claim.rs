// SPDX-License-Identifier: MIT OR GPL-2.0
//! Buffers of a pool that are the program's.

use std::mem::ManuallyDrop;
use std::num::NonZeroU32;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use super::named::Named;
use super::pool::Stock;
use super::table::Owner;
use super::{Refusal, LOST};
use crate::node::Node;
use crate::sys;

/// A buffer of a pool that is the program's.
///
/// # Invariants
///
/// There is no other claim of the buffer, and the device does not access it but
/// during a call that borrows the claim, or while a queue owns it; or it is `lost`.
pub struct Claim {
    stock: Arc<Stock>,
    index: u32,
    handle: NonZeroU32,
    lost: bool,
}

impl Claim {
    /// The claim of a buffer that the table has as claimed.
    pub(super) fn new(stock: Arc<Stock>, index: u32, handle: NonZeroU32) -> Self {
        Self {
            stock,
            index,
            handle,
            lost: false,
        }
    }

    pub(crate) fn stock(&self) -> &Arc<Stock> {
        &self.stock
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn len(&self) -> usize {
        self.stock.buffer_bytes()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
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

    pub(crate) fn node(&self) -> Arc<Node> {
        self.stock.node().clone()
    }

    /// Gives the buffer to the device, to move its first `bytes`, 0: all; or hands
    /// it back with the errno.
    pub(crate) fn enqueue(self, bytes: u64) -> Result<(), (i32, Self)> {
        match self.stock.give(slice::from_ref(&self), bytes) {
            Ok(_) => {
                self.forget();
                Ok(())
            }
            Err(errno) => Err((errno, self)),
        }
    }

    /// Whether the buffer can be given to the device.
    pub(crate) fn may_enqueue(&self) -> Result<(), Refusal> {
        if self.lost {
            return Err(Refusal::Lost);
        }
        Ok(())
    }

    pub(super) fn record(&self, bytes: u64) -> sys::pindma_pool_record {
        sys::pindma_pool_record {
            buffer: self.handle.get(),
            bytes,
            ..Default::default()
        }
    }

    fn raw(&self) -> NonNull<[u8]> {
        self.stock.raw(self.index)
    }

    pub(super) fn mark(&self, owner: Owner) {
        self.stock.mark(self.index, owner);
    }

    /// Ends the claim of a buffer that is the device's now.
    pub(super) fn forget(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped and not used below, so the Arc moves.
        drop(unsafe { ptr::read(&this.stock) });
    }
}

/// The buffer stays the program's, for whoever claims it next.
impl Drop for Claim {
    fn drop(&mut self) {
        self.mark(if self.lost {
            Owner::Lost
        } else {
            Owner::Idle(Some(self.handle))
        });
    }
}

// SAFETY: there is one claim of a buffer; a lost one lends nothing, and its
// buffer is not claimed again.
unsafe impl Named for Claim {
    fn segment(&self, node: &Node, range: Range<usize>) -> Result<sys::pindma_seg, Refusal> {
        if !ptr::eq(node, &**self.stock.node()) {
            return Err(Refusal::OtherFile);
        }
        if self.lost {
            return Err(Refusal::Lost);
        }
        super::within(&range, self.len())?;
        Ok(sys::pindma_seg {
            addr: (self.stock.offset(self.index) + range.start) as u64,
            len: range.len() as u64,
            handle: self.stock.handle(),
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
