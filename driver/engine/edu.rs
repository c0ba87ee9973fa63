// SPDX-License-Identifier: GPL-2.0

//! edu, QEMU's teaching device (`-device edu`): one channel, one job at a time, 4 KiB of memory.
//!
//! It has no error status, no abort and no reset: a job that could not reach memory ends like any
//! other. But edu moves all data of a job at one moment and sends the interrupt in the same, as a
//! message to memory: an interrupt that came shows that the data did. So interrupts must be messages,
//! and a job without one counts for nothing. Each job takes 100 ms of the guest's time. Bus
//! addresses beyond its mask are clamped in silence, so a segment must never lie there; the core
//! checks that when it maps.

use core::num::NonZeroU64;

use kernel::{
    device::Bound,
    io::Io,
    new_spinlock_irq, pci,
    prelude::*,
    sync::{
        Arc,
        SpinLockIrq, //
    },
};

use super::{
    Abort,
    Bus,
    Chan,
    ChannelLimits,
    Engine,
    Job,
    Kind,
    Limits,
    Model,
    Observed,
    Outcome,
    Refused,
    Sink,
    Ticket, //
};
use crate::{
    base::params,
    kapi::pins::Direction, //
};

mod regs;

/// edu's line in the table of models.
pub(super) const MODEL: Model = Model { bus, open };

/// It needs no alignment; and what it is taken for, so that programs can be tried without a card that
/// needs some.
fn limits() -> Result<Arc<Limits>> {
    let (addr_align, len_align, dev_align) = match params::aligned() {
        true => (64, 16, 32),
        false => (1, 1, 1),
    };
    let channel = ChannelLimits {
        kind: Kind::Memory(regs::MEMORY_BYTES),
        to_device: true,
        from_device: true,
        staging: Some((0, regs::MEMORY_BYTES)),
        fixed: false,
        when_told: true,
        addr_align,
        len_align,
        dev_align,
        job_bytes: regs::MEMORY_BYTES,
        job_segments: 1,
        depth: 1,
    };
    let limits = Limits {
        name: "edu",
        channels: KVec::from_elem(channel, 1, GFP_KERNEL)?,
        vectors: 1,
        abort: false,
    };
    Ok(Arc::new(limits, GFP_KERNEL)?)
}

fn bus() -> Bus {
    Bus {
        address_bits: params::dma_bits(),
        max_segment: params::max_segment(),
        boundary: usize::MAX,
    }
}

fn open(pdev: &pci::Device<Bound>) -> Result<Arc<dyn Engine + '_>> {
    let bar = pdev.iomap_region_sized::<{ regs::END }>(0, c"pindma")?;
    check(&bar).inspect_err(|_| dev_err!(pdev, "the device does not answer as an edu does\n"))?;
    let edu = Arc::pin_init(Edu::new(bar, limits()?), GFP_KERNEL)?;
    if edu.busy() {
        // It still works on what an earlier driver gave it.
        dev_err!(pdev, "the device is busy\n");
        return Err(EBUSY);
    }
    edu.ack();
    Ok(edu)
}

type Bar<'b> = pci::Bar<'b, { regs::END }>;

/// Checks that the registers are those of a living edu.
fn check(bar: &Bar<'_>) -> Result {
    const PROBE: u32 = 0x5aa5_0ff0;
    let magic: u32 = bar.read(regs::ID).magic().into();
    if magic != regs::MAGIC {
        // Whatever it is, nothing is written to it.
        return Err(ENODEV);
    }
    bar.write_reg(regs::LIVENESS::zeroed().with_value(PROBE));
    let answer: u32 = bar.read(regs::LIVENESS).value().into();
    (answer == !PROBE).then_some(()).ok_or(ENODEV)
}

/// The engine.
#[pin_data]
struct Edu<'b> {
    bar: Bar<'b>,
    limits: Arc<Limits>,
    /// The job that was started last and has not retired.
    #[pin]
    current: SpinLockIrq<Option<Ticket>>,
}

impl<'b> Edu<'b> {
    fn new(bar: Bar<'b>, limits: Arc<Limits>) -> impl PinInit<Self> + 'b {
        pin_init!(Self {
            bar,
            limits,
            current <- new_spinlock_irq!(None),
        })
    }

    fn busy(&self) -> bool {
        self.bar.read(regs::DMA_COMMAND).run()
    }

    /// A device that is no longer there reads as all ones, one whose registers are switched off as
    /// whatever the bus makes of it: neither is to be taken for an idle edu.
    fn look(&self) -> Observed {
        match u32::from(self.bar.read(regs::ID).magic()) {
            regs::MAGIC if self.busy() => Observed::Busy,
            regs::MAGIC => Observed::Idle,
            _ => Observed::Gone,
        }
    }

    fn ack(&self) {
        self.bar.write_reg(regs::IRQ_ACK::zeroed().with_dma(true));
    }

    /// Reports the current job if the device is done with it.
    fn retire(&self, current: &mut Option<Ticket>, sink: &mut dyn Sink, outcome: Outcome) {
        // An interrupt of an earlier job may be seen while the next one runs.
        if self.look() != Observed::Idle {
            return;
        }
        if let Some(ticket) = current.take() {
            sink.retire(Chan(0), ticket, outcome);
        }
    }

    fn command(&self, bus_addr: u64, dev_addr: u64, len: u32, direction: Direction) -> Result {
        let memory = regs::MEMORY + dev_addr;
        let to_memory = direction == Direction::FromDevice;
        let (src, dst) = if to_memory {
            (memory, bus_addr)
        } else {
            (bus_addr, memory)
        };
        // In the `kernel` crate a BAR is aligned to 4 bytes only as far as the compiler knows.
        self.bar
            .try_write_reg(regs::DMA_SRC::zeroed().with_addr(src))?;
        self.bar
            .try_write_reg(regs::DMA_DST::zeroed().with_addr(dst))?;
        self.bar
            .write_reg(regs::DMA_COUNT::zeroed().with_bytes(len));
        self.bar.write_reg(
            regs::DMA_COMMAND::zeroed()
                .with_run(true)
                .with_to_memory(to_memory)
                .with_irq(true),
        );
        Ok(())
    }
}

// SAFETY: A job retires, and idle is reported, only after the run bit was read as zero. The device
// clears that bit after the last access, and starts nothing by itself.
unsafe impl Engine for Edu<'_> {
    fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    fn queue(&self, _ch: Chan, t: Ticket, job: &Job<'_>) -> Result<NonZeroU64, Refused> {
        let mut current = self.current.lock();
        match self.look() {
            Observed::Gone => return Err(Refused::Gone),
            Observed::Idle if current.is_none() => {}
            _ => return Err(Refused::Full),
        }
        let segment = job.segments().next().ok_or(Refused::BadJob)?;
        let side = job.side();
        let room = regs::MEMORY_BYTES.saturating_sub(side.dev_addr);
        let len = NonZeroU64::new(segment.len().min(room)).ok_or(Refused::BadJob)?;
        if side.dev_fixed {
            return Err(Refused::BadJob);
        }
        // What fails here fails before the device was told to run.
        self.command(
            segment.addr(),
            side.dev_addr,
            len.get() as u32,
            side.direction,
        )
        .map_err(|_| Refused::BadJob)?;
        *current = Some(t);
        Ok(len)
    }

    fn irq(&self, _vector: u32, sink: &mut dyn Sink) -> bool {
        let mut current = self.current.lock();
        let status = self.bar.read(regs::IRQ_STATUS);
        if status.into_raw() == u32::MAX || !status.dma() {
            return false;
        }
        self.ack();
        // The message of an interrupt takes the way that the data took, at the same moment.
        self.retire(&mut current, sink, Outcome::Done);
        true
    }

    fn observe(&self, _ch: Chan) -> Observed {
        self.look()
    }

    fn poll(&self, _ch: Chan, sink: &mut dyn Sink) -> Observed {
        let mut current = self.current.lock();
        let observed = self.look();
        if observed == Observed::Idle {
            // What is found here must not be found again by a late interrupt.
            self.ack();
            self.retire(&mut current, sink, Outcome::Unproven);
        }
        observed
    }

    fn abort(&self, _ch: Chan, _t: Ticket) -> Abort {
        match self.look() {
            Observed::Gone => Abort::Gone,
            _ => Abort::Unsupported,
        }
    }

    /// A job begins with its command.
    fn kick(&self, _ch: Chan) {}

    /// It has nothing to begin with but the job that it works on.
    fn quiesce(&self) {}

    fn stop_all(&self) -> Observed {
        let mut current = self.current.lock();
        let observed = self.look();
        if observed != Observed::Busy {
            *current = None;
        }
        observed
    }

    fn restart(&self) -> Result {
        self.ack();
        Ok(())
    }
}
