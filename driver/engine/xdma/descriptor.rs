// SPDX-License-Identifier: GPL-2.0

//! A descriptor, and the record of what a stream has put into one, as they lie in memory.

use kernel::prelude::*;

use crate::engine::Outcome;

/// Most bytes of a descriptor, in whole pages.
pub(super) const MOST: u32 = (1 << 28) - 4096;

/// Marks a descriptor. One that the card must not begin with lacks it.
const MAGIC: u32 = 0xad4b << 16;

/// Marks a record.
const RECORD: u32 = 0x52b4;

/// The last of a batch: the card stops.
pub(super) const STOP: u32 = 1 << 0;

/// The last of a job: the card says so.
pub(super) const COMPLETED: u32 = 1 << 1;

/// The last of a packet.
pub(super) const END: u32 = 1 << 4;

/// One piece of work for the card.
#[derive(Clone, Copy, Default)]
pub(super) struct Descriptor {
    /// [`STOP`], [`COMPLETED`], [`END`].
    pub(super) flags: u32,
    /// Bytes.
    pub(super) len: u32,
    /// Where they are. For a stream from the card: where the record goes.
    pub(super) from: u64,
    /// Where they go. For a stream to the card: nothing.
    pub(super) to: u64,
    /// The next descriptor.
    pub(super) next: u64,
}

/// A descriptor in memory, little endian.
pub(super) type Words = [u64; 4];

impl Descriptor {
    /// As it lies in memory.
    pub(super) fn words(&self) -> Words {
        let first = u64::from(MAGIC | self.flags) | u64::from(self.len) << 32;
        [first, self.from, self.to, self.next].map(u64::to_le)
    }
}

/// What a stream's record says of a descriptor of `len` bytes; `None` if it was not written, or makes
/// no sense.
pub(super) fn received(record: u64, len: u32) -> Option<Outcome> {
    let record = u64::from_le(record);
    let (head, bytes) = (record as u32, (record >> 32) as u32);
    if head >> 16 != RECORD || bytes > len {
        return None;
    }
    if bytes == len {
        Some(Outcome::Done)
    } else {
        Some(Outcome::Short(bytes.into()))
    }
}

#[kunit_tests(pindma_xdma_descriptor)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_little_endian() {
        let descriptor = Descriptor {
            flags: COMPLETED | END,
            len: 0x0123_4567,
            from: 1,
            to: 1 << 32,
            next: u64::MAX,
        };
        let [first, from, to, next] = descriptor.words().map(u64::from_le);
        assert_eq!(first, 0x0123_4567_ad4b_0012);
        assert_eq!((from, to, next), (1, 1 << 32, u64::MAX));
    }

    fn record(head: u32, len: u32) -> u64 {
        (u64::from(head) | u64::from(len) << 32).to_le()
    }

    #[test]
    fn a_record_says_how_much_has_come() {
        assert_eq!(received(record(0x52b4_0001, 64), 64), Some(Outcome::Done));
        assert_eq!(received(record(0x52b4_0000, 64), 64), Some(Outcome::Done));
        assert_eq!(
            received(record(0x52b4_0001, 7), 64),
            Some(Outcome::Short(7))
        );
        assert_eq!(
            received(record(0x52b4_0001, 0), 64),
            Some(Outcome::Short(0))
        );
    }

    #[test]
    fn a_record_is_not_believed_beyond_its_descriptor() {
        assert_eq!(received(record(0x52b4_0001, 65), 64), None);
        assert_eq!(received(record(0x52b4_0001, u32::MAX), 64), None);
        assert_eq!(received(0, 64), None);
        assert_eq!(received(u64::MAX, 64), None);
    }
}
