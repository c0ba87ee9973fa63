// SPDX-License-Identifier: GPL-2.0

//! What an open file has and may use, for as long as something works for it.

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
        access::OpenMode,
        counters,
        deadline::Deadline,
        failure::Failure,
        progress::Progress,
        quota::Quota, //
    },
    card::{
        device::Device,
        entry::{
            Entry,
            Manner,
            Order,
            Parts,
            Route, //
        },
        schedule::Pace,
        stats::Stats,
        tiers::Part,
        Card, //
    },
    engine::{
        Chan,
        ChannelLimits, //
    },
    kapi::{
        abi,
        file_ops::OpenFlags,
        gfp, //
    },
    memory::names::Names, //
};

/// A client: an open file as everything below it knows it.
pub(crate) struct Client {
    device: Arc<Device>,
    mode: OpenMode,
    /// Resets of the device before it was opened.
    resets: u32,
    stats: Arc<Stats>,
    /// Pages that it may have pinned.
    quota: Arc<Quota>,
    /// How fast it gets its turns, for each channel.
    paces: KVec<Arc<Pace>>,
    names: Pin<KBox<Names>>,
    /// Of a call that has ended.
    spare: Pin<KBox<Mutex<Option<Arc<Entry>>>>>,
    _counted: counters::Held,
}

/// A client that makes a call, and how.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// The client.
    pub(crate) client: &'a Arc<Client>,
    /// The file is `O_NONBLOCK`.
    pub(crate) nonblocking: bool,
}

impl Caller<'_> {
    /// Whether a busy channel is an error: with `O_NONBLOCK`, as long as nothing was started.
    pub(crate) fn must_not_wait(&self, progress: &Progress) -> bool {
        self.nonblocking && !progress.started
    }
}

impl Client {
    /// That of a file which is being opened. `resets` are those of the device before that began.
    pub(crate) fn new(device: &Arc<Device>, flags: OpenFlags, resets: u32) -> Result<Arc<Self>> {
        let Part { quota, paces } = device.file_part()?;
        let spare = KBox::pin_init(new_mutex!(None), gfp::for_user())?;
        let stats = device.totals.open()?;
        let names = KBox::pin_init(Names::new(stats.clone()), gfp::for_user());
        let names = names.inspect_err(|_| device.totals.close(&stats))?;
        let client = Self {
            device: device.clone(),
            mode: OpenMode::of(flags),
            resets,
            stats,
            quota,
            paces,
            names,
            spare,
            _counted: counters::FILES.hold(),
        };
        Ok(Arc::new(client, gfp::for_user())?)
    }

    /// The device.
    pub(crate) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// What data it may move.
    pub(crate) fn mode(&self) -> OpenMode {
        self.mode
    }

    /// Pages that it may have pinned.
    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// What the file has done.
    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// What it has given handles to.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Fails if the device takes no calls: `ENODEV`, `ENOTRECOVERABLE`; or none of this client, as it
    /// was reset: `ESTALE`.
    pub(crate) fn check_usable(&self) -> Result {
        self.check_device()?;
        if self.device.resets() == self.resets {
            Ok(())
        } else {
            Err(ESTALE)
        }
    }

    /// Fails if the device takes no calls at all: `ENODEV`, `ENOTRECOVERABLE`.
    pub(crate) fn check_device(&self) -> Result {
        if self.device.is_gone() {
            Err(ENODEV)
        } else if self.device.has_failed() {
            Err(ENOTRECOVERABLE)
        } else {
            Ok(())
        }
    }

    /// What channel `number` of a call can do.
    pub(crate) fn channel_limits(&self, number: u32) -> Result<&ChannelLimits, Failure> {
        let channels = &self.device.facts.limits.channels;
        channels
            .get(number as usize)
            .ok_or_else(|| Failure::field(ENOENT, abi::PINDMA_FIELD_CHANNEL))
    }

    /// How fast it gets its turns, for each channel.
    pub(crate) fn paces(&self) -> &[Arc<Pace>] {
        &self.paces
    }

    /// What it asks of a channel: `total` bytes of `parts`.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such channel.
    pub(crate) fn order(&self, route: Route, parts: Parts, total: u64) -> Result<Order> {
        let pace = self.paces.get(route.ch.0 as usize).ok_or(ENOENT)?;
        Ok(Order {
            route,
            parts,
            repeats: false,
            total,
            deadline: Deadline::NONE,
            bounded: false,
            reserved: false,
            resets: self.resets,
            pace: pace.clone(),
            stats: self.stats.clone(),
            name: None,
            owner: None,
        })
    }

    /// An entry, which is to be [given back](Self::give_back).
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn entry(&self) -> Result<Arc<Entry>> {
        let spare = self.spare.lock().take();
        spare.map_or_else(Entry::new, Ok)
    }

    /// Keeps an entry that has ended, for the next call.
    pub(crate) fn give_back(&self, entry: Arc<Entry>) {
        let before = self.spare.lock().replace(entry);
        drop(before);
    }

    /// Lets an entry wait for its channel; see [`Card::submit`].
    ///
    /// # Errors
    ///
    /// As there; or the device is gone, and has given back what it had: `ENODEV`, `ENOTRECOVERABLE`.
    pub(crate) fn submit(&self, ch: Chan, entry: &Arc<Entry>, manner: Manner) -> Result {
        let submit = |card: &Card<'_>| card.submit(ch, entry, manner);
        match self.device.with_card(submit)? {
            Err(ENODEV) => Err(self.device.settle()),
            other => other,
        }
    }

    /// Has the card begin with all that was submitted in a batch.
    pub(crate) fn kick(&self) {
        // If the device is gone, unbind ends it.
        self.device.link().with(|card| card.kick());
    }

    /// Ends an entry early because of `why`: it ends soon, in whatever way.
    pub(crate) fn cancel(&self, ch: Chan, entry: &Arc<Entry>, why: Error) {
        // If the device is gone, unbind ends it.
        let link = self.device.link();
        link.with(|card| card.cancel(ch, entry, why, false));
    }

    /// The same, but only if the device was not told to work on it; whether it was not.
    pub(crate) fn withdraw(&self, ch: Chan, entry: &Arc<Entry>, why: Error) -> bool {
        let withdraw = |card: &Card<'_>| card.cancel(ch, entry, why, true);
        matches!(self.device.link().with(withdraw), Some(Ok(true)))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.device.totals.close(&self.stats);
    }
}
