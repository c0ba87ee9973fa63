// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the card reaches: the guest's memory through its maps, interrupts, and a clock.

use std::fmt;
use std::time::{Duration, Instant};

use pindma_xdma::{BusError, Host, Interrupts};

use super::irqs::Irqs;
use super::maps::{Access, Maps, Refusal};

/// An access that reached no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Which way.
    pub access: Access,
    /// Where it began.
    pub address: u64,
    /// Its bytes.
    pub length: usize,
    /// Why it was refused.
    pub refusal: Refusal,
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        let Stray {
            address, length, ..
        } = self;
        write!(f, "{access} of {length} bytes at {address:#x}, where ")?;
        match self.refusal {
            Refusal::Unmapped(at) => write!(f, "nothing is mapped at {at:#x}"),
            Refusal::Direction(at) => write!(f, "the map at {at:#x} is for the other direction"),
            Refusal::Unshared(at) => write!(f, "the memory at {at:#x} is not shared"),
        }
    }
}

/// The guest as the card sees it.
pub struct Bus {
    /// Its memory.
    pub maps: Maps,
    /// Its interrupts.
    pub irqs: Irqs,
    /// Which kind of interrupt is on.
    pub kind: Interrupts,
    strays: Vec<Stray>,
    begin: Instant,
}

impl Bus {
    /// Without memory and interrupts.
    pub fn new() -> Bus {
        Bus {
            maps: Maps::default(),
            irqs: Irqs::default(),
            kind: Interrupts::None,
            strays: Vec::new(),
            begin: Instant::now(),
        }
    }

    /// The strays since it was last asked.
    pub fn take_strays(&mut self) -> Vec<Stray> {
        std::mem::take(&mut self.strays)
    }

    fn refuse(
        &mut self,
        access: Access,
        address: u64,
        length: usize,
        refusal: Refusal,
    ) -> BusError {
        self.strays.push(Stray {
            access,
            address,
            length,
            refusal,
        });
        BusError::UnsupportedRequest
    }
}

impl Host for Bus {
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        self.maps
            .read(address, data)
            .map_err(|why| self.refuse(Access::Read, address, data.len(), why))
    }

    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        self.maps
            .write(address, data)
            .map_err(|why| self.refuse(Access::Write, address, data.len(), why))
    }

    fn message(&mut self, vector: u32) {
        self.irqs.message(self.kind, vector);
    }

    /// The function has one pin, INTA. What a vector number sends to another one is lost,
    /// as on a board.
    fn line(&mut self, pin: u8, asserted: bool) {
        if pin == 0 {
            self.irqs.line(asserted);
        }
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }
}
