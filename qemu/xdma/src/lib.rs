// SPDX-License-Identifier: MIT OR GPL-2.0

//! A model of XDMA, the engine of "DMA/Bridge Subsystem for PCI Express" (PG195) in
//! AMD's FPGAs: its registers, its walk through descriptors, what it reports and when.
//!
//! The model needs no machine and no thread: a [`Card`] is given register accesses and
//! [steps](Card::step), and reaches memory, messages and the clock through a [`Host`].
//! Quoted names in parentheses are pages of PG195.

#![forbid(unsafe_code)]

mod address;
mod adversary;
mod agenda;
mod bus;
mod card;
mod channel;
mod checker;
mod common;
mod config;
mod control;
mod credit;
mod delivery;
mod descriptor;
mod edit;
mod fetch;
mod host;
mod interrupts;
mod irq;
mod lie;
mod memory;
mod msix;
mod parts;
mod perf;
mod range;
mod settings;
mod statistics;
mod stream;
mod switches;
mod user;

pub use adversary::{Adversary, Mode, Setting, UnknownMode};
pub use card::{Card, Progress};
pub use checker::{Fault, Faults, Rule};
pub use config::{Alignments, Bar, BarKind, Config, ConfigError, DataWidth, Interface};
pub use host::{BusError, Host};
pub use interrupts::Interrupts;
pub use memory::{AxiError, BadWindow};
pub use range::{HostRange, Purpose};
pub use statistics::{Accesses, Block, ChannelStatistics, Statistics};
pub use stream::Sink;
pub use switches::{
    AliasReads, BusMasterOff, CreditsBeforeRun, RestartAfterError, StarvedStream, Switches,
    UnstartedAtStop, WrongMagic, ZeroLength,
};

/// One channel, as the registers count them: each direction from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// From the host's memory to the card.
    H2c(u8),
    /// From the card to the host's memory.
    C2h(u8),
}
