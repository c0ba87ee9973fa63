// SPDX-License-Identifier: GPL-2.0

//! What the selftests' table promises of a leg, in the runner's terms.

use pindma_selftests::debug::{AT_THE_END, UNIT_TEST};
use pindma_selftests::kernel::Kernel;
use pindma_selftests::leg::Leg;
use pindma_selftests::table::{cases, Cell};

use crate::ktap::Report;

/// One result to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Name of the case.
    pub case: String,
    /// Why it does not apply to the leg, or none: it runs and must pass.
    pub not_applicable: Option<String>,
}

/// The cells of `leg` whose name contains `filter`, in the table's order, and what
/// the debug kernel says beside them.
pub fn cells(kernel: Kernel, leg: Leg, filter: &str) -> Vec<Expected> {
    let table = cases()
        .filter(|case| case.is_chosen(filter))
        .map(|case| Expected {
            case: case.name.to_owned(),
            not_applicable: match case.cell_on(leg, kernel) {
                Cell::Run => None,
                Cell::NotApplicable(reason) => Some(reason.to_owned()),
            },
        });
    let watchers: &[&str] = match kernel {
        Kernel::Stock => &[],
        Kernel::Debug => &AT_THE_END,
    };
    table
        .chain(watchers.iter().map(|name| must_run(name)))
        .collect()
}

/// The unit tests that a guest with the debug kernel reports; the module alone
/// knows which it has.
pub fn unit_tests(kernel: Kernel, report: &Report) -> Vec<Expected> {
    let names = report.entries.iter().map(|entry| entry.name.as_str());
    names
        .filter(|name| kernel == Kernel::Debug && name.starts_with(UNIT_TEST))
        .map(must_run)
        .collect()
}

fn must_run(name: &str) -> Expected {
    Expected {
        case: name.to_owned(),
        not_applicable: None,
    }
}

/// Whether any case has `filter` in its name.
pub fn any(filter: &str) -> bool {
    cases().any(|case| case.is_chosen(filter))
}
