// SPDX-License-Identifier: MIT OR GPL-2.0

//! How a card was built: the choices in the IP's dialogs ("PCIe: DMA Tab").

use crate::switches::Switches;
use crate::Channel;

/// The choices of one build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Channels from host to card, 1 to 4.
    pub h2c: u8,
    /// Channels from card to host, 1 to 4.
    pub c2h: u8,
    /// The card's end of all channels.
    pub interface: Interface,
    /// Width of the data path.
    pub data_width: DataWidth,
    /// The content of the Alignments register.
    pub alignments: Alignments,
    /// Bytes of memory on the card, a power of two; also the size of the bypass BAR.
    pub memory_size: u64,
    /// The first address of that memory on the card.
    pub memory_base: u64,
    /// Bytes of the BAR of user logic, a power of two; 0 for none.
    pub user_size: u32,
    /// Whether there is a BAR onto the card's memory.
    pub bypass: bool,
    /// The BAR with the DMA registers: 0, 1, or 2.
    pub dma_bar: u8,
    /// Whether the build has credit mode.
    pub credits: bool,
    /// Its device id; users give their cards others than the vendor's.
    pub device: u16,
    /// Vectors of MSI, a power of two up to 32.
    pub msi_vectors: u8,
    /// Bus, device and function that the config block shows, which no protocol tells the card.
    pub bus_device: u16,
    /// Bytes that a stream keeps for whoever takes them before it pushes back.
    pub stream_room: u64,
    /// Answers to what is open.
    pub switches: Switches,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            h2c: 1,
            c2h: 1,
            interface: Interface::MemoryMapped,
            data_width: DataWidth::Bits256,
            alignments: Alignments::default(),
            memory_size: 64 << 20,
            memory_base: 0,
            user_size: 1 << 20,
            bypass: false,
            dma_bar: 1,
            credits: true,
            device: 0x9038,
            msi_vectors: 1,
            bus_device: 0,
            stream_room: 64 << 20,
            switches: Switches::default(),
        }
    }
}

/// The card's end of all channels of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Memory, AXI4-MM.
    MemoryMapped,
    /// Packets, AXI4-Stream.
    Stream,
}

/// Width of the data path ("Config Block User Clock").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataWidth {
    /// 8 bytes.
    Bits64,
    /// 16 bytes.
    Bits128,
    /// 32 bytes.
    Bits256,
    /// 64 bytes.
    Bits512,
}

impl DataWidth {
    /// The value in the config block.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// Bytes of one beat.
    pub fn bytes(self) -> u64 {
        8 << self.code()
    }
}

/// Factors of addresses and lengths ("H2C Channel Alignments").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alignments {
    /// Of addresses, in bytes.
    pub address: u8,
    /// Of lengths, in bytes.
    pub length: u8,
    /// How many bits of an address count on the card.
    pub address_bits: u8,
}

impl Default for Alignments {
    fn default() -> Self {
        Alignments {
            address: 1,
            length: 1,
            address_bits: 64,
        }
    }
}

/// The target of a BAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarKind {
    /// Registers of user logic ("PCIe to AXI-Lite Master").
    User,
    /// The DMA registers.
    Dma,
    /// The card's memory ("PCIe to DMA Bypass").
    Bypass,
}

/// One BAR of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its number.
    pub index: u8,
    /// Its target.
    pub kind: BarKind,
    /// Its bytes.
    pub size: u64,
    /// Whether it takes the next number as well, for addresses of 64 bits.
    pub wide: bool,
}

/// Bytes of the DMA BAR.
pub const DMA_BAR_SIZE: u64 = 64 << 10;

/// Why a build is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct ConfigError {
    /// The field of [`Config`].
    pub field: &'static str,
    /// Values that are possible.
    pub reason: &'static str,
}

impl Config {
    /// Names the first field that cannot be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let count = "use 1 to 4 channels each way";
        require(matches!(self.h2c, 1..=4), "h2c", count)?;
        require(matches!(self.c2h, 1..=4), "c2h", count)?;
        self.alignments.check()?;
        let memory = self.memory_size.is_power_of_two() && self.memory_size >= 4096;
        let reason = "use a power of two of at least 4096";
        require(memory, "memory_size", reason)?;
        let end = self.memory_base.checked_add(self.memory_size);
        let reason = "leave room for the memory below 2^64";
        require(end.is_some(), "memory_base", reason)?;
        let vectors = self.msi_vectors.is_power_of_two() && self.msi_vectors <= 32;
        let reason = "use a power of two of at most 32";
        require(vectors, "msi_vectors", reason)?;
        require(self.stream_room > 0, "stream_room", "use at least 1 byte")?;
        self.check_bars()
    }

    fn check_bars(&self) -> Result<(), ConfigError> {
        require(self.dma_bar <= 2, "dma_bar", "use 0, 1 or 2")?;
        let power = self.user_size == 0 || self.user_size.is_power_of_two();
        let reason = "use 0 or a power of two of at least 4096";
        require(power && self.user_size != 1 << 31, "user_size", reason)?;
        require(
            self.user_size == 0 || self.user_size >= 4096,
            "user_size",
            reason,
        )?;
        require(
            (self.user_size == 0) == (self.dma_bar == 0),
            "dma_bar",
            "the user BAR comes first: use 0 without one, 1 or 2 with one",
        )
    }

    /// The BARs in their order. The user BAR is wide if the DMA BAR is number 2.
    pub fn bars(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        if self.user_size > 0 {
            bars.push(Bar {
                index: 0,
                kind: BarKind::User,
                size: self.user_size.into(),
                wide: self.dma_bar == 2,
            });
        }
        bars.push(Bar {
            index: self.dma_bar,
            kind: BarKind::Dma,
            size: DMA_BAR_SIZE,
            wide: false,
        });
        if self.bypass {
            bars.push(Bar {
                index: self.dma_bar + 1,
                kind: BarKind::Bypass,
                size: self.memory_size,
                wide: true,
            });
        }
        bars
    }

    /// Every channel, to the card first.
    pub(crate) fn channels(&self) -> impl Iterator<Item = Channel> {
        let to_card = (0..self.h2c).map(Channel::H2c);
        to_card.chain((0..self.c2h).map(Channel::C2h))
    }

    /// Descriptors that a channel keeps: its share of a buffer of 512 beats.
    pub(crate) fn descriptor_room(&self) -> usize {
        let all = 512 * self.data_width.bytes() / 32;
        (all / u64::from(self.h2c + self.c2h)) as usize
    }

    /// The target of the BAR of this number.
    pub fn bar(&self, index: u8) -> Option<BarKind> {
        let bar = self.bars().into_iter().find(|bar| bar.index == index)?;
        Some(bar.kind)
    }
}

impl Alignments {
    fn check(&self) -> Result<(), ConfigError> {
        require(
            self.address.is_power_of_two() && self.length.is_power_of_two(),
            "alignments",
            "use powers of two",
        )?;
        require(
            matches!(self.address_bits, 12..=64),
            "alignments",
            "use 12 to 64 address bits",
        )
    }
}

fn require(holds: bool, field: &'static str, reason: &'static str) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError { field, reason })
}
