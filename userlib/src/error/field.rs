// SPDX-License-Identifier: MIT OR GPL-2.0
//! Which input an error is about.

use std::fmt;

use crate::sys;

/// The input that an error is about.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{ErrorKind, Field};
///
/// let error = device.send(b"", 0).expect_err("there are no bytes");
/// if let ErrorKind::Invalid { field: Field::SegmentLength, .. } = error.kind() {
///     println!("{error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The kernel did not say.
    Unknown,
    /// The channel.
    Channel,
    /// The direction of a transfer.
    Direction,
    /// The list of slices; for a copy that of the source.
    Segments,
    /// The list of slices of a copy's destination.
    Destination,
    /// The address of a slice; or the offset into a region or pool.
    SegmentAddress,
    /// The length of a slice, or the sum of the lengths up to it.
    SegmentLength,
    /// The region or pool that a segment lies in.
    SegmentHandle,
    /// The device address, or its sum with the length.
    DeviceAddress,
    /// [`Request::fixed`](crate::Request::fixed).
    DeviceFlags,
    /// The deadline.
    Deadline,
    /// [`Request::may_copy`](crate::Request::may_copy), or another option of the
    /// call.
    Flags,
    /// What the device may do with memory.
    Access,
    /// The number of buffers, or the depth of a queue.
    Count,
    /// The length of a pool's buffers.
    BufferBytes,
    /// A field of the raw interface that this crate does not let callers set,
    /// with its number there.
    Internal(u32),
}

impl Field {
    /// Whether the error is about one segment of a vector.
    pub(super) fn is_segment(self) -> bool {
        matches!(
            self,
            Self::SegmentAddress | Self::SegmentLength | Self::SegmentHandle
        )
    }

    /// What a value has to be like.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Segments | Self::Destination => {
                "at least one slice is needed, and both sides of a copy must have the same sum"
            }
            Self::SegmentAddress => "it must fit the device's address alignment",
            Self::SegmentLength => {
                "no slice may be empty, the length must fit the device's length alignment, and both \
                 sides of a copy must have the same sum"
            }
            Self::DeviceAddress => {
                "it must fit the device's address alignment, and be 0 for a stream and for a copy"
            }
            Self::DeviceFlags => "a copy has no fixed device address",
            Self::Deadline => "it must not be negative",
            Self::Flags => "a copy from memory to memory cannot be made by the CPU",
            Self::Access => "the device must be allowed to read, to write, or both",
            Self::Count => "it must be at least 1, and not more than `pindma info` says",
            Self::BufferBytes => "it must not be 0, and all buffers together must be addressable",
            _ => "see the table of error numbers in uapi/pindma.h",
        }
    }
}

impl From<sys::pindma_field> for Field {
    fn from(raw: sys::pindma_field) -> Self {
        match raw {
            sys::PINDMA_FIELD_NONE => Self::Unknown,
            sys::PINDMA_FIELD_CHANNEL => Self::Channel,
            sys::PINDMA_FIELD_DIRECTION => Self::Direction,
            sys::PINDMA_FIELD_SEGS | sys::PINDMA_FIELD_NR_SEGS => Self::Segments,
            sys::PINDMA_FIELD_DST | sys::PINDMA_FIELD_NR_DST => Self::Destination,
            sys::PINDMA_FIELD_SEG_ADDR => Self::SegmentAddress,
            sys::PINDMA_FIELD_SEG_LEN => Self::SegmentLength,
            sys::PINDMA_FIELD_SEG_HANDLE => Self::SegmentHandle,
            sys::PINDMA_FIELD_FLAGS => Self::Flags,
            sys::PINDMA_FIELD_ACCESS => Self::Access,
            sys::PINDMA_FIELD_COUNT => Self::Count,
            sys::PINDMA_FIELD_BUFFER_BYTES => Self::BufferBytes,
            sys::PINDMA_FIELD_DEV_ADDR => Self::DeviceAddress,
            sys::PINDMA_FIELD_DEV_FLAGS => Self::DeviceFlags,
            sys::PINDMA_FIELD_DEADLINE => Self::Deadline,
            other => Self::Internal(other),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "an argument",
            Self::Channel => "the channel",
            Self::Direction => "the direction",
            Self::Segments => "the list of slices",
            Self::Destination => "the list of destination slices",
            Self::SegmentAddress => "the address",
            Self::SegmentLength => "the length",
            Self::DeviceAddress => "the device address",
            Self::DeviceFlags => "the fixed device address",
            Self::Deadline => "the deadline",
            Self::SegmentHandle => "the region or pool",
            Self::Flags => "an option",
            Self::Access => "the access",
            Self::Count => "the number of buffers or requests",
            Self::BufferBytes => "the length of the buffers",
            Self::Internal(number) => return write!(f, "field {number} of the raw interface"),
        })
    }
}

/// Which side of a call a segment belongs to.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{ErrorKind, Side};
///
/// let (from, mut to) = ([1; 4096], [0; 4096]);
/// if let Err(error) = device.copy(&from, &mut to) {
///     if let ErrorKind::Fault { side: Side::Destination, .. } = error.kind() {
///         println!("it cannot be written");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Memory that the device reads.
    Source,
    /// Memory that the device writes.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}
