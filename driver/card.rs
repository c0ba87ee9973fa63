// SPDX-License-Identifier: GPL-2.0

//! What belongs to the binding of a device: its engine, and all mappings for it.
//!
//! Lock order: `table`, then the engine's own lock, then a channel's record. `table` is never held
//! while memory is pinned, unpinned, or copied.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
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
        channel::{
            Channel,
            Retired, //
        },
        device::Device,
        flight::Jobs,
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
    engine::{
        self,
        Abort,
        Chan,
        Engine,
        Job,
        Observed,
        Outcome,
        Side,
        Ticket, //
    },
    kapi::{
        backing::Backing,
        bus_master::BusMaster,
        dma_view::DmaView,
        mapped::{
            Bounce,
            DmaSegment,
            Lasting,
            MapError,
            Mapped,
            SyncFor, //
        },
        pins::Direction,
        trace, //
    }, //
};

pub(crate) mod channel;
pub(crate) mod device;
pub(crate) mod flight;
mod outages;
pub(crate) mod quiet;
pub(crate) mod remains;
pub(crate) mod scrap;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod table;
pub(crate) mod tiers;
pub(crate) mod turns;
pub(crate) mod watch;

/// The next ticket, of whatever card: none means two jobs, also when a card is bound anew.
static TICKETS: Atomic<u64> = Atomic::new(1);

/// How long unbind and callers wait until everything is given back, which takes no time unless
/// somebody holds pages locked.
const GIVE_BACK_MS: u32 = 1000;

/// The bound device.
///
/// Drop order: by then unbind has emptied `table`; `master` comes before `engine`, so that a
/// device whose probe failed is off before its registers go.
#[pin_data]
pub(crate) struct Card<'b> {
    #[pin]
    table: Mutex<Table<'b>>,
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
    /// Segments, after merging.
    pub(crate) segments: usize,
    /// Segments that are bounced.
    pub(crate) bounced: usize,
}

/// Memory that could not be mapped, and why.
pub(crate) type NotMapped = (Backing, Option<Share>, MapError);

/// A part of a mapping, and the device's side of it.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    /// The mapping.
    pub(crate) handle: Handle,
    /// Which way the data goes.
    pub(crate) direction: Direction,
    /// The channel.
    pub(crate) ch: Chan,
    /// Where to start, in bytes from the start of the mapping.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) len: u64,
    /// Device address.
    pub(crate) dev_addr: u64,
    /// The device address does not advance.
    pub(crate) dev_fixed: bool,
}

impl Work {
    fn side(&self) -> Side {
        Side {
            direction: self.direction,
            dev_addr: self.dev_addr,
            dev_fixed: self.dev_fixed,
        }
    }
}

/// A job that was started.
#[derive(Clone, Copy)]
pub(crate) struct Started {
    /// Its name.
    pub(crate) ticket: Ticket,
    /// Bytes that the engine has taken.
    pub(crate) len: u64,
    /// Where they start, in bytes from the start of the mapping.
    offset: u64,
    direction: Direction,
    /// The device's generation when it began.
    generation: u32,
}

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
        channel::interrupt(self.device.all_channels(), &*self.engine, vector)
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
            Mapped::new(self.view, backing, bounce, Lasting::Once),
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
            Mapped::new(self.view, backing, bounce, Lasting::Kept),
            share,
        )
    }

    fn place(
        &self,
        mapped: core::result::Result<Mapped<'b>, (Backing, MapError)>,
        share: Option<Share>,
    ) -> core::result::Result<Placed, NotMapped> {
        let mapped = match mapped {
            Ok(mapped) => mapped,
            Err((backing, error)) => return Err((backing, share, error)),
        };
        let (segments, bounced) = (mapped.segments().len(), mapped.bounced());
        let mut share = share;
        let too_many = share.as_mut().is_some_and(|share| share.map().is_err());
        if too_many || !self.within_reach(&mapped) {
            return Err((mapped.unmap(), share, MapError::NoRoom));
        }
        let jobs = Jobs::on(self.engine.limits().channels.len());
        let rooms = match jobs.and_then(|jobs| Ok((jobs, Left::room()?))) {
            Ok(rooms) => rooms,
            Err(_) => return Err((mapped.unmap(), share, MapError::NoMemory)),
        };
        match self.enter((mapped, share, rooms)) {
            Ok(handle) => Ok(Placed {
                handle,
                segments,
                bounced,
            }),
            Err(((mapped, share, _), error)) => Err((mapped.unmap(), share, error)),
        }
    }

    /// Puts a mapping into the table. Every job needs that, so what it lacks is allocated where it
    /// is not locked.
    fn enter(&self, mut new: New<'b>) -> core::result::Result<Handle, (New<'b>, MapError)> {
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
    fn within_reach(&self, mapped: &Mapped<'_>) -> bool {
        let takes = |segment: &DmaSegment| self.view.takes(segment.addr(), segment.len());
        mapped.segments().iter().all(takes)
    }

    /// Unmaps. `None` if a job still works on it; then it stays.
    pub(crate) fn unmap(&self, handle: Handle) -> Option<(Backing, Option<Share>)> {
        let removed = self.table.lock().remove(handle);
        removed.map(|(mapped, share)| (mapped.unmap(), share))
    }

    /// Starts a job. The caller holds the channel's lease.
    ///
    /// # Errors
    ///
    /// `ENOTRECOVERABLE` if the device has failed, `ESTALE` if it was reset since `resets`, `EIO` if
    /// it is in an outage or refuses the job.
    pub(crate) fn start(&self, channel: &Channel, work: &Work, resets: u32) -> Result<Started> {
        let mut table = self.table.lock();
        if self.device.has_failed() {
            return Err(ENOTRECOVERABLE);
        }
        if self.device.resets() != resets {
            return Err(ESTALE);
        }
        if self.paused.load(Relaxed) {
            return Err(EIO);
        }
        let ticket = Ticket(TICKETS.fetch_add(1, Relaxed));
        table.arm(work.handle, ticket, work.direction)?;
        channel.expect(ticket);
        let flight = table.in_flight(work.handle).ok_or(ENOENT)?;
        let whole = flight.job(work.side(), work.offset, work.len);
        let len = self.longest(work.ch, &whole);
        flight.sync_for_job(work.offset, len, SyncFor::Device);
        let job = flight.job(work.side(), work.offset, len);
        // Before the doorbell: others may see in between that mastering is off.
        let generation = self.device.generation();
        match engine::queue(&*self.engine, work.ch, ticket, &job) {
            Ok(len) => {
                self.engine.kick(work.ch);
                let len = len.get().min(job.len());
                let (ch, addr) = (work.ch.0, work.dev_addr);
                trace::start(&self.view, ch, ticket.0, addr, len, work.direction);
                Ok(Started {
                    ticket,
                    len,
                    offset: work.offset,
                    direction: work.direction,
                    generation,
                })
            }
            Err(why) => {
                table.settle(work.handle, &channel.refused(&why))?;
                Err(self.refusal(why.why()))
            }
        }
    }

    /// As many bytes of `job` as channel `ch` takes at a time, and no more: all of it is synced.
    fn longest(&self, ch: Chan, job: &Job<'_>) -> u64 {
        let channels = &self.engine.limits().channels;
        let Some(limits) = channels.get(ch.0 as usize) else {
            return job.len();
        };
        let segments = job.segments().take(limits.job_segments as usize);
        let len: u64 = segments.map(|segment| segment.len()).sum();
        len.min(limits.job_bytes)
    }

    /// Takes note that a job has ended, and returns how many bytes it has moved.
    ///
    /// # Errors
    ///
    /// `EIO` if nothing shows that the device has reached memory, or if it was reset or lost bus
    /// mastering since the job began: it may have moved nothing and not know it.
    pub(crate) fn settle(&self, handle: Handle, proof: &Retired, started: Started) -> Result<u64> {
        let mut table = self.table.lock();
        table.settle(handle, proof)?;
        // What the device has only read, it has not changed: the CPU's view is as good as before,
        // and newer if the application has written since.
        if started.direction.writes() {
            table.sync_for_job(handle, started.offset, started.len, SyncFor::Cpu);
        }
        drop(table);
        // What a device counts is not believed beyond what it was given.
        let end = match proof.outcome() {
            _ if !self.is_unbroken(started.generation) => Err(EIO),
            Outcome::Unproven => Err(EIO),
            Outcome::NotStarted => Ok(0),
            Outcome::Done => Ok(started.len),
            Outcome::Short(n) | Outcome::Fault(n) | Outcome::Aborted(n) => Ok(n.min(started.len)),
        };
        trace::complete(&self.view, started.ticket.0, end.unwrap_or(0));
        end
    }

    /// Makes a part of a mapping ready for the device or the CPU.
    pub(crate) fn sync(&self, handle: Handle, offset: u64, len: u64, sync: SyncFor) {
        self.table.lock().sync(handle, offset, len, sync);
    }

    /// Looks at a channel.
    pub(crate) fn observe(&self, ch: Chan) -> Observed {
        self.engine.observe(ch)
    }

    /// Looks for jobs that have ended without an interrupt.
    pub(crate) fn poll(&self, ch: Chan) -> Observed {
        channel::poll(self.device.all_channels(), &*self.engine, ch)
    }

    /// Asks for a job to be ended early.
    pub(crate) fn abort(&self, ch: Chan, ticket: Ticket) -> Abort {
        self.engine.abort(ch, ticket)
    }

    /// Unbind: stops the device, unmaps everything and has it given back; nobody else is in here any
    /// more. Pages that somebody holds locked are given back when they are let go.
    pub(crate) fn stop(&self) {
        let mut table = core::mem::take(&mut *self.table.lock());
        let quiet = Quiet::prove(&self.master, &*self.engine);
        match &quiet {
            Some(quiet) => self.end_jobs(quiet),
            None => self.give_up(&mut table),
        }
        table.clear(quiet.as_ref(), &self.remains);
        // Callers find their memory given back when they return, unless somebody holds it locked:
        // nothing touches it any more, so they may go all the same.
        self.remains.give_back(msecs_to_jiffies(GIVE_BACK_MS));
        self.device.set_settled();
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}
