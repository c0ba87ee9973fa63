// SPDX-License-Identifier: MIT OR GPL-2.0
//! Pieces of memory for a device to read.

use std::fmt;
use std::ops::{Range, RangeBounds};

use crate::ffi::named::Named;
use crate::named::resolve;
use crate::Registered;

/// A piece of memory that a device is to read in a call with several: a slice, or
/// a range of a [`Region`](crate::Region) or [`Block`](crate::Block).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Buffer, Source};
///
/// let payload = device.register(Buffer::zeroed(1 << 20)?, Access::READ)?;
/// let header = [1u8; 16];
/// let frame = [Source::from(&header[..]), Source::new(&payload, ..4096)];
/// device.request().send_parts(&frame)?;
/// # Ok(())
/// # }
/// ```
pub struct Source<'a> {
    pub(crate) place: Place<'a>,
}

/// Where it is.
pub(crate) enum Place<'a> {
    /// In user memory.
    Slice(&'a [u8]),
    /// In memory with a handle, and which bytes of it.
    Named(&'a dyn Named, Range<usize>),
}

impl<'a> Source<'a> {
    /// A range, in bytes, of registered memory.  Whether it lies inside is looked at
    /// by the call.
    #[must_use]
    pub fn new(memory: &'a impl Registered, range: impl RangeBounds<usize>) -> Self {
        let range = resolve(&range, memory.length());
        Self {
            place: Place::Named(memory, range),
        }
    }
}

/// All of a slice.
impl<'a> From<&'a [u8]> for Source<'a> {
    fn from(slice: &'a [u8]) -> Self {
        Self {
            place: Place::Slice(slice),
        }
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Slice(slice) => write!(f, "Source({} bytes)", slice.len()),
            Place::Named(_, range) => write!(f, "Source({range:?} by handle)"),
        }
    }
}
