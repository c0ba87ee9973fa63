// SPDX-License-Identifier: GPL-2.0

//! Which descriptors of a ring belong to which job, and how far the card is: arithmetic, no memory of
//! the card and no register.
//!
//! A position counts descriptors from when the ring was made and never goes back; its place in the ring
//! is the remainder by [`SIZE`].

use kernel::prelude::*;

use crate::engine::Ticket;

mod stop;

pub(super) use self::stop::Stopped;

/// Descriptors in the ring.
pub(super) const SIZE: usize = 1024;

/// Most of them that are in use: as many as the card takes credits for.
pub(super) const ROOM: u64 = SIZE as u64 - 1;

/// Most jobs in the ring.
pub(super) const DEPTH: usize = 64;

/// Bits of a register that counts descriptors.
pub(super) const REGISTER: u32 = u32::MAX;

/// Bits of the count that the card writes to memory.
pub(super) const WORD: u32 = 0x00ff_ffff;

/// A job in the ring.
#[derive(Clone, Copy, Zeroable)]
pub(super) struct Entry {
    ticket: u64,
    /// Position of its first descriptor.
    pub(super) start: u64,
    /// Position after its last.
    pub(super) end: u64,
    /// It is to end early.
    aborted: bool,
}

impl Entry {
    /// Its name.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.ticket)
    }
}

/// The descriptors in use: `done <= given <= filled`.
pub(super) struct Ring {
    jobs: KBox<[Entry; DEPTH]>,
    /// Number of the oldest job, and of the next one.
    oldest: usize,
    next: usize,
    /// Bytes of each descriptor. Those in memory may be changed by the card.
    lens: KBox<[u32; SIZE]>,
    /// Up to where descriptors are jobs.
    filled: u64,
    /// Up to where the card has got them.
    given: u64,
    /// Up to where the card is done with them.
    done: u64,
    /// Where the card began to count.
    base: u64,
}

impl Ring {
    /// An empty ring.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            jobs: KBox::init(pin_init::init_zeroed(), GFP_KERNEL)?,
            oldest: 0,
            next: 0,
            lens: KBox::init(pin_init::init_zeroed(), GFP_KERNEL)?,
            filled: 0,
            given: 0,
            done: 0,
            base: 0,
        })
    }

    /// Takes a job of so many descriptors in, and returns the position of the first; `None` if there
    /// is no room.
    pub(super) fn add(&mut self, ticket: Ticket, descriptors: usize) -> Option<u64> {
        let (start, end) = (self.filled, self.filled + descriptors as u64);
        if self.next - self.oldest == DEPTH || end - self.done > ROOM {
            return None;
        }
        self.jobs[self.next % DEPTH] = Entry {
            ticket: ticket.0,
            start,
            end,
            aborted: false,
        };
        self.next += 1;
        self.filled = end;
        Some(start)
    }

    /// Says how long a descriptor is.
    pub(super) fn set_len(&mut self, at: u64, len: u32) {
        self.lens[at as usize % SIZE] = len;
    }

    /// How long a descriptor is.
    pub(super) fn len(&self, at: u64) -> u32 {
        self.lens[at as usize % SIZE]
    }

    /// Whether no job is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.next == self.oldest
    }

    /// Whether the card has got something that it is not done with.
    pub(super) fn is_at_work(&self) -> bool {
        self.given > self.done
    }

    /// Whether there is something that the card has not got.
    pub(super) fn has_more(&self) -> bool {
        self.filled > self.given
    }

    /// Position of the last descriptor, if there is any.
    pub(super) fn last(&self) -> u64 {
        self.filled.saturating_sub(1)
    }

    /// The card gets all that is there; how many it has not had yet.
    pub(super) fn give(&mut self) -> u32 {
        let more = self.filled - self.given;
        self.given = self.filled;
        more as u32
    }

    /// The card begins anew: with what position, from which it counts.
    pub(super) fn begin(&mut self) -> u64 {
        self.base = self.done;
        self.given = self.done;
        self.done
    }

    /// The card says how many descriptors it has done since it began, in the bits of `mask`; how
    /// many they are more. `None` if it has not even got so many.
    pub(super) fn advance(&mut self, count: u32, mask: u32) -> Option<u64> {
        let before = (self.done - self.base) as u32;
        let more = u64::from(count.wrapping_sub(before) & mask);
        if more > self.given - self.done {
            return None;
        }
        self.done += more;
        Some(more)
    }

    /// Whether the card would be done with all it has got, if it has done `count` since it began.
    pub(super) fn would_end(&self, count: u32) -> bool {
        (self.given - self.base) as u32 == count
    }

    /// Whether the card would be done with the oldest job, if it has done `count` since it began.
    pub(super) fn has_done(&self, count: u32) -> bool {
        let more = u64::from(count.wrapping_sub((self.done - self.base) as u32));
        let done = self.done + more;
        done <= self.given && self.jobs().next().is_some_and(|entry| entry.end <= done)
    }

    /// Takes the oldest job out, if the card is done with it.
    pub(super) fn take_done(&mut self) -> Option<Entry> {
        let entry = self.jobs().next().filter(|entry| entry.end <= self.done)?;
        self.oldest += 1;
        Some(entry)
    }

    /// Whether at most `bytes` are left of what the card has got.
    pub(super) fn ends_within(&self, bytes: u64) -> bool {
        let mut left = bytes;
        for at in self.done..self.given {
            match left.checked_sub(self.len(at).into()) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        true
    }

    /// Notes that a job is to end early; whether it is there.
    pub(super) fn abort(&mut self, ticket: Ticket) -> bool {
        for number in self.oldest..self.next {
            let entry = &mut self.jobs[number % DEPTH];
            if entry.ticket() == ticket {
                entry.aborted = true;
                return true;
            }
        }
        false
    }

    /// All jobs, the oldest first.
    fn jobs(&self) -> impl Iterator<Item = Entry> + '_ {
        (self.oldest..self.next).map(|number| self.job(number))
    }

    /// The job of a number.
    fn job(&self, number: usize) -> Entry {
        self.jobs[number % DEPTH]
    }
}

#[kunit_tests(pindma_xdma_ring)]
mod tests {
    use super::*;

    /// Puts a job of descriptors of so many bytes in.
    fn add(ring: &mut Ring, ticket: u64, lens: &[u32]) -> Option<u64> {
        let start = ring.add(Ticket(ticket), lens.len())?;
        for (at, len) in (start..).zip(lens) {
            ring.set_len(at, *len);
        }
        Some(start)
    }

    fn done(ring: &mut Ring) -> Option<u64> {
        ring.take_done().map(|entry| entry.ticket)
    }

    #[test]
    fn jobs_end_in_order_when_their_last_descriptor_is_done() -> Result {
        let mut ring = Ring::new()?;
        assert_eq!(add(&mut ring, 1, &[10, 20]), Some(0));
        assert_eq!(add(&mut ring, 2, &[30]), Some(2));
        assert_eq!(ring.give(), 3);
        assert_eq!(ring.advance(1, WORD), Some(1));
        assert_eq!(done(&mut ring), None);
        assert_eq!(ring.advance(3, WORD), Some(2));
        assert_eq!(done(&mut ring), Some(1));
        assert_eq!(done(&mut ring), Some(2));
        assert_eq!(done(&mut ring), None);
        assert!(ring.is_empty() && !ring.is_at_work());
        Ok(())
    }

    #[test]
    fn a_card_has_done_no_more_than_it_got() -> Result {
        let mut ring = Ring::new()?;
        add(&mut ring, 1, &[1, 1]);
        add(&mut ring, 2, &[1]);
        assert_eq!(ring.advance(1, WORD), None);
        assert_eq!(ring.give(), 3);
        add(&mut ring, 3, &[1]);
        assert_eq!(ring.advance(4, WORD), None);
        assert_eq!(ring.advance(u32::MAX, REGISTER), None);
        assert_eq!(ring.advance(2, WORD), Some(2));
        // It never goes back.
        assert_eq!(ring.advance(1, WORD), None);
        assert_eq!(ring.advance(2, WORD), Some(0));
        assert!(ring.has_done(2) && !ring.has_done(1) && !ring.has_done(4));
        assert!(ring.would_end(3) && !ring.would_end(4));
        Ok(())
    }

    #[test]
    fn the_count_in_memory_wraps() -> Result {
        let mut ring = Ring::new()?;
        // As after that many descriptors in one run.
        let long: u64 = (1 << 24) - 2;
        (ring.filled, ring.given, ring.done) = (long, long, long);
        add(&mut ring, 1, &[1, 1, 1, 1]);
        ring.give();
        assert_eq!(ring.advance(long as u32, WORD), Some(0));
        assert_eq!(ring.advance(0xff_ffff, WORD), Some(1));
        assert_eq!(ring.advance(1, WORD), Some(2));
        assert_eq!(ring.advance((1 << 24) + 2, REGISTER), Some(1));
        assert_eq!(done(&mut ring), Some(1));
        Ok(())
    }

    #[test]
    fn a_ring_has_room_for_so_many_descriptors_and_jobs() -> Result {
        let mut ring = Ring::new()?;
        assert_eq!(ring.add(Ticket(1), ROOM as usize + 1), None);
        assert_eq!(ring.add(Ticket(1), ROOM as usize), Some(0));
        assert_eq!(ring.add(Ticket(2), 1), None);
        ring.give();
        ring.advance(1, WORD);
        // What was freed is used again.
        assert_eq!(ring.add(Ticket(2), 1), Some(ROOM));
        ring.clear();
        for number in 0..DEPTH as u64 {
            assert!(ring.add(Ticket(number), 1).is_some());
        }
        assert_eq!(ring.add(Ticket(99), 1), None);
        Ok(())
    }

    #[test]
    fn what_is_left_may_be_little() -> Result {
        let mut ring = Ring::new()?;
        assert!(ring.ends_within(0));
        add(&mut ring, 1, &[10, 20]);
        assert!(ring.ends_within(0));
        ring.give();
        assert!(ring.ends_within(30) && !ring.ends_within(29));
        ring.advance(1, WORD);
        assert!(ring.ends_within(20) && !ring.ends_within(19));
        Ok(())
    }
}
