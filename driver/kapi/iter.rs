// SPDX-License-Identifier: GPL-2.0

//! The memory that read(2), write(2) and their relatives bring.
//!
//! [`kernel::iov`] only copies.
//!
//! C header: [`include/linux/uio.h`](srctree/include/linux/uio.h)

use kernel::{
    bindings,
    error::to_result,
    page::PAGE_SIZE,
    prelude::*, //
};

use super::{
    borrowed::Borrowed,
    gfp,
    pins::Direction,
    shim, //
};

/// Most pages that are asked for at once.
const RUN: usize = 512;

/// What kind of memory it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Addresses of the calling process.
    User,
    /// Pages.
    Pages,
    /// Something else, such as addresses of the kernel.
    Other,
}

/// Memory that a call brings, and how far it was used.
///
/// # Invariants
///
/// `iter` is valid, and is used by nobody else; it was advanced by `used` bytes.
pub(crate) struct Iter<'a> {
    iter: &'a mut bindings::iov_iter,
    used: u64,
}

impl<'a> Iter<'a> {
    /// # Safety
    ///
    /// `iter` must be valid for `'a`, and used by nobody else.
    pub(super) unsafe fn from_raw(iter: *mut bindings::iov_iter) -> Self {
        // SAFETY: By the safety requirement.
        // INVARIANT: As above.
        let iter = unsafe { &mut *iter };
        Self { iter, used: 0 }
    }

    /// What kind of memory it is.
    pub(crate) fn kind(&self) -> Kind {
        // SAFETY: By the type invariant.
        if unsafe { shim::pindma_iter_is_user(self.iter) } {
            return Kind::User;
        }
        // SAFETY: As above.
        if unsafe { shim::pindma_iter_is_bvec(self.iter) } {
            Kind::Pages
        } else {
            Kind::Other
        }
    }

    /// Bytes that are left.
    pub(crate) fn len(&self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { shim::pindma_iter_count(self.iter) as u64 }
    }

    /// Forgets what lies beyond the next `len` bytes.
    pub(crate) fn truncate(&mut self, len: u64) {
        // SAFETY: By the type invariant.
        unsafe { shim::pindma_iter_truncate(self.iter, len) };
    }

    /// Says that `used` bytes were used in all, which is less or more than was taken.
    pub(crate) fn set_used(&mut self, used: u64) {
        let used = used.min(self.used + self.len());
        // SAFETY: By the type invariant; there are as many bytes in this direction.
        unsafe {
            match used.checked_sub(self.used) {
                Some(more) => bindings::iov_iter_advance(self.iter, more as usize),
                None => bindings::iov_iter_revert(self.iter, (self.used - used) as usize),
            }
        };
        // INVARIANT: As it was advanced.
        self.used = used;
    }

    /// Calls `f` with address and length of each range that is left, none of them empty, until it
    /// fails. Only for memory of kind [`Kind::User`].
    pub(crate) fn try_for_each_range(&self, mut f: impl FnMut(u64, u64) -> Result) -> Result {
        if self.kind() != Kind::User {
            return Err(EOPNOTSUPP);
        }
        // SAFETY: It is plain data. A copy, since walking uses it up.
        let mut walk = unsafe { core::ptr::read(self.iter) };
        loop {
            // SAFETY: The copy is as valid as the original, which outlives it.
            let left = unsafe { shim::pindma_iter_count(&walk) as u64 };
            if left == 0 {
                // It stands behind the last range, and there is nothing to look at.
                return Ok(());
            }
            // SAFETY: As above; there is a range.
            let (addr, len) = unsafe {
                let addr = shim::pindma_iter_addr(&walk);
                (addr, shim::pindma_iter_len(&walk).min(left))
            };
            if len > 0 {
                f(addr, len)?;
            }
            // SAFETY: As above; there are as many bytes. One that is empty is stepped over.
            unsafe { bindings::iov_iter_advance(&mut walk, len as usize) };
        }
    }

    /// Takes at most `pages` pages off the start; if that fails, some may be lost. Only for memory of
    /// kind [`Kind::Pages`].
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if a page cannot be held, `ENOMEM`.
    pub(crate) fn take_pages(&mut self, pages: usize, direction: Direction) -> Result<Borrowed> {
        if self.kind() != Kind::Pages {
            return Err(EOPNOTSUPP);
        }
        let mut taken = Borrowed::new(direction);
        while taken.len() < pages && self.len() > 0 {
            self.take_run(pages - taken.len(), &mut taken)?;
        }
        Ok(taken)
    }

    /// Takes pages as long as each goes on where the one before it ends.
    fn take_run(&mut self, pages: usize, taken: &mut Borrowed) -> Result {
        let pages = pages.min(RUN);
        let mut list = KVVec::<*mut bindings::page>::with_capacity(pages, gfp::for_user())?;
        let mut start = list.spare_capacity_mut().as_mut_ptr().cast();
        let mut offset = 0;
        // SAFETY: By the type invariant; there is room for `pages` pointers.
        let size = unsafe {
            bindings::iov_iter_extract_pages(
                self.iter,
                &mut start,
                RUN * PAGE_SIZE,
                pages as c_uint,
                0,
                &mut offset,
            )
        };
        if size <= 0 {
            return Err(to_result(size as c_int).err().unwrap_or(EFAULT));
        }
        let mut left = size as usize;
        // INVARIANT: So many bytes were used up.
        self.used += left as u64;
        // SAFETY: As many were written just now.
        unsafe { list.inc_len((offset + left).div_ceil(PAGE_SIZE)) };
        for page in &list {
            let len = left.min(PAGE_SIZE - offset);
            // SAFETY: Who brings the pages keeps them for as long as the call takes.
            unsafe { taken.push(*page, offset as u32, len as u32)? };
            left -= len;
            offset = 0;
        }
        Ok(())
    }
}
