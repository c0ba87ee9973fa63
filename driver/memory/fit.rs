// SPDX-License-Identifier: GPL-2.0

//! Whether a channel can do what is asked of it: the one place that looks at directions, lengths,
//! addresses of memory and addresses of the device, whoever asks.
//!
//! What is longer than a job is cut at multiples of the channel's alignment of addresses, which no
//! other exceeds: what fits as a whole fits in parts.

use kernel::prelude::*;

use crate::{
    base::failure::Failure,
    engine::{
        is_multiple,
        ChannelLimits,
        Kind,
        Limits, //
    },
    kapi::{
        abi,
        pins::Direction, //
    },
    memory::{
        vector::Vector,
        window::check_cache_lines, //
    }, //
};

/// The direction of an ABI struct, if the channel knows it.
pub(crate) fn direction(
    direction: abi::pindma_direction,
    limits: &ChannelLimits,
) -> Result<Direction, Failure> {
    let (direction, able) = match direction {
        abi::PINDMA_TO_DEVICE => (Direction::ToDevice, limits.to_device),
        abi::PINDMA_FROM_DEVICE => (Direction::FromDevice, limits.from_device),
        _ => return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_DIRECTION)),
    };
    if able {
        Ok(direction)
    } else {
        Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_DIRECTION))
    }
}

/// Whether the device address is fixed, as `dev_flags` say.
pub(crate) fn dev_fixed(flags: u32, limits: &ChannelLimits) -> Result<bool, Failure> {
    match flags {
        0 => Ok(false),
        abi::PINDMA_DEV_FIXED if limits.fixed => Ok(true),
        _ => Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_DEV_FLAGS)),
    }
}

/// Checks a vector of memory. `cache_align` is what keeps its neighbours intact.
pub(crate) fn check_memory(
    limits: &ChannelLimits,
    vector: &Vector,
    direction: Direction,
    cache_align: u32,
) -> Result<(), Failure> {
    vector.check_alignment(limits.addr_align, limits.len_align)?;
    if direction.writes() {
        check_cache_lines(vector, cache_align)?;
    }
    Ok(())
}

/// Checks the device's side of `len` bytes.
///
/// # Errors
///
/// `EINVAL` if they are not aligned, `ERANGE` if they do not lie in the channel's memory.
pub(crate) fn check_device(
    limits: &ChannelLimits,
    addr: u64,
    len: u64,
    fixed: bool,
) -> Result<(), Failure> {
    if !is_multiple(len, limits.len_align) {
        return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_NR_SEGS));
    }
    let within = match limits.kind {
        Kind::Memory(bytes) if fixed => addr < bytes,
        Kind::Memory(bytes) => addr.checked_add(len).is_some_and(|end| end <= bytes),
        Kind::Stream => addr == 0,
    };
    let error = match (within, is_multiple(addr, limits.dev_align)) {
        (true, true) => return Ok(()),
        (true, false) => EINVAL,
        (false, _) => ERANGE,
    };
    Err(Failure::field(error, abi::PINDMA_FIELD_DEV_ADDR))
}

/// Checks the length of a part of a pool's buffer, which any channel may get.
pub(crate) fn check_part(limits: &Limits, len: u64) -> Result {
    let fits = |channel: &ChannelLimits| is_multiple(len, channel.len_align);
    if limits.channels.iter().all(fits) {
        Ok(())
    } else {
        Err(EINVAL)
    }
}
