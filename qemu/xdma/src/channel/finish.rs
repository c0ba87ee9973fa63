// SPDX-License-Identifier: MIT OR GPL-2.0

//! A descriptor is done, and the host is told: record, count, word, Status, in this
//! order, and the message after all of them.

use std::time::Duration;

use crate::adversary::Mode;
use crate::agenda::Deed;
use crate::channel::{ChannelState, Work};
use crate::control::{Control, Status};
use crate::descriptor::Flags;
use crate::host::{BusError, Host};
use crate::lie::lie;
use crate::parts::Parts;

const RECORD_MAGIC: u32 = 0x52b4 << 16;
const WORD_COUNT: u32 = (1 << 24) - 1;
const WORD_ERROR: u32 = 1 << 31;
const PAGE: u64 = 4096;

impl ChannelState {
    /// Puts off the end of a descriptor.
    pub(super) fn put_off_end(&self, work: &mut Work, parts: &mut Parts, now: Duration) {
        let strike = parts.adversary.strike(Mode::DelayWriteBack, Some(self.id));
        let delay = strike.map_or(0, |mut strike| strike.up_to_amount());
        work.not_before = now + Duration::from_nanos(delay);
    }

    /// Ends a descriptor whose data moved.
    pub(super) fn finish(&mut self, work: &Work, parts: &mut Parts, host: &mut dyn Host) {
        let early = parts.adversary.strike(Mode::EarlyMessage, Some(self.id));
        let late = early.map(|strike| host.now() + Duration::from_nanos(strike.amount));
        if self.leaves_records(parts) {
            self.write_record(work, late, parts, host);
        }
        self.completed = self.completed.wrapping_add(1);
        parts.statistics.of(self.id).descriptors += 1;
        let flags = work.descriptor.flags;
        if flags.contains(Flags::COMPLETED) {
            self.log(Status::COMPLETED);
            self.write_word_at(late, false, parts, host);
        }
        if flags.contains(Flags::STOP) {
            self.log(Status::STOPPED);
            self.perf.stop_descriptor(host.now());
            self.end_run(parts, host.now());
            self.begin_dry(parts, host.now());
        }
        self.misbehave_after(work, parts, host);
    }

    /// Writes the word of poll mode now ("Poll Mode").
    pub(super) fn write_word(&self, error: bool, parts: &mut Parts, host: &mut dyn Host) {
        self.write_word_at(None, error, parts, host);
    }

    fn write_word_at(
        &self,
        late: Option<Duration>,
        error: bool,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) {
        let may_interrupt = !self.mask.is_empty();
        let wanted = parts.config.switches.word_with_interrupts || !may_interrupt;
        if !self.control.contains(Control::WORD) || !wanted {
            return;
        }
        let word = self.completed & WORD_COUNT | if error { WORD_ERROR } else { 0 };
        let Some(bytes) = self.spoil_word(word, parts) else {
            return;
        };
        parts.statistics.of(self.id).words += 1;
        self.post_at(late, self.word_address, bytes, parts, host);
    }

    /// The bytes that are written for a word, or none.
    fn spoil_word(&self, word: u32, parts: &mut Parts) -> Option<Vec<u8>> {
        if self.strikes(parts, Mode::MissingWord) {
            return None;
        }
        if self.strikes(parts, Mode::ErrorWord) {
            return Some(WORD_ERROR.to_le_bytes().to_vec());
        }
        let strike = parts.adversary.strike(Mode::WrongWord, Some(self.id));
        let word = match strike {
            Some(strike) => lie(word, strike) & WORD_COUNT,
            None => word,
        };
        let bytes = word.to_le_bytes();
        if self.strikes(parts, Mode::TornWord) {
            return Some(bytes[..2].to_vec());
        }
        Some(bytes.to_vec())
    }

    /// Tells of a stream's descriptor where its source address points ("C2H Stream").
    fn write_record(
        &mut self,
        work: &Work,
        late: Option<Duration>,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) {
        if self.strikes(parts, Mode::MissingRecord) {
            return;
        }
        let mut words = [
            RECORD_MAGIC | u32::from(work.end_of_packet),
            work.done as u32,
        ];
        self.spoil_record(&mut words, work, parts);
        self.ended_packet = work.end_of_packet;
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        parts.statistics.of(self.id).records += 1;
        self.post_at(late, work.descriptor.source, bytes, parts, host);
    }

    fn spoil_record(&self, words: &mut [u32; 2], work: &Work, parts: &mut Parts) {
        if self.strikes(parts, Mode::BlankRecord) {
            words[0] &= !RECORD_MAGIC;
        }
        if self.ended_packet && self.strikes(parts, Mode::ExtraEnd) {
            words[0] |= 1;
        }
        if self.strikes(parts, Mode::EmptyRecord) {
            words[1] = 0;
        }
        let short = parts.adversary.strike(Mode::ShortRecord, Some(self.id));
        if let Some(mut strike) = short {
            words[1] = strike.random.u32(0..words[1].max(1));
        }
        let long = parts.adversary.strike(Mode::LongRecord, Some(self.id));
        if let Some(mut strike) = long {
            words[1] = work.descriptor.length + strike.random.u32(1..1 << 20);
        }
    }

    /// Writes now, or at a later moment.
    fn post_at(
        &self,
        late: Option<Duration>,
        address: u64,
        data: Vec<u8>,
        parts: &mut Parts,
        host: &mut dyn Host,
    ) {
        match late {
            None => parts.post(self.id, address, &data, host),
            Some(due) => self.post_later(due, address, data, parts),
        }
    }

    /// An adversary's acts after a descriptor.
    fn misbehave_after(&mut self, work: &Work, parts: &mut Parts, host: &mut dyn Host) {
        if self.strikes(parts, Mode::ErrorGoesOn) {
            self.log(Status::of_read(BusError::UnsupportedRequest));
        }
        let descriptor = work.descriptor;
        if !self.is_to_card() {
            self.write_after_done(work, parts, host.now());
        }
        let host_side = if self.is_to_card() {
            descriptor.source
        } else {
            descriptor.destination
        };
        let end = host_side.wrapping_add(descriptor.length.into());
        let foreign = parts.adversary.strike(Mode::ForeignWrite, Some(self.id));
        if let Some(strike) = foreign {
            let page = end
                .next_multiple_of(PAGE)
                .wrapping_add(strike.amount * PAGE);
            parts.post(self.id, page, &[0xf0; 8], host);
        }
    }

    fn write_after_done(&self, work: &Work, parts: &mut Parts, now: Duration) {
        let strike = parts.adversary.strike(Mode::WroteAfterDone, Some(self.id));
        if let Some(mut strike) = strike {
            let length = work.done.min(64) as usize;
            let data = (0..length).map(|_| strike.random.u8(..)).collect();
            let due = now + Duration::from_nanos(strike.amount);
            let address = work.descriptor.destination;
            self.post_later(due, address, data, parts);
        }
    }

    fn post_later(&self, due: Duration, address: u64, data: Vec<u8>, parts: &mut Parts) {
        let channel = self.id;
        let deed = Deed::Write {
            channel,
            address,
            data,
        };
        parts.agenda.put(due, deed);
    }
}
