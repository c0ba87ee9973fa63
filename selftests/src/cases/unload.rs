// SPDX-License-Identifier: GPL-2.0

//! The module's own end, after everything else.

use std::path::Path;

use crate::check::{check, Outcome};
use crate::device::{Device, NODE};
use crate::leg::Leg;
use crate::module;
use crate::table::Case;

pub(crate) const CASES: &[Case] = &[
    Case::new("module_unloads_and_loads_again", "three times", again),
    Case::new(
        "module_unloads_after_everything",
        "no reference is left",
        last,
    ),
];

fn last(leg: Leg) -> Outcome {
    module::unload()?;
    check(!Path::new(NODE).exists(), "the node is there still")?;
    check(
        !Path::new("/sys/kernel/debug/pindma").exists(),
        "debugfs is there still",
    )?;
    // The gate wants to ask the driver.
    module::load(&module::parameters(leg))
}

fn again(leg: Leg) -> Outcome {
    for _ in 0..3 {
        module::reload(leg, "")?;
        Device::open()?.info()?;
    }
    Ok(())
}
