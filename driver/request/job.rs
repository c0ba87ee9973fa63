// SPDX-License-Identifier: GPL-2.0

//! One job from doorbell to end: start, wait, and whatever it takes until the device is done with
//! the memory. No path leaves here while the device may still work on it, but the one that says
//! `ENOTRECOVERABLE`.

use core::cell::Cell;

use kernel::prelude::*;

use crate::{
    base::{
        counters,
        deadline::Deadline,
        params,
        progress::Progress,
        until::Until, //
    },
    card::{
        channel::{
            Lease,
            Retired, //
        },
        device::Device,
        Started,
        Work, //
    },
    engine::{
        Chan,
        Kind,
        Observed,
        Outcome, //
    },
    kapi::{
        event::Woken,
        signal::Unnotified,
        trace, //
    },
    memory::client::Client, //
};

/// How long to wait for an interrupt before the device is asked.
const POLL_MS: u32 = 250;

/// How often the device is asked while it is drained.
const DRAIN_MS: u32 = 20;

/// How long the interrupt of a job may be late, in ns, once the device was seen to be idle. On a busy
/// machine the one that waits may be faster than the CPU that the interrupt goes to.
const LATE_NS: i64 = 1_000_000_000;

/// How often a card may hand a job back.
const MOST_STARTS: u32 = 64;

/// How a job ended that has ended.
pub(crate) struct Ended {
    /// Bytes moved.
    pub(crate) bytes: u64,
    /// Why the call must end now, with those bytes: a signal, the deadline, that it was told to, or
    /// an error of the device.
    pub(crate) why: Option<Error>,
}

/// A job that runs.
struct Running<'a> {
    client: &'a Client,
    lease: &'a Lease<'a>,
    ch: Chan,
    started: Started,
    /// Until when it must have ended, whatever the caller's deadline is.
    bound: Deadline,
    /// Until when its interrupt is waited for, since the device was seen to be idle.
    late: Cell<Option<Deadline>>,
}

/// What a look at the device shows.
enum Seen {
    /// The job has ended.
    Ended(Retired),
    /// The job has not ended, or its interrupt may still come.
    Open,
    /// The registers cannot be read.
    Nothing,
}

/// Runs one job, of as many bytes of `work` as the engine takes. If the card hands it back, it is made
/// again.
///
/// # Errors
///
/// If nothing is known of its bytes: `ENODEV` if the device is gone, `EIO` if it refused the job, was
/// reset, has lost bus mastering, sent no interrupt or never began, `ENOTRECOVERABLE` if it did not
/// stop.
pub(crate) fn run(
    client: &Client,
    lease: &Lease<'_>,
    work: &Work,
    until: Until<'_>,
    progress: &mut Progress,
) -> Result<Ended> {
    for _ in 0..MOST_STARTS {
        if let Some(ended) = run_once(client, lease, work, until, progress)? {
            return Ok(ended);
        }
    }
    Err(EIO)
}

/// `None` if the card has not begun with it.
fn run_once(
    client: &Client,
    lease: &Lease<'_>,
    work: &Work,
    until: Until<'_>,
    progress: &mut Progress,
) -> Result<Option<Ended>> {
    let device = client.device();
    let started = device.with_card(|card| card.start(lease.channel(), work, client.resets()))??;
    progress.started = true;
    progress.at_work = true;
    client.stats().jobs.add(1);
    // It is not made again: what looks like a signal must not end it.
    let _unnotified = Unnotified::new();
    let running = Running {
        client,
        lease,
        ch: work.ch,
        started,
        bound: bound(client, work.ch),
        late: Cell::new(None),
    };
    let (proof, why) = running.wait(until)?;
    progress.at_work = false;
    let settled = device.with_card(|card| card.settle(work.handle, &proof, started))?;
    let bytes = settled?;
    if proof.outcome() == Outcome::NotStarted && why.is_none() {
        return Ok(None);
    }
    let short = (bytes < started.len).then_some(EIO);
    Ok(Some(Ended {
        bytes,
        why: why.or(short),
    }))
}

/// Until when a job on channel `ch` that begins now must have ended: others wait for the channel
/// meanwhile. A stream may have nothing to say for as long as it likes.
fn bound(client: &Client, ch: Chan) -> Deadline {
    let longest = || Deadline::after(params::max_timeout_ns());
    match client.channel_limits(ch.0).map(|limits| limits.kind) {
        Ok(Kind::Memory(_)) => longest(),
        _ => Deadline::NONE,
    }
}

impl Running<'_> {
    fn device(&self) -> &Device {
        self.client.device()
    }

    /// Waits for the job to end. With a signal, or when its time is over, it is drained.
    fn wait(&self, until: Until<'_>) -> Result<(Retired, Option<Error>)> {
        let why = loop {
            let woken = self
                .lease
                .channel()
                .wait_interruptible(until.slice(POLL_MS));
            if let Some(proof) = self.take() {
                return Ok((proof, None));
            }
            if let Some(proof) = self.check_device()? {
                return Ok((proof, None));
            }
            if woken == Woken::Signal {
                break EINTR;
            }
            if let Some(why) = until.over() {
                break why;
            }
            if self.bound.passed() {
                break EIO;
            }
            match self.look()? {
                Seen::Ended(proof) => return Ok((proof, None)),
                Seen::Open => {}
                Seen::Nothing => break EIO,
            }
        };
        Ok((self.drain(why)?, Some(why)))
    }

    /// Ends the job early if the device can, and waits for it whatever signals are pending: memory
    /// that the device may write must not be given back.
    fn drain(&self, why: Error) -> Result<Retired> {
        let ticket = self.started.ticket;
        trace::cancel(self.ch.0, ticket.0, why);
        self.device()
            .with_card(|card| card.abort(self.ch, ticket))?;
        let patience = Deadline::after(params::drain_ns());
        while !patience.passed() {
            self.lease.channel().wait(patience.slice(DRAIN_MS));
            if let Some(proof) = self.take() {
                return Ok(proof);
            }
            if let Some(proof) = self.check_device()? {
                return Ok(proof);
            }
            if let Seen::Ended(proof) = self.look()? {
                return Ok(proof);
            }
        }
        if let Some(proof) = self.poll()? {
            return Ok(proof);
        }
        self.device().with_card(|card| card.recover())??;
        // The device was proved to be quiet, which ended the job.
        self.take().ok_or(ENOTRECOVERABLE)
    }

    fn take(&self) -> Option<Retired> {
        self.lease.channel().take(self.started.ticket)
    }

    /// Looks at the device, in case the interrupt was lost.
    fn look(&self) -> Result<Seen> {
        match self.device().with_card(|card| card.observe(self.ch))? {
            Observed::Busy => return Ok(Seen::Open),
            Observed::Gone => return Ok(Seen::Nothing),
            Observed::Idle => {}
        }
        let late = self.late.get().unwrap_or_else(|| Deadline::after(LATE_NS));
        self.late.set(Some(late));
        if !late.passed() {
            return Ok(Seen::Open);
        }
        Ok(self.poll()?.map_or(Seen::Open, Seen::Ended))
    }

    /// Takes the job without its interrupt, if the device is idle.
    fn poll(&self) -> Result<Option<Retired>> {
        self.device().with_card(|card| card.poll(self.ch))?;
        let proof = self.take();
        if matches!(&proof, Some(proof) if proof.outcome() == Outcome::Unproven) {
            counters::LOST_INTERRUPTS.add(1);
            self.client.stats().lost_interrupts.add(1);
        }
        Ok(proof)
    }

    /// If the device is being unbound, waits until that has settled what we were waiting for. If it
    /// has failed, the job may have ended before that.
    fn check_device(&self) -> Result<Option<Retired>> {
        if self.device().is_gone() {
            return Err(self.device().settle());
        }
        if self.device().has_failed() {
            return self.take().map(Some).ok_or(ENOTRECOVERABLE);
        }
        Ok(None)
    }
}
