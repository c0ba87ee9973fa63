// SPDX-License-Identifier: GPL-2.0

//! What the runner prints: the table of cases by legs, what failed, the totals.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use pindma_selftests::leg::Leg;

use crate::console;
use crate::ktap::Report;
use crate::verdict::{State, Verdict};
use crate::vm::Logs;

/// One leg's part of the table.
pub struct Column {
    /// The leg.
    pub leg: Leg,
    /// How it went.
    pub verdict: Verdict,
    /// Its logs, for their tails.
    pub logs: Logs,
}

/// Lines of a console log that are shown with a failure.
const TAIL: usize = 25;

/// The notes of sweeps and of outages: they say how much was done, which a pass does not.
pub fn counted(report: &Report) -> String {
    let notes = report.entries.iter().flat_map(|entry| &entry.notes);
    notes
        .filter(|note| note.starts_with("sweep:") || note.starts_with("outages:"))
        .fold(String::new(), |text, note| text + note + "\n")
}

/// The names of all rows, those of the first leg first.
fn names(columns: &[Column]) -> Vec<&str> {
    let mut names = Vec::new();
    let cells = columns.iter().flat_map(|column| &column.verdict.cells);
    for (name, _) in cells {
        if !names.contains(&name.as_str()) {
            names.push(name.as_str());
        }
    }
    names
}

/// The table: a row for each case, a column for each leg; under it the reasons
/// why cells do not apply.
pub fn table(columns: &[Column]) -> String {
    let names = names(columns);
    let width = names
        .iter()
        .map(|name| name.len())
        .max()
        .unwrap_or(0)
        .max(4);
    let mut reasons = Reasons::default();
    let mut text = format!("{:width$}", "case");
    for column in columns {
        let _ = write!(text, " {:>6}", column.leg.name());
    }
    text.push('\n');
    for name in names {
        let _ = write!(text, "{name:width$}");
        for column in columns {
            let _ = write!(text, " {:>6}", cell(&column.verdict, name, &mut reasons));
        }
        text.push('\n');
    }
    text.push_str(&reasons.legend());
    text
}

fn cell(verdict: &Verdict, name: &str, reasons: &mut Reasons) -> String {
    match verdict.cells.iter().find(|(case, _)| case == name) {
        Some((_, State::Passed)) => "ok".into(),
        Some((_, State::Failed(_))) => "FAIL".into(),
        Some((_, State::NotApplicable(reason))) => reasons.mark(reason),
        Some((_, State::Missing(_))) | None => "LOST".into(),
    }
}

/// Reasons why cells do not apply, each with a short mark.
#[derive(Default)]
struct Reasons(BTreeMap<String, usize>);

impl Reasons {
    fn mark(&mut self, reason: &str) -> String {
        let next = self.0.len() + 1;
        let number = *self.0.entry(reason.to_owned()).or_insert(next);
        format!("n.a.{number}")
    }

    fn legend(&self) -> String {
        let mut lines: Vec<_> = self
            .0
            .iter()
            .map(|(reason, number)| (*number, reason))
            .collect();
        lines.sort_unstable();
        lines
            .iter()
            .fold(String::new(), |mut text, (number, reason)| {
                let _ = writeln!(text, "n.a.{number}: {reason}");
                text
            })
    }
}

/// One line on a leg.
pub fn summary(leg: Leg, verdict: &Verdict, seconds: u64) -> String {
    format!(
        "{:7} {:4} passed {:4} failed {:4} n.a. {seconds:5} s",
        leg.name(),
        verdict.passed(),
        verdict.failed(),
        verdict.skipped()
    )
}

/// All about what failed on a leg; empty when nothing did.
pub fn failures(column: &Column, logs: &Path) -> String {
    let Column {
        leg,
        verdict,
        logs: Logs { console, .. },
    } = column;
    if verdict.failed() == 0 {
        return String::new();
    }
    let mut text = format!(
        "--- leg {}: failures; logs in {}\n",
        leg.name(),
        logs.display()
    );
    for fault in &verdict.faults {
        let _ = writeln!(text, "{fault}");
    }
    for (name, state) in &verdict.cells {
        text.push_str(&failure(name, state));
    }
    text + &excerpt(console)
}

/// What of the console is shown with a failure: its first complaint and what follows
/// it, or its end.
fn excerpt(console: &str) -> String {
    let complaint = console::complaints(console).first().copied();
    match complaint.and_then(|line| console.find(line)) {
        Some(at) => {
            let lines = console[at..].lines().take(TAIL);
            indented("the console from its first complaint on:\n", lines)
        }
        None => format!("the console's last lines:\n{}", tail(console)),
    }
}

fn indented<'a>(head: &str, lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().fold(head.to_owned(), |text, line| {
        text + "    " + line.trim_end() + "\n"
    })
}

fn failure(name: &str, state: &State) -> String {
    let (word, notes) = match state {
        State::Failed(notes) => ("FAIL", notes),
        State::Missing(notes) => ("LOST", notes),
        State::Passed | State::NotApplicable(_) => return String::new(),
    };
    notes.iter().fold(format!("{word} {name}\n"), |text, note| {
        text + "    # " + note + "\n"
    })
}

/// The last lines of a console log, indented; without the boot if it was over.
pub fn tail(log: &str) -> String {
    let after_boot = log.split_once("Run /init as init process");
    let lines: Vec<_> = after_boot
        .map_or(log, |(_, rest)| rest.trim_start())
        .lines()
        .collect();
    let first = lines.len().saturating_sub(TAIL);
    indented("", lines[first..].iter().copied())
}

/// The closing line, over all legs.
pub fn totals(columns: &[Column]) -> String {
    let sum = |count: fn(&Verdict) -> usize| {
        columns
            .iter()
            .map(|column| count(&column.verdict))
            .sum::<usize>()
    };
    format!(
        "{} passed, {} failed, {} skipped",
        sum(Verdict::passed),
        sum(Verdict::failed),
        sum(Verdict::skipped)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Fault;

    fn column() -> Column {
        let cells = [
            ("a", State::Passed),
            ("b", State::Failed(vec!["3 is not 4".into()])),
            ("c", State::NotApplicable("no IOMMU".into())),
            ("d", State::Missing(vec![])),
        ];
        Column {
            leg: Leg::Direct,
            verdict: Verdict {
                cells: cells.map(|(name, state)| (name.to_owned(), state)).to_vec(),
                faults: vec![Fault::NotDone],
            },
            logs: Logs {
                console: "last words\n".into(),
                ..Logs::default()
            },
        }
    }

    #[test]
    fn every_cell_and_reason_is_in_the_table() {
        let text = table(&[column()]);
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(
            words[..10],
            ["case", "direct", "a", "ok", "b", "FAIL", "c", "n.a.1", "d", "LOST"]
        );
        assert!(text.ends_with("n.a.1: no IOMMU\n"));
    }

    #[test]
    fn failures_show_why() {
        let text = failures(&column(), Path::new("/logs"));
        for part in [
            "stopped half way",
            "FAIL b\n    # 3 is not 4",
            "LOST d",
            "last words",
            "/logs",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn the_console_is_shown_from_the_first_complaint_on() {
        let text = excerpt("before\n[ 3.1] BUG: KASAN: x\nafter\n");
        assert!(!text.contains("before"), "{text}");
        assert!(
            text.ends_with("    [ 3.1] BUG: KASAN: x\n    after\n"),
            "{text}"
        );
    }

    #[test]
    fn a_fault_counts_as_a_failure() {
        assert_eq!(totals(&[column()]), "1 passed, 3 failed, 1 skipped");
    }
}
