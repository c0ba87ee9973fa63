// SPDX-License-Identifier: GPL-2.0

//! XDMA, the DMA engine of AMD (Xilinx) for FPGA cards: one to four channels of the card each way, all
//! to memory or all streams, which work through lists of descriptors.
//!
//! A channel of memory is a channel of the card to it and one from it; a stream is one of the two. How
//! jobs end stands in `look.rs`, what a way does with its ring in `way.rs`.

use core::num::NonZeroU64;

use kernel::{
    device::Bound,
    io::{
        register::Array,
        Io, //
    },
    pci,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use self::{
    channels::{
        Channel,
        Channels, //
    },
    port::{
        Bar,
        Port, //
    },
    way::Way, //
};
use super::{
    Abort,
    Bus,
    Chan,
    Engine,
    Job,
    Limits,
    Model,
    Observed,
    Refused,
    Sink,
    Ticket, //
};
use crate::base::params;

mod channels;
mod descriptor;
mod find;
mod look;
mod memory;
mod port;
mod regs;
mod ring;
mod way;

/// XDMA's line in the table of models.
pub(super) const MODEL: Model = Model { bus, open };

/// How often, 1 ms apart, a card is asked whether it is done with what an earlier driver gave it.
const PATIENCE: usize = 100;

fn bus() -> Bus {
    Bus {
        address_bits: 64,
        max_segment: descriptor::MOST,
        boundary: usize::MAX,
    }
}

fn open(pdev: &pci::Device<Bound>) -> Result<Arc<dyn Engine + '_>> {
    let bar = find::bar(pdev)?;
    let mut ports = find::ports(&bar)?;
    bar.write_reg(regs::INTERRUPTS_CLEAR::from(u32::MAX));
    bar.write_reg(regs::USER_INTERRUPTS_CLEAR::from(u32::MAX));
    if !ports.iter().all(has_stopped) {
        // It still works on what an earlier driver gave it.
        dev_err!(pdev, "the device is busy\n");
        return Err(EBUSY);
    }
    let mut channels = Channels::new(params::xdma_memory());
    let mut ways = KVec::with_capacity(ports.len(), GFP_KERNEL)?;
    for port in ports.drain_all() {
        let ch = channels.add(ways.len(), &port.nature())?;
        ways.push(Way::new(pdev.as_ref(), ch, port)?, GFP_KERNEL)?;
    }
    let limits = Limits {
        name: "xdma",
        channels: channels.limits,
        vectors: ways.len() as u32,
        abort: true,
    };
    let xdma = Xdma {
        pdev,
        bar,
        ways,
        channels: channels.all,
        limits: Arc::new(limits, GFP_KERNEL)?,
        vectors: Atomic::new(0),
    };
    Ok(Arc::new(xdma, GFP_KERNEL)?)
}

/// Tells a channel of the card to stop, and whether it has.
fn has_stopped(port: &Port<'_>) -> bool {
    port.halt();
    let idle = || port.status().is_some_and(|status| !status.busy());
    (0..PATIENCE).any(|_| {
        idle() || {
            fsleep(Delta::from_millis(1));
            false
        }
    })
}

/// The engine.
struct Xdma<'b> {
    pdev: &'b pci::Device<Bound>,
    bar: Arc<Bar<'b>>,
    /// First those to the card, then those from it.
    ways: KVec<Pin<KBox<Way<'b>>>>,
    channels: KVec<Channel>,
    limits: Arc<Limits>,
    /// How many interrupt vectors there are.
    vectors: Atomic<u32>,
}

impl<'b> Xdma<'b> {
    /// The ways of a channel.
    fn ways_of(&self, ch: Chan) -> impl Iterator<Item = &Way<'b>> {
        let channel = self.channels.get(ch.0 as usize).copied();
        let numbers = channel.unwrap_or_default().ways();
        let ways = numbers.map(|number| self.ways.get(number?).map(|way| &**way));
        ways.into_iter().flatten()
    }

    /// The ways that share a vector.
    fn ways_on(&self, vector: u32) -> impl Iterator<Item = &Way<'b>> {
        let ways = self.ways.iter().enumerate();
        ways.filter(move |(number, _)| self.vector_of(*number) == vector)
            .map(|(_, way)| &**way)
    }

    /// The interrupt vector of a way.
    fn vector_of(&self, way: usize) -> u32 {
        way as u32 % self.vectors.load(Relaxed).max(1)
    }

    /// Tells the card which vector each channel has, and lets their interrupts through.
    fn set_vectors(&self) {
        self.bar
            .write(regs::VECTORS::at(0), self.vectors_from(0).into());
        self.bar
            .write(regs::VECTORS::at(1), self.vectors_from(4).into());
        let channels = (1 << self.ways.len()) - 1;
        self.bar.write_reg(regs::INTERRUPTS_SET::from(channels));
    }

    /// The vectors of four ways, as a register takes them.
    fn vectors_from(&self, first: usize) -> u32 {
        let vectors = (first..first + 4).map(|way| self.vector_of(way));
        let placed = vectors.zip([0, 8, 16, 24]);
        placed.fold(0, |all, (vector, shift)| all | vector << shift)
    }

    /// Whether the card has left the bus: then it cannot touch memory any more.
    fn has_left(&self) -> bool {
        let vendor = self.pdev.config_space().try_read16(0);
        vendor.is_ok_and(|vendor| vendor == u16::MAX)
    }
}

/// What several ways are together.
fn together(all: impl Iterator<Item = Observed>) -> Observed {
    let mut together = Observed::Idle;
    for one in all {
        together = match (together, one) {
            (Observed::Gone, _) | (_, Observed::Gone) => Observed::Gone,
            (Observed::Busy, _) | (_, Observed::Busy) => Observed::Busy,
            _ => Observed::Idle,
        };
    }
    together
}

// SAFETY: A job retires when the card has said that all of its descriptors are done, or that it is idle
// after `run` was cleared; and idle is reported in the latter case, or if there are no jobs. The card
// begins with nothing but descriptors that it was given, and with none twice: those of jobs that have
// ended are overwritten.
unsafe impl Engine for Xdma<'_> {
    fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    fn wire(&self, vectors: u32) {
        self.vectors.store(vectors, Relaxed);
        self.set_vectors();
    }

    fn queue(&self, ch: Chan, t: Ticket, job: &Job<'_>) -> Result<NonZeroU64, Refused> {
        let channel = self.channels.get(ch.0 as usize);
        let way = channel.and_then(|channel| channel.way(job.side().direction));
        let way = way.and_then(|way| self.ways.get(way));
        way.ok_or(Refused::BadJob)?.queue(t, job)
    }

    fn kick(&self, ch: Chan) {
        self.ways_of(ch).for_each(Way::kick);
    }

    fn irq(&self, vector: u32, sink: &mut dyn Sink) -> bool {
        let mut told = false;
        for way in self.ways_on(vector) {
            told |= way.irq(sink);
        }
        if !told {
            self.ways_on(vector)
                .for_each(|way| way.irq_for_nothing(sink));
        }
        // Nobody else has the vector.
        true
    }

    fn observe(&self, ch: Chan) -> Observed {
        together(self.ways_of(ch).map(Way::observe))
    }

    fn poll(&self, ch: Chan, sink: &mut dyn Sink) -> Observed {
        together(self.ways_of(ch).map(|way| way.poll(sink)))
    }

    fn abort(&self, ch: Chan, t: Ticket) -> Abort {
        // One that is not there has ended.
        let aborted = self.ways_of(ch).find_map(|way| way.abort(t));
        aborted.unwrap_or(Abort::Started)
    }

    fn quiesce(&self) {
        self.ways.iter().for_each(|way| way.hold());
    }

    fn stop_all(&self) -> Observed {
        let observed = together(self.ways.iter().map(|way| way.stop()));
        let stopped = match observed {
            Observed::Idle => true,
            Observed::Gone => self.has_left(),
            Observed::Busy => false,
        };
        if stopped {
            self.ways.iter().for_each(|way| way.forget());
        }
        observed
    }

    fn restart(&self) -> Result {
        self.ways.iter().try_for_each(|way| way.restart())?;
        self.set_vectors();
        Ok(())
    }
}
