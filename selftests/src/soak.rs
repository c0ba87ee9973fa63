// SPDX-License-Identifier: GPL-2.0

//! A hundred processes that come and go, each of which transfers both ways, copies,
//! reads and writes with system calls and with io_uring, registers, syncs, submits,
//! cancels and streams, in random order, and ends in a random way at a random time.
//!
//! What must hold afterwards is the leak gate's affair, and that of the accounts:
//! every request that was taken has ended, once, by its number.

use std::collections::HashMap;
use std::fs;

use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::ktap;
use crate::leg::Leg;
use crate::os;
use crate::pci;
use crate::process::{self, Exit, Process};
use crate::table::{Case, Needs};

use accounts::Accounts;

mod accounts;
mod chance;
mod frames;
mod life;
mod memory;
mod requests;
mod rings;
mod work;

pub(crate) const CASES: &[Case] = &[Case::new(
    "a_hundred_processes_come_and_go",
    "two minutes, or as many as make soak is told",
    soak,
)
.needs(Needs::Only(&[Leg::Smp], "two CPUs see what one does not"))
.minutes(minutes)];

/// Processes at a time.
const CROWD: usize = 100;
/// Minutes, if the kernel's command line says nothing.
const MINUTES: u64 = 2;
const NS_PER_MINUTE: i64 = 60_000_000_000;

/// How long it goes on, in minutes: `rig.soak=` of the kernel's command line.
fn minutes() -> u64 {
    let ordered = os::order("rig.soak=").and_then(|minutes| minutes.parse().ok());
    ordered.unwrap_or(MINUTES)
}

/// How processes have ended.
#[derive(Default)]
struct Tally {
    exits: HashMap<String, u64>,
    wrong: u64,
}

impl Tally {
    fn count(&mut self, exit: Exit) {
        *self.exits.entry(exit.to_string()).or_default() += 1;
        let fine = matches!(exit, Exit::Code(0)) || exit == Exit::KILLED;
        self.wrong += u64::from(!fine);
    }
}

fn soak(_: Leg) -> Outcome {
    let before = totals()?;
    let mut accounts = Accounts::begin()?;
    let end = os::now() + minutes() as i64 * NS_PER_MINUTE;
    let mut tally = Tally::default();
    let mut seed = 0;
    let mut living = 0;
    let mut told = os::now();
    while living > 0 || os::now() < end {
        while living < CROWD && os::now() < end {
            seed += 1;
            begin(seed)?;
            living += 1;
        }
        tally.count(process::wait_for_any()?);
        accounts.read()?;
        living -= 1;
        if os::now() - told > NS_PER_MINUTE {
            told = os::now();
            ktap::note(&format!("soak: {seed} processes so far"));
        }
    }
    let balanced = accounts.balance();
    let after = totals()?;
    report(seed, &tally, before, after);
    check(tally.wrong == 0, format!("{} went wrong", tally.wrong))?;
    balanced?;
    check(accounts.taken > 0, "no request was taken")?;
    same("ends", accounts.ended, accounts.taken)?;
    let submitted = (after.submitted - before.submitted) as u64;
    same("requests in statistics", submitted, accounts.taken)?;
    same("ends in statistics", after.ended, after.submitted)
}

/// Starts a process; nobody keeps its handle, since any of them may end next.
fn begin(seed: u64) -> Outcome {
    Process::fork(move || match life::live(seed) {
        Ok(()) => 0,
        Err(Fail(why)) => {
            ktap::note(&format!("process {seed}: {why}"));
            1
        }
    })?;
    Ok(())
}

/// What all files of the device have done.
#[derive(Clone, Copy)]
struct Totals {
    calls: i64,
    jobs: i64,
    submitted: i64,
    ended: i64,
}

/// Requests of files that are closed may still be on their way to their end.
fn totals() -> Outcome<Totals> {
    let path = format!("/sys/kernel/debug/pindma-{}/stats", pci::address()?);
    let mut totals = read(&path)?;
    for _ in 0..500 {
        if totals.submitted == totals.ended {
            break;
        }
        crate::module::pause(20);
        totals = read(&path)?;
    }
    Ok(totals)
}

fn read(path: &str) -> Outcome<Totals> {
    let text = format!("\n{}", fs::read_to_string(path)?);
    let number = |name: &str| counters::after(&text, &format!("\n{name} "));
    Ok(Totals {
        calls: number("calls")?,
        jobs: number("jobs")?,
        submitted: number("submitted")?,
        ended: number("ended")?,
    })
}

fn report(processes: u64, tally: &Tally, before: Totals, after: Totals) {
    let mut exits: Vec<_> = tally.exits.iter().collect();
    exits.sort();
    let exits: Vec<String> = exits
        .iter()
        .map(|(how, n)| format!("{n} by {how}"))
        .collect();
    ktap::note(&format!(
        "soak: {} minutes, {processes} processes ended ({}), {} calls, {} requests submitted, {} ended, {} jobs",
        minutes(),
        exits.join(", "),
        after.calls - before.calls,
        after.submitted - before.submitted,
        after.ended - before.ended,
        after.jobs - before.jobs,
    ));
}
