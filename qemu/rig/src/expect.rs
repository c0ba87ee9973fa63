// SPDX-License-Identifier: GPL-2.0

//! What the selftests' table promises of a leg, in the runner's terms.

use pindma_selftests::leg::Leg;
use pindma_selftests::table::{cases, Cell};

/// One cell of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Name of the case.
    pub case: String,
    /// Why it does not apply to the leg, or none: it runs and must pass.
    pub not_applicable: Option<String>,
}

/// The cells of `leg` whose name contains `filter`, in the table's order.
pub fn cells(leg: Leg, filter: &str) -> Vec<Expected> {
    cases()
        .filter(|case| case.name.contains(filter))
        .map(|case| Expected {
            case: case.name.to_owned(),
            not_applicable: match case.cell(leg) {
                Cell::Run => None,
                Cell::NotApplicable(reason) => Some(reason.to_owned()),
            },
        })
        .collect()
}

/// The names of all cases that contain `filter`, in the table's order.
pub fn names(filter: &str) -> Vec<&'static str> {
    cases()
        .map(|case| case.name)
        .filter(|name| name.contains(filter))
        .collect()
}
