// SPDX-License-Identifier: GPL-2.0

//! The pools of a file whose descriptors are open: the device may work on them.
//!
//! Lock order: no other lock is taken while `pools` is held.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc,
        Mutex, //
    }, //
};

use super::Pool;
use crate::{
    kapi::gfp,
    memory::{
        loan::Lender,
        names::MOST_NAMED, //
    }, //
};

/// Most pools of a file on which the device works at a time: each keeps a thread of the kernel busy.
pub(crate) const MOST_RUNS: usize = 32;

/// The pools of a file.
#[pin_data]
pub(crate) struct Pools {
    #[pin]
    pools: Mutex<KVVec<Arc<Pool>>>,
    /// On how many of them the device works.
    runs: Atomic<usize>,
}

/// One of the pools on which the device works; dropping it makes room for another.
pub(super) struct Place(Arc<Pools>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.runs.fetch_sub(1, Full);
    }
}

impl Pools {
    /// None so far.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            pools <- new_mutex!(KVVec::new()),
            runs: Atomic::new(0),
        })
    }

    /// Adds a pool. [`strike`](Self::strike) it.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are too many, `ENOMEM`.
    pub(super) fn add(&self, pool: &Arc<Pool>) -> Result {
        let mut pools = self.pools.lock();
        if pools.len() >= MOST_NAMED as usize {
            return Err(ENOSPC);
        }
        Ok(pools.push(pool.clone(), gfp::for_user())?)
    }

    /// Says that the device begins to work on one of them.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if it works on too many.
    pub(super) fn run_one(this: &Arc<Self>) -> Result<Place> {
        // Made first: dropping it takes back what is added here.
        let place = Place(this.clone());
        if this.runs.fetch_add(1, Full) < MOST_RUNS {
            Ok(place)
        } else {
            Err(ENOSPC)
        }
    }

    /// The descriptor of a pool is closed.
    pub(super) fn strike(&self, pool: &Arc<Pool>) {
        self.pools.lock().retain(|known| !Arc::ptr_eq(known, pool));
    }

    /// The file is closed.
    pub(crate) fn close(&self) {
        let pools = core::mem::take(&mut *self.pools.lock());
        pools.into_iter().for_each(|pool| pool.leave_file());
    }
}
