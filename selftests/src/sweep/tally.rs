// SPDX-License-Identifier: GPL-2.0

//! What came of a sweep.

use std::collections::BTreeMap;

use super::command::Ended;
use super::floor;
use crate::check::{check, errno_name, Fail, Outcome};
use crate::ktap;

/// Complaints that are told; more would say the same.
const TOLD: usize = 20;

/// The points of one command.
#[derive(Default)]
pub(crate) struct Tally {
    points: u32,
    survived: u32,
    errors: BTreeMap<i32, u32>,
    /// A letter for each point, in their order; a blank between walks.
    trace: String,
    wrong: Vec<String>,
}

impl Tally {
    /// Begins a walk through the points.
    pub(crate) fn begin(&mut self) {
        if !self.trace.is_empty() {
            self.trace.push(' ');
        }
    }

    /// Counts a call that was struck at `point`.
    pub(crate) fn count(&mut self, point: u32, ended: Outcome<Ended>) {
        self.points += 1;
        self.trace.push(letter(&ended));
        match ended {
            Ok(Ended::Passed) => self.survived += 1,
            Ok(Ended::Failed(errno)) => *self.errors.entry(errno).or_default() += 1,
            Err(Fail(why)) => self.wrong(point, &why),
        }
    }

    /// Looks at a call that passed untouched, as it has no such `point`.
    pub(crate) fn count_untouched(&mut self, point: u32, ended: Outcome<Ended>) {
        let why = match ended {
            Ok(Ended::Passed) => return,
            Ok(Ended::Failed(errno)) => errno_name(errno),
            Err(Fail(why)) => why,
        };
        self.wrong(point, &format!("without a fault: {why}"));
    }

    /// Something was not as it must be.
    pub(crate) fn wrong(&mut self, point: u32, what: &str) {
        self.wrong.push(format!("point {point}: {what}"));
    }

    /// Says it all; fails if anything was wrong or points are missing.
    pub(crate) fn conclude(&self, name: &str) -> Outcome {
        let Tally {
            points, survived, ..
        } = self;
        let errors: u32 = self.errors.values().sum();
        let mut line = format!("sweep: {name} points={points} errors={errors} survived={survived}");
        for (errno, count) in &self.errors {
            line += &format!(" {}={count}", errno_name(*errno));
        }
        ktap::note(&line);
        ktap::note(&format!("points of {name}: {}", self.trace));
        for wrong in self.wrong.iter().take(TOLD) {
            ktap::note(&format!("{name}, {wrong}"));
        }
        check(
            self.wrong.is_empty(),
            format!("{name}: {} things were wrong", self.wrong.len()),
        )?;
        floor::check(name, *points, errors)
    }
}

/// What a point looks like in a row of many.
fn letter(ended: &Outcome<Ended>) -> char {
    match ended {
        Ok(Ended::Passed) => '.',
        Ok(Ended::Failed(libc::ENOMEM)) => 'M',
        Ok(Ended::Failed(libc::EFAULT)) => 'F',
        Ok(Ended::Failed(_)) => 'E',
        Err(_) => '!',
    }
}
