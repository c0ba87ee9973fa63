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

/// Slots of the first chunk.
const FIRST_CHUNK: usize = 16;

/// Most slots: their chunks have a fixed number, so that nothing is moved when there is one more.
const LARGEST: usize = u16::MAX as usize;

/// Chunks of so many slots.
const CHUNKS: usize = ((LARGEST - 1) / FIRST_CHUNK + 1).ilog2() as usize + 1;

/// The chunk with slot `index`, and where in it that is.
fn locate(index: usize) -> (usize, usize) {
    let chunk = (index / FIRST_CHUNK + 1).ilog2() as usize;
    (chunk, index - FIRST_CHUNK * ((1 << chunk) - 1))
}

enum State<T> {
    Taken(T),
    /// With the next one of the list.
    Vacant(Option<u16>),
}

struct Slot<T> {
    generation: u32,
    state: State<T>,
}

type Chunk<T> = KVVec<Slot<T>>;

/// Named things, at most `MOST` at a time.
///
/// Many wait for the lock that they lie behind. So they never move, what they need is
/// [allocated](Lack::allocate) where it is not held, and a vacant slot is found without a search.
pub(crate) struct Slots<T, const MOST: usize> {
    /// Each twice as long as the one before.
    chunks: [Chunk<T>; CHUNKS],
    /// Slots that were ever taken.
    used: usize,
    /// The list of those that are vacant again.
    vacant: Option<u16>,
}

impl<T, const MOST: usize> Default for Slots<T, MOST> {
    fn default() -> Self {
        const { assert!(MOST <= LARGEST) };
        Self {
            chunks: [const { KVVec::new() }; CHUNKS],
            used: 0,
            vacant: None,
        }
    }
}

/// A chunk that is not there yet.
pub(crate) struct Lack(usize);

/// A chunk that was allocated.
pub(crate) struct Room<T>(usize, Chunk<T>);

impl Lack {
    /// Allocates the chunk. May sleep: nobody who needs the lock should have to wait for it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn allocate<T>(self) -> Result<Room<T>> {
        let chunk = KVVec::with_capacity(FIRST_CHUNK << self.0, gfp::for_user())?;
        Ok(Room(self.0, chunk))
    }
}

impl<T, const MOST: usize> Slots<T, MOST> {
    const FORMAT: Format = Format::of(MOST);

    /// What must be [added](Self::add) before there is a [`vacancy`](Self::vacancy), if anything.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are as many as there may be.
    pub(crate) fn lack(&self) -> Result<Option<Lack>> {
        match (self.vacant, locate(self.used)) {
            (Some(_), _) => Ok(None),
            (None, _) if self.used >= MOST => Err(ENOSPC),
            (None, (chunk, at)) if at < self.chunks[chunk].capacity() => Ok(None),
            (None, (chunk, _)) => Ok(Some(Lack(chunk))),
        }
    }

    /// Adds what it lacked. Gives it back, to be freed where the lock is not held, if somebody else
    /// was faster.
    pub(crate) fn add(&mut self, room: Room<T>) -> Option<Room<T>> {
        let Room(index, chunk) = room;
        if self.chunks[index].capacity() > 0 {
            return Some(Room(index, chunk));
        }
        self.chunks[index] = chunk;
        None
    }

    /// A place for one more, if there is room.
    pub(crate) fn vacancy(&mut self) -> Option<Vacancy<'_, T, MOST>> {
        if self.vacant.is_none() {
            self.use_another()?;
        }
        self.vacant.map(|index| Vacancy { slots: self, index })
    }

    /// Puts a slot that was never taken on the list.
    fn use_another(&mut self) -> Option<()> {
        let index = u16::try_from(self.used).ok()?;
        let slot = Slot {
            generation: 0,
            state: State::Vacant(self.vacant),
        };
        let (chunk, _) = locate(self.used);
        if self.used >= MOST || self.chunks[chunk].push_within_capacity(slot).is_err() {
            return None;
        }
        self.used += 1;
        self.vacant = Some(index);
        Some(())
    }

    fn slot(&mut self, handle: Handle) -> Option<&mut Slot<T>> {
        let index = Self::FORMAT.index(handle)?;
        let (chunk, at) = locate(index);
        let slot = self.chunks.get_mut(chunk)?.get_mut(at)?;
        (Self::FORMAT.handle(index, slot.generation) == handle).then_some(slot)
    }

    /// The thing, if it is there.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        match &mut self.slot(handle)?.state {
            State::Taken(value) => Some(value),
            State::Vacant(_) => None,
        }
    }

    /// Replaces the thing by what `f` makes of it; it goes if that is `None`.
    pub(crate) fn replace<R>(
        &mut self,
        handle: Handle,
        f: impl FnOnce(T) -> (Option<T>, R),
    ) -> Option<R> {
        self.get_mut(handle)?;
        let vacant = self.vacant;
        let slot = self.slot(handle)?;
        let State::Taken(value) = core::mem::replace(&mut slot.state, State::Vacant(vacant)) else {
            return None;
        };
        let (value, result) = f(value);
        match value {
            Some(value) => slot.state = State::Taken(value),
            None => self.vacant = Self::FORMAT.index(handle).map(|index| index as u16),
        }
        Some(result)
    }

    /// Takes a thing out.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<T> {
        self.replace(handle, |value| (None, value))
    }

    /// All things.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let slots = self.chunks.iter_mut().flat_map(|chunk| chunk.iter_mut());
        slots.filter_map(|slot| match &mut slot.state {
            State::Taken(value) => Some(value),
            State::Vacant(_) => None,
        })
    }

    /// All things, taken out.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        let slots = self.chunks.into_iter().flatten();
        slots.filter_map(|slot| match slot.state {
            State::Taken(value) => Some(value),
            State::Vacant(_) => None,
        })
    }
}

/// A place for one more.
pub(crate) struct Vacancy<'a, T, const MOST: usize> {
    slots: &'a mut Slots<T, MOST>,
    index: u16,
}

impl<T, const MOST: usize> Vacancy<'_, T, MOST> {
    /// Puts a thing there.
    pub(crate) fn fill(self, value: T) -> Handle {
        let (chunk, at) = locate(self.index.into());
        let slot = &mut self.slots.chunks[chunk][at];
        slot.generation = slot.generation.wrapping_add(1);
        if let State::Vacant(next) = core::mem::replace(&mut slot.state, State::Taken(value)) {
            self.slots.vacant = next;
        }
        Slots::<T, MOST>::FORMAT.handle(self.index.into(), slot.generation)
    }
}

#[kunit_tests(pindma_slots)]
mod tests {
    use super::*;

    fn insert<const N: usize>(slots: &mut Slots<char, N>, value: char) -> Result<Handle> {
        if let Some(lack) = slots.lack()? {
            assert!(slots.vacancy().is_none());
            assert!(slots.add(lack.allocate()?).is_none());
        }
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
    fn chunks_follow_each_other() {
        assert_eq!(locate(0), (0, 0));
        let (mut chunk, mut at) = (0, 0);
        for index in 1..LARGEST {
            at += 1;
            if at == FIRST_CHUNK << chunk {
                (chunk, at) = (chunk + 1, 0);
            }
            assert_eq!(locate(index), (chunk, at));
        }
        assert_eq!(chunk, CHUNKS - 1);
    }

    #[test]
    fn a_stale_handle_names_nothing() -> Result {
        let mut slots = Slots::<_, 2>::default();
        let old = insert(&mut slots, 'a')?;
        assert_eq!(slots.get_mut(old).copied(), Some('a'));
        assert_eq!(slots.remove(old), Some('a'));
        let new = insert(&mut slots, 'b')?;
        assert_eq!(slots.get_mut(old), None);
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.remove(new), Some('b'));
        assert_eq!(slots.get_mut(new), None);
        assert_eq!(slots.get_mut(Handle(0)), None);
        Ok(())
    }

    #[test]
    fn there_is_room_for_as_many_as_there_may_be() -> Result {
        let mut slots = Slots::<_, 2>::default();
        let first = insert(&mut slots, 'a')?;
        insert(&mut slots, 'b')?;
        assert_eq!(insert(&mut slots, 'c'), Err(ENOSPC));
        assert_eq!(slots.remove(first), Some('a'));
        insert(&mut slots, 'c')?;
        assert_eq!(insert(&mut slots, 'd'), Err(ENOSPC));
        assert_eq!(slots.iter_mut().count(), 2);
        assert_eq!(slots.into_values().count(), 2);
        Ok(())
    }

    #[test]
    fn what_is_there_never_moves() -> Result {
        let mut slots = Slots::<_, LARGEST>::default();
        let first = insert(&mut slots, 'a')?;
        let place = slots.get_mut(first).map(|value| &raw const *value);
        for _ in 0..1000 {
            insert(&mut slots, 'b')?;
        }
        assert!(place == slots.get_mut(first).map(|value| &raw const *value));
        Ok(())
    }

    #[test]
    fn what_was_given_back_last_is_taken_first() -> Result {
        let mut slots = Slots::<_, LARGEST>::default();
        let mut handles = KVec::new();
        for _ in 0..100 {
            handles.push(insert(&mut slots, 'a')?, GFP_KERNEL)?;
        }
        for index in [7, 3, 50] {
            slots.remove(handles[index]);
        }
        for index in [50, 3, 7, 100] {
            assert_eq!(
                Format::of(LARGEST).index(insert(&mut slots, 'b')?),
                Some(index)
            );
        }
        Ok(())
    }

    #[test]
    fn room_for_which_another_was_faster_comes_back() -> Result {
        let mut slots = Slots::<char, LARGEST>::default();
        let (one, other) = (slots.lack()?, slots.lack()?);
        let (one, other) = (one.ok_or(EINVAL)?, other.ok_or(EINVAL)?);
        assert!(slots.add(one.allocate()?).is_none());
        insert(&mut slots, 'a')?;
        assert!(slots.add(other.allocate()?).is_some());
        assert_eq!(slots.iter_mut().count(), 1);
        Ok(())
    }
}
