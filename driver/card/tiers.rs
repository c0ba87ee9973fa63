// SPDX-License-Identifier: GPL-2.0

//! What the files of one user may have of a device, all together: a second open gets nobody more
//! pages than the first, nor more turns at a channel.

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
    card::schedule::{
        Pace,
        UserPace, //
    },
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
    /// How fast they get turns, for each channel.
    paces: KVec<Arc<UserPace>>,
}

impl Tier {
    fn new(user: User, quota: Quota, channels: usize) -> Result<Self> {
        let mut paces = KVec::new();
        for _ in 0..channels {
            paces.push(UserPace::new()?, gfp::for_user())?;
        }
        Ok(Self {
            user,
            quota: Arc::new(quota, gfp::for_user())?,
            paces,
        })
    }

    /// What outlives its file counts as well, such as a pool.
    fn is_used(&self) -> bool {
        self.quota.has_parts() || self.paces.iter().any(|pace| pace.has_files())
    }

    fn file_paces(&self) -> Result<KVec<Arc<Pace>>> {
        let mut paces = KVec::new();
        for pace in &self.paces {
            paces.push(Pace::new(pace)?, gfp::for_user())?;
        }
        Ok(paces)
    }
}

/// What a file has of its user's.
pub(crate) struct Part {
    /// Pages that it may have pinned.
    pub(crate) quota: Arc<Quota>,
    /// How fast it gets turns, for each channel.
    pub(crate) paces: KVec<Arc<Pace>>,
}

/// The users of a device.
#[pin_data]
pub(crate) struct Tiers {
    #[pin]
    list: Mutex<KVVec<Tier>>,
    channels: usize,
}

impl Tiers {
    /// Nobody so far, on a device with so many channels.
    pub(crate) fn new(channels: usize) -> impl PinInit<Self> {
        pin_init!(Self {
            list <- new_mutex!(KVVec::new()),
            channels,
        })
    }

    /// The part of `device` for a file that the current task opens: `limit` pages in
    /// `most_mappings` mappings, of the as many that all files of its user have together. A task
    /// that may take what no limit counts has only the device's limits above.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn part(
        &self,
        device: &Arc<Quota>,
        limit: usize,
        most_mappings: usize,
    ) -> Result<Part> {
        let unlimited = charge::may_exceed_resources();
        let user = User::current()?;
        let mut list = self.list.lock();
        list.retain(|tier| tier.user == user || tier.is_used());
        let known = list.iter().position(|tier| tier.user == user);
        if known.is_none() {
            let quota = Quota::part(device, limit, most_mappings);
            list.push(Tier::new(user, quota, self.channels)?, gfp::for_user())?;
        }
        let tier = list.get(known.unwrap_or(list.len() - 1)).ok_or(EINVAL)?;
        let whole = if unlimited { device } else { &tier.quota };
        let quota = Quota::part(whole, limit, most_mappings);
        Ok(Part {
            quota: Arc::new(quota, gfp::for_user())?,
            paces: tier.file_paces()?,
        })
    }
}
