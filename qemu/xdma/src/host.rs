// SPDX-License-Identifier: MIT OR GPL-2.0

//! A card's surroundings.

use std::time::Duration;

/// The other side of the link: memory, interrupts and time.
pub trait Host {
    /// Reads memory. A read never crosses a page of 4 KiB.
    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError>;

    /// Writes memory. A write never crosses a page of 4 KiB. It is posted: a card sees
    /// no failure, the model only counts it.
    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), BusError>;

    /// Takes an MSI or MSI-X message.
    fn message(&mut self, vector: u32);

    /// Takes a change of INTA (0) to INTD (3).
    fn line(&mut self, pin: u8, asserted: bool);

    /// Time since a moment that stays the same. The model has no other clock.
    fn now(&self) -> Duration;
}

/// How an access to the host ended that did not reach memory ("H2C Channel Status").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BusError {
    /// Nobody answers to the address, or the IOMMU refuses it.
    #[error("unsupported request")]
    UnsupportedRequest,
    /// The owner of the address gave up.
    #[error("completer abort")]
    CompleterAbort,
    /// The data came with wrong parity.
    #[error("parity error")]
    Parity,
    /// The data came marked as bad.
    #[error("poisoned data")]
    Poisoned,
    /// An answer that belongs to no request.
    #[error("unexpected completion")]
    UnexpectedCompletion,
}
