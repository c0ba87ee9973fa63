// SPDX-License-Identifier: GPL-2.0

//! Something that many may use at a time, and that one takes back once nobody does.

use core::{
    cell::UnsafeCell,
    mem::MaybeUninit,
    ops::Deref, //
};

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc,
        UniqueArc, //
    }, //
};

use super::gfp;

/// `claims` of a value that was taken.
const TAKEN: usize = usize::MAX;

/// A value that is [claimed](Claim::new) by those that use it, and [taken](Self::take) when there are
/// none.
///
/// # Invariants
///
/// `value` is initialised unless `claims` is [`TAKEN`], which it stays. While there is a [`Claim`],
/// `claims` is neither 0 nor [`TAKEN`].
pub(crate) struct Claimable<T> {
    claims: Atomic<usize>,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: Claims give shared references only, and whoever takes the value may be any thread.
unsafe impl<T: Send + Sync> Send for Claimable<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for Claimable<T> {}

impl<T> Claimable<T> {
    /// A value that nobody has claimed.
    pub(crate) fn new(value: T) -> Self {
        // INVARIANT: Initialised, and there is no claim.
        Self {
            claims: Atomic::new(0),
            value: UnsafeCell::new(MaybeUninit::new(value)),
        }
    }

    /// The same, to be shared; gives the value back if there is no memory.
    pub(crate) fn in_arc(value: T) -> core::result::Result<Arc<Self>, T> {
        // INVARIANT: There can be no claim yet, and none looks at it before it is initialised.
        let empty = Self {
            claims: Atomic::new(TAKEN),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        };
        let Ok(mut made) = UniqueArc::new(empty, gfp::for_user()) else {
            return Err(value);
        };
        // INVARIANT: Initialised, and there is no claim.
        *made = Self::new(value);
        Ok(made.into())
    }

    /// Takes the value, if it is there and nobody has claimed it.
    pub(crate) fn take(&self) -> Option<T> {
        // INVARIANT: There was no claim, and there can be none from now on.
        self.claims.cmpxchg(0, TAKEN, Full).ok()?;
        // SAFETY: By the type invariant it was initialised; nobody else reads it any more.
        Some(unsafe { (*self.value.get()).assume_init_read() })
    }

    /// Whether somebody has claimed it.
    pub(crate) fn is_claimed(&self) -> bool {
        !matches!(self.claims.load(Relaxed), 0 | TAKEN)
    }
}

impl<T> Drop for Claimable<T> {
    fn drop(&mut self) {
        if self.claims.load(Relaxed) != TAKEN {
            // SAFETY: By the type invariant it is initialised, and nobody refers to it any more.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}

/// A use of a value, which cannot be taken meanwhile.
///
/// Dropping it does not end that: the value can never be taken then. [Release](Self::release) it.
pub(crate) struct Claim<T>(Arc<Claimable<T>>);

impl<T> Claim<T> {
    /// One more, unless the value was taken.
    pub(crate) fn new(of: &Arc<Claimable<T>>) -> Option<Self> {
        let mut claims = of.claims.load(Relaxed);
        while claims < TAKEN - 1 {
            // INVARIANT: It is counted now.
            match of.claims.cmpxchg(claims, claims + 1, Full) {
                Ok(_) => return Some(Self(of.clone())),
                Err(other) => claims = other,
            }
        }
        None
    }

    /// One less.
    pub(crate) fn release(self) {
        // INVARIANT: It was counted, and is no claim any more.
        self.0.claims.fetch_sub(1, Full);
    }
}

impl<T> Deref for Claim<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariant it is initialised, and nobody takes it while it is claimed.
        unsafe { (*self.0.value.get()).assume_init_ref() }
    }
}

#[kunit_tests(pindma_claim)]
mod tests {
    use super::*;

    fn claimable(value: u32) -> Result<Arc<Claimable<u32>>> {
        Ok(Arc::new(Claimable::new(value), GFP_KERNEL)?)
    }

    #[test]
    fn what_is_claimed_is_not_taken() -> Result {
        let all = claimable(7)?;
        let (one, other) = (Claim::new(&all), Claim::new(&all));
        assert_eq!(one.as_deref().copied(), Some(7));
        assert!(all.is_claimed() && all.take().is_none());
        one.ok_or(EINVAL)?.release();
        assert!(all.take().is_none());
        other.ok_or(EINVAL)?.release();
        assert!(!all.is_claimed());
        assert_eq!(all.take(), Some(7));
        Ok(())
    }

    #[test]
    fn what_was_taken_is_not_claimed() -> Result {
        let all = claimable(7)?;
        assert_eq!(all.take(), Some(7));
        assert!(Claim::new(&all).is_none() && all.take().is_none());
        Ok(())
    }

    #[test]
    fn a_claim_that_is_dropped_stays() -> Result {
        let all = claimable(7)?;
        drop(Claim::new(&all));
        assert!(all.is_claimed() && all.take().is_none());
        Ok(())
    }
}
