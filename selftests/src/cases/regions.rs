// SPDX-License-Identifier: GPL-2.0

//! Regions: memory that is registered once and used many times.

use crate::check::{same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::pattern;
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[Case::new(
    "region_round_trip",
    "out of one region and into another, by offset",
    round_trip,
)
.needs(Needs::Memory)];

fn round_trip(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    pattern::write(&memory, 0, PAGE, 1);
    memory.fill(2 * PAGE, 2 * PAGE, pattern::GUARD);
    let source = device.register(&[seg(&memory, 0, 2 * PAGE)])?;
    let destination = device.register(&[seg(&memory, 2 * PAGE, 2 * PAGE)])?;
    for turn in 0..3 {
        pattern::write(&memory, 100, 1000, turn);
        memory.fill(2 * PAGE, 2 * PAGE, pattern::GUARD);
        device
            .to_device(0, &[within(source, 100, 1000)])
            .succeeded(1000)?;
        let across = PAGE - 500;
        device
            .from_device(0, &[within(destination, across, 1000)])
            .succeeded(1000)?;
        pattern::verify(&memory, 2 * PAGE + across, 1000, turn)?;
        pattern::verify_guard(&memory, 2 * PAGE, across)?;
        pattern::verify_guard(&memory, 3 * PAGE + 500, PAGE - 500)?;
    }
    same("unregister", device.unregister(source), 0)?;
    same("unregister", device.unregister(destination), 0)
}
