// SPDX-License-Identifier: GPL-2.0

//! What an open file has given handles to.
//!
//! Lock order: `table`, then the users of a region or the state of a pool. None is held while memory is pinned, mapped
//! or given back.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

use crate::{
    base::{
        deadline::Deadline,
        slots::{
            Handle,
            Slots, //
        },
    },
    card::stats::Stats,
    kapi::{
        abi::{
            self,
            pindma_seg, //
        },
        pins::Direction, //
    },
    memory::{
        loan::{
            Lender,
            Loan, //
        },
        piece::Piece,
        region::{
            Region,
            Use, //
        }, //
    }, //
};

/// Most regions and pools of a file.
pub(crate) const MOST_NAMED: u32 = 1024;

/// A thing with a handle.
#[derive(Clone)]
pub(crate) enum Named {
    /// Registered memory.
    Region(Arc<Region>),
    /// Buffers that the driver has allocated.
    Pool(Arc<dyn Lender>),
}

impl Named {
    fn is_idle(&self) -> bool {
        match self {
            Self::Region(region) => region.users().count() == 0,
            Self::Pool(pool) => pool.loans() == 0,
        }
    }

    /// Waits until no transfer uses it.
    ///
    /// # Errors
    ///
    /// `EINTR`, `ETIMEDOUT`.
    pub(crate) fn wait_idle(&self, deadline: Deadline) -> Result {
        match self {
            Self::Region(region) => region.users().wait(deadline),
            Self::Pool(pool) => pool.wait_for_loans(deadline),
        }
    }

    /// The file is closed.
    fn leave_file(self) {
        match self {
            Self::Region(region) => drop(region),
            Self::Pool(pool) => pool.leave_file(),
        }
    }
}

/// What a transfer uses.
enum Used {
    /// A region.
    Region(Use),
    /// A buffer of a pool.
    Buffer(Loan),
}

/// A thing that a transfer uses.
pub(crate) struct Hold {
    handle: Handle,
    used: Used,
}

impl Hold {
    /// Whether `segment` lies in it, where it starts.
    pub(crate) fn has(&self, segment: &pindma_seg) -> bool {
        let same = self.handle == Handle::from_abi(segment.handle);
        same && match &self.used {
            Used::Region(_) => true,
            Used::Buffer(loan) => loan.has(segment.addr),
        }
    }

    /// Whether it is a buffer, which to give back may sleep.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.used, Used::Buffer(_))
    }

    /// What its ranges begin and end at, or'ed together.
    pub(crate) fn edges(&self) -> u64 {
        match &self.used {
            Used::Region(region) => region.region().edges(),
            // Whole pages.
            Used::Buffer(_) => 0,
        }
    }

    /// Checks that `segment`, which is by this handle, is good for a transfer in that direction. If
    /// not, also says which field of the segment is to blame.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP`, `ERANGE`.
    pub(crate) fn check(
        &self,
        segment: &pindma_seg,
        direction: Direction,
    ) -> core::result::Result<(), (Error, abi::pindma_field)> {
        let (mapped_for, rest) = match &self.used {
            Used::Region(region) => {
                let region = region.region();
                (region.direction(), region.len().checked_sub(segment.addr))
            }
            Used::Buffer(loan) => (loan.direction(), loan.rest(segment.addr)),
        };
        if !mapped_for.includes(direction) {
            return Err((EOPNOTSUPP, abi::PINDMA_FIELD_SEG_HANDLE));
        }
        match rest {
            None | Some(0) => Err((ERANGE, abi::PINDMA_FIELD_SEG_ADDR)),
            Some(rest) if segment.len > rest => Err((ERANGE, abi::PINDMA_FIELD_SEG_LEN)),
            Some(_) => Ok(()),
        }
    }

    /// The memory of `segment`, which was checked.
    pub(crate) fn piece(&self, segment: &pindma_seg) -> Option<Piece> {
        match &self.used {
            Used::Region(region) => Some(Piece::Region {
                region: region.region().clone(),
                offset: segment.addr,
                len: segment.len,
            }),
            Used::Buffer(loan) => loan.piece(segment.addr, segment.len),
        }
    }
}

/// What became of an attempt to take a handle away.
pub(crate) enum Withdrawn {
    /// The handle is stale now.
    Gone(Named),
    /// Transfers use it: nothing has changed.
    InUse(Named),
}

/// The handles of a file.
#[pin_data]
pub(crate) struct Names {
    #[pin]
    table: Mutex<Slots<Named, { MOST_NAMED as usize }>>,
    stats: Arc<Stats>,
}

impl Names {
    /// None so far.
    pub(crate) fn new(stats: Arc<Stats>) -> impl PinInit<Self> {
        pin_init!(Self {
            table <- new_mutex!(Slots::default()),
            stats,
        })
    }

    /// Makes room for one more. Fails if there is none: `ENOSPC`, `ENOMEM`.
    pub(crate) fn make_room(&self) -> Result {
        let lack = self.table.lock().lack()?;
        if let Some(lack) = lack {
            let room = lack.allocate()?;
            let needless = self.table.lock().add(room);
            drop(needless);
        }
        Ok(())
    }

    /// Gives a thing a handle.
    ///
    /// # Errors
    ///
    /// `ENOSPC`, `ENOMEM`.
    pub(crate) fn publish(&self, named: Named) -> Result<Published<'_>> {
        let handle = loop {
            self.make_room()?;
            if let Some(vacancy) = self.table.lock().vacancy() {
                break vacancy.fill(named);
            }
        };
        self.stats.regions.add(1);
        Ok(Published {
            names: self,
            handle,
        })
    }

    /// Uses what `segment` names on behalf of the calling process, until the result is dropped: all
    /// of a region, or the one buffer of a pool in which the segment starts.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such thing, `EPERM` if the process must not use it, `EBUSY` if the
    /// buffer is not the application's, `ERANGE` if there is no such buffer.
    pub(crate) fn hold(&self, segment: &pindma_seg) -> Result<Hold> {
        let handle = Handle::from_abi(segment.handle);
        let mut table = self.table.lock();
        let used = match table.get_mut(handle).ok_or(ENOENT)? {
            Named::Region(region) => Used::Region(enter(region)?),
            Named::Pool(pool) => Used::Buffer(Loan::new(pool, segment.addr)?),
        };
        Ok(Hold { handle, used })
    }

    /// Uses a region on behalf of the calling process, until the result is dropped.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such thing, `EOPNOTSUPP` if it is a pool, `EPERM` if the process must
    /// not use it.
    pub(crate) fn hold_region(&self, handle: Handle) -> Result<Use> {
        match self.table.lock().get_mut(handle).ok_or(ENOENT)? {
            Named::Region(region) => enter(region),
            Named::Pool(_) => Err(EOPNOTSUPP),
        }
    }

    /// The thing, whoever asks.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such thing.
    pub(crate) fn get(&self, handle: Handle) -> Result<Named> {
        self.table.lock().get_mut(handle).cloned().ok_or(ENOENT)
    }

    /// Takes a handle away, unless a transfer uses what it names.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such thing.
    pub(crate) fn withdraw(&self, handle: Handle) -> Result<Withdrawn> {
        let mut table = self.table.lock();
        let named = table.get_mut(handle).ok_or(ENOENT)?;
        // Who begins to use it does so under this lock.
        if !named.is_idle() {
            return Ok(Withdrawn::InUse(named.clone()));
        }
        let named = table.remove(handle).ok_or(ENOENT)?;
        self.stats.regions.sub(1);
        Ok(Withdrawn::Gone(named))
    }

    /// Takes all handles away. What transfers use goes when they have ended.
    pub(crate) fn clear(&self) {
        let table = core::mem::take(&mut *self.table.lock());
        table.into_values().for_each(|named| {
            self.stats.regions.sub(1);
            named.leave_file();
        });
    }

    fn remove(&self, handle: Handle) {
        let removed = self.table.lock().remove(handle);
        if removed.is_some() {
            self.stats.regions.sub(1);
        }
    }
}

fn enter(region: &Arc<Region>) -> Result<Use> {
    region.admit()?;
    Ok(Use::new(region.clone()))
}

/// A handle that nobody was told of yet. Dropping it takes it away again.
pub(crate) struct Published<'a> {
    names: &'a Names,
    handle: Handle,
}

impl Published<'_> {
    /// The handle.
    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }

    /// Leaves it to the application.
    pub(crate) fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        self.names.remove(self.handle);
    }
}
