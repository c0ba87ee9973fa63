// SPDX-License-Identifier: GPL-2.0

//! What a run was worth: its logs and its end against what was expected of it.

use crate::console;
use crate::expect::Expected;
use crate::ktap::{Entry, Outcome, Report};
use crate::vm::{Ending, Logs};

/// How one case ended on one leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It ran and passed.
    Passed,
    /// It ran and failed, with its diagnostics.
    Failed(Vec<String>),
    /// It should have run, and has no result.
    Missing(Vec<String>),
    /// It does not apply, for this reason.
    NotApplicable(String),
}

impl State {
    /// Whether this counts as a failure.
    pub fn is_failure(&self) -> bool {
        matches!(self, State::Failed(_) | State::Missing(_))
    }
}

/// The judgement on one run.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Every expected case with its end, in the table's order.
    pub cells: Vec<(String, State)>,
    /// What is wrong with the run as a whole, each a failure of its own.
    pub faults: Vec<Fault>,
}

/// Something wrong with a run as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The guest stopped making progress and had to be killed.
    Hang(String),
    /// The kernel panicked.
    Panic(String),
    /// No KTAP header, or no plan.
    NoPlan,
    /// Fewer or more results than planned, or out of order.
    Count(String),
    /// The last line is not the sentinel.
    NotDone,
    /// QEMU failed.
    Qemu(String),
    /// The kernel complained on its console.
    Splat(String),
    /// The device was misused, says QEMU.
    Device(String),
    /// The card misbehaved or was misused, says its model.
    Card(String),
    /// A result of a case that the table does not have.
    Unexpected(String),
    /// The debug kernel ran no unit test of the module.
    NoUnitTests,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Hang(what) => write!(f, "hang: {what}"),
            Fault::Panic(line) => write!(f, "panic: {line}"),
            Fault::NoPlan => write!(f, "no plan: the guest printed no 'KTAP version' and '1..N'"),
            Fault::Count(what) => write!(f, "plan not kept: {what}"),
            Fault::NotDone => write!(
                f,
                "stopped half way: the line '{}' is missing",
                crate::ktap::SENTINEL
            ),
            Fault::Qemu(what) => write!(f, "QEMU: {what}"),
            Fault::Splat(line) => write!(f, "on the kernel's console: {line}"),
            Fault::Device(line) => write!(f, "in QEMU's log: {line}"),
            Fault::Card(line) => write!(f, "in the card's log: {line}"),
            Fault::Unexpected(line) => write!(f, "a case that is not in the table: {line}"),
            Fault::NoUnitTests => write!(f, "the module's unit tests did not run"),
        }
    }
}

impl Verdict {
    /// Cases that passed.
    pub fn passed(&self) -> usize {
        self.count(|state| *state == State::Passed)
    }

    /// Cases that do not apply.
    pub fn skipped(&self) -> usize {
        self.count(|state| matches!(state, State::NotApplicable(_)))
    }

    /// Cases that failed or are missing, and faults.
    pub fn failed(&self) -> usize {
        self.count(State::is_failure) + self.faults.len()
    }

    fn count(&self, wanted: impl Fn(&State) -> bool) -> usize {
        self.cells.iter().filter(|(_, state)| wanted(state)).count()
    }
}

/// Judges a run of the selftests.
pub fn judge(report: &Report, expected: &[Expected], ending: &Ending, logs: &Logs) -> Verdict {
    let mut faults = machine_faults(ending, logs);
    faults.extend(protocol_faults(report, expected));
    let mut cells: Vec<_> = expected
        .iter()
        .map(|cell| (cell.case.clone(), state(cell, report)))
        .collect();
    blame_first_missing(&mut cells, &report.trailing);
    Verdict { cells, faults }
}

/// What is wrong with the machine: its end, its console, its device.
pub fn machine_faults(ending: &Ending, logs: &Logs) -> Vec<Fault> {
    let mut faults = Vec::new();
    match ending {
        Ending::PoweredOff => {}
        Ending::Hung(what) => faults.push(Fault::Hang(what.clone())),
        Ending::Failed(what) => faults.push(Fault::Qemu(what.clone())),
    }
    let complaints = console::complaints(&logs.console);
    // One for the run, as what follows the first is mostly its echo; and the panic.
    let panic = complaints.iter().find(|line| line.contains("Kernel panic"));
    let first = complaints.first().filter(|line| Some(*line) != panic);
    faults.extend(first.map(|line| Fault::Splat((*line).to_owned())));
    faults.extend(panic.map(|line| Fault::Panic((*line).to_owned())));
    let misuse = console::device_errors(&logs.qemu);
    faults.extend(misuse.first().map(|line| Fault::Device((*line).to_owned())));
    faults.extend(logs.model.as_deref().and_then(card_fault));
    faults
}

/// What is wrong with the card: the first line that says so, or that it went away.
fn card_fault(log: &str) -> Option<Fault> {
    const GONE: &str = "nothing of its end: it was gone before the machine";
    let error = console::model_errors(log).first().copied();
    error
        .or_else(|| (!console::model_ended(log)).then_some(GONE))
        .map(|line| Fault::Card(line.to_owned()))
}

fn protocol_faults(report: &Report, expected: &[Expected]) -> Vec<Fault> {
    let mut faults = Vec::new();
    match report.plan {
        Some(plan) if report.header => faults.extend(count_fault(plan, &report.entries)),
        _ => faults.push(Fault::NoPlan),
    }
    if !report.done {
        faults.push(Fault::NotDone);
    }
    let unknown = report
        .entries
        .iter()
        .filter(|entry| !expected.iter().any(|cell| cell.case == entry.name));
    faults.extend(unknown.map(|entry| Fault::Unexpected(entry.name.clone())));
    faults
}

/// Results have to be numbered 1 to `plan`, each once and in this order.
fn count_fault(plan: usize, entries: &[Entry]) -> Option<Fault> {
    let out_of_order = entries
        .iter()
        .zip(1..)
        .find(|(entry, number)| entry.number != *number);
    if let Some((entry, number)) = out_of_order {
        return Some(Fault::Count(format!(
            "result {number} says it is {}",
            entry.number
        )));
    }
    (entries.len() != plan).then(|| Fault::Count(format!("{} results of {plan}", entries.len())))
}

fn state(cell: &Expected, report: &Report) -> State {
    let mut entries = report
        .entries
        .iter()
        .filter(|entry| entry.name == cell.case);
    let entry = entries.next();
    if entries.next().is_some() {
        return State::Failed(vec!["it has more than one result".into()]);
    }
    match (&cell.not_applicable, entry) {
        (None, None) => State::Missing(Vec::new()),
        (None, Some(entry)) => ran(entry),
        (Some(reason), None) => State::NotApplicable(reason.clone()),
        (Some(reason), Some(entry)) if matches!(entry.outcome, Outcome::Skipped(_)) => {
            State::NotApplicable(reason.clone())
        }
        (Some(_), Some(_)) => {
            State::Failed(vec!["it ran where the table says it does not apply".into()])
        }
    }
}

fn ran(entry: &Entry) -> State {
    match &entry.outcome {
        Outcome::Passed => State::Passed,
        Outcome::Failed => State::Failed(entry.notes.clone()),
        Outcome::Skipped(reason) => State::Failed(vec![format!(
            "it was skipped, the table says it runs: {reason}"
        )]),
    }
}

/// The case that the guest was in when it stopped is the first without a result.
fn blame_first_missing(cells: &mut [(String, State)], notes: &[String]) {
    let first = cells.iter_mut().find_map(|(_, state)| match state {
        State::Missing(notes) => Some(notes),
        _ => None,
    });
    if let Some(first) = first {
        first.extend(notes.iter().cloned());
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
