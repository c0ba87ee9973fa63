// SPDX-License-Identifier: GPL-2.0

//! Reading KTAP, the kernel's Test Anything Protocol, as the guest prints it:
//! one flat list of results. Other lines, such as the output of a program that a
//! case starts, count as diagnostics.

/// What the first line of results begins with.
pub const HEADER: &str = "KTAP version ";

/// The last line of a run that came to its end.
pub const SENTINEL: &str = "# rig: done";

/// How one result ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `ok`
    Passed,
    /// `not ok`
    Failed,
    /// `ok ... # SKIP reason`
    Skipped(String),
}

/// One result line with the diagnostics that stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, as printed.
    pub number: usize,
    /// Name of the case.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Lines since the previous result; those with a `#` without it.
    pub notes: Vec<String>,
}

/// All that a results log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether the version line came first.
    pub header: bool,
    /// N of `1..N`.
    pub plan: Option<usize>,
    /// Diagnostics before the plan: what the guest says of itself.
    pub preamble: Vec<String>,
    /// The results in their order.
    pub entries: Vec<Entry>,
    /// Diagnostics after the last result: of the case that never ended.
    pub trailing: Vec<String>,
    /// Whether the last line was [`SENTINEL`].
    pub done: bool,
}

/// Reads a whole log. A last line without its end is not counted: it may be half
/// of one.
pub fn parse(log: &str) -> Report {
    let mut report = Report::default();
    for line in log.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => report.line(line.trim_end_matches('\r')),
            None => report.trailing.push(format!("{line} (line has no end)")),
        }
    }
    report
}

impl Report {
    fn line(&mut self, line: &str) {
        if line == SENTINEL {
            self.done = true;
            return;
        }
        // Nothing follows the sentinel.
        self.done = false;
        if let Some(note) = line.strip_prefix('#') {
            let note = note.strip_prefix(' ').unwrap_or(note);
            self.trailing.push(note.to_owned());
        } else if line.starts_with(HEADER) {
            self.header = true;
        } else if let Some(plan) = plan(line) {
            self.plan = Some(plan);
            self.preamble.append(&mut self.trailing);
        } else if let Some(mut entry) = entry(line) {
            entry.notes = std::mem::take(&mut self.trailing);
            self.entries.push(entry);
        } else if !line.is_empty() {
            self.trailing.push(line.to_owned());
        }
    }
}

/// `1..N`
fn plan(line: &str) -> Option<usize> {
    line.strip_prefix("1..")?.trim_end().parse().ok()
}

/// `[not ]ok NUMBER [- ]NAME[ # SKIP REASON]`
fn entry(line: &str) -> Option<Entry> {
    let (failed, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix("ok ")?),
    };
    let (number, rest) = rest.split_once(' ')?;
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    let (name, directive) = match rest.split_once(" # ") {
        Some((name, directive)) => (name, Some(directive)),
        None => (rest, None),
    };
    let skip = directive.and_then(|text| text.strip_prefix("SKIP"));
    let outcome = match (failed, skip) {
        (true, _) => Outcome::Failed,
        (false, Some(reason)) => Outcome::Skipped(reason.trim().to_owned()),
        (false, None) => Outcome::Passed,
    };
    Some(Entry {
        number: number.parse().ok()?,
        name: name.trim().to_owned(),
        outcome,
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_log() {
        let report = parse(
            "KTAP version 1\r\n1..3\r\nok 1 a\r\n# why\r\n# more\r\nnot ok 2 - b\r\nok 3 c # SKIP no IOMMU\r\n# rig: done\r\n",
        );
        assert!(report.header && report.done);
        assert_eq!(report.plan, Some(3));
        let outcomes: Vec<_> = report
            .entries
            .iter()
            .map(|entry| entry.outcome.clone())
            .collect();
        let skipped = Outcome::Skipped("no IOMMU".into());
        assert_eq!(outcomes, [Outcome::Passed, Outcome::Failed, skipped]);
        assert_eq!(report.entries[1].name, "b");
        assert_eq!(report.entries[1].notes, ["why", "more"]);
        assert!(report.trailing.is_empty());
    }

    #[test]
    fn what_precedes_the_plan_belongs_to_no_case() {
        let report = parse("# Linux version 7\nKTAP version 1\n1..1\nok 1 a\n");
        assert_eq!(report.preamble, ["Linux version 7"]);
        assert!(report.entries[0].notes.is_empty());
    }

    #[test]
    fn half_a_line_is_no_result() {
        let report = parse("KTAP version 1\n1..2\nok 1 first\nok 2 sec");
        assert_eq!(report.entries.len(), 1);
        assert_eq!(report.trailing.len(), 1);
        assert!(!report.done);
    }

    #[test]
    fn half_a_sentinel_is_none() {
        assert!(!parse("# rig: done").done);
        assert!(!parse("# rig: don\n").done);
        assert!(!parse("# rig: done\nok 2 late\n").done);
    }

    #[test]
    fn notes_of_a_case_that_never_ended() {
        let report = parse("KTAP version 1\n1..2\nok 1 a\n# doing b\n");
        assert_eq!(report.trailing, ["doing b"]);
    }

    #[test]
    fn other_output_is_a_diagnostic() {
        let report = parse("Segmentation fault\nok\nok x y\n1..many\n");
        assert_eq!(report.trailing.len(), 4);
        assert_eq!(report.plan, None);
    }

    #[test]
    fn empty_log() {
        assert_eq!(parse(""), Report::default());
    }
}
