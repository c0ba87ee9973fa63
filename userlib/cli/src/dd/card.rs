// SPDX-License-Identifier: MIT OR GPL-2.0
//! The device as something that is read and written from a place on.

use std::io::{self, Read, Write};

use anyhow::{ensure, Result};
use pindma::{ChannelInfo, ChannelKind, Device, Done, Error, Request};

use crate::args::{deadline, DdArgs};
use crate::report::bytes;

/// A channel of a device, and where in it the next transfer begins.
pub struct Card<'d> {
    request: Request<'d>,
    place: Place,
    /// What ended a transfer after some bytes: the next call is told.
    late: Option<Error>,
}

impl<'d> Card<'d> {
    /// The channel that is asked for, from byte `offset` of its memory on.
    pub fn new(args: &DdArgs, device: &'d Device, offset: u64) -> Result<Self> {
        let channel = device.channel_info(args.channel)?;
        let request = device.request().channel(args.channel);
        Ok(Self {
            request: request.deadline(deadline(args.timeout)),
            place: Place::new(offset, &channel)?,
            late: None,
        })
    }

    /// Bytes up to the end of the memory; None: there is no end.
    pub fn left(&self) -> Option<u64> {
        self.place.left()
    }

    fn moved(&mut self, outcome: Result<Done, Error>) -> io::Result<usize> {
        let moved = match outcome {
            Ok(done) => done.bytes,
            Err(error) if error.bytes() == 0 => return Err(error.into()),
            Err(error) => {
                let moved = error.bytes();
                self.late = Some(error);
                moved
            }
        };
        self.place.advance(moved);
        Ok(moved as usize)
    }

    /// The transfer of at most `len` bytes that comes next; and how many it has.
    fn next(&mut self, len: usize) -> io::Result<(Request<'d>, usize)> {
        if let Some(late) = self.late.take() {
            return Err(late.into());
        }
        let len = self.place.fits(len);
        Ok((self.request.dev_addr(self.place.at), len))
    }
}

impl Read for Card<'_> {
    /// As read(2): nothing at the end of the memory.
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.next(to.len())? {
            (_, 0) => Ok(0),
            (request, len) => self.moved(request.receive(&mut to[..len])),
        }
    }
}

impl Write for Card<'_> {
    /// As write(2): an error at the end of the memory.
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self.next(from.len())? {
            (_, 0) => Err(end_of_memory()),
            (request, len) => self.moved(request.send(&from[..len])),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn end_of_memory() -> io::Error {
    let text = "the end of the device's memory is reached; `pindma info` says how much it has";
    io::Error::new(io::ErrorKind::StorageFull, text)
}

/// A place in a channel's memory.
#[derive(Debug)]
struct Place {
    at: u64,
    /// Bytes of the memory; None for a stream, which has no places.
    memory: Option<u64>,
}

impl Place {
    fn new(at: u64, channel: &ChannelInfo) -> Result<Self> {
        let memory = (channel.kind == ChannelKind::Memory).then_some(channel.memory_bytes);
        if let Some(memory) = memory {
            ensure!(
                at <= memory,
                "offset={at:#x} is beyond the end of the device's memory, which has {}",
                bytes(memory)
            );
        }
        Ok(Self { at, memory })
    }

    fn left(&self) -> Option<u64> {
        self.memory.map(|memory| memory.saturating_sub(self.at))
    }

    /// How many of so many bytes there is memory for.
    fn fits(&self, len: usize) -> usize {
        let left = self.left().and_then(|left| usize::try_from(left).ok());
        left.map_or(len, |left| left.min(len))
    }

    fn advance(&mut self, moved: u64) {
        if self.memory.is_some() {
            self.at = self.at.saturating_add(moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use pindma::sys::{PINDMA_CHANNEL_MEMORY, PINDMA_CHANNEL_STREAM};

    use super::*;

    fn channel(kind: u32) -> ChannelInfo {
        let raw = pindma::sys::pindma_channel_info {
            out_kind: kind,
            out_mem_bytes: 4096,
            ..Default::default()
        };
        ChannelInfo::from(&raw)
    }

    #[test]
    fn an_offset_beyond_the_memory_is_named() {
        let memory = channel(PINDMA_CHANNEL_MEMORY);
        assert!(Place::new(4096, &memory).is_ok());
        let error = Place::new(0x10000, &memory).expect_err("beyond");
        assert_eq!(
            error.to_string(),
            "offset=0x10000 is beyond the end of the device's memory, which has 4096 bytes (4.0 KiB)"
        );
        assert!(Place::new(0x10000, &channel(PINDMA_CHANNEL_STREAM)).is_ok());
    }

    #[test]
    fn memory_ends_and_a_stream_does_not() {
        let mut memory = Place::new(4000, &channel(PINDMA_CHANNEL_MEMORY)).expect("inside");
        assert_eq!((memory.fits(50), memory.fits(100)), (50, 96));
        memory.advance(96);
        assert_eq!((memory.fits(1), memory.left()), (0, Some(0)));
        let mut stream = Place::new(0, &channel(PINDMA_CHANNEL_STREAM)).expect("no places");
        stream.advance(1000);
        assert_eq!((stream.at, stream.fits(1 << 20)), (0, 1 << 20));
    }
}
