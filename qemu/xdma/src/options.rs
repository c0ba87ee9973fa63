// SPDX-License-Identifier: MIT OR GPL-2.0

//! How the card is built, from the command line.

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use pindma_xdma::{
    AliasReads, Alignments, BusMasterOff, Config, CreditsBeforeRun, DataWidth, Interface,
    RestartAfterError, StarvedStream, Switches, UnstartedAtStop, WrongMagic, ZeroLength,
};

use crate::server::number;

/// A card with the XDMA engine, for QEMU's device vfio-user-pci.
#[derive(Parser)]
#[command(about)]
pub struct Options {
    /// Where QEMU connects; made by this program.
    #[arg(long, value_name = "PATH")]
    pub socket: PathBuf,
    /// Where commands are taken; see docs/card.md.
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// Channels from host to card.
    #[arg(long, value_name = "N", default_value_t = 1)]
    h2c: u8,
    /// Channels from card to host.
    #[arg(long, value_name = "N", default_value_t = 1)]
    c2h: u8,
    /// All channels are streams.
    #[arg(long)]
    stream: bool,
    /// Bits of the data path.
    #[arg(long, value_name = "BITS", default_value = "256")]
    width: Width,
    /// Bytes of the card's memory.
    #[arg(long, value_name = "BYTES", default_value = "0x4000000", value_parser = number)]
    memory: u64,
    /// The first address of that memory on the card.
    #[arg(long, value_name = "ADDRESS", default_value = "0", value_parser = number)]
    memory_base: u64,
    /// Bytes of the user BAR, 0 for none.
    #[arg(long, value_name = "BYTES", default_value = "0x100000", value_parser = number)]
    user: u64,
    /// A BAR onto the card's memory.
    #[arg(long)]
    bypass: bool,
    /// The PCI device id; the vendor's is 0x10ee.
    #[arg(long, value_name = "ID", default_value = "0x9038", value_parser = number)]
    device: u64,
    /// Vectors of MSI, a power of two up to 32.
    #[arg(long, value_name = "N", default_value_t = 1)]
    msi: u8,
    /// Bus, device and function that register BusDev shows: the protocol does not tell them.
    #[arg(long, value_name = "N", default_value = "0", value_parser = number)]
    bus_device: u64,
    /// The BAR of the DMA engine: 0, 1 or 2.
    #[arg(long, value_name = "N", default_value_t = 1)]
    dma_bar: u8,
    /// What the Alignments register says: address and length in bytes, address bits.
    #[arg(long, value_name = "N,N,N", value_parser = alignments)]
    alignments: Option<Alignments>,
    /// The build has no credit mode.
    #[arg(long)]
    no_credits: bool,
    /// The answer to an open question, such as bus-master-off=fail; see docs/card.md.
    #[arg(long = "switch", value_name = "NAME=VALUE", value_parser = switch)]
    switches: Vec<Answer>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Width {
    #[value(name = "64")]
    Bits64,
    #[value(name = "128")]
    Bits128,
    #[value(name = "256")]
    Bits256,
    #[value(name = "512")]
    Bits512,
}

impl Options {
    /// The build that is asked for.
    pub fn build(&self) -> Result<Config, Box<dyn Error>> {
        let mut config = Config {
            h2c: self.h2c,
            c2h: self.c2h,
            interface: if self.stream {
                Interface::Stream
            } else {
                Interface::MemoryMapped
            },
            data_width: self.width.into(),
            memory_base: self.memory_base,
            memory_size: self.memory,
            user_size: u32::try_from(self.user)?,
            bypass: self.bypass,
            dma_bar: self.dma_bar,
            device: u16::try_from(self.device)?,
            msi_vectors: self.msi,
            bus_device: u16::try_from(self.bus_device)?,
            credits: !self.no_credits,
            ..Config::default()
        };
        if let Some(alignments) = self.alignments {
            config.alignments = alignments;
        }
        for set in &self.switches {
            set.give(&mut config.switches);
        }
        config.check()?;
        Ok(config)
    }
}

impl From<Width> for DataWidth {
    fn from(width: Width) -> DataWidth {
        match width {
            Width::Bits64 => DataWidth::Bits64,
            Width::Bits128 => DataWidth::Bits128,
            Width::Bits256 => DataWidth::Bits256,
            Width::Bits512 => DataWidth::Bits512,
        }
    }
}

fn alignments(text: &str) -> Result<Alignments, String> {
    let numbers: Result<Vec<u8>, _> = text.split(',').map(str::parse).collect();
    match numbers.as_deref() {
        Ok([address, length, address_bits]) => Ok(Alignments {
            address: *address,
            length: *length,
            address_bits: *address_bits,
        }),
        _ => Err("three numbers are needed, such as 64,64,40".into()),
    }
}

type Switch = fn(&mut Switches);

/// An answer to an open question, by its number in the list of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer(usize);

impl Answer {
    /// Sets the switch.
    pub fn give(self, switches: &mut Switches) {
        SWITCHES[self.0].1(switches);
    }
}

/// Every answer to every open question.
const SWITCHES: &[(&str, Switch)] = &[
    ("bus-master-off=hold-until-stopped", |s| {
        s.bus_master_off = BusMasterOff::HoldUntilStopped;
    }),
    ("bus-master-off=hold", |s| {
        s.bus_master_off = BusMasterOff::Hold;
    }),
    ("bus-master-off=fail", |s| {
        s.bus_master_off = BusMasterOff::Fail;
    }),
    ("unstarted-at-stop=dropped", |s| {
        s.unstarted_at_stop = UnstartedAtStop::Dropped;
    }),
    ("unstarted-at-stop=done", |s| {
        s.unstarted_at_stop = UnstartedAtStop::Done;
    }),
    ("starved-stream=stays-busy", |s| {
        s.starved_stream = StarvedStream::StaysBusy;
    }),
    ("starved-stream=gives-up", |s| {
        s.starved_stream = StarvedStream::GivesUp;
    }),
    ("zero-length=done", |s| s.zero_length = ZeroLength::Done),
    ("zero-length=stops", |s| s.zero_length = ZeroLength::Stops),
    ("zero-length=hangs", |s| s.zero_length = ZeroLength::Hangs),
    ("wrong-magic=stops-silently", |s| {
        s.wrong_magic = WrongMagic::StopsSilently;
    }),
    ("wrong-magic=hangs", |s| s.wrong_magic = WrongMagic::Hangs),
    ("alias-reads=value", |s| s.alias_reads = AliasReads::Value),
    ("alias-reads=zero", |s| s.alias_reads = AliasReads::Zero),
    ("credits-before-run=kept", |s| {
        s.credits_before_run = CreditsBeforeRun::Kept;
    }),
    ("credits-before-run=lost", |s| {
        s.credits_before_run = CreditsBeforeRun::Lost;
    }),
    ("restart-after-error=works", |s| {
        s.restart_after_error = RestartAfterError::Works;
    }),
    ("restart-after-error=needs-reset", |s| {
        s.restart_after_error = RestartAfterError::NeedsReset;
    }),
    ("adjacent-with-credits=yes", |s| {
        s.adjacent_with_credits = true;
    }),
    ("adjacent-with-credits=no", |s| {
        s.adjacent_with_credits = false;
    }),
    ("word-with-interrupts=yes", |s| {
        s.word_with_interrupts = true;
    }),
    ("word-with-interrupts=no", |s| {
        s.word_with_interrupts = false;
    }),
    ("busy-without-credits=yes", |s| {
        s.busy_without_credits = true;
    }),
    ("busy-without-credits=no", |s| {
        s.busy_without_credits = false;
    }),
    ("flush-empty=yes", |s| s.flush_empty = true),
    ("flush-empty=no", |s| s.flush_empty = false),
];

/// The answer that `NAME=VALUE` gives.
pub fn switch(text: &str) -> Result<Answer, String> {
    let found = SWITCHES.iter().position(|(name, _)| *name == text);
    found.map(Answer).ok_or_else(|| {
        let names: Vec<_> = SWITCHES.iter().map(|(name, _)| *name).collect();
        format!("there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(words: &str) -> Result<Config, Box<dyn Error>> {
        let words = format!("xdma --socket /s {words}");
        Options::try_parse_from(words.split_whitespace())?.build()
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(build("").expect("it can be built"), Config::default());
    }

    #[test]
    fn what_is_said_is_built() {
        let words = "--h2c 4 --c2h 2 --stream --width 512 --memory 0x1000000 --user 0 \
            --dma-bar 0 --bypass --no-credits --alignments 8,8,40 --msi 4 --bus-device 0x100";
        let config = build(words).expect("it can be built");
        assert_eq!((config.h2c, config.c2h), (4, 2));
        assert_eq!(config.interface, Interface::Stream);
        assert_eq!(config.data_width, DataWidth::Bits512);
        assert_eq!((config.memory_size, config.user_size), (1 << 24, 0));
        assert_eq!(config.alignments.address_bits, 40);
        assert_eq!((config.msi_vectors, config.bus_device), (4, 0x100));
        assert!(config.bypass && !config.credits);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for words in [
            "--h2c 5",
            "--width 99",
            "--memory 3",
            "--user 0",
            "--msi 3",
            "--bus-device 0x10000",
            "--switch x=y",
        ] {
            assert!(build(words).is_err(), "{words}");
        }
    }

    #[test]
    fn every_switch_differs_from_the_others_of_its_name() {
        let set = |text: &str| {
            let mut switches = Switches::default();
            switch(text).expect("it is one").give(&mut switches);
            switches
        };
        for (name, _) in SWITCHES {
            let (field, _) = name.split_once('=').expect("each has a value");
            let same = SWITCHES.iter().filter(|(other, _)| {
                other.starts_with(&format!("{field}=")) && set(other) == set(name)
            });
            assert_eq!(same.count(), 1, "{name}");
        }
    }
}
