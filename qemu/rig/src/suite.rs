// SPDX-License-Identifier: GPL-2.0

//! `rig test`: the selftests on each leg.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use pindma_selftests::leg::Leg;

use crate::expect;
use crate::ktap;
use crate::machine::{is_single_threaded, Mode};
use crate::places::Places;
use crate::show::{self, Column};
use crate::verdict::judge;
use crate::vm::Patience;

/// Runs the selftests; true when all passed.
pub fn test(places: &Places, legs: &[Leg], filter: &str, jobs: usize) -> io::Result<bool> {
    let names = expect::names(filter);
    if names.is_empty() {
        return Err(io::Error::other(format!(
            "no case has '{filter}' in its name"
        )));
    }
    let columns = run_legs(places, legs, filter, jobs)?;
    println!("\n{}", show::table(&names, &columns));
    for column in &columns {
        print!(
            "{}",
            show::failures(column, &places.logs_of(column.leg.name()))
        );
    }
    println!("{}", show::totals(&columns));
    Ok(columns.iter().all(|column| column.verdict.failed() == 0))
}

/// Up to `jobs` legs at a time where a leg uses one host CPU; the others alone,
/// since what they look for needs all the CPUs there are.
fn run_legs(places: &Places, legs: &[Leg], filter: &str, jobs: usize) -> io::Result<Vec<Column>> {
    let (together, alone): (Vec<Leg>, Vec<Leg>) =
        legs.iter().partition(|leg| is_single_threaded(**leg));
    let mut columns = at_once(jobs, together, |leg| run_leg(places, leg, filter))?;
    columns.extend(at_once(1, alone, |leg| run_leg(places, leg, filter))?);
    columns.sort_by_key(|column| Leg::ALL.iter().position(|leg| *leg == column.leg));
    Ok(columns)
}

fn run_leg(places: &Places, leg: Leg, filter: &str) -> io::Result<Column> {
    let begin = Instant::now();
    let logs = places.logs_of(leg.name());
    let run = places.run(leg, Mode::Test, filter, &logs, Patience::NORMAL);
    let (ending, logs) = run.go(|_| ())?;
    let report = ktap::parse(&logs.results);
    let verdict = judge(&report, &expect::cells(leg, filter), &ending, &logs);
    let said = report
        .preamble
        .iter()
        .map(|note| format!("{}: {note}\n", leg.name()));
    let summary = show::summary(leg, &verdict, begin.elapsed().as_secs());
    // In one piece: another leg may be printing as well.
    println!("{}{summary}", said.collect::<String>());
    Ok(Column { leg, verdict, logs })
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
