// SPDX-License-Identifier: GPL-2.0

//! One job from doorbell to end: start, wait, and whatever it takes until the device is done with
//! the memory. No path leaves here while the device may still work on it, but the one that says
//! `ENOTRECOVERABLE`.

use kernel::prelude::*;

use crate::{
    card::{
        Started,
        Work, //
    },
    channel::{
        Lease,
        Retired, //
    },
    counters,
    deadline::Deadline,
    device::Device,
    engine::{
        Chan,
        Observed, //
    },
    file::File,
    kapi::{
        event::Woken,
        trace, //
    },
    params,
    progress::Progress,
    until::Until, //
};

/// How long to wait for an interrupt before the device is asked.
const POLL_MS: u32 = 250;

/// How often the device is asked while it is drained.
const DRAIN_MS: u32 = 20;

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
    file: &'a File,
    lease: &'a Lease<'a>,
    ch: Chan,
    started: Started,
}

/// Runs one job, of as many bytes of `work` as the engine takes.
///
/// # Errors
///
/// If nothing is known of its bytes: `ENODEV` if the device is gone, `EIO` if it refused the job or
/// has lost bus mastering, `ENOTRECOVERABLE` if it did not stop.
pub(crate) fn run(
    file: &File,
    lease: &Lease<'_>,
    work: &Work,
    until: Until<'_>,
    progress: &mut Progress,
) -> Result<Ended> {
    let device = file.device();
    let started = device.with_card(|card| card.start(lease.channel(), work))??;
    progress.started = true;
    progress.at_work = true;
    file.stats().jobs.add(1);
    let running = Running {
        file,
        lease,
        ch: work.ch,
        started,
    };
    let (proof, why) = running.wait(until)?;
    progress.at_work = false;
    let settled = device.with_card(|card| card.settle(work.handle, &proof, started))?;
    let bytes = settled?;
    let short = (bytes < started.len).then_some(EIO);
    Ok(Ended {
        bytes,
        why: why.or(short),
    })
}

impl Running<'_> {
    fn device(&self) -> &Device {
        self.file.device()
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
            self.check_device()?;
            if woken == Woken::Signal {
                break EINTR;
            }
            if let Some(why) = until.over() {
                break why;
            }
            if let Some(proof) = self.poll()? {
                return Ok((proof, None));
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
            self.check_device()?;
            if let Some(proof) = self.poll()? {
                return Ok(proof);
            }
        }
        self.device().with_card(|card| card.recover())??;
        // The device was proved to be quiet, which ended the job.
        self.take().ok_or(ENOTRECOVERABLE)
    }

    fn take(&self) -> Option<Retired> {
        self.lease.channel().take(self.started.ticket)
    }

    /// Asks the device, in case an interrupt was lost.
    fn poll(&self) -> Result<Option<Retired>> {
        if self.device().with_card(|card| card.poll(self.ch))? != Observed::Idle {
            return Ok(None);
        }
        let proof = self.take();
        if proof.is_some() {
            counters::LOST_INTERRUPTS.add(1);
            self.file.stats().lost_interrupts.add(1);
        }
        Ok(proof)
    }

    /// If the device is being unbound, waits until that has settled what we were waiting for.
    fn check_device(&self) -> Result {
        if self.device().is_gone() {
            return Err(self.device().settle());
        }
        if self.device().has_failed() {
            return Err(ENOTRECOVERABLE);
        }
        Ok(())
    }
}
