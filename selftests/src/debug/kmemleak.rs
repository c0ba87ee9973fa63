// SPDX-License-Identifier: GPL-2.0

//! The kernel's search for allocations that nobody points to any more.

use std::fs;

use crate::check::{Fail, Outcome};
use crate::module::pause;

const FILE: &str = "/sys/kernel/debug/kmemleak";
/// Guest time in ms after which an allocation is old enough to be reported.
const AGE: u64 = 5_100;
/// Lines of a report that are passed on.
const SHOWN: usize = 60;

/// Takes for granted whatever is reported now.
pub(super) fn forget() -> Outcome {
    scan()?;
    order("clear")
}

/// The lines about allocations that were lost since the last call.
pub(super) fn leaks() -> Outcome<Vec<String>> {
    scan()?;
    let text = fs::read_to_string(FILE)?;
    if !text.is_empty() {
        order("clear")?;
    }
    Ok(text.lines().take(SHOWN).map(str::to_owned).collect())
}

/// The first scan only notes what the memory holds; what has not changed by the
/// second is reported.
fn scan() -> Outcome {
    pause(AGE);
    order("scan")?;
    order("scan")
}

/// Refused when the search has switched itself off.
fn order(what: &str) -> Outcome {
    fs::write(FILE, what).map_err(|e| Fail::new(format!("{FILE}: {what}: {e}")))
}
