// SPDX-License-Identifier: GPL-2.0

//! The life of one process.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use super::chance::Chance;
use super::work::{self, Tools};
use crate::check::Outcome;
use crate::module::pause;
use crate::os;
use crate::process;

/// How it ends.
#[derive(Clone, Copy)]
enum Ending {
    /// It has done its work, and closes everything.
    Returns,
    /// `exit(2)` in the middle of whatever it does.
    Exits,
    /// SIGKILL in the middle of whatever it does.
    IsKilled,
    /// It becomes another program, in the middle.
    Execs,
}

const ENDINGS: [Ending; 4] = [
    Ending::Returns,
    Ending::Exits,
    Ending::IsKilled,
    Ending::Execs,
];

/// Longest life, in milliseconds.
const LONGEST: usize = 6000;

/// Lives the life of `seed`.
pub(super) fn live(seed: u64) -> Outcome {
    let mut chance = Chance::new(seed);
    let ending = *chance.one_of(&ENDINGS);
    let ms = 50 + chance.below(LONGEST) as i64;
    let end = os::now() + ms * 1_000_000;
    if !matches!(ending, Ending::Returns) {
        thread::spawn(move || {
            pause(ms.unsigned_abs());
            end_now(ending)
        });
    }
    let mut tools = Tools::new(seed)?;
    while os::now() < end || !matches!(ending, Ending::Returns) {
        work::do_something(&mut tools, &mut chance)?;
    }
    tools.finish()
}

fn end_now(ending: Ending) -> ! {
    match ending {
        Ending::Execs => drop(Command::new("/init").arg("--nothing").exec()),
        Ending::IsKilled => drop(process::kill_self()),
        Ending::Returns | Ending::Exits => {}
    }
    // Where the above has failed as well: without any cleaning up.
    std::process::exit(0)
}
