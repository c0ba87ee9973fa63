// SPDX-License-Identifier: GPL-2.0

//! Mutants of the driver, one after the other on one machine: which of them is
//! noticed, and by which case.
//!
//! Each comes after the driver itself, which has to pass the same cases: so what a
//! mutant leaves behind is not taken for the work of the next.

use std::fs;
use std::os::unix::fs::symlink;

use crate::check::{Fail, Outcome};
use crate::debug::{self, kunit};
use crate::gate::Gate;
use crate::harness;
use crate::kernel::Kernel;
use crate::ktap;
use crate::leg::Leg;
use crate::module;
use crate::table::{cases, chooses, Case, Cell};

/// `NAME FILTER`, a line each; `NAME.ko` stands beside it.
const LIST: &str = "/mutants/list";
const MODULE: &str = "/pindma.ko";
const HEALTHY: &str = "/healthy.ko";

/// Where a mutant runs.
type Machine = (Leg, Kernel);

/// How a module fared.
enum Fate {
    /// It passed.
    Passed,
    /// It failed this.
    Failed(String),
    /// Nothing after it can be trusted.
    Stuck(String),
}

/// Tries all that are listed, until there is no way to go on.
pub(crate) fn run(machine: Machine) -> Outcome {
    fs::rename(MODULE, HEALTHY)?;
    for line in fs::read_to_string(LIST)?.lines() {
        let (name, filter) = line.split_once(' ').unwrap_or((line, ""));
        if !is_healthy(name, filter, machine)? {
            return Ok(());
        }
        // The last word, if the machine does not survive it.
        say(name, "begins");
        match try_module(&format!("/mutants/{name}.ko"), filter, machine)? {
            Fate::Passed => say(name, "survived"),
            Fate::Failed(by) => say(name, &format!("killed by {by}")),
            Fate::Stuck(by) => {
                say(name, &format!("killed by {by}"));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the driver itself passes here and now.
fn is_healthy(name: &str, filter: &str, machine: Machine) -> Outcome<bool> {
    match try_module(HEALTHY, filter, machine)? {
        Fate::Passed => Ok(true),
        Fate::Failed(by) | Fate::Stuck(by) => {
            say(name, &format!("not tried: without it, {by} fails"));
            Ok(false)
        }
    }
}

/// What the runner reads.
fn say(name: &str, what: &str) {
    ktap::note(&format!("mutant {name} {what}"));
}

/// Loads a module, runs cases until one fails, and unloads it.
fn try_module(path: &str, filter: &str, machine: Machine) -> Outcome<Fate> {
    let _ = fs::remove_file(MODULE);
    symlink(path, MODULE)?;
    // What the kernel says once, it is to say again.
    let _ = fs::write("/sys/kernel/debug/clear_warn_once", "1");
    if module::loaded() {
        return Ok(Fate::Stuck("unloading".to_owned()));
    }
    let fate = match module::load(&module::parameters(machine.0)) {
        Ok(()) => try_cases(filter, machine),
        Err(Fail(why)) => {
            ktap::note(&why);
            Fate::Failed("loading".to_owned())
        }
    };
    Ok(match (fate, unload()) {
        (Fate::Passed, Err(())) => Fate::Stuck("unloading".to_owned()),
        (Fate::Failed(by), Err(())) => Fate::Stuck(by),
        (fate, _) => fate,
    })
}

fn unload() -> Result<(), ()> {
    if !module::loaded() {
        return Ok(());
    }
    module::unload().map_err(|Fail(why)| ktap::note(&why))
}

fn try_cases(filter: &str, (leg, kernel): Machine) -> Fate {
    if kernel == Kernel::Debug {
        if let Some(by) = failed_unit(filter) {
            return Fate::Failed(by);
        }
        // Of one that was noticed by something else, nobody asked what it had lost.
        if let Err(Fail(why)) = debug::start().and_then(|()| debug::forget_leaks()) {
            return Fate::Failed(why);
        }
    }
    let mut gate = Gate::new();
    let runs = |case: &&Case| case.cell_on(leg, kernel) == Cell::Run;
    let chosen = cases().filter(|case| case.is_chosen(filter));
    for (index, case) in chosen.filter(runs).enumerate() {
        match harness::run(index + 1, case, (leg, kernel), &mut gate) {
            Ok(true) => {}
            Ok(false) => return Fate::Failed(case.name.to_owned()),
            Err(harness::Stuck) => return Fate::Stuck(case.name.to_owned()),
        }
    }
    last_words(kernel)
}

fn failed_unit(filter: &str) -> Option<String> {
    let units = kunit::results().unwrap_or_default();
    let mut failed = units.into_iter().filter(|test| !test.passed);
    failed
        .find(|test| chooses(filter, &test.name))
        .map(|test| test.name)
}

fn last_words(kernel: Kernel) -> Fate {
    if kernel == Kernel::Debug {
        for (name, found) in debug::last_words() {
            found.iter().for_each(|line| ktap::note(line));
            if !found.is_empty() {
                return Fate::Failed(name.to_owned());
            }
        }
    }
    Fate::Passed
}
