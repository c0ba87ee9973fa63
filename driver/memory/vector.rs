// SPDX-License-Identifier: GPL-2.0

//! A vector of memory as a call brings it.

use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

use crate::{
    base::{
        failure::{
            Failure,
            Side, //
        },
        few::Few, //
    },
    kapi::{
        abi::{
            self,
            pindma_seg, //
        },
        pins::Direction, //
    },
    memory::{
        names::{
            Hold,
            Names, //
        },
        piece::Piece, //
    }, //
};

mod cursor;

pub(crate) use cursor::Cursor;

/// Most segments in a vector.
pub(crate) const MAX_SEGMENTS: u32 = 1024;

/// Where a vector lies in user memory.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    /// Address of the array.
    pub(crate) addr: u64,
    /// Number of segments.
    pub(crate) count: u32,
    /// Which vector of the call it is.
    pub(crate) side: Side,
}

impl Source {
    fn pointer_field(self) -> abi::pindma_field {
        match self.side {
            Side::First => abi::PINDMA_FIELD_SEGS,
            Side::Destination => abi::PINDMA_FIELD_DST,
        }
    }

    fn count_field(self) -> abi::pindma_field {
        match self.side {
            Side::First => abi::PINDMA_FIELD_NR_SEGS,
            Side::Destination => abi::PINDMA_FIELD_NR_DST,
        }
    }
}

/// What a transfer uses, each thing once.
pub(crate) type Holds = Few<Option<Hold>>;

/// A vector that was copied in and found to be in order.
pub(crate) struct Vector {
    segments: Few<pindma_seg>,
    /// What the segments name, each thing once.
    holds: Holds,
    total: u64,
    side: Side,
}

impl Vector {
    /// Copies a vector of user memory in.
    pub(crate) fn read(source: Source) -> Result<Self, Failure> {
        let vector = Self::copy_in(source)?;
        vector.check_unnamed(EINVAL)?;
        Ok(vector)
    }

    /// Copies a vector in whose segments may be by handle, for a transfer of the calling process in
    /// that direction. Uses what they name until it is dropped.
    pub(crate) fn read_named(
        source: Source,
        names: &Names,
        direction: Direction,
    ) -> Result<Self, Failure> {
        let mut vector = Self::copy_in(source)?;
        vector.resolve(names, direction)?;
        Ok(vector)
    }

    fn copy_in(source: Source) -> Result<Self, Failure> {
        match source.count {
            0 => return Err(Failure::field(EINVAL, source.count_field())),
            1..=MAX_SEGMENTS => {}
            _ => return Err(Failure::field(EMSGSIZE, source.count_field())),
        }
        let mut segments = Few::defaults(source.count as usize)?;
        abi::read_segments(source.addr, &mut segments)
            .map_err(|_| Failure::field(EFAULT, source.pointer_field()))?;
        let total = check(&segments, source.side)?;
        Ok(Self {
            segments,
            holds: Few::new(),
            total,
            side: source.side,
        })
    }

    /// A vector of ranges of user memory, which `each` calls its argument with: address and length,
    /// which is not 0.
    pub(crate) fn of_ranges(
        each: impl FnOnce(&mut dyn FnMut(u64, u64) -> Result) -> Result,
    ) -> Result<Self, Failure> {
        let mut segments = Few::new();
        each(&mut |addr, len| {
            let segment = pindma_seg {
                addr,
                len,
                ..pindma_seg::default()
            };
            segments.push(segment)
        })?;
        let side = Side::First;
        let total = check(&segments, side)?;
        Ok(Self {
            segments,
            holds: Few::new(),
            total,
            side,
        })
    }

    /// A vector of one segment, which may be by handle; see [`read_named`](Self::read_named).
    pub(crate) fn one_named(
        segment: pindma_seg,
        names: &Names,
        direction: Direction,
    ) -> Result<Self, Failure> {
        let side = Side::First;
        let total = check(&[segment], side)?;
        let mut segments = Few::new();
        segments.push(segment)?;
        let mut vector = Self {
            segments,
            holds: Few::new(),
            total,
            side,
        };
        vector.resolve(names, direction)?;
        Ok(vector)
    }

    fn resolve(&mut self, names: &Names, direction: Direction) -> Result<(), Failure> {
        for index in 0..self.segments.len() {
            let segment = self.segments[index];
            if segment.handle == 0 {
                continue;
            }
            let wrong = |error, field| {
                let side = self.side;
                Failure::segment(error, field, side, index as u32)
            };
            if self.hold(&segment).is_none() {
                let hold = names.hold(&segment).map_err(|error| {
                    if error == ERANGE {
                        wrong(error, abi::PINDMA_FIELD_SEG_ADDR)
                    } else {
                        wrong(error, abi::PINDMA_FIELD_SEG_HANDLE)
                    }
                })?;
                self.holds.push(Some(hold))?;
            }
            let hold = self.hold(&segment).ok_or(ENOENT)?;
            hold.check(&segment, direction)
                .map_err(|(error, field)| wrong(error, field))?;
        }
        Ok(())
    }

    /// The memory of a segment that is by handle.
    pub(crate) fn piece(&self, segment: &pindma_seg) -> Result<Piece> {
        let hold = self.hold(segment).ok_or(ENOENT)?;
        hold.piece(segment).ok_or(ERANGE)
    }

    /// What the segments name; to be kept for as long as pieces of it are used.
    pub(crate) fn into_holds(self) -> Holds {
        self.holds
    }

    fn hold(&self, segment: &pindma_seg) -> Option<&Hold> {
        self.holds.iter().flatten().find(|hold| hold.has(segment))
    }

    /// Fails with `error` if a segment is by handle.
    pub(crate) fn check_unnamed(&self, error: Error) -> Result<(), Failure> {
        let mut named = self.indexed().filter(|(_, segment)| segment.handle != 0);
        match named.next() {
            Some((index, _)) => Err(self.wrong(error, abi::PINDMA_FIELD_SEG_HANDLE, index)),
            None => Ok(()),
        }
    }

    fn wrong(&self, error: Error, field: abi::pindma_field, index: u32) -> Failure {
        Failure::segment(error, field, self.side, index)
    }

    /// Checks that each segment is a multiple of what a device needs; both are powers of two. What is
    /// not the end must also end where the next can be cut.
    pub(crate) fn check_alignment(&self, addr: u32, len: u32) -> Result<(), Failure> {
        let (addr, last_len) = (u64::from(addr) - 1, u64::from(len) - 1);
        let last = self.segments.len().saturating_sub(1) as u32;
        for (index, segment) in self.indexed() {
            let len = if index == last {
                last_len
            } else {
                addr | last_len
            };
            let edges = self.hold(segment).map_or(0, Hold::edges);
            let field = match ((segment.addr | edges) & addr, segment.len & len) {
                (0, 0) => continue,
                (0, _) => abi::PINDMA_FIELD_SEG_LEN,
                _ => abi::PINDMA_FIELD_SEG_ADDR,
            };
            return Err(self.wrong(EINVAL, field, index));
        }
        Ok(())
    }

    fn indexed(&self) -> impl Iterator<Item = (u32, &pindma_seg)> {
        (0..).zip(self.segments.iter())
    }

    /// The segments.
    pub(crate) fn segments(&self) -> &[pindma_seg] {
        &self.segments
    }

    /// Sum of the lengths, in bytes; at most `i64::MAX`.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Pages that its user memory touches; a page counts for each segment that touches it.
    pub(crate) fn pages(&self) -> usize {
        let page = |addr: u64| addr / PAGE_SIZE as u64;
        let user = self.segments.iter().filter(|segment| segment.handle == 0);
        user.map(|segment| page(segment.addr + (segment.len - 1)) - page(segment.addr) + 1)
            .sum::<u64>() as usize
    }

    /// All addresses and lengths, or'ed together.
    pub(crate) fn edges(&self) -> u64 {
        let edges = |segment: &pindma_seg| segment.addr | segment.len;
        self.segments.iter().fold(0, |all, one| all | edges(one))
    }

    /// Which vector of the call it is.
    pub(crate) fn side(&self) -> Side {
        self.side
    }
}

/// Checks each segment by itself, and adds up their lengths.
fn check(segments: &[pindma_seg], side: Side) -> Result<u64, Failure> {
    let mut total: i64 = 0;
    for (index, segment) in (0..).zip(segments) {
        let fail = |error, field| Err(Failure::segment(error, field, side, index));
        if segment.flags != 0 {
            return fail(EOPNOTSUPP, abi::PINDMA_FIELD_SEG_FLAGS);
        }
        if segment.len == 0 || segment.addr.checked_add(segment.len).is_none() {
            return fail(EINVAL, abi::PINDMA_FIELD_SEG_LEN);
        }
        match total.checked_add_unsigned(segment.len) {
            Some(sum) => total = sum,
            None => return fail(EINVAL, abi::PINDMA_FIELD_SEG_LEN),
        }
    }
    Ok(total.unsigned_abs())
}

/// A vector of ranges, by address and length.
#[cfg(CONFIG_KUNIT = "y")]
fn of_plain(ranges: &[(u64, u64)]) -> Result<Vector> {
    let mut segments = Few::new();
    for (addr, len) in ranges {
        segments.push(pindma_seg {
            addr: *addr,
            len: *len,
            ..pindma_seg::default()
        })?;
    }
    let total = check(&segments, Side::First).map_err(|failure| failure.error())?;
    Ok(Vector {
        segments,
        holds: Few::new(),
        total,
        side: Side::First,
    })
}

#[kunit_tests(pindma_vector)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_ends_that_wrap_are_refused() {
        let half = 1 << 62;
        assert_eq!(
            of_plain(&[(0, half), (0, half - 1)]).map(|v| v.total()),
            Ok(2 * half - 1)
        );
        assert_eq!(of_plain(&[(0, half), (0, half)]).err(), Some(EINVAL));
        assert_eq!(of_plain(&[(u64::MAX, 1)]).err(), Some(EINVAL));
        assert_eq!(of_plain(&[(0, 0)]).err(), Some(EINVAL));
    }
}
