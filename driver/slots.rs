// SPDX-License-Identifier: GPL-2.0

//! Things that are named by numbers which go stale: an old handle never means what came later.

use kernel::prelude::*;

use crate::kapi::gfp;

/// Names a thing; 0 is none. A handle whose thing is gone names nothing, also when its place was
/// given to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handle(u32);

impl Handle {
    const INDEX_BITS: u32 = 16;

    /// That of the thing at `index`, which must be less than [`MOST`].
    pub(crate) const fn new(index: usize, generation: u16) -> Self {
        Self((generation as u32) << Self::INDEX_BITS | (index as u32 + 1))
    }

    /// The handle of an ABI struct; it may name nothing.
    pub(crate) fn from_abi(raw: u32) -> Self {
        Self(raw)
    }

    /// The number for an ABI struct.
    pub(crate) fn to_abi(self) -> u32 {
        self.0
    }

    /// Where its thing is, if it can name any.
    pub(crate) fn index(self) -> Option<usize> {
        (self.0 & ((1 << Self::INDEX_BITS) - 1))
            .checked_sub(1)
            .map(|index| index as usize)
    }

    fn generation(self) -> u16 {
        (self.0 >> Self::INDEX_BITS) as u16
    }
}

/// Most things at a time.
pub(crate) const MOST: usize = (1 << Handle::INDEX_BITS) - 1;

struct Slot<T> {
    generation: u16,
    value: Option<T>,
}

/// Named things.
pub(crate) struct Slots<T> {
    slots: KVVec<Slot<T>>,
    /// All slots before this one are taken.
    first_vacant: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            slots: KVVec::new(),
            first_vacant: 0,
        }
    }
}

impl<T> Slots<T> {
    /// Makes room for one more, so that there is a [`vacancy`](Self::vacancy).
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are `most` already, `ENOMEM`.
    pub(crate) fn reserve(&mut self, most: usize) -> Result {
        if self.vacant().is_some() {
            return Ok(());
        }
        if self.slots.len() >= most.min(MOST) {
            return Err(ENOSPC);
        }
        let slot = Slot {
            generation: 0,
            value: None,
        };
        Ok(self.slots.push(slot, gfp::for_user())?)
    }

    fn vacant(&self) -> Option<usize> {
        let vacant = |(_, slot): &(usize, &Slot<T>)| slot.value.is_none();
        let mut slots = self.slots.iter().enumerate().skip(self.first_vacant);
        slots.find(vacant).map(|(index, _)| index)
    }

    /// A place for one more, if there is room.
    pub(crate) fn vacancy(&mut self) -> Option<Vacancy<'_, T>> {
        let index = self.vacant()?;
        Some(Vacancy { slots: self, index })
    }

    /// The thing, if it is there.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.index()?)?;
        let value = slot.value.as_mut()?;
        (slot.generation == handle.generation()).then_some(value)
    }

    /// Replaces the thing by what `f` makes of it; it goes if that is `None`.
    pub(crate) fn replace<R>(
        &mut self,
        handle: Handle,
        f: impl FnOnce(T) -> (Option<T>, R),
    ) -> Option<R> {
        self.get_mut(handle)?;
        let index = handle.index()?;
        let slot = self.slots.get_mut(index)?;
        let (value, result) = f(slot.value.take()?);
        slot.value = value;
        if slot.value.is_none() {
            self.first_vacant = self.first_vacant.min(index);
        }
        Some(result)
    }

    /// Takes a thing out.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<T> {
        self.replace(handle, |value| (None, value))
    }

    /// All things.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|slot| slot.value.as_mut())
    }

    /// All things, taken out.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.slots.into_iter().filter_map(|slot| slot.value)
    }
}

/// A place for one more.
pub(crate) struct Vacancy<'a, T> {
    slots: &'a mut Slots<T>,
    index: usize,
}

impl<T> Vacancy<'_, T> {
    /// Puts a thing there.
    pub(crate) fn fill(self, value: T) -> Handle {
        self.slots.first_vacant = self.index + 1;
        let slot = &mut self.slots.slots[self.index];
        slot.generation = slot.generation.wrapping_add(1);
        slot.value = Some(value);
        Handle::new(self.index, slot.generation)
    }
}

#[kunit_tests(pindma_slots)]
mod tests {
    use super::*;

    fn insert(slots: &mut Slots<char>, value: char) -> Result<Handle> {
        Ok(slots.vacancy().ok_or(ENOSPC)?.fill(value))
    }

    #[test]
    fn handles_tell_place_and_generation() {
        let handle = Handle::new(3, 7);
        assert_eq!(handle.index(), Some(3));
        assert_eq!(handle.generation(), 7);
        assert!(Handle::new(3, 8) != handle);
        assert_eq!(Handle(0).index(), None);
        assert_eq!(Handle::new(MOST - 1, u16::MAX).index(), Some(MOST - 1));
    }

    #[test]
    fn a_stale_handle_names_nothing() -> Result {
        let mut slots = Slots::default();
        slots.reserve(2)?;
        let old = insert(&mut slots, 'a')?;
        assert_eq!(slots.get_mut(old).copied(), Some('a'));
        assert_eq!(slots.remove(old), Some('a'));
        let new = insert(&mut slots, 'b')?;
        assert_eq!(slots.get_mut(old), None);
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.remove(new), Some('b'));
        assert_eq!(slots.get_mut(Handle(0)), None);
        Ok(())
    }

    #[test]
    fn there_is_room_for_as_many_as_were_reserved() -> Result {
        let mut slots = Slots::default();
        assert_eq!(insert(&mut slots, 'a'), Err(ENOSPC));
        slots.reserve(1)?;
        let first = insert(&mut slots, 'a')?;
        assert_eq!(slots.reserve(1), Err(ENOSPC));
        slots.reserve(2)?;
        insert(&mut slots, 'b')?;
        assert_eq!(insert(&mut slots, 'c'), Err(ENOSPC));
        assert_eq!(slots.remove(first), Some('a'));
        insert(&mut slots, 'c')?;
        assert_eq!(slots.iter_mut().count(), 2);
        assert_eq!(slots.into_values().count(), 2);
        Ok(())
    }
}
