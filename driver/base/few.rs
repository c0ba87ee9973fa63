// SPDX-License-Identifier: GPL-2.0

//! Lists that are mostly short.

use core::ops::{
    Deref,
    DerefMut, //
};

use kernel::prelude::*;

use crate::kapi::gfp;

/// Most things that need no memory of their own.
pub(crate) const FEW: usize = 4;

/// A list that is allocated only if there are more than [`FEW`] things in it.
pub(crate) enum Few<T> {
    /// The first so many of these.
    Inline([T; FEW], usize),
    /// Any number.
    Allocated(KVVec<T>),
}

impl<T: Default> Few<T> {
    /// An empty list.
    pub(crate) fn new() -> Self {
        Self::Inline(Default::default(), 0)
    }

    /// A list of `count` things, all of them the default one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn defaults(count: usize) -> Result<Self> {
        if count <= FEW {
            return Ok(Self::Inline(Default::default(), count));
        }
        let mut list = KVVec::with_capacity(count, gfp::for_user())?;
        for _ in 0..count {
            list.push(T::default(), gfp::for_user())?;
        }
        Ok(Self::Allocated(list))
    }

    /// Puts one more at the end.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn push(&mut self, value: T) -> Result {
        if let Self::Inline(list, count) = self {
            if let Some(place) = list.get_mut(*count) {
                *place = value;
                *count += 1;
                return Ok(());
            }
            let mut moved = KVVec::with_capacity(2 * FEW, gfp::for_user())?;
            for place in list {
                moved.push(core::mem::take(place), gfp::for_user())?;
            }
            *self = Self::Allocated(moved);
        }
        match self {
            Self::Allocated(list) => Ok(list.push(value, gfp::for_user())?),
            Self::Inline(..) => Err(ENOMEM),
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Inline(list, count) => list.get(..*count).unwrap_or_default(),
            Self::Allocated(list) => list,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Inline(list, count) => list.get_mut(..*count).unwrap_or_default(),
            Self::Allocated(list) => list,
        }
    }
}

#[kunit_tests(pindma_few)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_stays_in_order() -> Result {
        let mut list = Few::new();
        for number in 0..3 * FEW {
            assert_eq!(list.len(), number);
            list.push(number)?;
            assert_eq!(matches!(list, Few::Allocated(_)), number >= FEW);
        }
        assert!(list.iter().copied().eq(0..3 * FEW));
        Ok(())
    }

    #[test]
    fn only_many_are_allocated() -> Result {
        let few = Few::<u8>::defaults(FEW)?;
        assert!(matches!(few, Few::Inline(..)));
        assert_eq!(few.len(), FEW);
        let many = Few::<u8>::defaults(FEW + 1)?;
        assert!(matches!(many, Few::Allocated(_)));
        assert_eq!(many.len(), FEW + 1);
        Ok(())
    }
}
