// SPDX-License-Identifier: GPL-2.0

//! The fewest points that a sweep of a command must have: with fewer it does
//! not reach what it is for.

use crate::check::{self, Fail, Outcome};

const FLOORS: &str = include_str!("../../sweep.floor");

/// Commands with their fewest points, and fewest errors among them.
fn floors() -> impl Iterator<Item = (&'static str, u32, u32)> {
    FLOORS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            let mut number = || words.next()?.parse().ok();
            Some((name, number()?, number()?))
        })
}

/// Compares a sweep with the floor of its command.
pub(crate) fn check(name: &str, points: u32, errors: u32) -> Outcome {
    let floor = floors().find(|floor| floor.0 == name);
    let (_, fewest, fewest_errors) =
        floor.ok_or_else(|| Fail::new(format!("{name} has no floor")))?;
    check::check(
        points >= fewest && errors >= fewest_errors,
        format!("{points} points and {errors} errors, fewer than {fewest} and {fewest_errors}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sweep_has_a_floor() {
        let swept: Vec<_> = super::super::CASES
            .iter()
            .filter_map(|case| case.name.strip_prefix("sweep_"))
            .collect();
        let floors: Vec<_> = floors()
            .map(|floor| floor.0)
            .filter(|name| !name.ends_with("_lasting"))
            .collect();
        assert_eq!(floors, swept);
    }

    #[test]
    fn fewer_points_fail() {
        let (name, points, errors) = floors().find(|floor| floor.2 > 0).expect("one has errors");
        assert!(check(name, points, errors).is_ok());
        assert!(check(name, points - 1, errors).is_err());
        assert!(check(name, points, errors - 1).is_err());
        assert!(check("nobody", points, errors).is_err());
    }
}
