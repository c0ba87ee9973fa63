// SPDX-License-Identifier: GPL-2.0

//! What a guest is asked to do.

/// What the guest is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Run the selftests.
    Test,
    /// Run the selftests, of which one goes on for so many minutes.
    Soak(u32),
    /// Run the selftests, of which one has so many rounds, with moments that follow from a number.
    Outages { rounds: u32, seed: u32 },
    /// Show a round trip.
    Demo,
    /// Measure.
    Bench,
    /// Try mutants of the driver.
    Mutants,
    /// Panic, to prove that it is noticed.
    Panic,
    /// Hang, likewise.
    Hang,
    /// Print no plan, likewise.
    NoPlan,
    /// Stop in the middle, likewise.
    HalfWay,
    /// Look at the model of the card, without the module.
    Card,
    /// A shell beside that card, without the module.
    Shell,
    /// Switch off while the card works, which it must not do any more then.
    Off,
    /// Have that card read what nothing is mapped for, to prove that it is noticed.
    Stray,
}

impl Mode {
    /// Name in `rig.mode=`.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Test | Mode::Soak(_) | Mode::Outages { .. } => "test",
            Mode::Demo => "demo",
            Mode::Bench => "bench",
            Mode::Mutants => "mutants",
            Mode::Panic => "panic",
            Mode::Hang => "hang",
            Mode::NoPlan => "noplan",
            Mode::HalfWay => "halfway",
            Mode::Card => "card",
            Mode::Shell => "shell",
            Mode::Off => "off",
            Mode::Stray => "stray",
        }
    }
}
