// SPDX-License-Identifier: GPL-2.0

//! `rig prove`: that each of the ways to fail is judged a failure, on a real machine whose
//! guest does it on purpose; and that the model of the card is there to be misused.

use std::io;
use std::time::Duration;

use pindma_selftests::leg::Leg;

use crate::expect;
use crate::ktap::{self, Report};
use crate::mode::Mode;
use crate::places::Places;
use crate::show;
use crate::suite::at_once;
use crate::verdict::{judge, Fault, Verdict};
use crate::vm::{Ending, Patience};

/// The machine: that with the card, or the one that boots fastest.
fn leg(mode: Mode) -> Leg {
    match mode {
        Mode::Card | Mode::Off | Mode::Stray => Leg::Xdma,
        _ => Leg::Direct,
    }
}

/// In the names of the cases that need the card and no driver.
const BARE_CARD: &str = "the_card_";

/// In the name of no case.
const NONE: &str = "none_at_all";

/// A hang is on purpose here: it need not be waited out for long, once the guest has
/// said that it begins.
const IMPATIENCE: Patience = Patience {
    silence: Duration::from_secs(45),
    ..Patience::NORMAL
};

/// Runs them all; true when each was noticed.
pub fn prove(places: &Places, jobs: usize) -> io::Result<bool> {
    let modes = vec![
        Mode::Hang,
        Mode::Panic,
        Mode::NoPlan,
        Mode::HalfWay,
        Mode::Card,
        Mode::Off,
        Mode::Stray,
    ];
    let proofs = at_once(jobs, modes, |mode| prove_one(places, mode))?;
    Ok(proofs.into_iter().all(|proved| proved))
}

fn prove_one(places: &Places, mode: Mode) -> io::Result<bool> {
    let logs = places.logs_of(&format!("prove-{}", mode.name()));
    let patience = if mode == Mode::Hang {
        IMPATIENCE
    } else {
        Patience::NORMAL
    };
    let leg = leg(mode);
    let run = places.run(leg, mode, filter(mode), &logs, patience);
    let (ending, read) = run.go(|_| ())?;
    let report = ktap::parse(&read.results);
    let expected = expect::cells(places.kernel(), leg, filter(mode));
    let verdict = judge(&report, &expected, &ending, &read);
    let proved = is_noticed(mode, &ending, &report, &verdict);
    println!("{}", told(mode, proved));
    if !proved {
        print!(
            "ended {ending:?}, faults {:?}, logs in {}\n{}",
            verdict.faults,
            logs.display(),
            show::tail(&read.console)
        );
    }
    Ok(proved)
}

fn told(mode: Mode, proved: bool) -> String {
    let name = format!("{}:", mode.name());
    match (mode, proved) {
        (Mode::Off, true) => format!("a guest goes off in a job,   {name:9} well"),
        (Mode::Off, false) => format!("a guest goes off in a job,   {name:9} FAILED"),
        (Mode::Card, true) => format!("a guest looks at the model, {name:9} well"),
        (Mode::Card, false) => format!("a guest looks at the model, {name:9} FAILED"),
        (_, true) => format!("a guest on purpose in mode {name:9} noticed"),
        (_, false) => format!("a guest on purpose in mode {name:9} NOT NOTICED"),
    }
}

fn filter(mode: Mode) -> &'static str {
    match mode {
        Mode::Card => BARE_CARD,
        Mode::Off => NONE,
        _ => "",
    }
}

/// Whether the verdict is a failure, and for the right reason.
fn is_noticed(mode: Mode, ending: &Ending, report: &Report, verdict: &Verdict) -> bool {
    let has = |wanted: fn(&Fault) -> bool| verdict.faults.iter().any(wanted);
    let reason = match mode {
        Mode::Panic => has(|fault| matches!(fault, Fault::Panic(_))),
        // The header shows that init was reached and it was not the boot that hung.
        Mode::Hang => matches!(ending, Ending::Hung(_)) && report.header,
        Mode::NoPlan => *ending == Ending::PoweredOff && has(|fault| *fault == Fault::NoPlan),
        Mode::HalfWay => {
            *ending == Ending::PoweredOff
                && report.plan.is_some()
                && has(|fault| *fault == Fault::NotDone)
        }
        // The card is well, and this is no way to fail.
        Mode::Card => return verdict.failed() == 0 && verdict.passed() > 0,
        // So is it here, and the card is at rest when its machine ends.
        Mode::Off => {
            return *ending == Ending::PoweredOff && report.done && verdict.faults.is_empty();
        }
        Mode::Stray => {
            *ending == Ending::PoweredOff
                && report.done
                && has(|fault| matches!(fault, Fault::Card(line) if line.contains("violation: ")))
        }
        Mode::Test
        | Mode::Soak(_)
        | Mode::Outages { .. }
        | Mode::Demo
        | Mode::Bench
        | Mode::Shell
        | Mode::Mutants => false,
    };
    reason && verdict.failed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::Logs;
    use pindma_selftests::kernel::Kernel;

    fn noticed(mode: Mode, ending: &Ending, results: &str, console: &str) -> bool {
        let report = ktap::parse(results);
        let logs = Logs {
            console: console.into(),
            ..Logs::default()
        };
        let expected = expect::cells(Kernel::Stock, leg(mode), "");
        let verdict = judge(&report, &expected, ending, &logs);
        is_noticed(mode, ending, &report, &verdict)
    }

    #[test]
    fn a_hang_during_boot_proves_nothing() {
        let hung = Ending::Hung("no output".into());
        assert!(noticed(Mode::Hang, &hung, "KTAP version 1\n", ""));
        assert!(!noticed(Mode::Hang, &hung, "", ""));
    }

    #[test]
    fn cases_of_the_bare_card_alone_are_chosen() {
        let chosen = expect::cells(Kernel::Stock, Leg::Xdma, filter(Mode::Card));
        assert!(!chosen.is_empty());
        for cell in chosen {
            assert!(cell.case.starts_with(BARE_CARD), "{}", cell.case);
        }
    }

    #[test]
    fn a_stray_read_is_the_cards_to_tell() {
        let stray = |model: &str| {
            let report = ktap::parse("KTAP version 1\n1..1\nok 1 x\n# rig: done\n");
            let logs = Logs {
                model: Some(model.into()),
                ..Logs::default()
            };
            let off = Ending::PoweredOff;
            let verdict = judge(&report, &[], &off, &logs);
            is_noticed(Mode::Stray, &off, &report, &verdict)
        };
        assert!(stray("XDMA: violation: read of 32 bytes\n"));
        assert!(!stray("XDMA: fault: Magic\n"));
        assert!(!stray("XDMA: statistics: x\n"));
    }

    #[test]
    fn each_needs_its_own_reason() {
        let off = Ending::PoweredOff;
        assert!(noticed(
            Mode::Panic,
            &off,
            "",
            "Kernel panic - not syncing: x\n"
        ));
        assert!(!noticed(Mode::Panic, &off, "", ""));
        assert!(noticed(
            Mode::NoPlan,
            &off,
            "KTAP version 1\n# rig: done\n",
            ""
        ));
        assert!(noticed(
            Mode::HalfWay,
            &off,
            "KTAP version 1\n1..9\nok 1 a\n",
            ""
        ));
        assert!(!noticed(Mode::HalfWay, &off, "", ""));
    }
}
