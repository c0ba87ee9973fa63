// SPDX-License-Identifier: GPL-2.0

//! A device's own limit of pinned pages, beside that of the user; and the part of it that a file may
//! take, so that none takes all.

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
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
    /// How many parts it has.
    parts: Atomic<usize>,
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
            parts: Atomic::new(0),
        }
    }

    /// The part of `whole` that a user or a file may take: `limit` pages, in `most_mappings`
    /// mappings.
    pub(crate) fn part(whole: &Arc<Self>, limit: usize, most_mappings: usize) -> Self {
        whole.parts.fetch_add(1, Full);
        Self {
            most_mappings,
            used: Atomic::new(0),
            limit,
            mappings: Atomic::new(0),
            whole: Some(whole.clone()),
            parts: Atomic::new(0),
        }
    }

    /// Whether something is a part of it.
    pub(crate) fn has_parts(&self) -> bool {
        self.parts.load(Acquire) > 0
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
        this.reserve(pages).then(|| Share {
            quota: this.clone(),
            pages,
            mapped: false,
        })
    }

    fn reserve(&self, pages: usize) -> bool {
        if !add(&self.used, pages, self.limit) {
            return false;
        }
        let fits = self.whole.as_ref().is_none_or(|whole| whole.reserve(pages));
        if !fits {
            self.used.fetch_sub(pages, Full);
        }
        fits
    }

    fn give_back(&self, pages: usize) {
        self.used.fetch_sub(pages, Full);
        if let Some(whole) = &self.whole {
            whole.give_back(pages);
        }
    }

    /// Adds a mapping to its own and to those of what it is a part of, unless that is one too many.
    fn add_mapping(&self) -> bool {
        if !add(&self.mappings, 1, self.most_mappings) {
            return false;
        }
        let fits = self.whole.as_ref().is_none_or(|whole| whole.add_mapping());
        if !fits {
            self.mappings.fetch_sub(1, Full);
        }
        fits
    }

    fn end_mapping(&self) {
        self.mappings.fetch_sub(1, Full);
        if let Some(whole) = &self.whole {
            whole.end_mapping();
        }
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Some(whole) = &self.whole {
            whole.parts.fetch_sub(1, Full);
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
        self.mapped = self.mapped || self.quota.add_mapping();
        if self.mapped {
            Ok(())
        } else {
            Err(ENOSPC)
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.mapped {
            self.quota.end_mapping();
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
    fn files_of_a_user_share_what_the_user_may_have() -> Result {
        let whole = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let user = Arc::new(Quota::part(&whole, 6, usize::MAX), GFP_KERNEL)?;
        let file = || Arc::new(Quota::part(&user, 6, 2), GFP_KERNEL);
        let (one, other) = (file()?, file()?);
        let share = Quota::take(&one, 4).ok_or(ENOSPC)?;
        assert!(Quota::take(&other, 3).is_none());
        assert_eq!((other.used(), user.used(), whole.used()), (0, 4, 4));
        let rest = Quota::take(&other, 2).ok_or(ENOSPC)?;
        drop((one, other));
        // What they have taken is theirs still.
        assert!(user.has_parts());
        drop((share, rest));
        assert!(!user.has_parts());
        assert_eq!((user.used(), whole.used()), (0, 0));
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

    #[test]
    fn mappings_of_its_files_are_those_of_a_user() -> Result {
        let whole = Arc::new(Quota::new(10), GFP_KERNEL)?;
        let user = Arc::new(Quota::part(&whole, 10, 2), GFP_KERNEL)?;
        let file = || Arc::new(Quota::part(&user, 10, 2), GFP_KERNEL);
        let (one, other) = (file()?, file()?);
        let take = |file| Quota::take(file, 1).ok_or(ENOSPC);
        let (mut first, mut second, mut third) = (take(&one)?, take(&one)?, take(&other)?);
        assert_eq!((first.map(), second.map()), (Ok(()), Ok(())));
        assert_eq!(third.map(), Err(ENOSPC));
        // A refusal counts for nobody.
        drop(first);
        assert_eq!(third.map(), Ok(()));
        let stranger = Arc::new(Quota::part(&whole, 10, 2), GFP_KERNEL)?;
        take(&stranger)?.map()
    }
}
