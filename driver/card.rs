// SPDX-License-Identifier: GPL-2.0

//! What belongs to the binding of a device: its engine, and all mappings for it.
//!
//! Lock order: `table`, then a channel's. `table` is never held while memory is pinned, unpinned, or
//! copied, and no job needs it.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::Atomic,
        Arc,
        Mutex, //
    },
    time::msecs_to_jiffies, //
};

use crate::{
    base::{
        quota::Share,
        slots::Handle, //
    },
    card::{
        attend::Attendants,
        device::Device,
        entry::Context,
        flight::Mapping,
        quiet::Quiet,
        remains::{
            Left,
            Remains, //
        },
        show::DeviceFiles,
        table::{
            Lack,
            New,
            Table, //
        }, //
    },
    engine::Engine,
    kapi::{
        backing::Backing,
        bus_master::BusMaster,
        claim::{
            Claim,
            Claimable, //
        },
        dma_view::DmaView,
        mapped::{
            Bounce,
            DmaSegment,
            Lasting,
            MapError,
            Mapped,
            SyncFor, //
        }, //
    }, //
};

mod attend;
pub(crate) mod channel;
pub(crate) mod device;
mod drive;
pub(crate) mod entry;
pub(crate) mod flight;
mod outages;
pub(crate) mod quiet;
mod records;
pub(crate) mod remains;
pub(crate) mod schedule;
pub(crate) mod scrap;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod table;
pub(crate) mod tiers;
pub(crate) mod watch;

/// How long unbind and callers wait until everything is given back, which takes no time unless
/// somebody holds pages locked.
const GIVE_BACK_MS: u32 = 1000;

/// The bound device.
///
/// Drop order: by then unbind has emptied `table`. The attendants stop first, which use the rest;
/// `master` comes before `engine`, so that a device whose probe failed is off before its registers go.
#[pin_data]
pub(crate) struct Card<'b> {
    attendants: Attendants,
    #[pin]
    table: Mutex<Table>,
    master: BusMaster<'b>,
    engine: Arc<dyn Engine + 'b>,
    view: DmaView<'b>,
    device: Arc<Device>,
    remains: Arc<Remains>,
    /// There is an outage; changed with `table` held.
    paused: Atomic<bool>,
    _files: DeviceFiles,
}

/// What a mapping turned out to be.
pub(crate) struct Placed {
    /// Its name.
    pub(crate) handle: Handle,
    /// What jobs claim.
    pub(crate) mapping: Arc<Mapping>,
    /// Segments, after merging.
    pub(crate) segments: usize,
    /// Segments that are bounced.
    pub(crate) bounced: usize,
}

/// Memory that could not be mapped, and why.
pub(crate) type NotMapped = (Option<Backing>, Option<Share>, MapError);

impl<'b> Card<'b> {
    /// Binds `device`; its bus mastering is switched on as the last thing.
    pub(crate) fn new(
        device: Arc<Device>,
        master: BusMaster<'b>,
        view: DmaView<'b>,
        engine: Arc<dyn Engine + 'b>,
    ) -> Result<Arc<Self>> {
        let files = DeviceFiles::new(&device)?;
        master.enable();
        Arc::pin_init(
            try_pin_init!(Self {
                attendants: Attendants::new(&device)?,
                table <- new_mutex!(Table::default()),
                master,
                engine,
                view,
                device,
                remains: Remains::new()?,
                paused: Atomic::new(false),
                _files: files,
            }),
            GFP_KERNEL,
        )
    }

    /// How the device sees memory.
    pub(crate) fn view(&self) -> DmaView<'b> {
        self.view
    }

    /// The device has got so many interrupt vectors.
    pub(crate) fn wire(&self, vectors: u32) {
        self.engine.wire(vectors);
    }

    /// A hard interrupt.
    pub(crate) fn interrupt(&self, vector: u32) -> bool {
        let news = |ch| self.attendants.settle(ch);
        channel::interrupt(self.device.all_channels(), &*self.engine, vector, news)
    }

    /// Maps memory for one transfer. If that fails, it is given back, to be unpinned where no guard
    /// is held.
    pub(crate) fn map(
        &self,
        backing: Backing,
        bounce: Bounce,
        share: Option<Share>,
    ) -> core::result::Result<Placed, NotMapped> {
        self.place(
            Mapped::new(&self.view, backing, bounce, Lasting::Once),
            share,
        )
    }

    /// Maps memory as [`map`](Self::map) does, for many transfers: each job syncs what it uses.
    pub(crate) fn keep(
        &self,
        backing: Backing,
        bounce: Bounce,
        share: Option<Share>,
    ) -> core::result::Result<Placed, NotMapped> {
        self.place(
            Mapped::new(&self.view, backing, bounce, Lasting::Kept),
            share,
        )
    }

    fn place(
        &self,
        mapped: core::result::Result<Mapped, (Backing, MapError)>,
        share: Option<Share>,
    ) -> core::result::Result<Placed, NotMapped> {
        let mapped = match mapped {
            Ok(mapped) => mapped,
            Err((backing, error)) => return Err((Some(backing), share, error)),
        };
        let (segments, bounced) = (mapped.segments().len(), mapped.bounced());
        let mut share = share;
        let too_many = share.as_mut().is_some_and(|share| share.map().is_err());
        if too_many || !self.within_reach(&mapped) {
            return Err((mapped.unmap(&self.view), share, MapError::NoRoom));
        }
        let Ok(left) = Left::room() else {
            return Err((mapped.unmap(&self.view), share, MapError::NoMemory));
        };
        let pages = mapped.pages();
        let mapping = match Claimable::in_arc(mapped) {
            Ok(mapping) => mapping,
            Err(mapped) => return Err((mapped.unmap(&self.view), share, MapError::NoMemory)),
        };
        let new = New {
            mapping: mapping.clone(),
            pages,
            share,
            left,
        };
        match self.enter(new) {
            Ok(handle) => Ok(Placed {
                handle,
                mapping,
                segments,
                bounced,
            }),
            Err((new, error)) => {
                let mapped = new.mapping.take();
                let backing = mapped.and_then(|mapped| mapped.unmap(&self.view));
                Err((backing, new.share, error))
            }
        }
    }

    /// Puts a mapping into the table. Others want that too, so what it lacks is allocated where it
    /// is not locked.
    fn enter(&self, mut new: New) -> core::result::Result<Handle, (New, MapError)> {
        loop {
            let mut table = self.table.lock();
            new = match table.insert(new) {
                Ok(handle) => return Ok(handle),
                Err(new) => new,
            };
            let lack = table.lack();
            drop(table);
            if let Err(error) = self.grow(lack) {
                return Err((new, error));
            }
        }
    }

    fn grow(&self, lack: Result<Option<Lack>>) -> core::result::Result<(), MapError> {
        let Some(lack) = lack.map_err(|_| MapError::NoRoom)? else {
            return Ok(());
        };
        let room = lack.allocate().map_err(|_| MapError::NoMemory)?;
        let needless = self.table.lock().add(room);
        drop(needless);
        Ok(())
    }

    /// The last look before the device gets addresses: some clamp in silence what they cannot
    /// drive, and then write to the wrong place.
    fn within_reach(&self, mapped: &Mapped) -> bool {
        let takes = |segment: &DmaSegment| self.view.takes(segment.addr(), segment.len());
        mapped.segments().iter().all(takes)
    }

    /// Unmaps. `None` if a job still works on it; then it stays.
    pub(crate) fn unmap(&self, handle: Handle) -> Option<(Option<Backing>, Option<Share>)> {
        let removed = self.table.lock().remove(handle);
        removed.map(|(mapped, share)| (mapped.unmap(&self.view), share))
    }

    /// Makes a part of a mapping ready for the device or the CPU.
    pub(crate) fn sync(&self, mapping: &Arc<Mapping>, offset: u64, len: u64, sync: SyncFor) {
        if let Some(mapped) = Claim::new(mapping) {
            mapped.sync(&self.view, offset, len, sync);
            mapped.release();
        }
    }

    /// Unbind: stops the device, unmaps everything and has it given back; nobody else is in here any
    /// more. Pages that somebody holds locked are given back when they are let go.
    pub(crate) fn stop(&self) {
        let mut table = core::mem::take(&mut *self.table.lock());
        match Quiet::prove(&self.master, &*self.engine) {
            Some(quiet) => self.end_jobs(&quiet),
            None => self.give_up(&mut table),
        }
        self.end_all(ENODEV);
        table.clear(&self.view, &self.remains);
        // Callers find their memory given back when they return, unless somebody holds it locked:
        // nothing touches it any more, so they may go all the same.
        self.remains.give_back(msecs_to_jiffies(GIVE_BACK_MS));
        self.attendants.stop();
        self.device.set_settled();
        self.tell(Context::Process);
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}
