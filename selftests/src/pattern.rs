// SPDX-License-Identifier: GPL-2.0

//! Bytes that depend on their position and on a seed, so that data which is
//! shifted, swapped, stale or somebody else's is noticed.

use crate::check::{Fail, Outcome};
use crate::sys::Mapping;

/// What lies around a destination and must still lie there afterwards.
pub(crate) const GUARD: u8 = 0xa5;

/// Byte at `index` of the pattern `seed`.
pub(crate) fn byte(seed: u64, index: u64) -> u8 {
    let mixed = (index ^ seed.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

/// `len` bytes of the pattern `seed`.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|index| byte(seed, index)).collect()
}

/// Writes the pattern `seed` to `[offset, offset + len)`.
pub(crate) fn write(mapping: &Mapping, offset: usize, len: usize, seed: u64) {
    mapping.write(offset, &bytes(seed, len));
}

/// Checks that the pattern `seed` is at `[offset, offset + len)`.
#[track_caller]
pub(crate) fn verify(mapping: &Mapping, offset: usize, len: usize, seed: u64) -> Outcome {
    expect(&mapping.read(offset, len), &bytes(seed, len))
}

/// Checks that `[offset, offset + len)` is all guard bytes.
#[track_caller]
pub(crate) fn verify_guard(mapping: &Mapping, offset: usize, len: usize) -> Outcome {
    expect(&mapping.read(offset, len), &vec![GUARD; len])
}

/// Compares, and says where the first wrong byte is.
#[track_caller]
pub(crate) fn expect(got: &[u8], want: &[u8]) -> Outcome {
    if got == want {
        return Ok(());
    }
    let wrong = got.iter().zip(want).position(|(a, b)| a != b);
    match wrong {
        None => Err(Fail::new(format!(
            "{} bytes, not {}",
            got.len(),
            want.len()
        ))),
        Some(at) => Err(Fail::new(format!(
            "byte {at} of {} is {:#04x}, not {:#04x}",
            want.len(),
            got[at],
            want[at]
        ))),
    }
}
