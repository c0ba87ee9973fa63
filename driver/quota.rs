// SPDX-License-Identifier: GPL-2.0

//! A device's own limit of pinned pages, beside that of the user; and the part of it that a file may
//! take, so that none takes all.

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

/// How many pages may be pinned, and are: for a device, or for one of its files.
pub(crate) struct Quota {
    used: Atomic<usize>,
    limit: usize,
    mappings: Atomic<usize>,
    most_mappings: usize,
    /// Of what it is a part.
    whole: Option<Arc<Quota>>,
}

impl Quota {
    /// A device's quota of `limit` pages.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: Atomic::new(0),
            limit,
            mappings: Atomic::new(0),
            most_mappings: usize::MAX,
            whole: None,
        }
    }

    /// The part of `whole` that a file may take: `limit` pages, in `most_mappings` mappings.
    pub(crate) fn part(whole: &Arc<Self>, limit: usize, most_mappings: usize) -> Self {
        Self {
            most_mappings,
            whole: Some(whole.clone()),
            ..Self::new(limit)
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

    /// Takes `pages` of it and of what it is a part of, unless that is more than is left.
    pub(crate) fn take(this: &Arc<Self>, pages: usize) -> Option<Share> {
        if !add(&this.used, pages, this.limit) {
            return None;
        }
        if let Some(whole) = &this.whole {
            if !add(&whole.used, pages, whole.limit) {
                this.used.fetch_sub(pages, Full);
                return None;
            }
        }
        Some(Share {
            quota: this.clone(),
            pages,
            mapped: false,
        })
    }

    fn give_back(&self, pages: usize) {
        self.used.fetch_sub(pages, Full);
        if let Some(whole) = &self.whole {
            whole.give_back(pages);
        }
    }
}

/// Adds to a sum, unless it would be more than `limit`.
fn add(sum: &Atomic<usize>, more: usize, limit: usize) -> bool {
    let mut seen = sum.load(Relaxed);
    loop {
        let Some(then) = seen.checked_add(more).filter(|then| *then <= limit) else {
            return false;
        };
        match sum.cmpxchg(seen, then, Full) {
            Ok(_) => return true,
            Err(other) => seen = other,
        }
    }
}

/// A part of a quota, given back when it is dropped.
pub(crate) struct Share {
    quota: Arc<Quota>,
    pages: usize,
    mapped: bool,
}

impl Share {
    /// Takes `pages` of it, or all that is left, as a share of their own.
    pub(crate) fn split(&mut self, pages: usize) -> Self {
        let pages = pages.min(self.pages);
        self.pages -= pages;
        Self {
            quota: self.quota.clone(),
            pages,
            mapped: false,
        }
    }

    /// Says that its pages are one mapping.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if that is one too many.
    pub(crate) fn map(&mut self) -> Result {
        if self.mapped || add(&self.quota.mappings, 1, self.quota.most_mappings) {
            self.mapped = true;
            Ok(())
        } else {
            Err(ENOSPC)
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.mapped {
            self.quota.mappings.fetch_sub(1, Full);
        }
        self.quota.give_back(self.pages);
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

    #[test]
    fn a_file_takes_no_more_than_its_part() -> Result {
        let whole = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let part = || Arc::new(Quota::part(&whole, 6, 2), GFP_KERNEL);
        let (one, other) = (part()?, part()?);
        assert!(Quota::take(&one, 7).is_none());
        let share = Quota::take(&one, 6).ok_or(ENOSPC)?;
        assert!(Quota::take(&other, 5).is_none());
        assert_eq!((one.used(), other.used(), whole.used()), (6, 0, 6));
        let rest = Quota::take(&other, 4).ok_or(ENOSPC)?;
        assert_eq!(whole.used(), 10);
        drop((share, rest));
        assert_eq!((one.used(), other.used(), whole.used()), (0, 0, 0));
        Ok(())
    }

    #[test]
    fn mappings_are_counted_too() -> Result {
        let whole = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let part = Arc::new(Quota::part(&whole, 10, 2), GFP_KERNEL)?;
        let mut share = Quota::take(&part, 3).ok_or(ENOSPC)?;
        let (mut one, mut other) = (share.split(1), share.split(1));
        assert_eq!(
            (one.map(), one.map(), other.map()),
            (Ok(()), Ok(()), Ok(()))
        );
        assert_eq!(share.map(), Err(ENOSPC));
        drop(one);
        share.map()
    }
}
