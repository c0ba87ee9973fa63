// SPDX-License-Identifier: MIT OR GPL-2.0
//! Errors that hand memory back.

use std::fmt;

use crate::Error;

/// An error of a call that takes memory: it has not taken it.
///
/// `?` turns it into the [`Error`] and drops the memory.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Buffer};
///
/// match device.register(Buffer::zeroed(1 << 30)?, Access::BOTH) {
///     Ok(region) => println!("{} bytes", region.len()),
///     Err(refused) => {
///         println!("{}", refused.error());
///         let buffer = refused.into_memory(); // not lost
///         println!("{} bytes left", buffer.len());
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Refused<M> {
    error: Box<Error>,
    memory: M,
}

impl<M> Refused<M> {
    pub(crate) fn new(error: Error, memory: M) -> Self {
        let error = Box::new(error);
        Self { error, memory }
    }

    /// What went wrong.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The memory, to try again with.
    #[must_use]
    pub fn into_memory(self) -> M {
        self.memory
    }

    /// Both.
    #[must_use]
    pub fn into_parts(self) -> (Error, M) {
        (*self.error, self.memory)
    }
}

impl<M> fmt::Debug for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<M> fmt::Display for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<M> std::error::Error for Refused<M> {}

impl<M> From<Refused<M>> for Error {
    fn from(refused: Refused<M>) -> Self {
        *refused.error
    }
}
