// SPDX-License-Identifier: GPL-2.0

//! A device as its files know it. It outlives the binding: files may be open for longer.

use kernel::{
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        Arc, //
    },
    time::msecs_to_jiffies, //
};

use crate::{
    base::{
        counters::Gauge,
        params,
        quota::Quota, //
    },
    card::{
        channel::{
            Channel,
            Channels,
            Gate, //
        },
        scrap::Scraps,
        stats::Totals,
        table,
        tiers::{
            Part,
            Tiers, //
        },
        watch::Watch,
        Card, //
    },
    engine::{
        Chan,
        Limits, //
    },
    kapi::{
        event::{
            Event,
            Woken, //
        },
        file_ops::OpenFlags,
        link::{
            Link,
            Target, //
        }, //
    }, //
};

/// The driver.
pub(crate) struct Pindma;

impl Target for Pindma {
    type Of<'b> = Card<'b>;
}

/// `opens` of a device that is open exclusively.
const EXCLUSIVE: i32 = -1;

/// What does not change while a device is bound.
pub(crate) struct Facts {
    /// What the card can do.
    pub(crate) limits: Arc<Limits>,
    /// Its address on the bus.
    pub(crate) bus: CString,
    /// Alignment in bytes of what the device writes, which keeps neighbours intact: a cache line,
    /// or 1 if the device sees the caches.
    pub(crate) cache_align: u32,
}

/// A device.
#[pin_data]
pub(crate) struct Device {
    #[pin]
    link: Link<Pindma>,
    channels: Channels,
    /// Raised when unbind has unmapped everything, or has given it up.
    #[pin]
    settled: Event,
    /// Stirred when unbind begins, or the device has failed.
    watch: Arc<Watch>,
    gone: Atomic<bool>,
    failed: Atomic<bool>,
    generation: Atomic<u32>,
    resets: Atomic<u32>,
    /// Pages that are given up.
    leaked: Arc<Gauge>,
    opens: Atomic<i32>,
    /// What all files have done.
    #[pin]
    pub(crate) totals: Totals,
    /// Pages that may be pinned.
    pub(crate) quota: Arc<Quota>,
    /// What users have of it and of the channels.
    #[pin]
    tiers: Tiers,
    /// Where data goes that nobody wants.
    #[pin]
    scraps: Scraps,
    /// Most pages that one file may have, or all files of an ordinary user.
    max_file_pages: usize,
    /// What does not change.
    pub(crate) facts: Facts,
}

impl Device {
    /// A device that is about to be bound, with room to map `room` pages at a time.
    pub(crate) fn new(facts: Facts, room: usize) -> Result<Arc<Self>> {
        let mut channels = KVec::new();
        for (number, limits) in (0..).zip(&facts.limits.channels) {
            let channel = Channel::new(Chan(number), params::channel_jobs(limits.depth));
            channels.push(KBox::pin_init(channel, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        let quota = Arc::new(Quota::new(params::max_pinned_pages(room)), GFP_KERNEL)?;
        Arc::pin_init(
            try_pin_init!(Self {
                link <- Link::new(),
                channels,
                settled <- Event::new(),
                watch: Arc::pin_init(Watch::new(), GFP_KERNEL)?,
                gone: Atomic::new(false),
                failed: Atomic::new(false),
                generation: Atomic::new(0),
                resets: Atomic::new(0),
                leaked: Arc::new(Gauge::new(), GFP_KERNEL)?,
                opens: Atomic::new(0),
                totals <- Totals::new(),
                quota,
                tiers <- Tiers::new(facts.limits.channels.len()),
                scraps <- Scraps::new(),
                max_file_pages: params::max_file_pages(room),
                facts,
            }),
            GFP_KERNEL,
        )
    }

    /// Most pages that one file may have pinned.
    pub(crate) fn max_file_pages(&self) -> usize {
        self.max_file_pages.min(self.quota.limit())
    }

    /// Where data goes that nobody wants.
    pub(crate) fn scraps(&self) -> &Scraps {
        &self.scraps
    }

    /// What a file that is being opened may have.
    pub(crate) fn file_part(&self) -> Result<Part> {
        let limit = self.max_file_pages();
        self.tiers
            .part(&self.quota, limit, Self::MOST_FILE_MAPPINGS)
    }

    /// Most mappings that one file may have at a time.
    pub(crate) const MOST_FILE_MAPPINGS: usize = table::MOST / 2;

    /// The way to what belongs to the binding.
    pub(crate) fn link(&self) -> &Link<Pindma> {
        &self.link
    }

    /// Calls `f` with what belongs to the binding; see [`Link::with`] for what `f` must not do.
    ///
    /// # Errors
    ///
    /// `ENODEV` if the device is gone. Then everything that it worked on for the caller was given
    /// back or up: [`settle`](Self::settle) was waited for.
    pub(crate) fn with_card<R>(&self, f: impl for<'a> FnOnce(&'a Card<'a>) -> R) -> Result<R> {
        self.link.with(f).ok_or_else(|| self.settle())
    }

    /// Waits until unbind has stopped the device and unmapped everything, which is bounded. By then
    /// it is given back as well, unless somebody else holds pages locked. Returns the errno to tell.
    /// Before that, a call must not return: the device, or unmapping, may still write to its memory.
    pub(crate) fn settle(&self) -> Error {
        while self.settled.wait(msecs_to_jiffies(1000)) == Woken::TimedOut {}
        if self.has_failed() {
            ENOTRECOVERABLE
        } else {
            ENODEV
        }
    }

    /// Says that unbind has settled everything.
    pub(crate) fn set_settled(&self) {
        self.settled.raise_for_good();
    }

    /// One of its channels.
    pub(crate) fn channel(&self, ch: Chan) -> Option<&Channel> {
        self.channels.get(ch.0 as usize).map(|channel| &**channel)
    }

    /// All of its channels, in their order.
    pub(crate) fn all_channels(&self) -> &Channels {
        &self.channels
    }

    /// All of its channels.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().map(|channel| &**channel)
    }

    /// Unbind begins: new calls are refused, and everybody who waits is woken.
    pub(crate) fn close(&self) {
        self.gone.store(true, Release);
        self.channels()
            .for_each(|channel| channel.set_gate(Gate::Closed));
        self.watch.stir();
    }

    /// Whom it tells when unbind begins, or it has failed.
    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// Whether unbind has begun.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Acquire)
    }

    /// The device did not stop when told to, or does not start. It gets no job any more.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Release);
        // What is waited for will not come.
        self.watch.stir();
    }

    /// Whether the device has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Acquire)
    }

    /// The device was reset, or could not reach memory: what works on it now may have moved nothing
    /// and not know it.
    pub(crate) fn begin_generation(&self) {
        self.generation.fetch_add(1, Full);
    }

    /// What a job takes along, to see whether that has happened meanwhile.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Acquire)
    }

    /// The device is reset: what its memory holds then is unknown.
    pub(crate) fn note_reset(&self) {
        self.resets.fetch_add(1, Full);
    }

    /// How often the device was reset since it was bound, or lost power. A file from before the last
    /// is of no use.
    pub(crate) fn resets(&self) -> u32 {
        self.resets.load(Acquire)
    }

    /// Pages that are given up, as the device may still work on them.
    pub(crate) fn leaked(&self) -> &Arc<Gauge> {
        &self.leaked
    }

    /// Counts a file that is opened.
    ///
    /// # Errors
    ///
    /// `EBUSY` if it is open exclusively, or is open and `flags` want it exclusively; `ENODEV`.
    pub(crate) fn open(this: &Arc<Self>, flags: OpenFlags) -> Result<Opened> {
        if this.is_gone() {
            return Err(ENODEV);
        }
        let mut opens = this.opens.load(Relaxed);
        loop {
            let then = match (opens, flags.exclusive()) {
                (EXCLUSIVE, _) | (1.., true) => return Err(EBUSY),
                (_, true) => EXCLUSIVE,
                (opens, false) => opens.checked_add(1).ok_or(EBUSY)?,
            };
            match this.opens.cmpxchg(opens, then, Full) {
                Ok(_) => return Ok(Opened(this.clone())),
                Err(other) => opens = other,
            }
        }
    }
}

/// A device that a file holds open.
pub(crate) struct Opened(Arc<Device>);

impl Drop for Opened {
    fn drop(&mut self) {
        let mut opens = self.0.opens.load(Relaxed);
        loop {
            let then = if opens == EXCLUSIVE { 0 } else { opens - 1 };
            match self.0.opens.cmpxchg(opens, then, Full) {
                Ok(_) => return,
                Err(other) => opens = other,
            }
        }
    }
}
