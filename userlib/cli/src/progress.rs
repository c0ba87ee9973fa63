// SPDX-License-Identifier: MIT OR GPL-2.0
//! What moves on a terminal while a command works.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

const KNOWN: &str = "{bar:40} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
const UNKNOWN: &str = "{spinner} {binary_bytes} in {elapsed}, {binary_bytes_per_sec}{msg}";
/// How often the spinner turns while nothing comes.
const TURN: Duration = Duration::from_millis(200);

/// A bar for `len` bytes, or a spinner if nobody knows how many there will be;
/// on standard error, and only if that is a terminal.
pub fn bar(len: Option<u64>, quiet: bool) -> ProgressBar {
    let visible = io::stderr().is_terminal() && !quiet;
    let target = if visible {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let template = if len.is_some() { KNOWN } else { UNKNOWN };
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(len, target)
        .with_style(style)
        .with_finish(ProgressFinish::AndClear);
    if visible && len.is_none() {
        bar.enable_steady_tick(TURN);
    }
    bar
}
