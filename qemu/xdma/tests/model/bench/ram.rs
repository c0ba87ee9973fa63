// SPDX-License-Identifier: MIT OR GPL-2.0

//! Memory of a host of which only some pages are mapped, and a record of what came.

use std::collections::BTreeMap;
use std::time::Duration;

use pindma_xdma::{BusError, Host};

const PAGE: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Read(u64, usize),
    Write(u64, usize),
    Message(u32),
    Line(u8, bool),
}

#[derive(Default)]
pub struct Ram {
    pages: BTreeMap<u64, Vec<u8>>,
    /// Pages that answer with an error.
    pub bad: BTreeMap<u64, BusError>,
    pub events: Vec<Event>,
    pub now: Duration,
}

impl Ram {
    /// Maps pages for a range.
    pub fn map(&mut self, address: u64, length: u64) {
        for page in address / PAGE..(address + length).div_ceil(PAGE) {
            self.pages
                .entry(page * PAGE)
                .or_insert_with(|| vec![0; PAGE as usize]);
        }
    }

    /// Maps a range and fills it.
    pub fn put(&mut self, address: u64, data: &[u8]) {
        self.map(address, data.len() as u64);
        for (byte, at) in data.iter().zip(address..) {
            let page = self.pages.get_mut(&(at / PAGE * PAGE));
            page.expect("it was mapped")[(at % PAGE) as usize] = *byte;
        }
    }

    pub fn get(&self, address: u64, length: usize) -> Vec<u8> {
        let bytes = (address..).take(length).map(|at| {
            let page = self.pages.get(&(at / PAGE * PAGE));
            page.expect("the test maps what it reads")[(at % PAGE) as usize]
        });
        bytes.collect()
    }

    pub fn word(&self, address: u64) -> u32 {
        let bytes = self.get(address, 4);
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    pub fn messages(&self) -> Vec<u32> {
        let message = |event: &Event| match event {
            Event::Message(vector) => Some(*vector),
            _ => None,
        };
        self.events.iter().filter_map(message).collect()
    }

    pub fn lines(&self) -> Vec<(u8, bool)> {
        let line = |event: &Event| match event {
            Event::Line(pin, asserted) => Some((*pin, *asserted)),
            _ => None,
        };
        self.events.iter().filter_map(line).collect()
    }

    /// Bytes of the read requests for a range, in their order.
    pub fn reads(&self, address: u64, length: u64) -> Vec<usize> {
        let read = |event: &Event| match event {
            Event::Read(at, bytes) if (address..address + length).contains(at) => Some(*bytes),
            _ => None,
        };
        self.events.iter().filter_map(read).collect()
    }

    fn page(&mut self, address: u64, length: usize) -> Result<&mut [u8], BusError> {
        let offset = (address % PAGE) as usize;
        assert!(offset + length <= PAGE as usize, "a request crosses a page");
        let page = address / PAGE * PAGE;
        if let Some(error) = self.bad.get(&page) {
            return Err(*error);
        }
        let bytes = self.pages.get_mut(&page);
        let bytes = bytes.ok_or(BusError::UnsupportedRequest)?;
        Ok(&mut bytes[offset..offset + length])
    }
}

impl Host for Ram {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        self.events.push(Event::Read(address, data.len()));
        data.copy_from_slice(self.page(address, data.len())?);
        Ok(())
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        self.events.push(Event::Write(address, data.len()));
        self.page(address, data.len())?.copy_from_slice(data);
        Ok(())
    }

    fn message(&mut self, vector: u32) {
        self.events.push(Event::Message(vector));
    }

    fn line(&mut self, pin: u8, asserted: bool) {
        self.events.push(Event::Line(pin, asserted));
    }

    fn now(&self) -> Duration {
        self.now
    }
}
