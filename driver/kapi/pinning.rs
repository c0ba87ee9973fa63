// SPDX-License-Identifier: GPL-2.0

//! Pinning a few pages: `pin_user_pages_fast`, and what that leaves to its caller.
//!
//! - It no longer makes a stack grow, and writes a backtrace into the log when somebody would have
//!   it do so. Here a stack grows as for any other access, and nothing else that lies outside of
//!   all mappings is asked for.
//! - It takes 1024 references to a small page for each pin, up to a `WARN`. Here a page is refused
//!   long before, and a pin that lasts is refused before one that does not: nobody can keep a page
//!   of a file from those who share it.
//! - A page that lies where none may stay is moved first, which fails while somebody has a hold of
//!   it, and does not say so.

use core::mem::MaybeUninit;

use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    time::{
        delay::fsleep,
        Delta,
        Instant,
        Monotonic, //
    }, //
};

use super::{
    pins::{
        Direction,
        Term, //
    },
    shim,
    signal, //
};

/// A pin takes so many references to a small page; `GUP_PIN_COUNTING_BIAS` of `linux/mm.h`.
const REFERENCES_OF_A_PIN: u32 = 1024;

/// Most references that a page may have when one of its pins is to last; the count has 31 bits.
const MOST_FOR_LONG: u32 = (1 << 18) * REFERENCES_OF_A_PIN;
/// Most for one that does not last.
const MOST_FOR_SHORT: u32 = (1 << 20) * REFERENCES_OF_A_PIN;

/// For how long a page is waited for that cannot be moved now, which takes no longer than the short
/// pin of a few jobs does.
const PATIENCE: Delta = Delta::from_millis(2000);
/// Between two looks at it.
const PAUSE: Delta = Delta::from_millis(5);
/// How often on end it is tried to move a page that nobody has a hold of: whoever had may have let go
/// of it since.
const TRIES: u32 = 3;

/// Where pages are put.
pub(super) type Spare = [MaybeUninit<*mut bindings::page>];

/// How pages are to be pinned.
#[derive(Clone, Copy)]
pub(super) struct Pinning {
    pub(super) direction: Direction,
    pub(super) term: Term,
}

impl Pinning {
    /// Pins pages from `start` on, which begins a page, at least one and at most as many as there is
    /// room for in `spare`, which must be some. Each of those that are told holds a pin.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if the first page has too many references already, `EBUSY` if it cannot be moved
    /// to where it may stay, `EINTR` if a signal comes before it can; else why it cannot be pinned.
    pub(super) fn pin(self, start: usize, spare: &mut Spare) -> Result<usize> {
        let begin = Instant::<Monotonic>::now();
        let mut free = 0;
        loop {
            match self.pin_mapped(start, spare) {
                Err(error) if error == ENOMEM && self.term == Term::Long => {}
                end => return end,
            }
            free = if self.is_held(start) { 0 } else { free + 1 };
            if free >= TRIES {
                return Err(ENOMEM);
            }
            if begin.elapsed() > PATIENCE {
                return Err(EBUSY);
            }
            if signal::pending() {
                return Err(EINTR);
            }
            fsleep(PAUSE);
        }
    }

    /// Pins no more than lies in one mapping.
    fn pin_mapped(self, start: usize, spare: &mut Spare) -> Result<usize> {
        let pages = mapped_pages(start).or_else(|| {
            grow(start);
            mapped_pages(start)
        });
        let most = pages.ok_or(EFAULT)?.min(spare.len());
        let pinned = self.call(start, &mut spare[..most], self.term)?;
        let most = match self.term {
            Term::Short => MOST_FOR_SHORT,
            Term::Long => MOST_FOR_LONG,
        };
        let crowded = pinned.iter().position(|page| references(*page) > most);
        let (left, all) = (crowded.unwrap_or(pinned.len()), pinned.len());
        unpin(&mut pinned[left..]);
        if left == 0 && all > 0 {
            return Err(ENOSPC);
        }
        Ok(left)
    }

    /// The call itself; what was pinned, which is not nothing.
    fn call(
        self,
        start: usize,
        spare: &mut Spare,
        term: Term,
    ) -> Result<&mut [*mut bindings::page]> {
        let flags = self.direction.gup_flags() | term.gup_flags();
        let count = c_int::try_from(spare.len())?;
        let pages = spare.as_mut_ptr().cast::<*mut bindings::page>();
        // SAFETY: There is room for `count` pointers behind `pages`.
        let pinned = unsafe { bindings::pin_user_pages_fast(start, count, flags, pages) };
        match pinned {
            0 => Err(EFAULT),
            // SAFETY: The first `pinned` of them were written just now.
            1.. => Ok(unsafe { core::slice::from_raw_parts_mut(pages, pinned as usize) }),
            error => Err(Error::from_errno(error)),
        }
    }

    /// Whether somebody has a hold of the page at `start`, so that it cannot be moved.
    fn is_held(self, start: usize) -> bool {
        let mut spare = [MaybeUninit::uninit()];
        let Ok(pages) = self.call(start, &mut spare, Term::Short) else {
            return false;
        };
        // SAFETY: It was pinned just now.
        let held = unsafe { shim::pindma_page_is_held(pages[0]) };
        unpin(pages);
        held
    }
}

/// Pages from `start` on to the end of the mapping that it lies in, if it does.
fn mapped_pages(start: usize) -> Option<usize> {
    // SAFETY: Called by a task.
    let end = unsafe { shim::pindma_mapped_until(start) };
    let pages = end.checked_sub(start)? / PAGE_SIZE;
    (pages > 0).then_some(pages)
}

/// Touches a byte that lies in no mapping: if it belongs to a stack, that grows.
fn grow(start: usize) {
    // SAFETY: Any address will do, of which nothing is written. What it answers is found out by
    // another look.
    unsafe { shim::fault_in_readable(start as *const c_char, 1) };
}

/// References to the page or huge page that a page is a part of.
fn references(page: *mut bindings::page) -> u32 {
    // SAFETY: Called with pages that are pinned.
    unsafe { shim::pindma_page_references(page) }
}

/// Unpins pages that nothing was written to.
fn unpin(pages: &mut [*mut bindings::page]) {
    // SAFETY: Called with pages that `call` has pinned, and that nobody has been told of.
    unsafe { bindings::unpin_user_pages(pages.as_mut_ptr(), pages.len()) };
}
