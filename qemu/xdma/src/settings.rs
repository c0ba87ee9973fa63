// SPDX-License-Identifier: MIT OR GPL-2.0

//! The config block: the build and the link ("Config Block Registers").

use std::time::Duration;

use crate::config::DataWidth;
use crate::interrupts::Interrupts;
use crate::perf::CLOCK_NS;

const SYSTEM_ID: u32 = 0xff01;
/// The code of the largest payload and read request, 4096 bytes.
const LARGEST: u32 = 5;

/// The part of the function's config space that the block mirrors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) bus_device: u16,
    pub(crate) payload: u8,
    pub(crate) read_request: u8,
}

impl Default for Link {
    /// 256 and 512 bytes, as hosts choose.
    fn default() -> Self {
        Link {
            bus_device: 0,
            payload: 1,
            read_request: 2,
        }
    }
}

/// The registers that can be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    relaxed_ordering: bool,
    payload: u32,
    read_request: u32,
    flush_timeout: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            relaxed_ordering: true,
            payload: LARGEST,
            read_request: LARGEST,
            flush_timeout: 0,
        }
    }
}

impl Settings {
    pub(crate) fn read(
        &self,
        register: u8,
        link: Link,
        width: DataWidth,
        interrupts: Interrupts,
    ) -> u32 {
        match register {
            0x04 => link.bus_device.into(),
            0x08 => link.payload.into(),
            0x0c => link.read_request.into(),
            0x10 => SYSTEM_ID,
            0x14 => interrupts.bits(),
            0x18 => width.code(),
            0x1c => self.relaxed_ordering.into(),
            0x40 => limit(self.payload, link.payload),
            0x44 => limit(self.read_request, link.read_request),
            0x60 => self.flush_timeout,
            _ => 0,
        }
    }

    pub(crate) fn write(&mut self, register: u8, value: u32) {
        match register {
            0x1c => self.relaxed_ordering = value & 1 != 0,
            0x40 => self.payload = value & 7,
            0x44 => self.read_request = value & 7,
            0x60 => self.flush_timeout = value & 0x1f,
            _ => {}
        }
    }

    /// Bytes of the largest read request.
    pub(crate) fn read_request_bytes(&self, link: Link) -> u32 {
        128 << effective(self.read_request, link.read_request)
    }

    /// How long a stream's descriptor that has data waits for more.
    pub(crate) fn flush_after(&self) -> Option<Duration> {
        let clocks = 1 << self.flush_timeout;
        (self.flush_timeout > 0).then(|| Duration::from_nanos(clocks * CLOCK_NS))
    }
}

fn effective(programmed: u32, link: u8) -> u32 {
    programmed.min(link.into()).min(LARGEST)
}

/// Bits 2:0 what was programmed, 6:4 what holds.
fn limit(programmed: u32, link: u8) -> u32 {
    programmed | (effective(programmed, link) << 4)
}
