// SPDX-License-Identifier: GPL-2.0

//! What a card can do, in numbers. They are checked once, when the card is made: whoever uses them
//! divides by none that is zero, and cuts nothing where the card cannot go on.

use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

use super::Job;
use crate::kapi::mapped::DmaSegment;

/// How a device drives the bus; known before the engine is made.
pub(crate) struct Bus {
    /// Address bits that it drives.
    pub(crate) address_bits: u32,
    /// Longest segment in bytes; if that is less than a page, a multiple of all alignments.
    pub(crate) max_segment: u32,
    /// A segment must not cross a multiple of this plus one; a mask.
    pub(crate) boundary: usize,
}

/// What is behind a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Memory of so many bytes, which jobs address.
    Memory(u64),
    /// A stream; jobs have no address.
    Stream,
}

/// Most jobs that a channel may have at a time.
pub(crate) const MOST_DEPTH: u32 = 4096;

/// What a channel can do.
#[derive(Clone, Copy)]
pub(crate) struct ChannelLimits {
    /// What is behind it.
    pub(crate) kind: Kind,
    /// It can read user memory.
    pub(crate) to_device: bool,
    /// It can write user memory.
    pub(crate) from_device: bool,
    /// Device address and length in bytes of the window that copies are staged in, if it can.
    pub(crate) staging: Option<(u64, u64)>,
    /// A job's device address may be fixed.
    pub(crate) fixed: bool,
    /// It writes to memory only for a job. A card that writes into what it was given once, whenever
    /// it likes, says no; programs then know that registered memory may change under their hands.
    pub(crate) when_told: bool,
    /// Alignment in bytes that jobs' bus addresses need; a power of two, up to a page. What is
    /// longer than a job is cut at multiples of it.
    pub(crate) addr_align: u32,
    /// Alignment in bytes that jobs' lengths need; a power of two, up to `addr_align`.
    pub(crate) len_align: u32,
    /// Alignment in bytes that jobs' device addresses need; a power of two, up to `addr_align`.
    pub(crate) dev_align: u32,
    /// Most bytes taken at a time, a multiple of `addr_align`.
    pub(crate) job_bytes: u64,
    /// Most segments taken at a time.
    pub(crate) job_segments: u32,
    /// Most jobs that it has at a time.
    pub(crate) depth: u32,
}

/// What a card can do.
pub(crate) struct Limits {
    /// Its name, for people.
    pub(crate) name: &'static str,
    /// Its channels.
    pub(crate) channels: KVec<ChannelLimits>,
    /// Interrupt vectors that it can use.
    pub(crate) vectors: u32,
    /// Jobs can be aborted.
    pub(crate) abort: bool,
}

/// What makes no sense of numbers, in words for the author of an engine.
pub(crate) type Complaint = &'static str;

impl Limits {
    /// Checks that the numbers make sense, also beside those of the bus.
    pub(crate) fn check(&self, bus: &Bus) -> core::result::Result<(), Complaint> {
        if self.channels.is_empty() {
            return Err("there is no channel");
        }
        self.channels.iter().try_for_each(|channel| {
            channel.check()?;
            bus.check(channel.addr_align)
        })
    }
}

impl ChannelLimits {
    fn check(&self) -> core::result::Result<(), Complaint> {
        let (addr, len, dev) = (self.addr_align, self.len_align, self.dev_align);
        first_wrong([
            (
                self.to_device || self.from_device,
                "a channel has no direction",
            ),
            (self.kind != Kind::Memory(0), "a channel's memory is empty"),
            (
                [addr, len, dev].iter().all(|align| align.is_power_of_two()),
                "an alignment is not a power of two",
            ),
            (
                addr as usize <= PAGE_SIZE && len.max(dev) <= addr,
                "addresses are aligned to more than a page, or to less than others",
            ),
            (self.job_segments > 0, "a job has no segments"),
            (
                (1..=MOST_DEPTH).contains(&self.depth),
                "a channel takes no job at a time, or too many",
            ),
            (
                self.job_bytes > 0 && is_multiple(self.job_bytes, addr),
                "the bytes of a job are no multiple of the alignment",
            ),
            (self.can_stage(), "copies cannot be staged where it says"),
        ])
    }

    /// The last look at a job's alignment: some cards move what is not aligned to the wrong place, and
    /// say nothing.
    pub(super) fn takes(&self, job: &Job<'_>) -> bool {
        let begins = |segment: DmaSegment| is_multiple(segment.addr(), self.addr_align);
        is_multiple(job.side().dev_addr, self.dev_align)
            && is_multiple(job.len(), self.len_align)
            && job.segments().all(begins)
    }

    /// Whether the staging window, if there is any, is of use.
    fn can_stage(&self) -> bool {
        let Some((addr, len)) = self.staging else {
            return true;
        };
        let Kind::Memory(bytes) = self.kind else {
            return false;
        };
        let within = addr.checked_add(len).is_some_and(|end| end <= bytes);
        let both = self.to_device && self.from_device;
        let aligned = is_multiple(addr, self.dev_align) && is_multiple(len, self.addr_align);
        within && both && len > 0 && aligned
    }
}

impl Bus {
    /// Checks what is asked of segments, whose channel aligns them to `align`, a power of two.
    fn check(&self, align: u32) -> core::result::Result<(), Complaint> {
        let (segment, boundary) = (self.max_segment, self.boundary);
        first_wrong([
            (segment > 0, "segments have no bytes"),
            (
                segment as usize >= PAGE_SIZE || is_multiple(segment.into(), align),
                "segments shorter than a page are no multiple of the alignment",
            ),
            (
                boundary & boundary.wrapping_add(1) == 0,
                "the boundary is not a mask",
            ),
            (
                boundary >= align as usize - 1,
                "the boundary is narrower than the alignment",
            ),
        ])
    }
}

fn first_wrong<const N: usize>(
    rules: [(bool, Complaint); N],
) -> core::result::Result<(), Complaint> {
    let wrong = rules.iter().find(|(kept, _)| !kept);
    wrong.map_or(Ok(()), |(_, complaint)| Err(complaint))
}

/// Whether `value` is a multiple of `align`, a power of two; of 0, which is none, only 0 is.
pub(crate) fn is_multiple(value: u64, align: u32) -> bool {
    value & u64::from(align).wrapping_sub(1) == 0
}

#[kunit_tests(pindma_limits)]
mod tests {
    use super::*;

    const GOOD: ChannelLimits = ChannelLimits {
        kind: Kind::Memory(8192),
        to_device: true,
        from_device: true,
        staging: Some((64, 4096)),
        fixed: false,
        when_told: true,
        addr_align: 64,
        len_align: 16,
        dev_align: 32,
        job_bytes: 1024,
        job_segments: 1,
        depth: 1,
    };

    const BUS: Bus = Bus {
        address_bits: 32,
        max_segment: u32::MAX,
        boundary: usize::MAX,
    };

    fn wrong(channel: ChannelLimits) -> bool {
        channel.check().is_err()
    }

    #[test]
    fn what_makes_sense_passes() {
        assert_eq!(GOOD.check(), Ok(()));
        assert_eq!(BUS.check(4096), Ok(()));
        let short = Bus {
            max_segment: 4032,
            ..BUS
        };
        assert_eq!(short.check(64), Ok(()));
    }

    #[test]
    fn alignments_are_powers_of_two() {
        for odd in [0, 3, 48, u32::MAX] {
            assert!(wrong(ChannelLimits {
                addr_align: odd,
                ..GOOD
            }));
            assert!(wrong(ChannelLimits {
                len_align: odd,
                ..GOOD
            }));
            assert!(wrong(ChannelLimits {
                dev_align: odd,
                ..GOOD
            }));
        }
    }

    #[test]
    fn addresses_are_aligned_most() {
        assert!(wrong(ChannelLimits {
            len_align: 128,
            ..GOOD
        }));
        let wide = ChannelLimits {
            addr_align: 8192,
            job_bytes: 8192,
            staging: None,
            ..GOOD
        };
        assert!(wrong(wide));
    }

    #[test]
    fn jobs_are_cut_where_the_next_can_begin() {
        for job_bytes in [0, 1, 63, 1000, 1040] {
            assert!(wrong(ChannelLimits { job_bytes, ..GOOD }));
        }
        assert!(wrong(ChannelLimits {
            job_segments: 0,
            ..GOOD
        }));
    }

    #[test]
    fn a_channel_has_room_for_a_job() {
        for depth in [0, MOST_DEPTH + 1] {
            assert!(wrong(ChannelLimits { depth, ..GOOD }));
        }
        assert!(!wrong(ChannelLimits {
            depth: MOST_DEPTH,
            ..GOOD
        }));
    }

    #[test]
    fn copies_are_staged_in_memory() {
        for staging in [(0, 0), (64, 8192), (u64::MAX, 64), (0, 100), (16, 64)] {
            let staging = Some(staging);
            assert!(wrong(ChannelLimits { staging, ..GOOD }));
        }
        assert!(wrong(ChannelLimits {
            from_device: false,
            ..GOOD
        }));
    }

    #[test]
    fn a_channel_is_good_for_something() {
        let none = ChannelLimits {
            to_device: false,
            from_device: false,
            staging: None,
            ..GOOD
        };
        assert!(wrong(none));
        let kind = Kind::Memory(0);
        assert!(wrong(ChannelLimits {
            kind,
            staging: None,
            ..GOOD
        }));
        let limits = Limits {
            name: "",
            channels: KVec::new(),
            vectors: 1,
            abort: false,
        };
        assert!(limits.check(&BUS).is_err());
    }

    #[test]
    fn segments_can_be_cut() {
        for max_segment in [0, 1, 4095] {
            assert!(Bus { max_segment, ..BUS }.check(64).is_err());
        }
        for boundary in [0, 31, 4096, usize::MAX - 1] {
            assert!(Bus { boundary, ..BUS }.check(64).is_err());
        }
        assert_eq!(
            Bus {
                max_segment: 4095,
                boundary: 0xfff,
                ..BUS
            }
            .check(1),
            Ok(())
        );
    }
}
