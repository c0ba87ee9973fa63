// SPDX-License-Identifier: GPL-2.0

//! How many entries or records one call takes.

use kernel::prelude::*;

/// Most of them.
pub(crate) const MOST: u32 = 1024;

/// Checks their number.
///
/// # Errors
///
/// `EINVAL` if there are none, `EMSGSIZE` if there are too many.
pub(crate) fn check(count: u32) -> Result {
    match count {
        0 => Err(EINVAL),
        1..=MOST => Ok(()),
        _ => Err(EMSGSIZE),
    }
}
