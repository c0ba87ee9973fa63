// SPDX-License-Identifier: GPL-2.0

//! The errno of the header, word for word, and the cases that show them.

use of_calls::OF_CALLS;
use of_moments::OF_MOMENTS;

mod of_calls;
mod of_moments;

/// A part of what the header says of an errno.
struct Clause {
    /// Its words; between two of them there is at most punctuation.
    words: &'static str,
    shown: Shown,
}

enum Shown {
    /// By these cases, which begin with the errno.
    By(&'static [&'static str]),
    /// By none, for a reason.
    Nowhere(&'static str),
}

const fn by(words: &'static str, cases: &'static [&'static str]) -> Clause {
    Clause {
        words,
        shown: Shown::By(cases),
    }
}

const fn nowhere(words: &'static str, why: &'static str) -> Clause {
    Clause {
        words,
        shown: Shown::Nowhere(why),
    }
}

/// An errno, and all that the header says of it.
type Entry = (&'static str, &'static [Clause]);

/// Every errno of the header, in its order.
fn checklist() -> impl Iterator<Item = &'static Entry> {
    OF_CALLS.iter().chain(OF_MOMENTS)
}

const HEADER: &str = include_str!("../../uapi/pindma.h");

/// What the header says of each errno: a line of its first comment that has one
/// where names of fields stand, and those below it that are indented as far.
fn documented() -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in HEADER.lines().take_while(|line| *line != " */") {
        let Some(text) = line.strip_prefix(" *  ") else {
            continue;
        };
        match (text.split_once(' '), entries.last_mut()) {
            (Some((name, words)), _) if is_errno(name) => {
                entries.push((name.to_string(), words.trim().to_string()));
            }
            (_, Some((_, words))) => *words = format!("{words} {}", text.trim()),
            (_, None) => {}
        }
    }
    entries
}

fn is_errno(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c == '2';
    name.starts_with('E') && name.chars().all(plain)
}

/// What of `text` is in no clause.
fn left_out(text: &str, clauses: &[Clause]) -> String {
    let text: Vec<_> = text.split_whitespace().collect();
    let mut rest = text.join(" ");
    let mut skipped = String::new();
    for clause in clauses {
        let Some(start) = rest.find(clause.words) else {
            return format!("no {:?} in {rest:?}", clause.words);
        };
        skipped.push_str(&rest[..start]);
        rest.drain(..start + clause.words.len());
    }
    skipped + &rest
}

#[test]
fn clauses_are_the_words_of_the_header() {
    let documented = documented();
    let names: Vec<_> = documented.iter().map(|(name, _)| name.as_str()).collect();
    let listed: Vec<_> = checklist().map(|(name, _)| *name).collect();
    assert_eq!(names, listed);
    for ((name, text), (_, clauses)) in documented.iter().zip(checklist()) {
        let rest = left_out(text, clauses);
        let punctuation = |c: char| " ,;.()".contains(c);
        assert!(rest.chars().all(punctuation), "{name}: {rest}");
    }
}

#[test]
fn each_clause_has_a_case_named_by_its_errno() {
    let known: Vec<_> = crate::table::cases().map(|case| case.name).collect();
    for (errno, clauses) in checklist() {
        let prefix = format!("{}_", errno.to_lowercase());
        for clause in *clauses {
            let cases = match clause.shown {
                Shown::By(cases) => cases,
                Shown::Nowhere(why) => {
                    assert!(!why.is_empty());
                    continue;
                }
            };
            assert!(!cases.is_empty(), "{errno}: {}", clause.words);
            for case in cases {
                assert!(case.starts_with(&prefix), "{case} for {errno}");
                assert!(known.contains(case), "no case {case}");
            }
        }
    }
}
