// SPDX-License-Identifier: MIT OR GPL-2.0

//! A descriptor is looked at before it is worked on.

use std::time::Duration;

use crate::adversary::Mode;
use crate::channel::{ChannelState, Fetched, Phase, Work};
use crate::checker::Rule;
use crate::control::{Control, Status};
use crate::descriptor::Descriptor;
use crate::host::{BusError, Host};
use crate::parts::Parts;
use crate::switches::{WrongMagic, ZeroLength};

/// A stream's buffer is a multiple of this.
const STREAM_BUFFER: u32 = 64;

impl ChannelState {
    /// Puts the next descriptor in work, or stops at it.
    pub(super) fn take_up(&mut self, fetched: Fetched, parts: &mut Parts, host: &mut dyn Host) {
        self.end_dry(parts, host.now());
        let descriptor = match fetched {
            Fetched::Failed(error) => {
                return self.fail(Status::of_descriptor(error), parts, host);
            }
            Fetched::Descriptor(descriptor) => descriptor,
        };
        if self.strikes(parts, Mode::FetchClaim) {
            let claim = Status::of_descriptor(BusError::UnsupportedRequest);
            return self.fail(claim, parts, host);
        }
        if !descriptor.has_magic {
            return self.refuse_magic(&descriptor, parts, host);
        }
        if self.strikes(parts, Mode::MagicClaim) {
            return self.fail(Status::MAGIC_STOPPED, parts, host);
        }
        self.check(&descriptor, parts);
        let refusal = self.refusal(&descriptor, parts);
        if !refusal.is_empty() {
            return self.fail(refusal, parts, host);
        }
        if descriptor.length == 0 && parts.config.switches.zero_length == ZeroLength::Hangs {
            self.phase = Phase::Hung;
            return;
        }
        self.put_in_work(descriptor, parts, host.now());
    }

    fn put_in_work(&mut self, descriptor: Descriptor, parts: &mut Parts, now: Duration) {
        let slow = parts.adversary.strike(Mode::Slow, Some(self.id));
        let late = parts.adversary.strike(Mode::DelayDescriptor, Some(self.id));
        let delay = slow.map_or(0, |strike| strike.amount)
            + late.map_or(0, |mut strike| strike.up_to_amount());
        self.work = Some(Work {
            descriptor,
            done: 0,
            moved: descriptor.length == 0,
            end_of_packet: false,
            not_before: now + Duration::from_nanos(delay),
            last_data: now,
        });
    }

    fn refuse_magic(&mut self, descriptor: &Descriptor, parts: &mut Parts, host: &mut dyn Host) {
        let address = descriptor.address;
        let sentence = format!("{address:#x} has no magic number and was fetched");
        parts.fault(Rule::Magic, self.id, sentence);
        let silent = !self.control.logs().contains(Status::MAGIC_STOPPED);
        if silent && parts.config.switches.wrong_magic == WrongMagic::Hangs {
            self.phase = Phase::Hung;
            return;
        }
        self.fail(Status::MAGIC_STOPPED, parts, host);
    }

    /// The error that the card itself finds, if Control lets it be logged.
    fn refusal(&self, descriptor: &Descriptor, parts: &Parts) -> Status {
        let config = &parts.config;
        if descriptor.length == 0 && config.switches.zero_length == ZeroLength::Stops {
            return Status::INVALID_LENGTH;
        }
        let beat = config.data_width.bytes();
        let uneven = parts.is_stream() && u64::from(descriptor.length) % beat != 0;
        if uneven && self.control.logs().contains(Status::INVALID_LENGTH) {
            return Status::INVALID_LENGTH;
        }
        let apart = (descriptor.source ^ descriptor.destination)
            % u64::from(config.alignments.address.max(1));
        if !parts.is_stream() && apart != 0 && self.control.logs().contains(Status::ALIGN_MISMATCH)
        {
            return Status::ALIGN_MISMATCH;
        }
        Status::empty()
    }

    /// Notes rules that the driver broke.
    fn check(&self, descriptor: &Descriptor, parts: &mut Parts) {
        let Descriptor {
            address, length, ..
        } = *descriptor;
        if descriptor.has_reserved {
            let sentence = format!("{address:#x} has reserved bits set");
            parts.fault(Rule::ReservedBits, self.id, sentence);
        }
        if length == 0 {
            let sentence = format!("{address:#x} moves 0 bytes");
            parts.fault(Rule::ZeroLength, self.id, sentence);
        }
        if parts.is_stream() && !self.is_to_card() && length % STREAM_BUFFER != 0 {
            let sentence = format!("{address:#x} is a stream's buffer of {length} bytes");
            parts.fault(Rule::StreamLength, self.id, sentence);
        }
        self.check_alignment(descriptor, parts);
    }

    fn check_alignment(&self, descriptor: &Descriptor, parts: &mut Parts) {
        let host = if self.is_to_card() {
            descriptor.source
        } else {
            descriptor.destination
        };
        let card = descriptor.source ^ descriptor.destination ^ host;
        // A stream has no address on the card.
        let addresses = if parts.is_stream() { host } else { host | card };
        let (address, length) = (descriptor.address, descriptor.length);
        let alignments = parts.config.alignments;
        let uneven = addresses % u64::from(alignments.address) != 0
            || length % u32::from(alignments.length) != 0;
        if uneven {
            let sentence = format!("{address:#x}: {host:#x}, {card:#x}, {length} bytes");
            parts.fault(Rule::Alignment, self.id, sentence);
        }
        let beat = parts.config.data_width.bytes();
        let fixed = self.control.contains(Control::FIXED_ADDRESS) && !parts.is_stream();
        if fixed && (card % beat != 0 || u64::from(length) % beat != 0) {
            let sentence = format!("{address:#x}: {card:#x}, {length} bytes, beats of {beat}");
            parts.fault(Rule::FixedAddressAlignment, self.id, sentence);
        }
    }
}
