// SPDX-License-Identifier: GPL-2.0

//! Each way of moving data, and something that befalls the device at a random moment, many times:
//! the right data or an errno.
//!
//! `make outages` does so for long.

use std::fmt;

use super::{attempt, still_works};
use crate::check::{Fail, Outcome};
use crate::ktap;
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pci::{self, Cleared};
use crate::table::{Case, Needs};
use crate::ways::{Told, WAYS};

pub(crate) const CASES: &[Case] = &[Case::new(
    "right_data_or_an_errno_whatever_fails",
    "mastering, registers and resets at random moments, each way",
    anything,
)
.needs(Needs::Only(
    &[
        Leg::Iommu,
        Leg::Lazy,
        Leg::Wide,
        Leg::Direct,
        Leg::Bounce,
        Leg::Smp,
        Leg::Xdma,
    ],
    "nothing moves here, or only the fault sweep runs",
))
.minutes(minutes)];

/// Rounds of each way if nobody says how many: few where time is real.
fn rounds(leg: Leg) -> u64 {
    let few = if leg.counts_time() { 8 } else { 2 };
    ordered().unwrap_or(few)
}

/// Rounds that `make outages` has asked for.
fn ordered() -> Option<u64> {
    os::order("rig.outages=").and_then(|rounds| rounds.parse().ok())
}

/// A round takes less than one.
fn minutes() -> u64 {
    ordered().unwrap_or(8)
}

/// Which of the many sequences of moments: `make outages` chooses by `SEED`.
fn seed() -> u32 {
    os::order("rig.seed=")
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0)
}

/// Numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u32) -> Dice {
        // Never 0: the factor is odd.
        Dice((1 + u64::from(seed)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Does something to the device.
fn strike(dice: &mut Dice) -> Outcome {
    pause(dice.below(130));
    let switch = match dice.below(5) {
        0 => return pci::reset(),
        1 | 2 => Cleared::registers,
        _ => Cleared::bus_mastering,
    };
    // It is off already while the driver stops the device.
    if let Ok(off) = switch() {
        pause(dice.below(250));
        drop(off);
    }
    Ok(())
}

/// How the calls of one way have ended.
#[derive(Clone, Copy, Default)]
struct Tally {
    whole: u64,
    part: u64,
    nothing: u64,
}

impl Tally {
    fn count(&mut self, told: Told) {
        let how = match told.bytes {
            0 => &mut self.nothing,
            _ if told.is_all() => &mut self.whole,
            _ => &mut self.part,
        };
        *how += 1;
    }

    /// Of all ways.
    fn sum(tallies: &[Tally]) -> Tally {
        tallies.iter().fold(Tally::default(), |sum, tally| Tally {
            whole: sum.whole + tally.whole,
            part: sum.part + tally.part,
            nothing: sum.nothing + tally.nothing,
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            whole,
            part,
            nothing,
        } = self;
        let calls = whole + part + nothing;
        write!(
            f,
            "{calls} calls, all the data in {whole}, a part in {part}, none in {nothing}"
        )
    }
}

/// Rounds after which it says that it goes on: the host takes a long silence for a hang.
const SILENT: u64 = 4;

fn anything(leg: Leg) -> Outcome {
    let seed = seed();
    if ordered().is_some() {
        ktap::note(&format!("outages: seed {seed}"));
    }
    let mut dice = Dice::new(seed);
    let mut tallies = vec![Tally::default(); WAYS.len()];
    for round in 0..rounds(leg) {
        for (index, (way, tally)) in WAYS.iter().zip(&mut tallies).enumerate() {
            let seed = 1 + round * WAYS.len() as u64 + index as u64;
            let told = attempt(way, seed, || strike(&mut dice))
                .map_err(|Fail(why)| Fail::new(format!("round {round}: {why}")))?;
            tally.count(told);
        }
        if (round + 1) % SILENT == 0 {
            ktap::note(&format!("{} rounds: {}", round + 1, Tally::sum(&tallies)));
        }
    }
    if ordered().is_some() {
        for (way, tally) in WAYS.iter().zip(&tallies) {
            // The runner shows these.
            ktap::note(&format!("outages: {}: {tally}", way.name));
        }
    }
    still_works(99)
}
