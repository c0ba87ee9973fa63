// SPDX-License-Identifier: GPL-2.0

//! What an open file has and may use, for as long as something works for it.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    base::{
        access::OpenMode,
        counters,
        failure::Failure,
        progress::Progress,
        quota::Quota,
        until::Until, //
    },
    card::{
        channel::Lease,
        device::Device,
        stats::Stats,
        tiers::Part,
        turns::Pace, //
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

    /// Resets of the device before it was opened.
    pub(crate) fn resets(&self) -> u32 {
        self.resets
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

    /// Waits for a channel; see [`Channel::acquire`](crate::card::channel::Channel::acquire).
    pub(crate) fn acquire(
        &self,
        ch: Chan,
        until: Until<'_>,
        nonblocking: bool,
    ) -> Result<Lease<'_>> {
        let channel = self.device.channel(ch).ok_or(ENOENT)?;
        let pace = self.paces.get(ch.0 as usize).ok_or(ENOENT)?;
        channel.acquire(pace, until, nonblocking)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.device.totals.close(&self.stats);
    }
}
