// SPDX-License-Identifier: MIT OR GPL-2.0

//! What of the guest's memory the card may reach now: the maps that QEMU tells of, each a
//! part of a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

/// Which way an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The card reads memory.
    Read,
    /// The card writes memory.
    Write,
}

/// What a map allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The card may read.
    pub read: bool,
    /// The card may write.
    pub write: bool,
}

impl Rights {
    fn allow(self, access: Access) -> bool {
        match access {
            Access::Read => self.read,
            Access::Write => self.write,
        }
    }
}

/// Why an access cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is mapped from this address on.
    Unmapped(u64),
    /// What is mapped at this address is not for this direction.
    Direction(u64),
    /// Behind this address is no file: memory that QEMU does not share.
    Unshared(u64),
}

/// A part of a file, seen by the card at an address.
#[derive(Clone, Debug)]
struct Map {
    size: u64,
    rights: Rights,
    memory: Option<Arc<Memory>>,
    offset: u64,
}

impl Map {
    /// The part that begins `skip` bytes later and has `size` bytes.
    fn part(&self, skip: u64, size: u64) -> Map {
        Map {
            size,
            offset: self.offset + skip,
            ..self.clone()
        }
    }
}

/// A file of guest memory. QEMU sends it with each map anew; kept once, it takes one
/// descriptor instead of thousands.
#[derive(Debug)]
struct Memory {
    file: File,
    name: (u64, u64),
}

/// A piece of one map, for one call.
struct Piece<'a> {
    memory: &'a Memory,
    offset: u64,
    length: usize,
}

/// All maps, by their addresses; none overlaps another.
#[derive(Debug, Default)]
pub struct Maps {
    maps: BTreeMap<u64, Map>,
    files: Vec<Arc<Memory>>,
}

impl Maps {
    /// Adds a map of `size` bytes at `address`: what is at `offset` of the file.
    pub fn add(
        &mut self,
        (address, size): (u64, u64),
        rights: Rights,
        file: Option<File>,
        offset: u64,
    ) -> io::Result<()> {
        let end = address.checked_add(size).filter(|_| size > 0);
        let end = end.ok_or_else(|| io::Error::other("a map of no bytes, or past the end"))?;
        if self.overlapping(address, end).next().is_some() {
            return Err(io::Error::other(format!(
                "the map of {size:#x} bytes at {address:#x} overlaps another"
            )));
        }
        let memory = file.map(|file| self.known(file)).transpose()?;
        let map = Map {
            size,
            rights,
            memory,
            offset,
        };
        self.maps.insert(address, map);
        Ok(())
    }

    /// Takes away what is mapped in a range; what reaches out of it stays outside.
    pub fn remove(&mut self, address: u64, size: u64) {
        let end = address.saturating_add(size);
        let starts: Vec<u64> = self.overlapping(address, end).map(|(at, _)| at).collect();
        for start in starts {
            let Some(map) = self.maps.remove(&start) else {
                continue;
            };
            let stop = start + map.size;
            if start < address {
                self.maps.insert(start, map.part(0, address - start));
            }
            if stop > end {
                self.maps.insert(end, map.part(end - start, stop - end));
            }
        }
        self.forget_files();
    }

    /// Takes away all.
    pub fn clear(&mut self) {
        self.maps.clear();
        self.files.clear();
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.maps.len()
    }

    /// Reads guest memory, all of it or nothing.
    pub fn read(&self, address: u64, data: &mut [u8]) -> Result<(), Refusal> {
        let mut rest = data;
        for (at, piece) in self.pieces(address, rest.len(), Access::Read)? {
            let (now, later) = rest.split_at_mut(piece.length);
            let file = &piece.memory.file;
            file.read_exact_at(now, piece.offset)
                .map_err(|_| Refusal::Unshared(at))?;
            rest = later;
        }
        Ok(())
    }

    /// Writes guest memory, all of it or nothing.
    pub fn write(&self, address: u64, data: &[u8]) -> Result<(), Refusal> {
        let mut rest = data;
        for (at, piece) in self.pieces(address, rest.len(), Access::Write)? {
            let (now, later) = rest.split_at(piece.length);
            let file = &piece.memory.file;
            file.write_all_at(now, piece.offset)
                .map_err(|_| Refusal::Unshared(at))?;
            rest = later;
        }
        Ok(())
    }

    /// The pieces of maps that an access touches, with their addresses.
    fn pieces(
        &self,
        address: u64,
        length: usize,
        access: Access,
    ) -> Result<Vec<(u64, Piece<'_>)>, Refusal> {
        let mut pieces = Vec::new();
        let (mut at, mut left) = (address, length as u64);
        while left > 0 {
            let piece = self.piece(at, left, access)?;
            let length = piece.length as u64;
            pieces.push((at, piece));
            left -= length;
            at = at.wrapping_add(length);
        }
        Ok(pieces)
    }

    fn piece(&self, at: u64, left: u64, access: Access) -> Result<Piece<'_>, Refusal> {
        let (start, map) = self
            .maps
            .range(..=at)
            .next_back()
            .ok_or(Refusal::Unmapped(at))?;
        let skip = at - start;
        if skip >= map.size {
            return Err(Refusal::Unmapped(at));
        }
        if !map.rights.allow(access) {
            return Err(Refusal::Direction(at));
        }
        Ok(Piece {
            memory: map.memory.as_deref().ok_or(Refusal::Unshared(at))?,
            offset: map.offset + skip,
            length: left.min(map.size - skip) as usize,
        })
    }

    /// Maps with a byte between `address` and `end`.
    fn overlapping(&self, address: u64, end: u64) -> impl Iterator<Item = (u64, &Map)> {
        let before = self.maps.range(..address).next_back();
        before
            .into_iter()
            .chain(self.maps.range(address..end.max(address)))
            .filter(move |(start, map)| *start + map.size > address)
            .map(|(start, map)| (*start, map))
    }

    fn known(&mut self, file: File) -> io::Result<Arc<Memory>> {
        let about = file.metadata()?;
        let name = (about.dev(), about.ino());
        if let Some(known) = self.files.iter().find(|known| known.name == name) {
            return Ok(Arc::clone(known));
        }
        let memory = Arc::new(Memory { file, name });
        self.files.push(Arc::clone(&memory));
        Ok(memory)
    }

    fn forget_files(&mut self) {
        self.files.retain(|file| Arc::strong_count(file) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::pages::pages as memory;
    use super::*;

    const BOTH: Rights = Rights {
        read: true,
        write: true,
    };
    const READ: Rights = Rights {
        read: true,
        write: false,
    };

    fn read(maps: &Maps, address: u64, length: usize) -> Result<Vec<u8>, Refusal> {
        let mut data = vec![0; length];
        maps.read(address, &mut data).map(|()| data)
    }

    #[test]
    fn bytes_are_those_of_the_file() {
        let mut maps = Maps::default();
        let file = memory();
        let same = file.try_clone().expect("it can be cloned");
        maps.add((0x1000, 0x2000), BOTH, Some(file), 0)
            .expect("it is free");
        assert_eq!(read(&maps, 0x1ffe, 4), Ok(vec![1, 1, 2, 2]));
        assert_eq!(maps.write(0x2fff, &[9]), Ok(()));
        let mut byte = [0];
        same.read_exact_at(&mut byte, 0x1fff).expect("it is there");
        assert_eq!(byte, [9]);
    }

    #[test]
    fn an_access_may_cross_maps_but_no_hole() {
        let mut maps = Maps::default();
        let file = memory();
        let same = file.try_clone().expect("it can be cloned");
        // The other way round than in the file.
        maps.add((0x1000, 0x1000), BOTH, Some(file), 0x1000)
            .expect("it is free");
        maps.add((0x2000, 0x1000), BOTH, Some(same), 0)
            .expect("it is free");
        assert_eq!(maps.files.len(), 1);
        assert_eq!(read(&maps, 0x1fff, 2), Ok(vec![2, 1]));
        assert_eq!(read(&maps, 0x2fff, 2), Err(Refusal::Unmapped(0x3000)));
        assert_eq!(read(&maps, 0xfff, 2), Err(Refusal::Unmapped(0xfff)));
    }

    #[test]
    fn nothing_of_a_refused_write_arrives() {
        let mut maps = Maps::default();
        maps.add((0x1000, 0x1000), BOTH, Some(memory()), 0)
            .expect("it is free");
        assert_eq!(maps.write(0x1ffe, &[7; 4]), Err(Refusal::Unmapped(0x2000)));
        assert_eq!(read(&maps, 0x1ffe, 2), Ok(vec![1, 1]));
    }

    #[test]
    fn the_direction_counts() {
        let mut maps = Maps::default();
        maps.add((0, 0x1000), READ, Some(memory()), 0)
            .expect("it is free");
        assert!(read(&maps, 0, 1).is_ok());
        assert_eq!(maps.write(0, &[0]), Err(Refusal::Direction(0)));
    }

    #[test]
    fn memory_without_a_file_is_out_of_reach() {
        let mut maps = Maps::default();
        maps.add((0, 0x1000), BOTH, None, 0).expect("it is free");
        assert_eq!(read(&maps, 8, 1), Err(Refusal::Unshared(8)));
    }

    #[test]
    fn a_part_can_be_taken_out_of_the_middle() {
        let mut maps = Maps::default();
        maps.add((0x1000, 0x2000), BOTH, Some(memory()), 0)
            .expect("it is free");
        maps.remove(0x1800, 0x1000);
        assert_eq!(maps.count(), 2);
        assert_eq!(read(&maps, 0x17ff, 1), Ok(vec![1]));
        assert_eq!(read(&maps, 0x1800, 1), Err(Refusal::Unmapped(0x1800)));
        assert_eq!(read(&maps, 0x2800, 1), Ok(vec![2]));
        maps.remove(0, u64::MAX);
        assert_eq!((maps.count(), maps.files.len()), (0, 0));
    }

    #[test]
    fn maps_neither_overlap_nor_wrap() {
        let mut maps = Maps::default();
        let mut add = |address, size| maps.add((address, size), BOTH, None, 0).is_ok();
        assert!(add(0x1000, 0x1000));
        assert!(!add(0x1fff, 2) && !add(0x800, 0x801) && !add(0, u64::MAX));
        assert!(add(0x2000, 0x1000) && add(0, 0x1000));
        assert!(!add(u64::MAX, 2) && !add(0x9000, 0));
    }

    #[test]
    fn an_access_past_the_end_of_all_is_unmapped() {
        let maps = Maps::default();
        assert_eq!(read(&maps, u64::MAX, 2), Err(Refusal::Unmapped(u64::MAX)));
    }
}
