// SPDX-License-Identifier: GPL-2.0

//! Source lines of what a kernel's report names in our module.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::process::Command;

/// The kernel's own tool for this, in its source.
const TOOL: &str = "/kernel/src/scripts/faddr2line";
/// Places that are looked up: the first say what happened, the rest is context.
const MOST: usize = 12;

/// Places in our module that a text names, such as `probe+0x12/0x34`, each once
/// and in their order. Those that the kernel is not sure of have a `?`.
pub fn places(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        for (at, pair) in words.windows(2).enumerate() {
            let sure = at == 0 || words[at - 1] != "?";
            if sure && pair[1].starts_with("[pindma") && is_place(pair[0]) && seen.insert(pair[0]) {
                found.push(pair[0].to_owned());
            }
        }
    }
    found.truncate(MOST);
    found
}

/// `FUNCTION+0xOFFSET/0xSIZE`
fn is_place(word: &str) -> bool {
    let Some((function, numbers)) = word.split_once('+') else {
        return false;
    };
    let is_hex = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or_default();
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit())
    };
    let numbers = numbers.split_once('/');
    !function.is_empty() && numbers.is_some_and(|(offset, size)| is_hex(offset) && is_hex(size))
}

/// The line of the driver behind each of `places`, in a module that was built
/// with lines.
pub fn lines(module: &Path, places: &[String]) -> io::Result<String> {
    // Without its size, which the tool and the kernel do not count alike.
    let offsets = places.iter().filter_map(|place| place.split('/').next());
    let output = Command::new(TOOL).arg(module).args(offsets).output()?;
    Ok(ours(&String::from_utf8_lossy(&output.stdout)))
}

/// The tool gives a paragraph for each place: its name, and the line of each
/// function that the compiler put together there, the innermost first. The
/// first of the driver's own is what a reader looks for.
fn ours(text: &str) -> String {
    let mut lines = String::new();
    for paragraph in text.split("\n\n") {
        let place = paragraph.lines().next().unwrap_or_default();
        let line = paragraph
            .lines()
            .filter_map(|line| line.rsplit_once(" at ")?.1.rsplit_once("/driver/"))
            .next();
        if let Some((_, line)) = line {
            let _ = writeln!(lines, "    driver/{line}  {}", place.trim_end_matches(':'));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_once_and_in_order() {
        let text = "[    9.1] BUG: KASAN: slab-use-after-free in a_b+0x10/0x20 [pindma]\n\
            [    9.1]  vfs_ioctl+0x1/0x2\n\
            [    9.1]  ? stale+0x3/0x4 [pindma]\n\
            [    9.1]  _RNvX_5c+0x3/0x4 [pindma]\n\
            [    9.1]  a_b+0x10/0x20 [pindma]\n\
            [    9.1] Modules linked in: pindma(O)\n";
        assert_eq!(places(text), ["a_b+0x10/0x20", "_RNvX_5c+0x3/0x4"]);
    }

    #[test]
    fn the_drivers_line_is_shown() {
        let text = "a+0x1:\nnew at /kernel/src/rust/kernel/alloc/kvec.rs:320\n(inlined by) a at /x y/driver/counters.rs:99\n\n\
            b+0x2:\nb at /x y/driver/quiet.rs:30\n";
        let lines = "    driver/counters.rs:99  a+0x1\n    driver/quiet.rs:30  b+0x2\n";
        assert_eq!(ours(text), lines);
    }

    #[test]
    fn a_sum_is_no_place() {
        for word in ["a+b", "+0x1/0x2", "a+0x/0x2", "a+0x1", "x"] {
            assert!(!is_place(word), "{word}");
        }
    }
}
