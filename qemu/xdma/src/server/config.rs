// SPDX-License-Identifier: MIT OR GPL-2.0

//! The PCI configuration space: what it says, which bits of it can be written, and what
//! those switch.

use pindma_xdma::{Bar, BarKind, Config as Build, Interrupts};

/// Bytes of it, as of every PCI Express function.
pub const BYTES: usize = 4096;

/// Vectors of MSI-X; the drivers that there are want one for each channel and 16 more.
pub const MSIX_VECTORS: u16 = 32;

const VENDOR: u16 = 0x10ee;
const SUBSYSTEM: u16 = 0x0007;
/// Memory controller, none of the usual ones.
const CLASS: [u8; 3] = [0x00, 0x80, 0x05];

const COMMAND: usize = 0x04;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_MASTER: u16 = 1 << 2;
const COMMAND_NO_INTX: u16 = 1 << 10;
/// Beside those: answer to parity errors, report system errors.
const COMMAND_OTHER: u16 = (1 << 6) | (1 << 8);
const STATUS: usize = 0x06;
const STATUS_INTERRUPT: u16 = 1 << 3;
const STATUS_CAPABILITIES: u16 = 1 << 4;
const BAR: usize = 0x10;
const CAPABILITIES: usize = 0x34;
const INTERRUPT_LINE: usize = 0x3c;
const INTERRUPT_PIN: usize = 0x3d;

const POWER: usize = 0x40;
const POWER_STATE: usize = POWER + 4;
const POWER_STATE_BITS: u8 = 3;
const MSI: usize = 0x48;
const MSIX: usize = 0x60;
const EXPRESS: usize = 0x70;

const MSI_CONTROL: usize = MSI + 2;
const MSI_ENABLE: u16 = 1;
const MSI_64_BIT: u16 = 1 << 7;
const MSIX_CONTROL: usize = MSIX + 2;
const MSIX_ENABLE: u16 = 1 << 15;
const MSIX_MASK: u16 = 1 << 14;
/// Where the card has the table of MSI-X and its pending bits, in the DMA BAR.
const MSIX_TABLE: u32 = 0x8000;
const MSIX_PENDING: u32 = 0x8fe0;
const DEVICE_CONTROL: usize = EXPRESS + 8;

/// The configuration space of one function.
pub struct Config {
    bytes: Vec<u8>,
    /// Bits that a write changes.
    writable: Vec<u8>,
    bars: Vec<Bar>,
    device: u16,
    /// Vectors of MSI.
    messages: u8,
}

impl Config {
    /// As it is after power-on.
    pub fn new(build: &Build) -> Config {
        Config::of(build.bars(), build.device, build.msi_vectors)
    }

    fn of(bars: Vec<Bar>, device: u16, messages: u8) -> Config {
        let mut config = Config {
            bytes: vec![0; BYTES],
            writable: vec![0; BYTES],
            bars,
            device,
            messages,
        };
        config.identity();
        config.base_addresses();
        config.power();
        config.msi();
        config.msix();
        config.express();
        config
    }

    /// What a reset leaves.
    pub fn reset(&mut self) {
        *self = Config::of(self.bars.clone(), self.device, self.messages);
    }

    /// Copies what is at `offset`; beyond the end there are ones.
    pub fn read(&self, offset: u64, data: &mut [u8]) {
        data.fill(0xff);
        let bytes = self.bytes.iter().skip(position(offset));
        data.iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
    }

    /// Changes the bits at `offset` that can be changed.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let masks = self.writable.iter().skip(position(offset));
        let bytes = self.bytes.iter_mut().skip(position(offset));
        for ((byte, mask), new) in bytes.zip(masks).zip(data) {
            *byte = *byte & !mask | new & mask;
        }
    }

    /// Whether the function answers on its BARs.
    pub fn answers(&self) -> bool {
        self.is_awake() && self.word(COMMAND) & COMMAND_MEMORY != 0
    }

    /// Whether the function may read and write memory.
    pub fn masters(&self) -> bool {
        self.is_awake() && self.word(COMMAND) & COMMAND_MASTER != 0
    }

    /// In D3 a function answers in configuration space only, and says nothing by itself.
    fn is_awake(&self) -> bool {
        self.bytes[POWER_STATE] & POWER_STATE_BITS == 0
    }

    /// How it interrupts.
    pub fn interrupts(&self) -> Interrupts {
        let (msix, msi) = (self.word(MSIX_CONTROL), self.word(MSI_CONTROL));
        if !self.is_awake() {
            Interrupts::None
        } else if msix & MSIX_ENABLE != 0 {
            let masked = msix & MSIX_MASK != 0;
            Interrupts::MsiX { masked }
        } else if msi & MSI_ENABLE != 0 {
            let allowed = 1 << ((msi >> 4) & 7).min(5);
            Interrupts::Msi(self.messages.min(allowed))
        } else if self.word(COMMAND) & COMMAND_NO_INTX == 0 {
            Interrupts::Intx
        } else {
            Interrupts::None
        }
    }

    /// Shows the state of the line INTA.
    pub fn show_line(&mut self, high: bool) {
        let other = self.word(STATUS) & !STATUS_INTERRUPT;
        let bit = if high { STATUS_INTERRUPT } else { 0 };
        self.put(STATUS, &(other | bit).to_le_bytes());
    }

    /// Largest payload and largest read request, in the field's code: 128 bytes shifted
    /// left by it.
    pub fn payloads(&self) -> (u8, u8) {
        let control = self.word(DEVICE_CONTROL);
        (((control >> 5) & 7) as u8, ((control >> 12) & 7) as u8)
    }

    fn identity(&mut self) {
        self.put(0x00, &VENDOR.to_le_bytes());
        self.put(0x02, &self.device.to_le_bytes());
        let command = COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX | COMMAND_OTHER;
        self.open(COMMAND, &command.to_le_bytes());
        self.put(STATUS, &STATUS_CAPABILITIES.to_le_bytes());
        self.put(0x09, &CLASS);
        self.put(0x2c, &VENDOR.to_le_bytes());
        self.put(0x2e, &SUBSYSTEM.to_le_bytes());
        self.put(CAPABILITIES, &[POWER as u8]);
        self.open(INTERRUPT_LINE, &[0xff]);
        self.put(INTERRUPT_PIN, &[1]);
    }

    fn base_addresses(&mut self) {
        for bar in self.bars.clone() {
            self.base_address(&bar);
        }
    }

    /// The bypass is memory: reading it has no effect and may be done ahead.
    fn base_address(&mut self, bar: &Bar) {
        const WIDE: u8 = 1 << 2;
        const PREFETCHABLE: u8 = 1 << 3;
        let at = BAR + 4 * usize::from(bar.index);
        let mask = !(bar.size - 1);
        let wide = if bar.wide { WIDE } else { 0 };
        let ahead = bar.wide && bar.kind == BarKind::Bypass;
        let ahead = if ahead { PREFETCHABLE } else { 0 };
        self.put(at, &[wide | ahead]);
        self.open(at, &(mask as u32).to_le_bytes());
        if bar.wide {
            self.open(at + 4, &((mask >> 32) as u32).to_le_bytes());
        }
    }

    /// Version 3, D0 and D3 only. Going back to D0 resets nothing: or it would be a way to
    /// reset the function, which the card does not offer.
    fn power(&mut self) {
        const NO_SOFT_RESET: u8 = 1 << 3;
        self.put(POWER, &[0x01, MSI as u8, 0x03, 0x00, NO_SOFT_RESET]);
        self.open(POWER_STATE, &[POWER_STATE_BITS]);
    }

    fn msi(&mut self) {
        let count = self.messages.trailing_zeros() as u16;
        self.put(MSI, &[0x05, MSIX as u8]);
        self.put(MSI_CONTROL, &(MSI_64_BIT | (count << 1)).to_le_bytes());
        self.open(MSI_CONTROL, &(MSI_ENABLE | (7 << 4)).to_le_bytes());
        self.open(MSI + 4, &[0xfc, 0xff, 0xff, 0xff]);
        self.open(MSI + 8, &[0xff; 4]);
        self.open(MSI + 12, &[0xff; 2]);
    }

    fn msix(&mut self) {
        let mut bars = self.bars.iter();
        let dma = bars.find(|bar| bar.kind == BarKind::Dma);
        let bar = dma.map_or(0, |bar| u32::from(bar.index));
        self.put(MSIX, &[0x11, EXPRESS as u8]);
        self.put(MSIX_CONTROL, &(MSIX_VECTORS - 1).to_le_bytes());
        self.open(MSIX_CONTROL, &(MSIX_ENABLE | MSIX_MASK).to_le_bytes());
        self.put(MSIX + 4, &(MSIX_TABLE | bar).to_le_bytes());
        self.put(MSIX + 8, &(MSIX_PENDING | bar).to_le_bytes());
    }

    /// An endpoint of version 2 with eight lanes at 8 GT/s and no function level reset.
    fn express(&mut self) {
        const ENDPOINT: u16 = 2;
        const PAYLOAD_1024: u32 = 3;
        const EXTENDED_TAGS: u32 = 1 << 5;
        const ROLES: u32 = 1 << 15;
        /// What the standard has after a reset: relaxed ordering, no snoop, reads of 512.
        const CONTROL: u16 = 0x2810;
        const LINK: u16 = (8 << 4) | 3;
        self.put(EXPRESS, &[0x10, 0x00]);
        self.put(EXPRESS + 2, &ENDPOINT.to_le_bytes());
        let capable = PAYLOAD_1024 | EXTENDED_TAGS | ROLES;
        self.put(EXPRESS + 4, &capable.to_le_bytes());
        self.put(DEVICE_CONTROL, &CONTROL.to_le_bytes());
        self.open(DEVICE_CONTROL, &0x7fffu16.to_le_bytes());
        self.put(EXPRESS + 12, &LINK.to_le_bytes());
        self.open(EXPRESS + 16, &[0xcb, 0x0f]);
        self.put(EXPRESS + 18, &LINK.to_le_bytes());
        self.put(EXPRESS + 44, &[0x0e]);
        self.open(EXPRESS + 48, &[0x0f]);
        self.put(EXPRESS + 48, &[0x03]);
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn put(&mut self, at: usize, value: &[u8]) {
        self.bytes[at..at + value.len()].copy_from_slice(value);
    }

    /// Lets these bits be written.
    fn open(&mut self, at: usize, mask: &[u8]) {
        self.writable[at..at + mask.len()].copy_from_slice(mask);
    }
}

/// An offset as a position; one that is too large is beyond the end.
fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new(&Build {
            bypass: true,
            ..Build::default()
        })
    }

    fn long(config: &Config, at: u64) -> u32 {
        let mut bytes = [0; 4];
        config.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Offsets of all capabilities, by their ids.
    fn capabilities(config: &Config) -> Vec<(u8, u64)> {
        let mut list = Vec::new();
        let mut at = u64::from(long(config, 0x34) & 0xff);
        while at != 0 {
            let word = long(config, at);
            list.push((word as u8, at));
            at = u64::from((word >> 8) & 0xff);
        }
        list
    }

    #[test]
    fn identity_is_the_cards() {
        let config = config();
        assert_eq!(long(&config, 0), 0x9038_10ee);
        assert_eq!(long(&config, 8) >> 8, 0x05_8000);
        assert_eq!(long(&config, 0x2c), 0x0007_10ee);
    }

    #[test]
    fn it_has_four_capabilities_and_no_function_level_reset() {
        let config = config();
        let list = capabilities(&config);
        let ids: Vec<_> = list.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [0x01, 0x05, 0x11, 0x10]);
        let express = list[3].1;
        assert_eq!(long(&config, express + 4) & (1 << 28), 0);
        assert_eq!(long(&config, 0x100), 0);
    }

    #[test]
    fn identity_cannot_be_written() {
        let mut config = config();
        config.write(0, &[0; 64]);
        assert_eq!(long(&config, 0), 0x9038_10ee);
        assert_eq!(config.bytes[CAPABILITIES], POWER as u8);
    }

    #[test]
    fn base_addresses_tell_their_size() {
        let mut config = config();
        for (index, size) in [(0, 1u32 << 20), (1, 1 << 16), (2, 1 << 26), (4, 0)] {
            let at = 0x10 + 4 * index;
            config.write(at, &[0xff; 4]);
            let said = long(&config, at) & !0xf;
            assert_eq!(said, if size == 0 { 0 } else { !(size - 1) }, "{index}");
        }
    }

    #[test]
    fn wide_base_addresses_take_two() {
        let mut config = Config::new(&Build {
            dma_bar: 2,
            ..Build::default()
        });
        config.write(0x10, &[0xff; 8]);
        assert_eq!(
            (long(&config, 0x10), long(&config, 0x14)),
            (0xfff0_0004, !0)
        );
        assert_eq!(long(&config, MSIX as u64 + 4), 0x8002);
    }

    #[test]
    fn msix_lies_in_the_dma_bar() {
        let config = config();
        let msix = capabilities(&config)[2].1;
        assert_eq!(long(&config, msix) >> 16, 31);
        assert_eq!(long(&config, msix + 4), 0x8001);
        assert_eq!(long(&config, msix + 8), 0x8fe1);
    }

    #[test]
    fn the_strongest_kind_of_interrupt_counts() {
        let mut config = config();
        assert_eq!(config.interrupts(), Interrupts::Intx);
        config.write(0x05, &[0x04]);
        assert_eq!(config.interrupts(), Interrupts::None);
        config.write(MSI_CONTROL as u64, &[0x51]);
        assert_eq!(config.interrupts(), Interrupts::Msi(1));
        config.write(MSIX_CONTROL as u64 + 1, &[0xc0]);
        assert_eq!(config.interrupts(), Interrupts::MsiX { masked: true });
    }

    #[test]
    fn as_many_messages_are_used_as_there_are_and_may_be() {
        let mut config = Config::new(&Build {
            msi_vectors: 8,
            ..Build::default()
        });
        config.write(0x05, &[0x04]);
        assert_eq!((config.word(MSI_CONTROL) >> 1) & 7, 3);
        for (allowed, used) in [(0, 1), (2, 4), (3, 8), (5, 8)] {
            config.write(MSI_CONTROL as u64, &[0x01 | (allowed << 4)]);
            assert_eq!(config.interrupts(), Interrupts::Msi(used));
        }
    }

    #[test]
    fn asleep_it_does_nothing_and_forgets_nothing() {
        let mut config = config();
        config.write(COMMAND as u64, &[0x06]);
        config.write(POWER_STATE as u64, &[0x03]);
        assert!(!config.answers() && !config.masters());
        assert_eq!(config.interrupts(), Interrupts::None);
        config.write(POWER_STATE as u64, &[0x00]);
        assert!(config.answers() && config.masters());
        assert_eq!(config.interrupts(), Interrupts::Intx);
    }

    #[test]
    fn command_switches_and_reset_puts_back() {
        let mut config = config();
        assert!(!config.answers() && !config.masters());
        config.write(COMMAND as u64, &[0x06]);
        assert!(config.answers() && config.masters());
        config.reset();
        assert!(!config.answers() && !config.masters());
    }

    #[test]
    fn payloads_follow_device_control() {
        let mut config = config();
        assert_eq!(config.payloads(), (0, 2));
        config.write(DEVICE_CONTROL as u64, &0x5020u16.to_le_bytes());
        assert_eq!(config.payloads(), (1, 5));
    }

    #[test]
    fn accesses_beyond_the_end_do_no_harm() {
        let mut config = config();
        config.write(BYTES as u64 - 2, &[0; 8]);
        config.write(u64::MAX, &[0; 1]);
        assert_eq!(long(&config, BYTES as u64), !0);
        assert_eq!(long(&config, BYTES as u64 - 2), 0xffff_0000);
    }

    #[test]
    fn the_line_shows_in_status() {
        let mut config = config();
        config.show_line(true);
        assert_eq!(config.word(STATUS), STATUS_CAPABILITIES | STATUS_INTERRUPT);
        config.show_line(false);
        assert_eq!(config.word(STATUS), STATUS_CAPABILITIES);
    }
}
