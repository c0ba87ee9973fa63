// SPDX-License-Identifier: GPL-2.0

//! Which of the card's channels make a channel, and what it can do then.
//!
//! Two of the same number to memory, one to the card and one from it, make one: data can be sent and
//! fetched through it, and copies can be staged. A stream is a channel of its own.

use kernel::prelude::*;

use super::{
    descriptor,
    ring, //
};
use crate::{
    engine::{
        Chan,
        ChannelLimits,
        Kind, //
    },
    kapi::pins::Direction, //
};

/// Most bytes of a job. A descriptor that the card has begun with cannot be called back, so this is how
/// long it takes to abort one: a few ms on a slow card.
const JOB_BYTES: u64 = 16 << 20;

/// Most descriptors of a job.
const JOB_SEGMENTS: u32 = 256;

/// Most bytes that copies are staged in, at the end of the card's memory.
const STAGING_BYTES: u64 = 2 << 20;

/// What streams need of memory that they write.
const STREAM_ALIGN: u32 = 64;

/// What a channel of the card is.
#[derive(Clone, Copy)]
pub(super) struct Nature {
    /// Its number among those of its direction.
    pub(super) number: u8,
    /// It goes from the card to memory.
    pub(super) from_card: bool,
    /// It is a stream.
    pub(super) stream: bool,
    /// Alignment in bytes that it needs of addresses; 0 says nothing.
    pub(super) address: u32,
    /// The same of lengths.
    pub(super) length: u32,
    /// Address bits of the card; 0 says nothing.
    pub(super) address_bits: u32,
}

impl Nature {
    /// Most descriptors of a job. A stream puts what follows the end of a packet into the next
    /// descriptor, so a job for more than one could not end with its packet.
    pub(super) fn job_segments(&self) -> u32 {
        match self.stream && self.from_card {
            true => 1,
            false => JOB_SEGMENTS,
        }
    }

    /// Bytes behind it, of a card with `memory` bytes.
    fn kind(&self, memory: u64) -> Kind {
        let reach = match self.address_bits {
            bits @ 1..64 => 1 << bits,
            _ => u64::MAX,
        };
        match self.stream {
            true => Kind::Stream,
            false => Kind::Memory(memory.min(reach)),
        }
    }

    fn limits(&self, memory: u64) -> ChannelLimits {
        let least = match self.stream && self.from_card {
            true => STREAM_ALIGN,
            false => 1,
        };
        let address = self.address.max(least).next_power_of_two();
        let len_align = self.length.max(least).next_power_of_two();
        ChannelLimits {
            kind: self.kind(memory),
            to_device: !self.from_card,
            from_device: self.from_card,
            staging: None,
            fixed: false,
            when_told: true,
            addr_align: address.max(len_align),
            len_align,
            dev_align: if self.stream { 1 } else { address },
            job_bytes: JOB_BYTES,
            job_segments: self.job_segments(),
            depth: ring::DEPTH as u32,
        }
    }
}

/// A channel: which ways it has, by their numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Channel {
    number: u8,
    stream: bool,
    to_card: Option<usize>,
    from_card: Option<usize>,
}

impl Channel {
    /// The way for a direction.
    pub(super) fn way(&self, direction: Direction) -> Option<usize> {
        match direction {
            Direction::ToDevice => self.to_card,
            Direction::FromDevice => self.from_card,
            Direction::Both => None,
        }
    }

    /// Its ways.
    pub(super) fn ways(&self) -> [Option<usize>; 2] {
        [self.to_card, self.from_card]
    }
}

/// The channels of a card.
pub(super) struct Channels {
    /// Which ways they have.
    pub(super) all: KVec<Channel>,
    /// What they can do.
    pub(super) limits: KVec<ChannelLimits>,
    /// Bytes of the card's memory.
    memory: u64,
}

impl Channels {
    /// None so far, of a card with so much memory.
    pub(super) fn new(memory: u64) -> Self {
        Self {
            all: KVec::new(),
            limits: KVec::new(),
            memory,
        }
    }

    /// Adds a way, of which all have different numbers, and says of which channel it is one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn add(&mut self, way: usize, nature: &Nature) -> Result<Chan> {
        let limits = nature.limits(self.memory);
        let pair = |channel: &Channel| !channel.stream && channel.number == nature.number;
        let found = match nature.stream {
            true => None,
            false => self.all.iter().position(pair),
        };
        let index = match found {
            Some(index) => {
                join(&mut self.limits[index], &limits);
                index
            }
            None => {
                self.limits.push(limits, GFP_KERNEL)?;
                let channel = Channel {
                    number: nature.number,
                    stream: nature.stream,
                    ..Default::default()
                };
                self.all.push(channel, GFP_KERNEL)?;
                self.all.len() - 1
            }
        };
        let channel = &mut self.all[index];
        match nature.from_card {
            true => channel.from_card = Some(way),
            false => channel.to_card = Some(way),
        }
        Ok(Chan(index as u32))
    }
}

/// Adds what one way of a channel can do and needs to what the other does.
fn join(limits: &mut ChannelLimits, other: &ChannelLimits) {
    limits.to_device |= other.to_device;
    limits.from_device |= other.from_device;
    limits.addr_align = limits.addr_align.max(other.addr_align);
    limits.len_align = limits.len_align.max(other.len_align);
    limits.dev_align = limits.dev_align.max(other.dev_align);
    if let (Kind::Memory(bytes), Kind::Memory(others)) = (limits.kind, other.kind) {
        let bytes = bytes.min(others);
        limits.kind = Kind::Memory(bytes);
        limits.staging = staging(bytes, limits.addr_align.into());
    }
}

/// Where copies are staged in so much memory, if it is not too little for that.
fn staging(memory: u64, align: u64) -> Option<(u64, u64)> {
    let len = STAGING_BYTES.min(memory) / align * align;
    let start = (memory - len) / align * align;
    (len > 0).then_some((start, len))
}

// Whatever is longer than a job or a descriptor is cut where any alignment allows it.
const _: () = assert!(JOB_BYTES % 256 == 0 && descriptor::MOST % 4096 == 0);

#[kunit_tests(pindma_xdma_channels)]
mod tests {
    use super::*;
    use crate::engine::Limits;

    const PLAIN: Nature = Nature {
        number: 0,
        from_card: false,
        stream: false,
        address: 1,
        length: 1,
        address_bits: 64,
    };

    fn check(channels: Channels) -> Result<KVec<ChannelLimits>> {
        let limits = Limits {
            name: "xdma",
            channels: channels.limits,
            vectors: 1,
            abort: true,
        };
        assert_eq!(limits.check(&crate::engine::xdma::bus()), Ok(()));
        Ok(limits.channels)
    }

    #[test]
    fn memory_has_a_channel_for_both_directions() -> Result {
        let mut channels = Channels::new(64 << 20);
        for (way, number, from_card) in [(0, 0, false), (1, 1, false), (2, 0, true)] {
            let nature = Nature {
                number,
                from_card,
                ..PLAIN
            };
            assert_eq!(channels.add(way, &nature)?, Chan(number.into()));
        }
        let first = channels.all[0];
        assert_eq!(first.way(Direction::ToDevice), Some(0));
        assert_eq!(first.way(Direction::FromDevice), Some(2));
        assert_eq!(channels.all[1].way(Direction::FromDevice), None);
        let limits = check(channels)?;
        assert_eq!(limits[0].staging, Some((62 << 20, 2 << 20)));
        assert!(limits[0].to_device && limits[0].from_device);
        assert!(limits[1].staging.is_none() && !limits[1].from_device);
        Ok(())
    }

    #[test]
    fn a_stream_has_one_direction() -> Result {
        let mut channels = Channels::new(0);
        for (way, from_card) in [(0, false), (1, true)] {
            let nature = Nature {
                from_card,
                stream: true,
                ..PLAIN
            };
            assert_eq!(channels.add(way, &nature)?, Chan(way as u32));
        }
        let limits = check(channels)?;
        assert_eq!((limits[0].addr_align, limits[0].job_segments), (1, 256));
        assert_eq!((limits[1].len_align, limits[1].job_segments), (64, 1));
        Ok(())
    }

    #[test]
    fn what_a_card_says_of_itself_is_made_sense_of() -> Result {
        for (address, length, address_bits) in [(0, 0, 0), (3, 5, 12), (255, 255, 255), (8, 64, 1)]
        {
            let mut channels = Channels::new(1 << 20);
            for (way, from_card) in [(0, false), (1, true)] {
                let nature = Nature {
                    from_card,
                    address,
                    length,
                    address_bits,
                    ..PLAIN
                };
                channels.add(way, &nature)?;
            }
            check(channels)?;
        }
        Ok(())
    }
}
