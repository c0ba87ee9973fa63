// SPDX-License-Identifier: GPL-2.0

//! An IOMMU that is told later, and all at once, to forget what was unmapped: until then
//! it may still translate, and the addresses are not given out again.

use crate::check::{check, same, Fail, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::tracing::{Event, Tracing};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that does not wait.
    case(
        "addresses_that_linger_are_waited_for",
        "with room for one more, twenty times",
        again,
    ),
    // Kills the mutant that leaves forgetting to the kernel.
    Case::new(
        "iommu_forgets_before_pages_are_given_back",
        "between unmap and unpin, of a transfer and of a region",
        forgets,
    )
    .needs(Needs::Only(&[Leg::Lazy, Leg::Iommu], "no IOMMU here"))
    .not_on_debug("it is the IOMMU's code that differs"),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    let reason = "no addresses linger here";
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Lazy], reason))
}

const MIB: usize = 1 << 20;
/// Longer than what the kernel keeps at hand for the next that asks.
const SHORT: usize = 256 << 10;

/// Registers `len` bytes: again and again those of `memory`.
fn register(device: &Device, memory: &Mapping, len: usize) -> Outcome<u32> {
    let whole = vec![seg(memory, 0, MIB); len / MIB];
    let rest = [seg(memory, 0, len % MIB)];
    device.register(if whole.is_empty() { &rest } else { &whole })
}

/// Takes all addresses, with ever shorter regions; returns the last.
fn fill(device: &Device, memory: &Mapping) -> Outcome<u32> {
    let (mut len, mut last) = (16 * MIB, Err(Fail::new("there was no room")));
    while len >= SHORT {
        last = register(device, memory, len);
        let mut next = register(device, memory, len);
        while next.is_ok() {
            last = next;
            next = register(device, memory, len);
        }
        len /= 2;
    }
    last
}

fn again(leg: Leg) -> Outcome {
    let parameters = "max_pinned_pages=1000000 max_file_pages=1000000";
    with_parameters(leg, parameters, || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(MIB)?;
        memory.fill(0, MIB, 1);
        let mut region = fill(&device, &memory)?;
        for _ in 0..20 {
            same("unregister", device.unregister(region), 0)?;
            region = register(&device, &memory, SHORT)?;
        }
        Ok(())
    })
}

fn forgets(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let tracing = Tracing::start_with("intel_iommu/qi_submit")?;
    device
        .from_device(0, &[seg(&memory, 0, 16)])
        .succeeded(16)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    same("unregister", device.unregister(region), 0)?;
    let events = tracing.events()?;
    same("unpinned", number(&events, "unpin"), 2)?;
    let mut forgotten = true;
    for event in &events {
        match event.name.as_str() {
            "unmap" => forgotten = false,
            "qi_submit" => forgotten |= event.begins("iotlb_inv"),
            "unpin" => check(forgotten, format!("unpinned before that: {events:?}"))?,
            _ => {}
        }
    }
    Ok(())
}

fn number(events: &[Event], name: &str) -> usize {
    events.iter().filter(|event| event.name == name).count()
}
