// SPDX-License-Identifier: GPL-2.0

//! How a call failed, in the words of the ABI: an errno, the field or the address that is meant,
//! and what a limit stood at. A user should know from it what to do next.

use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

use crate::kapi::{
    abi::{
        self,
        pindma_result,
        pindma_seg, //
    },
    charge::{
        ChargeError,
        Memlock, //
    },
    mapped::MapError,
    pins::PinError,
    signal,
    user_copy::CopyFault, //
};

/// Which vector of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The only one, or the source of a copy.
    First,
    /// The destination of a copy.
    Destination,
}

/// What to tell of a call that has done nothing. If it was interrupted it may be made again, as those
/// of other devices are: deadlines are absolute. The number for that does not get out as long as
/// the signal is pending.
pub(crate) fn restartable(error: Error) -> Error {
    if error == EINTR && signal::pending() {
        ERESTARTSYS
    } else {
        error
    }
}

/// Where in a vector.
#[derive(Clone, Copy)]
struct Place {
    side: Side,
    index: u32,
    /// The first address that is not usable, and the pages of the segment before it.
    fault: Option<(u64, u64)>,
}

/// A failure.
pub(crate) struct Failure {
    error: Error,
    field: abi::pindma_field,
    place: Option<Place>,
    memlock: Option<Memlock>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            field: abi::PINDMA_FIELD_NONE,
            place: None,
            memlock: None,
        }
    }
}

impl Failure {
    /// `field` of the argument struct is not right.
    pub(crate) fn field(error: Error, field: abi::pindma_field) -> Self {
        Self {
            field,
            ..Self::from(error)
        }
    }

    /// `field` of a segment is not right.
    pub(crate) fn segment(error: Error, field: abi::pindma_field, side: Side, index: u32) -> Self {
        let place = Some(Place {
            side,
            index,
            fault: None,
        });
        Self {
            place,
            ..Self::field(error, field)
        }
    }

    /// Address `addr` in `segment` cannot be used.
    fn fault(
        error: Error,
        side: Side,
        index: u32,
        segment: Option<&pindma_seg>,
        addr: u64,
    ) -> Self {
        let page = |addr: u64| addr / PAGE_SIZE as u64;
        let before = segment.map_or(0, |segment| page(addr).saturating_sub(page(segment.addr)));
        let place = Some(Place {
            side,
            index,
            fault: Some((addr, before)),
        });
        Self {
            place,
            ..Self::field(error, abi::PINDMA_FIELD_SEG_ADDR)
        }
    }

    /// Memory of `segments` could not be pinned.
    pub(crate) fn pin(error: PinError, side: Side, segments: &[pindma_seg]) -> Self {
        match error {
            PinError::Charge(ChargeError::Memlock(memlock)) => Self {
                memlock: Some(memlock),
                ..Self::from(ENOMEM)
            },
            PinError::Charge(ChargeError::NoMm) => Self::from(EFAULT),
            PinError::NoMemory => Self::from(ENOMEM),
            PinError::Fault { error, .. } if interrupted(error) => Self::from(EINTR),
            PinError::Fault { error, .. } if error == ENOMEM => Self::from(ENOMEM),
            PinError::Fault { index, addr, error } if error == ENOSPC || error == EBUSY => {
                Self::fault(error, side, index, segments.get(index as usize), addr)
            }
            // Others, such as that of a range that ends beyond all user addresses, mean the same.
            PinError::Fault { index, addr, .. } => {
                Self::fault(EFAULT, side, index, segments.get(index as usize), addr)
            }
        }
    }

    /// Pinned memory of `segments` could not be mapped.
    pub(crate) fn map(error: MapError, side: Side, segments: &[pindma_seg]) -> Self {
        match error {
            MapError::NoRoom => Self::from(ENOSPC),
            MapError::NoMemory => Self::from(ENOMEM),
            MapError::OutOfReach(place) => {
                let segment = segments.get(place.index as usize);
                Self::fault(ENXIO, side, place.index, segment, place.addr)
            }
        }
    }

    /// The CPU cannot copy from or to `addr` in `segments`.
    pub(crate) fn copy(fault: &CopyFault, side: Side, segments: &[pindma_seg]) -> Self {
        let segment = segments.get(fault.index as usize);
        Self::fault(EFAULT, side, fault.index, segment, fault.addr)
    }

    /// Whether copying may do what has failed, which was to pin or to map.
    pub(crate) fn may_be_copied(&self) -> bool {
        [EFAULT, ENOMEM, ENOSPC, ENXIO].contains(&self.error)
    }

    /// If it is about an address in `segments`: the bytes that lie before it.
    pub(crate) fn bytes_before(&self, segments: &[pindma_seg]) -> Option<u64> {
        let place = self.place?;
        let (addr, _) = place.fault?;
        let (before, rest) = segments.split_at_checked(place.index as usize)?;
        let within = addr.saturating_sub(rest.first()?.addr);
        Some(before.iter().map(|segment| segment.len).sum::<u64>() + within)
    }

    /// The errno.
    pub(crate) fn error(&self) -> Error {
        self.error
    }

    /// Writes it into a result.
    pub(crate) fn report(&self, out: &mut pindma_result) {
        out.status = self.error.to_errno();
        out.field = self.field;
        if let Some(place) = self.place {
            place.report(out);
        }
        if let Some(memlock) = self.memlock {
            out.flags |= abi::PINDMA_OUT_MEMLOCK;
            out.memlock_needed = memlock.needed;
            out.memlock_used = memlock.used;
            out.memlock_limit = memlock.limit;
        }
    }
}

impl Place {
    fn report(&self, out: &mut pindma_result) {
        out.fault_index = self.index;
        if self.side == Side::Destination {
            out.flags |= abi::PINDMA_OUT_FAULT_DST;
        }
        if let Some((addr, pages)) = self.fault {
            out.flags |= abi::PINDMA_OUT_FAULT;
            out.fault_addr = addr;
            out.pages_pinned = pages;
        }
    }
}

/// Whether pinning ended because the process is being killed; its own errno for that must not get
/// out.
fn interrupted(error: Error) -> bool {
    error == EINTR || error == ERESTARTSYS || error == EAGAIN
}
