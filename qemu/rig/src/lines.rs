// SPDX-License-Identifier: GPL-2.0

//! Source lines of what a kernel's report names in our module.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::Command;

/// The kernel's own tool for this, in its source.
const TOOL: &str = "/kernel/src/scripts/faddr2line";
/// Where its source is.
const KERNEL: &str = "/kernel/src/";
/// Places that are looked up: the first say what happened, the rest is context.
const MOST: usize = 12;

/// Places in our module that a text names, such as `probe+0x12`, each once and
/// in their order. Those that the kernel is not sure of have a `?`.
pub fn places(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        for (at, pair) in words.windows(2).enumerate() {
            let before = at.checked_sub(1).map_or("", |at| words[at]);
            if before == "?" || !pair[1].starts_with("[pindma") {
                continue;
            }
            let place = if before == "RIP:" {
                faulting(pair[0])
            } else {
                calling(pair[0])
            };
            found.extend(place.filter(|place| seen.insert(place.clone())));
        }
    }
    found.truncate(MOST);
    found
}

/// The instruction that could not be executed: `SEGMENT:FUNCTION+0xOFFSET/0xSIZE`.
fn faulting(word: &str) -> Option<String> {
    let (_, word) = word.split_once(':')?;
    let (function, offset) = place(word)?;
    Some(format!("{function}+{offset:#x}"))
}

/// The call that did not return: all other places are where it would have gone on,
/// which may be another line.
fn calling(word: &str) -> Option<String> {
    let (function, offset) = place(word)?;
    Some(format!("{function}+{:#x}", offset.saturating_sub(1)))
}

/// The function and the offset of `FUNCTION+0xOFFSET/0xSIZE`. The size is not
/// needed: the tool and the kernel do not count it alike.
fn place(word: &str) -> Option<(&str, u64)> {
    let hex = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let (function, numbers) = word.split_once('+')?;
    let (offset, size) = numbers.split_once('/')?;
    hex(size)?;
    (!function.is_empty()).then_some((function, hex(offset)?))
}

/// The line behind each of `places`, in a module that was built with lines.
pub fn lines(module: &Path, places: &[String]) -> io::Result<String> {
    let output = Command::new(TOOL).arg(module).args(places).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(places.iter().map(|place| line_of(&text, place)).collect())
}

/// The line of one place. The tool gives a paragraph for each: its name, and the
/// line of each function that the compiler put together there, the innermost
/// first. The first of the driver's own is what a reader looks for; if there is
/// none, as in what the compiler makes to drop a value, the first of all.
fn line_of(text: &str, place: &str) -> String {
    let paragraph = text
        .split("\n\n")
        .find(|paragraph| names(paragraph, place))
        .unwrap_or_default();
    let mut lines = paragraph
        .lines()
        .filter_map(|line| line.rsplit_once(" at "));
    let innermost = lines.clone().next().map(|(_, line)| line.to_owned());
    let own = lines
        .find_map(|(_, line)| line.rsplit_once("/driver/"))
        .map(|(_, line)| format!("driver/{line}"));
    let line = own.or(innermost).unwrap_or_else(|| "no line".into());
    let line = line.trim_start_matches(KERNEL);
    format!("    {line}  {place}\n")
}

/// Whether this is the paragraph of a place; the tool adds the size.
fn names(paragraph: &str, place: &str) -> bool {
    let rest = paragraph.trim_start().strip_prefix(place);
    rest.is_some_and(|rest| rest.starts_with([':', '/']))
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
        assert_eq!(places(text), ["a_b+0xf", "_RNvX_5c+0x2"]);
    }

    #[test]
    fn the_instruction_that_faulted_is_no_call() {
        let text = "[    9.1] RIP: 0010:a_b+0x10/0x20 [pindma]\n";
        assert_eq!(places(text), ["a_b+0x10"]);
    }

    const TOLD: &str = "a+0x1/0x20:\n\
        new at /kernel/src/rust/kernel/alloc/kvec.rs:320\n\
        (inlined by) a at /x y/driver/counters.rs:99\n\n\
        ab+0x2/0x20:\nb at /x y/driver/quiet.rs:30\n\n\
        drop+0x3/0x20:\n\
        drop_in_place at /usr/lib/library/core/src/ptr/mod.rs:523\n\
        (inlined by) drop_more at /usr/lib/library/core/src/ptr/mod.rs:600\n\n\
        callback+0x4/0x20:\ncallback at /kernel/src/rust/kernel/pci.rs:99\n";

    #[test]
    fn the_drivers_line_is_shown() {
        assert_eq!(line_of(TOLD, "a+0x1"), "    driver/counters.rs:99  a+0x1\n");
        assert_eq!(line_of(TOLD, "ab+0x2"), "    driver/quiet.rs:30  ab+0x2\n");
    }

    #[test]
    fn without_one_of_the_driver_the_innermost_line_is_shown() {
        let line = "    /usr/lib/library/core/src/ptr/mod.rs:523  drop+0x3\n";
        assert_eq!(line_of(TOLD, "drop+0x3"), line);
        let line = "    rust/kernel/pci.rs:99  callback+0x4\n";
        assert_eq!(line_of(TOLD, "callback+0x4"), line);
    }

    #[test]
    fn a_place_without_any_line_is_not_left_out() {
        assert_eq!(line_of(TOLD, "b+0x2"), "    no line  b+0x2\n");
        assert_eq!(line_of("", "c+0x2"), "    no line  c+0x2\n");
    }

    #[test]
    fn a_sum_is_no_place() {
        for word in ["a+b", "+0x1/0x2", "a+0x/0x2", "a+0x1", "x"] {
            assert_eq!(place(word), None, "{word}");
        }
    }
}
