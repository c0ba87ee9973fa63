// SPDX-License-Identifier: GPL-2.0

//! All mappings of a device. They belong to the binding; files only hold handles. So unbind has
//! the list of what is to be unmapped.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        counters::Gauge,
        quota::Share,
        slots::{
            self,
            Handle,
            Slots, //
        }, //
    },
    card::{
        channel::Retired,
        flight::{
            InFlight,
            Jobs, //
        },
        quiet::Quiet,
        remains::{
            self,
            Remains, //
        }, //
    },
    engine::Ticket,
    kapi::{
        mapped::{
            Mapped,
            SyncFor, //
        },
        pins::{
            cond_resched,
            Direction, //
        }, //
    }, //
};

enum State<'b> {
    Mapped(Mapped<'b>, Jobs),
    InFlight(InFlight<'b>),
}

impl State<'_> {
    fn direction(&self) -> Direction {
        match self {
            Self::Mapped(mapped, _) => mapped.direction(),
            Self::InFlight(flight) => flight.direction(),
        }
    }
}

/// A mapping, with its share of the device's quota if it has one of its own.
pub(crate) struct Entry<'b> {
    state: State<'b>,
    share: Option<Share>,
    left: remains::Room,
}

/// What is to be put in: a mapping, its share, and room for the jobs that will work on it and for
/// what unbind leaves of it.
pub(crate) type New<'b> = (Mapped<'b>, Option<Share>, (Jobs, remains::Room));

/// What was put in, on its way out.
pub(crate) type Removed<'b> = (Mapped<'b>, Option<Share>);

/// Most mappings of a device.
pub(crate) const MOST: usize = u16::MAX as usize;

/// The table.
#[derive(Default)]
pub(crate) struct Table<'b> {
    slots: Slots<Entry<'b>, MOST>,
}

/// What the table lacks for one more.
pub(crate) use crate::base::slots::Lack;

/// What it lacked.
pub(crate) type Room<'b> = slots::Room<Entry<'b>>;

impl<'b> Table<'b> {
    /// What must be [added](Self::add) before [`insert`](Self::insert) finds room, if anything.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are as many as there may be.
    pub(crate) fn lack(&self) -> Result<Option<Lack>> {
        self.slots.lack()
    }

    /// Adds what it lacked; gives it back if somebody else was faster.
    pub(crate) fn add(&mut self, room: Room<'b>) -> Option<Room<'b>> {
        self.slots.add(room)
    }

    /// Puts a mapping in; gives it back if there is no room.
    pub(crate) fn insert(&mut self, new: New<'b>) -> core::result::Result<Handle, New<'b>> {
        let Some(vacancy) = self.slots.vacancy() else {
            return Err(new);
        };
        let (mapped, share, (jobs, left)) = new;
        let state = State::Mapped(mapped, jobs);
        Ok(vacancy.fill(Entry { state, share, left }))
    }

    /// The mapping, if a job works on it.
    pub(crate) fn in_flight(&mut self, handle: Handle) -> Option<&mut InFlight<'b>> {
        match &mut self.slots.get_mut(handle)?.state {
            State::InFlight(flight) => Some(flight),
            State::Mapped(..) => None,
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
            State::Mapped(mapped, jobs) => match InFlight::arm((mapped, jobs), ticket) {
                Ok(flight) => (State::InFlight(flight), Ok(())),
                Err((mapped, jobs)) => (State::Mapped(mapped, jobs), Err(EBUSY)),
            },
            in_flight => (in_flight, Ok(())),
        })?
    }

    /// Says that the job has ended, with the proof of it.
    pub(crate) fn settle(&mut self, handle: Handle, proof: &Retired) -> Result {
        self.change(handle, |state| match state {
            State::InFlight(flight) => match flight.settle(proof) {
                Ok((mapped, jobs)) => (State::Mapped(mapped, jobs), ()),
                Err(flight) => (State::InFlight(flight), ()),
            },
            mapped => (mapped, ()),
        })
    }

    /// Makes a part of a mapping ready for the device or the CPU, if a job has to; unlike what is
    /// mapped for one transfer alone.
    pub(crate) fn sync_for_job(&mut self, handle: Handle, offset: u64, len: u64, sync: SyncFor) {
        match self.slots.get_mut(handle).map(|entry| &mut entry.state) {
            Some(State::Mapped(mapped, _)) => mapped.sync_for_job(offset, len, sync),
            Some(State::InFlight(flight)) => flight.sync_for_job(offset, len, sync),
            None => {}
        }
    }

    /// Makes a part of a mapping ready for the device or the CPU.
    pub(crate) fn sync(&mut self, handle: Handle, offset: u64, len: u64, sync: SyncFor) {
        match self.slots.get_mut(handle).map(|entry| &mut entry.state) {
            Some(State::Mapped(mapped, _)) => mapped.sync(offset, len, sync),
            Some(State::InFlight(flight)) => flight.sync(offset, len, sync),
            None => {}
        }
    }

    fn change<R>(
        &mut self,
        handle: Handle,
        f: impl FnOnce(State<'b>) -> (State<'b>, R),
    ) -> Result<R> {
        let change = |entry: Entry<'b>| {
            let (state, result) = f(entry.state);
            (Some(Entry { state, ..entry }), result)
        };
        self.slots.replace(handle, change).ok_or(ENOENT)
    }

    /// Takes a mapping out. One that a job works on stays.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<Removed<'b>> {
        let remove = |entry: Entry<'b>| match entry.state {
            State::Mapped(mapped, _) => (None, Some((mapped, entry.share))),
            state => (Some(Entry { state, ..entry }), None),
        };
        self.slots.replace(handle, remove)?
    }

    /// Gives up all mappings that jobs work on, and counts their pages in `leaked`.
    pub(crate) fn give_up(&mut self, leaked: &Arc<Gauge>) {
        for entry in self.slots.iter_mut() {
            if let State::InFlight(flight) = &mut entry.state {
                flight.give_up(leaked);
            }
        }
    }

    /// Empties the table: unmaps everything, for `remains`. What jobs work on only with the proof
    /// that the device is quiet; without it that is leaked.
    pub(crate) fn clear(self, proof: Option<&Quiet>, remains: &Remains) {
        for entry in self.slots.into_values() {
            let mapped = match (entry.state, proof) {
                (State::Mapped(mapped, _), _) => Some(mapped),
                (State::InFlight(flight), Some(proof)) => {
                    flight.settle_all(proof).ok().map(|(mapped, _)| mapped)
                }
                // Dropping it leaks it.
                (State::InFlight(_), None) => None,
            };
            if let Some(mapped) = mapped {
                remains.add(entry.left, mapped.unmap(), entry.share);
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
        let lack = table.lack()?.ok_or(EINVAL)?;
        assert!(table.add(lack.allocate()?).is_none());
        let stale = Handle::from_abi(1 << 16 | 1);
        assert!(table.in_flight(stale).is_none());
        assert!(table.remove(stale).is_none());
        let direction = Direction::ToDevice;
        assert_eq!(table.arm(stale, Ticket(1), direction), Err(ENOENT));
        let none = Handle::from_abi(0);
        assert_eq!(table.arm(none, Ticket(1), direction), Err(ENOENT));
        let leaked = Arc::new(Gauge::new(), GFP_KERNEL)?;
        table.give_up(&leaked);
        assert_eq!(leaked.get(), 0);
        Ok(())
    }
}
