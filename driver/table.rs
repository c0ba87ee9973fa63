// SPDX-License-Identifier: GPL-2.0

//! All mappings of a device. They belong to the binding; files only hold handles. So unbind has
//! the list of what is to be unmapped.

use kernel::prelude::*;

use crate::{
    channel::Retired,
    engine::Ticket,
    flight::InFlight,
    kapi::{
        mapped::{
            Mapped,
            SyncFor, //
        },
        pins::{
            cond_resched,
            Direction, //
        },
    },
    quiet::Quiet,
    quota::Share,
    remains::Remains,
    slots::{
        Handle,
        Slots, //
    }, //
};

enum State<'b> {
    Mapped(Mapped<'b>),
    InFlight(InFlight<'b>),
}

impl State<'_> {
    fn direction(&self) -> Direction {
        match self {
            Self::Mapped(mapped) => mapped.direction(),
            Self::InFlight(flight) => flight.direction(),
        }
    }
}

/// A mapping, with its share of the device's quota if it has one of its own.
struct Entry<'b> {
    state: State<'b>,
    share: Option<Share>,
}

/// What was put in, on its way out.
pub(crate) type Removed<'b> = (Mapped<'b>, Option<Share>);

/// Most mappings of a device.
pub(crate) const MOST: usize = u16::MAX as usize;

/// The table.
#[derive(Default)]
pub(crate) struct Table<'b> {
    slots: Slots<Entry<'b>, MOST>,
}

impl<'b> Table<'b> {
    /// Makes room for one more, so that [`insert`](Self::insert) finds some.
    pub(crate) fn reserve(&mut self) -> Result {
        self.slots.reserve()
    }

    /// Puts a mapping in; gives it back if there is no room.
    pub(crate) fn insert(
        &mut self,
        mapped: Mapped<'b>,
        share: Option<Share>,
    ) -> core::result::Result<Handle, Removed<'b>> {
        match self.slots.vacancy() {
            Some(vacancy) => Ok(vacancy.fill(Entry {
                state: State::Mapped(mapped),
                share,
            })),
            None => Err((mapped, share)),
        }
    }

    /// The mapping, if a job works on it.
    pub(crate) fn in_flight(&mut self, handle: Handle) -> Option<&mut InFlight<'b>> {
        match &mut self.slots.get_mut(handle)?.state {
            State::InFlight(flight) => Some(flight),
            State::Mapped(_) => None,
        }
    }

    /// Says that a job is about to work on the mapping, which others may work on already.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such mapping, `EBUSY` if too many jobs work on it, `EOPNOTSUPP` if
    /// it is not mapped for this direction.
    pub(crate) fn arm(&mut self, handle: Handle, ticket: Ticket, direction: Direction) -> Result {
        let entry = self.slots.get_mut(handle).ok_or(ENOENT)?;
        if !entry.state.direction().includes(direction) {
            return Err(EOPNOTSUPP);
        }
        if let State::InFlight(flight) = &mut entry.state {
            return flight.join(ticket);
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

    /// Makes a part of a mapping ready for the device or the CPU, if a job has to; unlike what is
    /// mapped for one transfer alone.
    pub(crate) fn sync_for_job(&mut self, handle: Handle, offset: u64, len: u64, sync: SyncFor) {
        match self.slots.get_mut(handle).map(|entry| &mut entry.state) {
            Some(State::Mapped(mapped)) => mapped.sync_for_job(offset, len, sync),
            Some(State::InFlight(flight)) => flight.sync_for_job(offset, len, sync),
            None => {}
        }
    }

    /// Makes a part of a mapping ready for the device or the CPU.
    pub(crate) fn sync(&mut self, handle: Handle, offset: u64, len: u64, sync: SyncFor) {
        match self.slots.get_mut(handle).map(|entry| &mut entry.state) {
            Some(State::Mapped(mapped)) => mapped.sync(offset, len, sync),
            Some(State::InFlight(flight)) => flight.sync(offset, len, sync),
            None => {}
        }
    }

    fn change(&mut self, handle: Handle, f: impl FnOnce(State<'b>) -> State<'b>) -> Result {
        let change = |Entry { state, share }| {
            let state = f(state);
            (Some(Entry { state, share }), ())
        };
        self.slots.replace(handle, change).ok_or(ENOENT)
    }

    /// Takes a mapping out. One that a job works on stays.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<Removed<'b>> {
        let remove = |Entry { state, share }| match state {
            State::Mapped(mapped) => (None, Some((mapped, share))),
            state => (Some(Entry { state, share }), None),
        };
        self.slots.replace(handle, remove)?
    }

    /// Gives up all mappings that jobs work on; returns how many pages those newly are.
    pub(crate) fn give_up(&mut self) -> usize {
        self.slots
            .iter_mut()
            .map(|entry| match &mut entry.state {
                State::InFlight(flight) => flight.give_up(),
                State::Mapped(_) => 0,
            })
            .sum()
    }

    /// Empties the table: unmaps everything, for `remains`. What jobs work on only with the proof
    /// that the device is quiet; without it that is leaked.
    pub(crate) fn clear(self, proof: Option<&Quiet>, remains: &Remains) {
        for entry in self.slots.into_values() {
            let mapped = match (entry.state, proof) {
                (State::Mapped(mapped), _) => Some(mapped),
                (State::InFlight(flight), Some(proof)) => flight.settle_all(proof).ok(),
                // Dropping it leaks it.
                (State::InFlight(_), None) => None,
            };
            if let Some(mapped) = mapped {
                remains.add(mapped.unmap(), entry.share);
            }
            cond_resched();
        }
    }
}

#[kunit_tests(pindma_table)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_knows_no_handle() -> Result {
        let mut table = Table::default();
        table.reserve()?;
        let stale = Handle::from_abi(1 << 16 | 1);
        assert!(table.in_flight(stale).is_none());
        assert!(table.remove(stale).is_none());
        let direction = Direction::ToDevice;
        assert_eq!(table.arm(stale, Ticket(1), direction), Err(ENOENT));
        let none = Handle::from_abi(0);
        assert_eq!(table.arm(none, Ticket(1), direction), Err(ENOENT));
        assert_eq!(table.give_up(), 0);
        Ok(())
    }
}
