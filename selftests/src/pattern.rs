// SPDX-License-Identifier: GPL-2.0

//! Bytes that depend on their position, on a seed and on the case, so that data
//! which is shifted, swapped, stale, of an earlier case or somebody else's is
//! noticed.

use std::sync::OnceLock;

use crate::check::{Fail, Outcome};
use crate::process;
use crate::sys::Mapping;

/// What lies around a destination and must still lie there afterwards.
pub(crate) const GUARD: u8 = 0xa5;

/// `len` bytes of the pattern `seed`.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    salted(seed, case(), len)
}

/// What tells this case from others: all its processes share a group, also those
/// that were forked and have executed another program.
fn case() -> u64 {
    static GROUP: OnceLock<u64> = OnceLock::new();
    *GROUP.get_or_init(|| u64::from(process::group().unsigned_abs()))
}

fn salted(seed: u64, salt: u64, len: usize) -> Vec<u8> {
    let seed = mixed(seed ^ salt.rotate_left(32));
    let byte = |index: u64| (mixed(index ^ seed) >> 56) as u8;
    (0..len as u64).map(byte).collect()
}

/// A number to whose upper half all bits of `value` have contributed.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (value ^ (value >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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

#[cfg(test)]
mod tests {
    use super::salted;

    const LEN: usize = 4096;

    /// Bytes at the same place of two patterns that are equal: one in 256 by chance.
    fn alike(a: &[u8], b: &[u8]) -> usize {
        a.iter().zip(b).filter(|(a, b)| a == b).count()
    }

    #[test]
    fn seeds_and_cases_are_not_alike() {
        let one = salted(1, 100, LEN);
        for (seed, salt) in [(0, 100), (2, 100), (1, 101), (1, 99), (2, 101), (101, 0)] {
            let other = salted(seed, salt, LEN);
            assert!(alike(&one, &other) < LEN / 32, "{seed} {salt}");
        }
    }

    #[test]
    fn shifted_and_swapped_is_not_alike() {
        let one = salted(1, 100, 2 * LEN);
        for by in [1, 2, 4, 64, 512, LEN] {
            assert!(alike(&one, &one[by..]) < LEN / 16, "shifted by {by}");
        }
    }

    #[test]
    fn a_longer_one_begins_with_it() {
        assert_eq!(salted(1, 2, 100), salted(1, 2, 200)[..100]);
    }
}
