// SPDX-License-Identifier: GPL-2.0

//! `rig test`: the selftests on each leg.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use pindma_selftests::kernel::Kernel;
use pindma_selftests::leg::Leg;

use crate::expect;
use crate::ktap;
use crate::lines;
use crate::machine::is_single_threaded;
use crate::mode::Mode;
use crate::places::Places;
use crate::show::{self, Column};
use crate::verdict::{judge, Fault};
use crate::vm::{Ending, Logs, Patience};

/// The legs asked for, or all that the kernel has; says which are left out and why.
pub fn choose(kernel: Kernel, asked: Vec<Leg>) -> Vec<Leg> {
    if !asked.is_empty() {
        return asked;
    }
    let stays = |leg: &Leg| {
        let reason = leg.left_out_of(kernel);
        if let Some(reason) = reason {
            println!("leg {} left out: {reason}", leg.name());
        }
        reason.is_none()
    };
    Leg::ALL.into_iter().filter(stays).collect()
}

/// In the name of the one case that `rig soak` runs.
pub const SOAK: &str = "a_hundred_processes";

/// In the name of the one case that `rig outages` runs.
pub const OUTAGES: &str = "whatever_fails";

/// Which cases to run, and how: the mode, and what is in their names.
type Choice<'a> = (Mode, &'a str);

/// Runs the selftests; true when all passed.
pub fn test(places: &Places, legs: &[Leg], choice: Choice<'_>, jobs: usize) -> io::Result<bool> {
    let (_, filter) = choice;
    // On the debug kernel it may also be in the name of a unit test, which the module knows.
    if places.kernel() == Kernel::Stock && !expect::any(filter) {
        return Err(io::Error::other(format!(
            "no case has '{filter}' in its name"
        )));
    }
    let columns = run_legs(places, legs, choice, jobs)?;
    println!("\n{}", show::table(&columns));
    for column in columns.iter().filter(|column| column.verdict.failed() > 0) {
        let text = show::failures(column, &places.logs_of(column.leg.name()));
        print!(
            "{text}{}",
            places_named(places, &column.logs.console, &text)
        );
    }
    println!("{}", show::totals(&columns));
    Ok(columns.iter().all(|column| column.verdict.failed() == 0))
}

/// Up to `jobs` legs at a time where a leg uses one host CPU; the others alone,
/// since what they look for needs all the CPUs there are.
fn run_legs(
    places: &Places,
    legs: &[Leg],
    choice: Choice<'_>,
    jobs: usize,
) -> io::Result<Vec<Column>> {
    let (together, alone): (Vec<Leg>, Vec<Leg>) =
        legs.iter().partition(|leg| is_single_threaded(**leg));
    let mut columns = at_once(jobs, together, |leg| run_leg(places, leg, choice))?;
    columns.extend(at_once(1, alone, |leg| run_leg(places, leg, choice))?);
    columns.sort_by_key(|column| Leg::ALL.iter().position(|leg| *leg == column.leg));
    Ok(columns)
}

/// The debug kernel needs several times as many instructions.
pub fn patience(kernel: Kernel, mode: Mode) -> Patience {
    let patience = match kernel {
        Kernel::Stock => Patience::NORMAL,
        Kernel::Debug => Patience::LONG,
    };
    match mode {
        Mode::Soak(minutes) => patience.and_minutes(minutes),
        // A round takes less than a minute.
        Mode::Outages { rounds, .. } => patience.and_minutes(rounds),
        _ => patience,
    }
}

/// The source lines of our module that the console or the notes of failed cases
/// name.
fn places_named(places: &Places, console: &str, notes: &str) -> String {
    let Some(module) = places.lines() else {
        return String::new();
    };
    let named = lines::places(&format!("{console}\n{notes}"));
    if named.is_empty() {
        return String::new();
    }
    match lines::lines(module, &named) {
        Ok(lines) => format!("what they name in our module:\n{lines}"),
        Err(error) => format!("no lines of our module: {error}\n"),
    }
}

fn run_leg(places: &Places, leg: Leg, (mode, filter): Choice<'_>) -> io::Result<Column> {
    let begin = Instant::now();
    let logs = places.logs_of(leg.name());
    let run = places.run(leg, mode, filter, &logs, patience(places.kernel(), mode));
    let (mut ending, mut logs) = run.go(|_| ())?;
    if never_began(&ending, &logs) {
        println!(
            "{}: the kernel ended before it had a process: once more",
            leg.name()
        );
        (ending, logs) = run.go(|_| ())?;
    }
    let report = ktap::parse(&logs.results);
    let kernel = places.kernel();
    let units = expect::unit_tests(kernel, &report);
    let wanted = filter.is_empty() || !expect::any(filter);
    let untested = kernel == Kernel::Debug && wanted && units.is_empty();
    let mut expected = expect::cells(kernel, leg, filter);
    expected.extend(units);
    let mut verdict = judge(&report, &expected, &ending, &logs);
    if untested {
        verdict.faults.push(Fault::NoUnitTests);
    }
    let said = report
        .preamble
        .iter()
        .map(|note| format!("{}: {note}\n", leg.name()));
    let summary = show::summary(leg, &verdict, begin.elapsed().as_secs());
    // In one piece: another leg may be printing as well.
    let counted = show::counted(&report);
    println!("{}{counted}{summary}", said.collect::<String>());
    Ok(Column { leg, verdict, logs })
}

/// Whether the kernel ended while it booted, which has nothing to do with a module that nobody had
/// loaded: on a host that is very busy, its two CPUs now and then wait for each other for ever, and
/// QEMU has one of them run into code that the other has patched meanwhile.
fn never_began(ending: &Ending, logs: &Logs) -> bool {
    let ended = match ending {
        Ending::Hung(_) => true,
        Ending::PoweredOff => logs.console.contains("Oops: int3"),
        Ending::Failed(_) => false,
    };
    ended && !logs.console.contains("Run /init")
}

/// Calls `work` for each item, on up to `jobs` threads; the results are in no
/// particular order.
pub fn at_once<T: Send, R: Send>(
    jobs: usize,
    items: Vec<T>,
    work: impl Fn(T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let queue = Mutex::new(VecDeque::from(items));
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    let worker = || {
        std::iter::from_fn(next)
            .map(&work)
            .collect::<io::Result<Vec<R>>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        let mut results = Vec::new();
        for worker in workers {
            let part = worker
                .join()
                .map_err(|_| io::Error::other("a worker panicked"))?;
            results.extend(part?);
        }
        Ok(results)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        let mut results = at_once(3, (0..20).collect(), Ok).expect("no work fails");
        results.sort_unstable();
        assert_eq!(results, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn only_a_kernel_without_a_process_never_began() {
        let hung = Ending::Hung("no output".into());
        let said = |console: &str| Logs {
            console: console.into(),
            ..Logs::default()
        };
        let (early, late) = (said("smp: Brought up"), said("Run /init as init process"));
        assert!(never_began(&hung, &early));
        assert!(!never_began(&hung, &late));
        assert!(!never_began(&Ending::PoweredOff, &early));
        let patched = said("Oops: int3: 0000 [#1] SMP NOPTI");
        assert!(never_began(&Ending::PoweredOff, &patched));
        let later = said("Run /init as init process\nOops: int3: 0000 [#1] SMP NOPTI");
        assert!(!never_began(&Ending::PoweredOff, &later));
    }

    #[test]
    fn an_error_is_reported() {
        let result = at_once(2, vec![1, 2, 3], |n| {
            if n == 2 {
                Err(io::Error::other("two"))
            } else {
                Ok(n)
            }
        });
        assert!(result.is_err());
    }
}
