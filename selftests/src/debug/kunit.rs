// SPDX-License-Identifier: GPL-2.0

//! The module's unit tests, which the kernel ran when it loaded the module.

use std::fs;

use crate::check::{Fail, Outcome};
use crate::debug::UNIT_TEST;

const FOLDER: &str = "/sys/kernel/debug/kunit";

/// How the names of the module's suites begin; the kernel has some of its own.
const OURS: &str = "pindma_";

/// One unit test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnitTest {
    /// `kunit:SUITE:TEST`
    pub(crate) name: String,
    /// What the kernel said about it.
    pub(crate) notes: Vec<String>,
    /// Whether it passed; one that was skipped has not.
    pub(crate) passed: bool,
}

/// Runs no more of them when the module is loaded anew, as many cases do: all that
/// they print takes longer than the cases.
pub(crate) fn no_more() -> Outcome {
    const FILTER: &str = "/sys/module/kunit/parameters/filter_glob";
    fs::write(FILTER, "none.none").map_err(|e| Fail::new(format!("{FILTER}: {e}")))
}

/// The tests of every suite of the module, suites in the order of their names.
pub(crate) fn results() -> Outcome<Vec<UnitTest>> {
    let mut suites: Vec<_> = fs::read_dir(FOLDER)
        .map_err(|e| Fail::new(format!("{FOLDER}: {e}")))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    suites.sort();
    let mut tests = Vec::new();
    for path in suites {
        let suite = path.file_name().unwrap_or_default().to_string_lossy();
        if !suite.starts_with(OURS) {
            continue;
        }
        tests.extend(of_suite(&suite, &fs::read_to_string(path.join("results"))?));
    }
    Ok(tests)
}

/// The results in the KTAP of one suite: a test that is planned and has none has
/// failed.
fn of_suite(suite: &str, ktap: &str) -> Vec<UnitTest> {
    let mut tests = Vec::new();
    let mut notes = Vec::new();
    let mut planned = 0;
    for line in ktap.lines().filter_map(in_suite) {
        if let Some(count) = line.strip_prefix("1..") {
            planned = count.trim().parse().unwrap_or(0);
        } else if let Some((name, passed)) = result(line) {
            let name = format!("{UNIT_TEST}{suite}:{name}");
            let notes = std::mem::take(&mut notes);
            tests.push(UnitTest {
                name,
                notes,
                passed,
            });
        } else if !line.starts_with("KTAP version") && !line.starts_with("# Subtest") {
            notes.push(line.to_owned());
        }
    }
    for number in tests.len()..planned {
        tests.push(UnitTest {
            name: format!("{UNIT_TEST}{suite}:test_{}", number + 1),
            notes: vec!["it has no result".to_owned()],
            passed: false,
        });
    }
    tests
}

/// A line of the suite itself: the lines of all suites are not indented, those of
/// a test's parts are indented twice.
fn in_suite(line: &str) -> Option<&str> {
    let line = line.strip_prefix("    ")?;
    (!line.starts_with("    ") || line.trim_start().starts_with('#')).then_some(line)
}

/// `[not ]ok NUMBER NAME[ # SKIP why]`
fn result(line: &str) -> Option<(&str, bool)> {
    let (passed, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok ")?),
    };
    let (_, name) = rest.split_once(' ')?;
    let name = name.strip_prefix("- ").unwrap_or(name);
    Some(match name.split_once(" # ") {
        Some((name, _)) => (name.trim(), false),
        None => (name.trim(), passed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KTAP: &str = "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: progress\n    # module: pindma\n    1..3\n    \
        ok 1 counts\n        # why\n    not ok 2 wraps\n# progress: pass:1 fail:1\nnot ok 1 progress\n";

    #[test]
    fn every_planned_test_has_a_result() {
        let tests = of_suite("progress", KTAP);
        let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
        let expected = [
            "kunit:progress:counts",
            "kunit:progress:wraps",
            "kunit:progress:test_3",
        ];
        assert_eq!(names, expected);
        let passed: Vec<_> = tests.iter().map(|test| test.passed).collect();
        assert_eq!(passed, [true, false, false]);
        assert!(tests[1].notes.iter().any(|note| note.contains("why")));
    }

    #[test]
    fn a_skipped_test_has_not_passed() {
        assert_eq!(result("ok 1 x # SKIP no device"), Some(("x", false)));
        assert_eq!(result("ok 12 y"), Some(("y", true)));
        assert_eq!(result("1..2"), None);
    }
}
