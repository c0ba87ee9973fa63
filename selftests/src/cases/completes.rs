// SPDX-License-Identifier: GPL-2.0

//! Tracepoints of jobs that end as none should: each start has its one complete all the same.

use std::collections::HashMap;

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::pci::Cleared;
use crate::queue::{entry, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::tracing::{Event, Tracing};

use super::unbind::Unbound;

pub(crate) const CASES: &[Case] = &[
    case(
        "tracepoints_complete_a_job_without_bus_mastering",
        "whatever it has moved",
        no_master,
    )
    .slow()
    .refuses(),
    case(
        "tracepoints_complete_a_job_at_unbind",
        "of the request that was at work",
        unbound,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Each ticket was started once and completed once, and there were some.
fn paired(events: &[Event]) -> Outcome {
    let mut jobs: HashMap<&str, (u32, u32)> = HashMap::new();
    for event in events {
        match event.name.as_str() {
            "start" => jobs.entry(event.field("ticket")?).or_default().0 += 1,
            "complete" => jobs.entry(event.field("ticket")?).or_default().1 += 1,
            _ => {}
        }
    }
    check(!jobs.is_empty(), "no job was started")?;
    for (ticket, (starts, completes)) in jobs {
        let once = (starts, completes) == (1, 1);
        let counts = format!("{starts} starts, {completes} completes");
        check(once, format!("job {ticket}: {counts}"))?;
    }
    Ok(())
}

fn no_master(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let tracing = Tracing::start()?;
    {
        let _off = Cleared::bus_mastering()?;
        device
            .from_device(0, &[seg(&memory, 0, 64)])
            .stopped(libc::EIO)?;
    }
    paired(&tracing.events()?)
}

fn unbound(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(PAGE)?;
    let of = |name| entry(name, abi::FROM_DEVICE, 0, seg(&memory, 0, 64));
    let tracing = Tracing::start()?;
    queue.submit(&device, &[0, 1, 2].map(of)).all(3)?;
    flight::wait_for_job(&device)?;
    let unbound = Unbound::now()?;
    same("ended", queue.reap(3)?.len(), 3)?;
    unbound.end()?;
    paired(&tracing.events()?)
}
