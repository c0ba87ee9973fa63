// SPDX-License-Identifier: MIT OR GPL-2.0
//! Pieces of memory for a device to write.

use std::fmt;
use std::ops::{Range, RangeBounds};

use crate::ffi::named::Named;
use crate::named::resolve;
use crate::Registered;

/// A piece of memory that a device is to write in a call with several: a slice, or
/// a range of a [`Region`](crate::Region) or [`Block`](crate::Block).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Buffer, Destination};
///
/// let mut payload = device.register(Buffer::zeroed(1 << 20)?, Access::WRITE)?;
/// let mut header = [0u8; 16];
/// let mut frame = [
///     Destination::from(&mut header[..]),
///     Destination::new(&mut payload, ..4096),
/// ];
/// device.request().receive_parts(&mut frame)?;
/// println!("{} says {:?}", header[0], &payload[..8]);
/// # Ok(())
/// # }
/// ```
pub struct Destination<'a> {
    pub(crate) place: Place<'a>,
}

/// Where it is.
pub(crate) enum Place<'a> {
    /// In user memory.
    Slice(&'a mut [u8]),
    /// In memory with a handle, and which bytes of it.
    Named(&'a mut dyn Named, Range<usize>),
}

impl<'a> Destination<'a> {
    /// A range, in bytes, of registered memory.  Whether it lies inside is looked at
    /// by the call.
    #[must_use]
    pub fn new(memory: &'a mut impl Registered, range: impl RangeBounds<usize>) -> Self {
        let range = resolve(&range, memory.length());
        Self {
            place: Place::Named(memory, range),
        }
    }
}

/// All of a slice.
impl<'a> From<&'a mut [u8]> for Destination<'a> {
    fn from(slice: &'a mut [u8]) -> Self {
        Self {
            place: Place::Slice(slice),
        }
    }
}

impl fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Slice(slice) => write!(f, "Destination({} bytes)", slice.len()),
            Place::Named(_, range) => write!(f, "Destination({range:?} by handle)"),
        }
    }
}
