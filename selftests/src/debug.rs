// SPDX-License-Identifier: GPL-2.0

//! What the debug kernel knows on top: leaked memory, mappings, locks, and the
//! module's own unit tests.

mod dma_api;
mod kmemleak;
pub(crate) mod kunit;
mod lockdep;

use crate::check::{Fail, Outcome};

/// Prefix of the results of unit tests: `kunit:SUITE:TEST`.
pub const UNIT_TEST: &str = "kunit:";

/// What is asked at the end of a leg, each with a result of its own.
pub const AT_THE_END: [&str; 3] = ["debug:kmemleak", "debug:dma_api", "debug:lockdep"];

/// Whether this is the debug kernel. On its legs [`start`] and the results of
/// [`AT_THE_END`] fail when it is not.
pub(crate) fn offered() -> bool {
    dma_api::offered()
}

/// Makes the watchers ready.
pub(crate) fn start() -> Outcome {
    dma_api::start()?;
    lockdep::watches()
}

/// Takes for granted what is lost so far. This takes some seconds.
pub(crate) fn forget_leaks() -> Outcome {
    kmemleak::forget()
}

/// What is wrong now, as far as it is cheap to ask.
pub(crate) fn complaints() -> Vec<String> {
    wrong("dma-api", dma_api::errors())
}

/// What is wrong while nothing is in flight.
pub(crate) fn complaints_at_rest() -> Vec<String> {
    let mut found = wrong("dma-api", dma_api::mappings());
    found.extend(lockdep::watches().err().map(|Fail(why)| why));
    found
}

/// The end of a leg: the watchers of [`AT_THE_END`] with what they found.
pub(crate) fn last_words() -> Vec<(&'static str, Vec<String>)> {
    let [kmemleak, dma_api, lockdep] = AT_THE_END;
    let mut mappings = complaints();
    mappings.extend(wrong("dma-api", dma_api::mappings()));
    let locks = lockdep::watches().err().map(|Fail(why)| why);
    vec![
        (kmemleak, wrong("kmemleak", kmemleak::leaks())),
        (dma_api, mappings),
        (lockdep, locks.into_iter().collect()),
    ]
}

/// What a watcher found, or that it could not be asked.
fn wrong(watcher: &str, found: Outcome<Vec<String>>) -> Vec<String> {
    let found = found.unwrap_or_else(|Fail(why)| vec![why]);
    found
        .into_iter()
        .map(|line| format!("{watcher}: {line}"))
        .collect()
}
