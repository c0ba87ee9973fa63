// SPDX-License-Identifier: GPL-2.0

//! Things that are named by numbers which go stale: an old handle never means what came later.

use kernel::prelude::*;

use crate::kapi::gfp;

/// Names a thing; 0 is none. A handle whose thing is gone names nothing, also when its place was
/// given to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handle(u32);

impl Handle {
    /// The handle of an ABI struct; it may name nothing.
    pub(crate) const fn from_abi(raw: u32) -> Self {
        Self(raw)
    }

    /// The number for an ABI struct.
    pub(crate) fn to_abi(self) -> u32 {
        self.0
    }
}

/// How handles are made of a place and its generation: the place has as few bits as there are
/// places, so that a stale handle is not taken for another until its place was given away as often
/// as the others can count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Format {
    index_bits: u32,
}

impl Format {
    /// For up to `most` things at a time.
    pub(crate) const fn of(most: usize) -> Self {
        let index_bits = usize::BITS - most.leading_zeros();
        assert!(index_bits < u32::BITS);
        Self { index_bits }
    }

    /// The handle of the thing at `index`. A generation that is too large has come round.
    pub(crate) const fn handle(self, index: usize, generation: u32) -> Handle {
        Handle(generation << self.index_bits | (index as u32 + 1))
    }

    /// Where the thing of a handle is, if that can name any.
    pub(crate) fn index(self, handle: Handle) -> Option<usize> {
        let index = (handle.0 & ((1 << self.index_bits) - 1)).checked_sub(1)?;
        Some(index as usize)
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Named things, up to `MOST` of them.
pub(crate) struct Slots<T, const MOST: usize> {
    slots: KVVec<Slot<T>>,
    /// All slots before this one are taken.
    first_vacant: usize,
}

impl<T, const MOST: usize> Default for Slots<T, MOST> {
    fn default() -> Self {
        Self {
            slots: KVVec::new(),
            first_vacant: 0,
        }
    }
}

impl<T, const MOST: usize> Slots<T, MOST> {
    const FORMAT: Format = Format::of(MOST);

    /// Makes room for one more, so that there is a [`vacancy`](Self::vacancy).
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are `MOST` already, `ENOMEM`.
    pub(crate) fn reserve(&mut self) -> Result {
        if self.vacant().is_some() {
            return Ok(());
        }
        if self.slots.len() >= MOST {
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
    pub(crate) fn vacancy(&mut self) -> Option<Vacancy<'_, T, MOST>> {
        let index = self.vacant()?;
        Some(Vacancy { slots: self, index })
    }

    /// The thing, if it is there.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        let index = Self::FORMAT.index(handle)?;
        let slot = self.slots.get_mut(index)?;
        let value = slot.value.as_mut()?;
        (Self::FORMAT.handle(index, slot.generation) == handle).then_some(value)
    }

    /// Replaces the thing by what `f` makes of it; it goes if that is `None`.
    pub(crate) fn replace<R>(
        &mut self,
        handle: Handle,
        f: impl FnOnce(T) -> (Option<T>, R),
    ) -> Option<R> {
        self.get_mut(handle)?;
        let index = Self::FORMAT.index(handle)?;
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
pub(crate) struct Vacancy<'a, T, const MOST: usize> {
    slots: &'a mut Slots<T, MOST>,
    index: usize,
}

impl<T, const MOST: usize> Vacancy<'_, T, MOST> {
    /// Puts a thing there.
    pub(crate) fn fill(self, value: T) -> Handle {
        self.slots.first_vacant = self.index + 1;
        let slot = &mut self.slots.slots[self.index];
        slot.generation = slot.generation.wrapping_add(1);
        slot.value = Some(value);
        Slots::<T, MOST>::FORMAT.handle(self.index, slot.generation)
    }
}

#[kunit_tests(pindma_slots)]
mod tests {
    use super::*;

    fn insert<const N: usize>(slots: &mut Slots<char, N>, value: char) -> Result<Handle> {
        Ok(slots.vacancy().ok_or(ENOSPC)?.fill(value))
    }

    #[test]
    fn handles_tell_place_and_generation() {
        let format = Format::of(10);
        let handle = format.handle(3, 7);
        assert_eq!(format.index(handle), Some(3));
        assert!(format.handle(3, 8) != handle);
        assert!(format.handle(4, 7) != handle);
        assert_eq!(format.index(Handle(0)), None);
        assert_eq!(format.index(format.handle(9, u32::MAX)), Some(9));
    }

    #[test]
    fn what_few_places_do_not_need_is_generation() {
        for (most, bits) in [(1, 1), (2, 2), (3, 2), (1024, 11), (16384, 15), (65535, 16)] {
            assert_eq!(Format::of(most).index_bits, bits);
        }
        let format = Format::of(1024);
        let round = 1 << (u32::BITS - 11);
        assert!(format.handle(0, 1) != format.handle(0, round));
        assert!(format.handle(0, 1) != format.handle(0, round / 2 + 1));
        assert_eq!(format.handle(0, 1), format.handle(0, round + 1));
    }

    #[test]
    fn a_stale_handle_names_nothing() -> Result {
        let mut slots = Slots::<_, 2>::default();
        slots.reserve()?;
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
        let mut slots = Slots::<_, 2>::default();
        assert_eq!(insert(&mut slots, 'a'), Err(ENOSPC));
        slots.reserve()?;
        let first = insert(&mut slots, 'a')?;
        assert_eq!(insert(&mut slots, 'b'), Err(ENOSPC));
        slots.reserve()?;
        insert(&mut slots, 'b')?;
        assert_eq!(slots.reserve(), Err(ENOSPC));
        assert_eq!(insert(&mut slots, 'c'), Err(ENOSPC));
        assert_eq!(slots.remove(first), Some('a'));
        insert(&mut slots, 'c')?;
        assert_eq!(slots.iter_mut().count(), 2);
        assert_eq!(slots.into_values().count(), 2);
        Ok(())
    }
}
