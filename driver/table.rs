// SPDX-License-Identifier: GPL-2.0

//! All mappings of a device. They belong to the binding; files only hold handles. So unbind has
//! the list of what is to be unmapped.

use kernel::prelude::*;

use crate::{
    channel::Retired,
    engine::Ticket,
    flight::InFlight,
    kapi::{
        gfp,
        mapped::Mapped, //
    },
    quiet::Quiet,
    quota::Share, //
};

/// Names a mapping; 0 is none. A handle whose mapping is gone names nothing, also when its place
/// was given to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handle(u32);

impl Handle {
    const INDEX_BITS: u32 = 16;

    fn new(index: usize, generation: u16) -> Self {
        Self(u32::from(generation) << Self::INDEX_BITS | (index as u32 + 1))
    }

    fn index(self) -> Option<usize> {
        (self.0 & ((1 << Self::INDEX_BITS) - 1))
            .checked_sub(1)
            .map(|index| index as usize)
    }

    fn generation(self) -> u16 {
        (self.0 >> Self::INDEX_BITS) as u16
    }
}

/// Most mappings of a device.
const MOST: usize = (1 << Handle::INDEX_BITS) - 1;

enum State<'b> {
    Mapped(Mapped<'b>),
    InFlight(InFlight<'b>),
}

/// A mapping, with its share of the device's quota.
struct Entry<'b> {
    state: State<'b>,
    share: Share,
}

struct Slot<'b> {
    generation: u16,
    entry: Option<Entry<'b>>,
}

/// The table.
#[derive(Default)]
pub(crate) struct Table<'b> {
    slots: KVec<Slot<'b>>,
}

impl<'b> Table<'b> {
    /// Makes room for one more, so that [`insert`](Self::insert) cannot fail.
    pub(crate) fn reserve(&mut self) -> Result {
        if self.slots.iter().any(|slot| slot.entry.is_none()) {
            return Ok(());
        }
        if self.slots.len() >= MOST {
            return Err(ENOSPC);
        }
        let slot = Slot {
            generation: 0,
            entry: None,
        };
        Ok(self.slots.push(slot, gfp::for_user())?)
    }

    /// Puts a mapping in; gives it back if there is no room.
    pub(crate) fn insert(
        &mut self,
        mapped: Mapped<'b>,
        share: Share,
    ) -> core::result::Result<Handle, (Mapped<'b>, Share)> {
        let vacant = |(_, slot): &(usize, &mut Slot<'b>)| slot.entry.is_none();
        match self.slots.iter_mut().enumerate().find(vacant) {
            Some((index, slot)) => {
                slot.generation = slot.generation.wrapping_add(1);
                let state = State::Mapped(mapped);
                slot.entry = Some(Entry { state, share });
                Ok(Handle::new(index, slot.generation))
            }
            None => Err((mapped, share)),
        }
    }

    fn slot(&mut self, handle: Handle) -> Option<&mut Option<Entry<'b>>> {
        let slot = self.slots.get_mut(handle.index()?)?;
        (slot.generation == handle.generation()).then_some(&mut slot.entry)
    }

    /// The mapping, if a job works on it.
    pub(crate) fn in_flight(&mut self, handle: Handle) -> Option<&InFlight<'b>> {
        match &self.slot(handle)?.as_ref()?.state {
            State::InFlight(flight) => Some(flight),
            State::Mapped(_) => None,
        }
    }

    /// Says that a job is about to work on the mapping.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such mapping, `EBUSY` if a job works on it already.
    pub(crate) fn arm(&mut self, handle: Handle, ticket: Ticket) -> Result {
        if self.in_flight(handle).is_some() {
            return Err(EBUSY);
        }
        self.change(handle, |state| match state {
            State::Mapped(mapped) => State::InFlight(InFlight::arm(mapped, ticket)),
            in_flight => in_flight,
        })
    }

    /// Says that the job has ended, with the proof of it.
    pub(crate) fn settle(&mut self, handle: Handle, proof: &Retired) -> Result {
        self.change(handle, |state| match state {
            State::InFlight(flight) => flight
                .settle(proof)
                .map_or_else(State::InFlight, State::Mapped),
            mapped => mapped,
        })
    }

    fn change(&mut self, handle: Handle, f: impl FnOnce(State<'b>) -> State<'b>) -> Result {
        let slot = self.slot(handle).ok_or(ENOENT)?;
        let Entry { state, share } = slot.take().ok_or(ENOENT)?;
        *slot = Some(Entry {
            state: f(state),
            share,
        });
        Ok(())
    }

    /// Takes a mapping out. One that a job works on stays.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<(Mapped<'b>, Share)> {
        let slot = self.slot(handle)?;
        let Entry { state, share } = slot.take()?;
        match state {
            State::Mapped(mapped) => Some((mapped, share)),
            state => {
                *slot = Some(Entry { state, share });
                None
            }
        }
    }

    /// Gives up all mappings that jobs work on; returns how many pages those newly are.
    pub(crate) fn give_up(&mut self) -> usize {
        let entries = self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut());
        entries
            .map(|entry| match &mut entry.state {
                State::InFlight(flight) => flight.give_up(),
                State::Mapped(_) => 0,
            })
            .sum()
    }

    /// Empties the table: unmaps and unpins everything. What jobs work on only with the proof that
    /// the device is quiet; without it that is leaked.
    pub(crate) fn clear(self, proof: Option<&Quiet>) {
        for entry in self.slots.into_iter().filter_map(|slot| slot.entry) {
            match (entry.state, proof) {
                (State::Mapped(mapped), _) => drop(mapped.unmap()),
                (State::InFlight(flight), Some(proof)) => {
                    drop(flight.settle_all(proof).map(Mapped::unmap));
                }
                (State::InFlight(flight), None) => drop(flight),
            }
        }
    }
}

#[kunit_tests(pindma_table)]
mod tests {
    use super::*;

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
    fn an_empty_table_knows_no_handle() -> Result {
        let mut table = Table::default();
        table.reserve()?;
        let stale = Handle::new(0, 1);
        assert!(table.in_flight(stale).is_none());
        assert!(table.remove(stale).is_none());
        assert_eq!(table.arm(stale, Ticket(1)), Err(ENOENT));
        assert_eq!(table.arm(Handle(0), Ticket(1)), Err(ENOENT));
        assert_eq!(table.give_up(), 0);
        Ok(())
    }
}
