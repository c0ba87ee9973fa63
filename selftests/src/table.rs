// SPDX-License-Identifier: GPL-2.0

//! The table of cases by legs: what runs where, and why not elsewhere.
//!
//! The guest runs it, and the host checks that exactly this ran.

use crate::check::Outcome;
use crate::kernel::Kernel;
use crate::leg::Leg;

/// What is expected of one case on one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The case runs and must pass.
    Run,
    /// The case makes no sense on this leg, for this reason.
    NotApplicable(&'static str),
}

/// Where a case can run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs {
    /// It moves no data.
    Nothing,
    /// It moves data, and two CPUs would see nothing that one does not.
    Memory,
    /// It moves data while something else happens.
    Race,
    /// It only means something on these legs.
    Only(&'static [Leg], &'static str),
    /// The kernel must offer `fail-nth`.
    Faults,
}

/// Why a case is not one for the leg `xdma`: it is about what edu is, has or does.
pub(crate) const EDU: &str = "it is about edu";

/// What a case needs of a card that is done at once, and stops when it is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Nothing else.
    Fast,
    /// That a job takes as long as one of edu.
    Slow,
    /// And that nothing ends it, as nothing ends edu's.
    Stubborn,
}

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Name, in the form of what it asserts.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    needs: Needs,
    /// Why it cannot run on the debug kernel.
    not_on_debug: Option<&'static str>,
    /// Why it cannot run with the card that the leg `xdma` has.
    not_on_xdma: Option<&'static str>,
    pace: Pace,
    /// It takes bus mastering away, and requests of the card must fail then rather than wait.
    pub(crate) refuses: bool,
    /// Minutes of guest time that it takes, if that is more than others do.
    pub(crate) minutes: fn() -> u64,
    pub(crate) run: fn(Leg) -> Outcome,
}

impl Case {
    /// A case that moves no data and so runs on every leg.
    pub(crate) const fn new(
        name: &'static str,
        about: &'static str,
        run: fn(Leg) -> Outcome,
    ) -> Case {
        Case {
            name,
            about,
            needs: Needs::Nothing,
            not_on_debug: None,
            not_on_xdma: None,
            pace: Pace::Fast,
            refuses: false,
            minutes: || 0,
            run,
        }
    }

    pub(crate) const fn needs(self, needs: Needs) -> Case {
        Case { needs, ..self }
    }

    pub(crate) const fn not_on_debug(self, reason: &'static str) -> Case {
        Case {
            not_on_debug: Some(reason),
            ..self
        }
    }

    /// It is about edu, or needs what edu has.
    pub(crate) const fn not_on_xdma(self, reason: &'static str) -> Case {
        Case {
            not_on_xdma: Some(reason),
            ..self
        }
    }

    /// It meets a job at work, though it is no race.
    pub(crate) const fn slow(self) -> Case {
        Case {
            pace: Pace::Slow,
            ..self
        }
    }

    /// It takes bus mastering away, and requests of the card must fail then rather than wait.
    pub(crate) const fn refuses(self) -> Case {
        Case {
            refuses: true,
            ..self
        }
    }

    /// It meets a device that does not stop.
    pub(crate) const fn stubborn(self) -> Case {
        Case {
            pace: Pace::Stubborn,
            ..self
        }
    }

    /// It takes so many minutes of guest time.
    pub(crate) const fn minutes(self, minutes: fn() -> u64) -> Case {
        Case { minutes, ..self }
    }

    /// Whether `filter` chooses this case, see [`chooses`].
    #[must_use]
    pub fn is_chosen(&self, filter: &str) -> bool {
        chooses(filter, self.name)
    }

    /// What it needs of a card that is done at once, and stops when it is told to.
    pub(crate) fn pace(&self) -> Pace {
        match (self.needs, self.pace) {
            (Needs::Race, Pace::Fast) => Pace::Slow,
            (_, pace) => pace,
        }
    }

    /// Whether it makes one call after the other for as long as faults strike.
    pub(crate) fn is_sweep(&self) -> bool {
        matches!(self.needs, Needs::Faults)
    }

    /// What is expected of this case on `leg` of the stock kernel.
    #[must_use]
    pub fn cell(&self, leg: Leg) -> Cell {
        self.cell_on(leg, Kernel::Stock)
    }

    /// What is expected of this case on `leg` of `kernel`.
    #[must_use]
    pub fn cell_on(&self, leg: Leg, kernel: Kernel) -> Cell {
        match (self.needs, kernel, self.not_on_debug) {
            (Needs::Faults, Kernel::Stock, _) => {
                Cell::NotApplicable("this kernel injects no faults")
            }
            (_, Kernel::Debug, Some(reason)) => Cell::NotApplicable(reason),
            (Needs::Race, Kernel::Debug, _) if leg != Leg::Smp => {
                Cell::NotApplicable("its races are watched on leg smp")
            }
            (Needs::Nothing, Kernel::Debug, _) if leg.bounces() || leg == Leg::Smp => {
                Cell::NotApplicable("no data in it, and on leg iommu it is watched as well")
            }
            _ => self.cell_of(leg),
        }
    }

    fn cell_of(&self, leg: Leg) -> Cell {
        if let (Leg::Xdma, Some(reason)) = (leg, self.not_on_xdma) {
            return Cell::NotApplicable(reason);
        }
        match (self.needs, leg) {
            (Needs::Faults, Leg::Sweep) => Cell::Run,
            (Needs::Faults, _) => Cell::NotApplicable("the fault sweep has a leg of its own"),
            (_, Leg::Sweep) => Cell::NotApplicable("only the fault sweep runs here"),
            (Needs::Nothing | Needs::Memory | Needs::Race, Leg::XdmaSmp) => {
                Cell::NotApplicable("leg xdma has it; here what is large")
            }
            (Needs::Nothing | Needs::Memory | Needs::Race, Leg::Streams) => {
                Cell::NotApplicable("only streams run here")
            }
            (Needs::Nothing | Needs::Memory | Needs::Race, Leg::Lazy) => {
                Cell::NotApplicable("leg iommu has it; here only what addresses that linger change")
            }
            (Needs::Memory | Needs::Race, Leg::Reach) => {
                Cell::NotApplicable("memory here is mostly beyond the device's mask")
            }
            (Needs::Memory, Leg::Smp) => {
                Cell::NotApplicable("no race in it, and a job takes 100 ms of real time here")
            }
            (Needs::Only(legs, reason), _) if !legs.contains(&leg) => Cell::NotApplicable(reason),
            _ => Cell::Run,
        }
    }
}

/// Whether `filter`, one text or several with commas between them, chooses `name`: one
/// of them is a part of it. An empty filter chooses all.
#[must_use]
pub fn chooses(filter: &str, name: &str) -> bool {
    filter.split(',').any(|part| name.contains(part))
}

/// Every case, in the order in which they run.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    crate::cases::ALL.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(leg: Leg) -> usize {
        cases().filter(|case| case.cell(leg) == Cell::Run).count()
    }

    #[test]
    fn names_are_unique_snake_case() {
        let mut names: Vec<_> = cases().map(|case| case.name).collect();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(names.iter().all(|name| name.chars().all(plain)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases().count());
    }

    #[test]
    fn every_case_runs_somewhere() {
        let on = |case: &Case, kernel| {
            let run = |leg: &Leg| case.cell_on(*leg, kernel) == Cell::Run;
            Leg::ALL.iter().any(run)
        };
        for case in cases() {
            let runs = Kernel::ALL.iter().any(|kernel| on(case, *kernel));
            assert!(runs, "{} runs nowhere", case.name);
        }
    }

    #[test]
    fn enough_cells_run() {
        let total: usize = Leg::ALL.iter().map(|leg| runs(*leg)).sum();
        assert!(total >= 150, "{total} cells");
    }
}
