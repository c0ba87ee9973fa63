// SPDX-License-Identifier: GPL-2.0

//! What the files of one user may have of a device, all together: a second open gets nobody more
//! than the first.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

use crate::{
    base::quota::Quota,
    kapi::{
        charge::{
            self,
            User, //
        },
        gfp, //
    }, //
};

/// What the files of a user have.
struct Tier {
    user: User,
    quota: Arc<Quota>,
}

/// The users of a device.
#[pin_data]
pub(crate) struct Tiers {
    #[pin]
    list: Mutex<KVVec<Tier>>,
}

impl Tiers {
    /// Nobody so far.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            list <- new_mutex!(KVVec::new()),
        })
    }

    /// The part of `device` for a file that the current task opens: `limit` pages, of the as many
    /// that all files of its user have together. A task that may take what no limit counts has only
    /// the device's limit above.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn file_quota(
        &self,
        device: &Arc<Quota>,
        limit: usize,
        most_mappings: usize,
    ) -> Result<Arc<Quota>> {
        let file = |whole| Arc::new(Quota::part(whole, limit, most_mappings), gfp::for_user());
        if charge::may_exceed_resources() {
            return Ok(file(device)?);
        }
        let user = User::current()?;
        let mut list = self.list.lock();
        // What outlives its file counts as well, such as a pool.
        list.retain(|tier| tier.user == user || tier.quota.has_parts());
        if let Some(tier) = list.iter().find(|tier| tier.user == user) {
            return Ok(file(&tier.quota)?);
        }
        let part = Quota::part(device, limit, usize::MAX);
        let quota = Arc::new(part, gfp::for_user())?;
        let file = file(&quota)?;
        list.push(Tier { user, quota }, gfp::for_user())?;
        Ok(file)
    }
}
