// SPDX-License-Identifier: GPL-2.0

//! `rig demo`: one round trip, shown as it happens.

use std::io;

use pindma_selftests::leg::Leg;

use crate::mode::Mode;
use crate::places::Places;
use crate::watch::watch;

/// What a demo that went well says, each as a line of its own.
const WELL: [&str; 2] = [
    "# demo: pindma copy ended with exit status: 0",
    "# demo: the files are equal",
];

/// Boots the demo and passes on what it prints; true when it came to its end
/// and nothing complained.
pub fn demo(places: &Places) -> io::Result<bool> {
    watch(places, Leg::Iommu, Mode::Demo, &WELL)
}
