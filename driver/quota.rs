// SPDX-License-Identifier: GPL-2.0

//! A device's own limit of pinned pages, beside that of the user.

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// How many pages a device may have pinned, and has.
pub(crate) struct Quota {
    used: Atomic<usize>,
    limit: usize,
}

impl Quota {
    /// A quota of `limit` pages.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: Atomic::new(0),
            limit,
        }
    }

    /// Pages in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Pages that may be in use.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `pages` of it, unless that is more than is left.
    pub(crate) fn take(this: &Arc<Self>, pages: usize) -> Option<Share> {
        let mut used = this.used();
        loop {
            let more = used.checked_add(pages).filter(|sum| *sum <= this.limit)?;
            match this.used.cmpxchg(used, more, Full) {
                Ok(_) => {
                    let quota = this.clone();
                    return Some(Share { quota, pages });
                }
                Err(other) => used = other,
            }
        }
    }
}

/// A part of a quota, given back when it is dropped.
pub(crate) struct Share {
    quota: Arc<Quota>,
    pages: usize,
}

impl Share {
    /// Takes `pages` of it, or all that is left, as a share of their own.
    pub(crate) fn split(&mut self, pages: usize) -> Self {
        let pages = pages.min(self.pages);
        self.pages -= pages;
        let quota = self.quota.clone();
        Self { quota, pages }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(self.pages, Full);
    }
}

#[kunit_tests(pindma_quota)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_back() -> Result {
        let quota = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let share = Quota::take(&quota, 10);
        assert!(share.is_some());
        assert_eq!(quota.used(), 10);
        assert!(Quota::take(&quota, 1).is_none());
        drop(share);
        assert_eq!(quota.used(), 0);
        Ok(())
    }

    #[test]
    fn a_share_is_given_back_in_parts() -> Result {
        let quota = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let mut share = Quota::take(&quota, 10).ok_or(ENOSPC)?;
        let part = share.split(4);
        assert_eq!(quota.used(), 10);
        drop(part);
        assert_eq!(quota.used(), 6);
        let rest = share.split(usize::MAX);
        drop(share);
        assert_eq!(quota.used(), 6);
        drop(rest);
        assert_eq!(quota.used(), 0);
        Ok(())
    }

    #[test]
    fn more_than_there_can_be_is_refused() -> Result {
        let quota = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let share = Quota::take(&quota, 1);
        assert!(Quota::take(&quota, usize::MAX).is_none());
        assert_eq!(quota.used(), 1);
        drop(share);
        Ok(())
    }
}
