// SPDX-License-Identifier: GPL-2.0

//! All mappings of a device. They belong to the binding; files hold them by handles. So unbind has the
//! list of what is to be unmapped. Jobs do not come by here: they claim mappings.

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
        flight::{
            Leaked,
            Mapping, //
        },
        remains::{
            self,
            Remains, //
        }, //
    },
    kapi::{
        dma_view::DmaView,
        mapped::Mapped,
        pins::cond_resched, //
    }, //
};

/// A mapping, with its share of the device's quota if it has one of its own.
pub(crate) struct Entry {
    mapping: Arc<Mapping>,
    pages: usize,
    share: Option<Share>,
    left: remains::Room,
    leaked: Option<Leaked>,
}

/// What is to be put in.
pub(crate) struct New {
    /// The mapping, which has so many pages.
    pub(crate) mapping: Arc<Mapping>,
    /// Its pages.
    pub(crate) pages: usize,
    /// Its share of the device's quota.
    pub(crate) share: Option<Share>,
    /// Room for what unbind leaves of it.
    pub(crate) left: remains::Room,
}

/// What was put in, on its way out.
pub(crate) type Removed = (Mapped, Option<Share>);

/// Most mappings of a device.
pub(crate) const MOST: usize = u16::MAX as usize;

/// The table.
#[derive(Default)]
pub(crate) struct Table {
    slots: Slots<Entry, MOST>,
}

/// What the table lacks for one more.
pub(crate) use crate::base::slots::Lack;

/// What it lacked.
pub(crate) type Room = slots::Room<Entry>;

impl Table {
    /// What must be [added](Self::add) before [`insert`](Self::insert) finds room, if anything.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are as many as there may be.
    pub(crate) fn lack(&self) -> Result<Option<Lack>> {
        self.slots.lack()
    }

    /// Adds what it lacked; gives it back if somebody else was faster.
    pub(crate) fn add(&mut self, room: Room) -> Option<Room> {
        self.slots.add(room)
    }

    /// Puts a mapping in; gives it back if there is no room.
    pub(crate) fn insert(&mut self, new: New) -> core::result::Result<Handle, New> {
        let Some(vacancy) = self.slots.vacancy() else {
            return Err(new);
        };
        Ok(vacancy.fill(Entry {
            mapping: new.mapping,
            pages: new.pages,
            share: new.share,
            left: new.left,
            leaked: None,
        }))
    }

    /// Takes a mapping out. One that a job works on stays.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<Removed> {
        let remove = |entry: Entry| match entry.mapping.take() {
            Some(mapped) => (None, Some((mapped, entry.share))),
            None => (Some(entry), None),
        };
        self.slots.replace(handle, remove)?
    }

    /// Gives up all mappings that jobs work on, as the device does not stop, and counts their pages in
    /// `leaked`. They are kept as they are, and come back if it is proved to be quiet later.
    pub(crate) fn give_up(&mut self, leaked: &Arc<Gauge>) {
        for entry in self.slots.iter_mut() {
            if entry.mapping.is_claimed() {
                let pages = entry.pages;
                entry
                    .leaked
                    .get_or_insert_with(|| Leaked::new(pages, leaked));
            }
        }
    }

    /// Empties the table: unmaps everything, for `remains`. What jobs work on is leaked.
    pub(crate) fn clear(self, view: &DmaView<'_>, remains: &Remains) {
        for entry in self.slots.into_values() {
            match entry.mapping.take().and_then(|mapped| mapped.unmap(view)) {
                Some(backing) => remains.add(entry.left, backing, entry.share),
                // Counted for ever.
                None => core::mem::forget(entry.leaked),
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
        assert!(table.remove(Handle::from_abi(1 << 16 | 1)).is_none());
        assert!(table.remove(Handle::from_abi(0)).is_none());
        let leaked = Arc::new(Gauge::new(), GFP_KERNEL)?;
        table.give_up(&leaked);
        assert_eq!(leaked.get(), 0);
        Ok(())
    }
}
