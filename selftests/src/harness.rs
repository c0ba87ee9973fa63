// SPDX-License-Identifier: GPL-2.0

//! Runs the cases of a leg, each in a process of its own, behind the leak gate.

use std::time::Duration;

use crate::card;
use crate::check::Fail;
use crate::counters;
use crate::gate::Gate;
use crate::kernel::Kernel;
use crate::ktap;
use crate::leg::Leg;
use crate::module;
use crate::process::{self, Exit, Process};
use crate::table::{Case, Cell, Pace};

/// Guest time after which a case hangs.  It is no measure of speed: under
/// icount the guest's clock jumps, so it is far above what any case takes.
const HANG: Duration = Duration::from_secs(300);
/// The same for a sweep, which is as long as some hundred cases.
const SWEEP_HANG: Duration = Duration::from_secs(100 * 300);
/// Guest time within which what was killed must be dead.
const DYING: Duration = Duration::from_secs(60);

/// A case that cannot be killed: nothing after it can be trusted.
pub(crate) struct Stuck;

/// Runs case number `number` on a leg of a kernel and prints its result.
pub(crate) fn run(
    number: usize,
    case: &Case,
    (leg, kernel): (Leg, Kernel),
    gate: &mut Result<Gate, Fail>,
) -> Result<bool, Stuck> {
    if let Cell::NotApplicable(reason) = case.cell_on(leg, kernel) {
        ktap::skip(number, case.name, reason);
        return Ok(true);
    }
    let mut wrong = paced(case, leg)?;
    wrong.extend(aftermath(leg, gate));
    Ok(report(number, case, &wrong))
}

/// Runs the case, on a card that is as it needs.
fn paced(case: &Case, leg: Leg) -> Result<Vec<String>, Stuck> {
    if !leg.is_fast() || (case.pace() == Pace::Fast && !case.refuses) {
        return isolated(case, leg);
    }
    let set = |pace, refuses| card::set_pace(pace).and(card::set_refusal(refuses));
    let begun = set(case.pace(), case.refuses);
    let mut wrong = isolated(case, leg)?;
    let paced = begun.and(set(Pace::Fast, false));
    wrong.extend(
        paced
            .err()
            .map(|Fail(why)| format!("the card's pace: {why}")),
    );
    Ok(wrong)
}

/// The same without the module, and so without the gate.
pub(crate) fn run_bare(number: usize, case: &Case, leg: Leg) -> Result<bool, Stuck> {
    let wrong = isolated(case, leg)?;
    Ok(report(number, case, &wrong))
}

fn report(number: usize, case: &Case, wrong: &[String]) -> bool {
    for line in wrong {
        ktap::note(line);
    }
    ktap::result(number, case.name, wrong.is_empty());
    wrong.is_empty()
}

/// Restores the module, then asks the gate. Lost memory is looked for at the end of
/// the leg: that takes long, and what was lost names its place.
fn aftermath(leg: Leg, gate: &mut Result<Gate, Fail>) -> Vec<String> {
    let restored = module::restore(leg).err();
    let mut wrong: Vec<String> = restored.map(|Fail(why)| why).into_iter().collect();
    match gate {
        Ok(gate) => wrong.extend(gate.deep_complaints()),
        Err(Fail(why)) => wrong.push(format!("no gate: {why}")),
    }
    wrong
}

/// Runs the case in a process and a process group of its own.
fn isolated(case: &Case, leg: Leg) -> Result<Vec<String>, Stuck> {
    let child = match Process::fork(|| body(case, leg)) {
        Ok(child) => child,
        Err(error) => return Ok(vec![format!("fork: {error}")]),
    };
    let patience = patience(case);
    let hung = !child.ended_within(patience).unwrap_or(false);
    // The case, and what it left running; mostly there is nothing any more.
    if hung {
        let _ = child.kill();
    }
    let _ = child.kill_group();
    if !child.ended_within(DYING).unwrap_or(false) {
        ktap::note(&format!("{} hangs and cannot be killed", case.name));
        return Err(Stuck);
    }
    let exit = child.wait();
    process::reap();
    Ok(verdict(hung, exit))
}

fn patience(case: &Case) -> Duration {
    if case.is_sweep() {
        SWEEP_HANG
    } else {
        HANG + Duration::from_secs(60 * (case.minutes)())
    }
}

fn verdict(hung: bool, exit: std::io::Result<Exit>) -> Vec<String> {
    match exit {
        _ if hung => vec!["hung and was killed".to_string()],
        Ok(Exit::Code(0)) => Vec::new(),
        Ok(exit) => vec![format!("ended with {exit}")],
        Err(error) => vec![format!("wait: {error}")],
    }
}

fn body(case: &Case, leg: Leg) -> i32 {
    std::panic::set_hook(Box::new(|info| ktap::note(&info.to_string())));
    let outcome = process::own_group()
        .map_err(Fail::from)
        .and_then(|()| (case.run)(leg))
        .and_then(|()| counters::nothing_stays_pinned());
    match outcome {
        Ok(()) => 0,
        Err(Fail(why)) => {
            ktap::note(&why);
            1
        }
    }
}
