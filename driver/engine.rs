// SPDX-License-Identifier: GPL-2.0

//! What a card must be able to do: one trait, one file for each card, one line in [`PCI_TABLE`].
//!
//! The core pins, maps, waits, times out and gives back; an engine only takes jobs, says how they
//! ended, and says truthfully whether it is idle. The shape fits a card with many channels and
//! lists of descriptors as well as one that moves a page at a time.

use core::num::NonZeroU64;

use kernel::{
    device::Bound,
    pci::{
        self,
        Vendor, //
    },
    prelude::*,
    sync::Arc, //
};

use crate::kapi::{
    mapped::{
        DmaSegment,
        Segments, //
    },
    pins::Direction,
    vendor, //
};

pub(crate) mod edu;
mod limits;
pub(crate) mod xdma;

pub(crate) use self::limits::{
    is_multiple,
    Bus,
    ChannelLimits,
    Kind,
    Limits,
    MOST_DEPTH, //
};

/// Index of a channel, below [`Limits::channels`]' length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Chan(pub(crate) u32);

/// The name of one job, never used twice. Hardware gets tickets, never pointers: a completion that
/// is late, double or made up then names a job that nobody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ticket(pub(crate) u64);

/// The device's side of a job.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    /// Which way the data goes.
    pub(crate) direction: Direction,
    /// Device address.
    pub(crate) dev_addr: u64,
    /// The device address does not advance.
    pub(crate) dev_fixed: bool,
}

/// Work for a channel: a part of mapped memory, and the device's side of it.
///
/// Only an armed mapping has the segments to make one: no engine is given an address that is not
/// mapped, or may be unmapped.
pub(crate) struct Job<'a> {
    side: Side,
    /// Segments of the whole mapping.
    mapped: Segments<'a>,
    /// Where it starts, in bytes from the start of the mapping.
    offset: u64,
    len: u64,
}

impl<'a> Job<'a> {
    /// Work on `len` bytes, `offset` bytes from the start of `mapped`.
    pub(crate) fn new(side: Side, mapped: Segments<'a>, offset: u64, len: u64) -> Self {
        Self {
            side,
            mapped,
            offset,
            len,
        }
    }

    /// The device's side.
    pub(crate) fn side(&self) -> Side {
        self.side
    }

    /// Bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The segments to work on, in order; their lengths add up to [`len`](Self::len).
    pub(crate) fn segments(&self) -> impl Iterator<Item = DmaSegment> + 'a {
        self.mapped.part(self.offset, self.len)
    }
}

/// Why a job was not started; the device has not touched its segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// The channel has no room now.
    Full,
    /// The device cannot do such a job.
    BadJob,
    /// The device does not answer.
    Gone,
}

/// How a job ended. What a device counts is bounded by the core before it is believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// All bytes were moved.
    Done,
    /// So many bytes were moved, and no more will be.
    Short(u64),
    /// The device reports an error, after so many bytes.
    Fault(u64),
    /// The job was ended before its time, after so many bytes.
    Aborted(u64),
    /// The card has not begun with it, since a job before it has failed: it may be queued again.
    NotStarted,
    /// The device works on it no more, and nothing shows that it reached memory: none of its bytes
    /// count. A device that could not reach memory for a moment may not know it.
    Unproven,
}

/// Whether a device or channel works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Observed {
    /// It does not, and will not touch memory again unless it is given a job.
    Idle,
    /// It does.
    Busy,
    /// It does not answer.
    Gone,
}

/// What became of an abort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Abort {
    /// It is under way; the job will retire.
    Started,
    /// The device cannot: the job must be waited for.
    Unsupported,
    /// The device does not answer.
    Gone,
}

/// Proof that a job was not started: only [`queue`] makes one, of an engine's refusal.
pub(crate) struct NotStarted {
    ticket: Ticket,
    why: Refused,
}

impl NotStarted {
    /// Which job.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Why it was not.
    pub(crate) fn why(&self) -> Refused {
        self.why
    }
}

/// Queues a job, or a part of it: [`Engine::queue`].
pub(crate) fn queue(
    engine: &dyn Engine,
    ch: Chan,
    ticket: Ticket,
    job: &Job<'_>,
) -> Result<NonZeroU64, NotStarted> {
    let refused = |why| NotStarted { ticket, why };
    let limits = engine.limits().channels.get(ch.0 as usize);
    if !limits.is_some_and(|limits| limits.takes(job)) {
        return Err(refused(Refused::BadJob));
    }
    engine.queue(ch, ticket, job).map_err(refused)
}

/// Where an engine reports jobs that ended.
pub(crate) trait Sink {
    /// The job with ticket `t` on channel `ch` has ended: the device will not touch its segments
    /// again.
    fn retire(&mut self, ch: Chan, t: Ticket, outcome: Outcome);
}

/// A card's engine.
///
/// All of it may be called in atomic context, from any thread, and must bound its own waits.
///
/// # Safety
///
/// [`Sink::retire`], [`Observed::Idle`] and `stop_all() == Observed::Idle` are promises that the card
/// can no longer touch the segments of the job, of the channel's jobs, or of any job. User memory
/// is given back on the strength of them.
pub(crate) unsafe trait Engine: Send + Sync {
    /// What the card can do; never changes.
    fn limits(&self) -> &Arc<Limits>;

    /// The card has got so many interrupt vectors, at least one, and may use them from now on.
    fn wire(&self, _vectors: u32) {}

    /// Takes a job, or as many bytes from its start as the card takes at a time, and returns how
    /// many: a multiple of the channel's alignment, or all. The card need not begin with it before
    /// [`kick`](Self::kick).
    fn queue(&self, ch: Chan, t: Ticket, job: &Job<'_>) -> Result<NonZeroU64, Refused>;

    /// Has the card begin with all that was queued on a channel.
    fn kick(&self, ch: Chan);

    /// Handles a hard interrupt; returns whether it was the card's.
    fn irq(&self, vector: u32, sink: &mut dyn Sink) -> bool;

    /// Looks at a channel, and changes nothing: a job that has ended may still be reported by its
    /// interrupt.
    fn observe(&self, ch: Chan) -> Observed;

    /// Reports what has ended on a channel whose interrupts were waited for in vain. Unless the card
    /// has another witness, nobody knows whether it reached memory: [`Outcome::Unproven`].
    fn poll(&self, ch: Chan, sink: &mut dyn Sink) -> Observed;

    /// Asks the card to end a job early; never waits for it.
    fn abort(&self, ch: Chan, t: Ticket) -> Abort;

    /// Tells the card to begin with nothing more, before its bus mastering goes off: what it has
    /// begun with may need the bus to end.
    fn quiesce(&self);

    /// Stops the card, whose bus mastering is off already, and says whether it has stopped. Is
    /// called until it has.
    fn stop_all(&self) -> Observed;

    /// Makes the card ready again after it was stopped.
    fn restart(&self) -> Result;
}

/// A model of card.
pub(crate) struct Model {
    /// How it drives the bus.
    pub(crate) bus: fn() -> Bus,
    /// Makes its engine, with bus mastering still off.
    pub(crate) open: for<'b> fn(&'b pci::Device<Bound>) -> Result<Arc<dyn Engine + 'b>>,
}

/// Makes the table of lines `vendor, model => device ids`.
macro_rules! table {
    ($($vendor:expr, $model:expr => $($device:literal)+;)+) => {
        kernel::pci_device_table!(
            PCI_TABLE,
            Model,
            [$($((pci::DeviceId::from_id($vendor, $device), $model),)+)+]
        );
    };
}

table! {
    vendor::QEMU, edu::MODEL => 0x11e8;
    Vendor::XILINX, xdma::MODEL =>
        0x2808 0x4808 0x4828 0x4908 0x4a28 0x4b28 0x6828 0x6830 0x6928 0x6930 0x6a28 0x6a30 0x6d30
        0x7011 0x7012 0x7014 0x7018 0x7021 0x7022 0x7024 0x7028 0x7031 0x7032 0x7034 0x7038
        0x8011 0x8012 0x8014 0x8018 0x8021 0x8022 0x8024 0x8028 0x8031 0x8032 0x8034 0x8038
        0x9011 0x9012 0x9014 0x9018 0x9021 0x9022 0x9024 0x9028 0x9031 0x9032 0x9034 0x9038 0x903f
        0x9041 0x9042 0x9044 0x9048;
    Vendor::AMAZON, xdma::MODEL => 0xf000 0xf001;
}

/// What a device is taken for that an administrator gives to the driver, whatever its ids are: the
/// engine looks without a write, and leaves it alone if it is not.
pub(crate) const OVERRIDDEN: &Model = &xdma::MODEL;

/// All models, by their PCI ids.
pub(crate) const TABLE: pci::IdTable<Model> = &PCI_TABLE;

#[kunit_tests(pindma_job)]
mod tests {
    use super::*;

    const MAPPED: [DmaSegment; 3] = [
        DmaSegment::of_a_test(100, 10),
        DmaSegment::of_a_test(200, 20),
        DmaSegment::of_a_test(300, 30),
    ];

    fn segments(offset: u64, len: u64) -> Result<KVec<(u64, u64)>> {
        let side = Side {
            direction: Direction::ToDevice,
            dev_addr: 0,
            dev_fixed: false,
        };
        let job = Job::new(side, Segments::of_a_test(&MAPPED), offset, len);
        let mut found = KVec::new();
        for segment in job.segments() {
            found.push((segment.addr(), segment.len()), GFP_KERNEL)?;
        }
        Ok(found)
    }

    #[test]
    fn a_job_sees_its_part_of_the_mapping() -> Result {
        assert_eq!(segments(0, 60)?[..], [(100, 10), (200, 20), (300, 30)]);
        assert_eq!(segments(5, 10)?[..], [(105, 5), (200, 5)]);
        assert_eq!(segments(10, 20)?[..], [(200, 20)]);
        assert_eq!(segments(59, 1)?[..], [(329, 1)]);
        Ok(())
    }

    #[test]
    fn a_job_sees_nothing_beyond_the_mapping() -> Result {
        assert_eq!(segments(50, 100)?[..], [(320, 10)]);
        assert_eq!(segments(60, 1)?.len(), 0);
        assert_eq!(segments(0, 0)?.len(), 0);
        Ok(())
    }
}
