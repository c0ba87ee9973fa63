// SPDX-License-Identifier: GPL-2.0

//! KTAP on standard output, one line at a time and never half a line.

use std::io::Write;

/// Writes one whole line.  Output that fails has nowhere to be reported.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("{text}\n").as_bytes());
    let _ = out.flush();
}

/// A diagnostic; every line of it gets its own `#`.
pub(crate) fn note(text: &str) {
    for part in text.lines() {
        line(&format!("# {part}"));
    }
}

/// Header and plan.
pub(crate) fn plan(count: usize) {
    header();
    line(&format!("1..{count}"));
}

/// Header alone, for the mode that proves that a missing plan is noticed.
pub(crate) fn header() {
    line("KTAP version 1");
}

/// Result of case number `number`, counted from 1.
pub(crate) fn result(number: usize, name: &str, ok: bool) {
    let word = if ok { "ok" } else { "not ok" };
    line(&format!("{word} {number} {name}"));
}

/// A case that does not apply here.
pub(crate) fn skip(number: usize, name: &str, reason: &str) {
    line(&format!("ok {number} {name} # SKIP {reason}"));
}
