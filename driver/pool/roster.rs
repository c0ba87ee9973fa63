// SPDX-License-Identifier: GPL-2.0

//! The pools of a file whose descriptors are open: the device may work on them.
//!
//! Lock order: `pools` is never held together with another lock.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

use super::Pool;
use crate::{
    kapi::gfp,
    names::MOST_NAMED, //
};

/// The pools of a file.
#[pin_data]
pub(crate) struct Roster {
    #[pin]
    pools: Mutex<KVVec<Arc<Pool>>>,
}

impl Roster {
    /// None so far.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            pools <- new_mutex!(KVVec::new()),
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
