// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card's own memory.

use std::ops::Range;

/// How the card's side refuses an access [C2H Channel Status].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AxiError {
    /// Nobody decodes the address.
    #[error("decode error")]
    Decode,
    /// The owner of the address refuses.
    #[error("slave error")]
    Slave,
}

/// Addresses on the card that answer with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadWindow {
    /// Addresses.
    pub addresses: Range<u64>,
    /// The answer.
    pub error: AxiError,
}
