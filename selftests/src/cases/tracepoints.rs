// SPDX-License-Identifier: GPL-2.0

//! Tracepoints: what tools rely on.

use std::collections::BTreeSet;

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::device::{copy, seg, Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::pci;
use crate::queue::{done, entry, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::tracing::{Event, Tracing};

use super::deadlines::stopped_by_deadline;

pub(crate) const CASES: &[Case] = &[
    case(
        "tracepoints_tell_a_transfer_from_pin_to_unpin",
        "in order, with what it moved",
        transfer,
    ),
    case(
        "tracepoints_pair_each_start_with_a_complete",
        "by ticket, through a copy of several jobs",
        pairs,
    ),
    Case::new(
        "tracepoints_tell_why_a_job_ends_early",
        "a deadline during DMA",
        cancel,
    )
    .slow()
    .needs(Needs::Race),
    case(
        "tracepoints_tell_of_a_request_that_is_canceled",
        "while the device works on it",
        canceled,
    )
    .slow(),
    // Kills the mutant that traces only what can be reaped.
    case(
        "tracepoints_tell_the_end_of_requests_that_nobody_reaps",
        "their queue is closed; each by its number",
        unreaped,
    ),
    case(
        "tracepoints_tell_a_pin_that_fails_half_way",
        "what was pinned is unpinned",
        half,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

fn expect(event: &Event, fields: &[(&str, &str)]) -> Outcome {
    for (name, want) in fields {
        same(name, event.field(name)?, *want)?;
    }
    Ok(())
}

fn transfer(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let tracing = Tracing::start()?;
    device
        .from_device(16, &[seg(&memory, 8, 100)])
        .succeeded(100)?;
    let events = tracing.events()?;
    let got = names(&events);
    let want = ["pin", "map", "start", "complete", "unmap", "unpin"];
    check(got == want, format!("events are {got:?}"))?;
    let address = format!("{:#x}", memory.addr(8));
    let name = pci::address()?;
    expect(
        &events[0],
        &[
            ("addr", &address),
            ("pages", "1"),
            ("direction", "from_device"),
            ("longterm", "0"),
        ],
    )?;
    expect(
        &events[1],
        &[("dev", &name), ("segments", "1"), ("bytes", "100")],
    )?;
    expect(
        &events[2],
        &[
            ("dev", &name),
            ("channel", "0"),
            ("dev_addr", "0x10"),
            ("bytes", "100"),
        ],
    )?;
    expect(
        &events[3],
        &[("ticket", events[2].field("ticket")?), ("bytes", "100")],
    )?;
    expect(&events[4], &[("addr", events[1].field("addr")?)])?;
    expect(&events[5], &[("pages", "1"), ("dirty", "1")])
}

fn pairs(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(2 * PAGE, 1)?;
    let tracing = Tracing::start()?;
    device
        .copy(copy(
            &[seg(&pair.src, 0, 2 * PAGE)],
            &[seg(&pair.dst, 0, 2 * PAGE)],
        ))
        .succeeded(2 * PAGE)?;
    let events = tracing.events()?;
    let tickets = |name: &str| -> Outcome<Vec<String>> {
        let named = events.iter().filter(|event| event.name == name);
        named
            .map(|event| Ok(event.field("ticket")?.to_string()))
            .collect()
    };
    let (started, completed) = (tickets("start")?, tickets("complete")?);
    same("jobs", started.len(), 2 * 2 * PAGE / WINDOW)?;
    check(started == completed, format!("{started:?} {completed:?}"))
}

fn cancel(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(8 * PAGE, 1)?;
    let tracing = Tracing::start()?;
    stopped_by_deadline(leg, &device, &pair, 150)?;
    let events = tracing.events()?;
    let canceled: Vec<&Event> = events.iter().filter(|e| e.name == "cancel").collect();
    // On a slow machine the deadline may also have passed between two jobs.
    let least = usize::from(leg.counts_time());
    check(
        (least..=1).contains(&canceled.len()),
        format!("events are {:?}", names(&events)),
    )?;
    for event in canceled {
        expect(event, &[("error", &format!("-{}", libc::ETIMEDOUT))])?;
    }
    let balance = |name| events.iter().filter(|event| event.name == name).count();
    same("unmapped", balance("unmap"), balance("map"))?;
    same("completed", balance("complete"), balance("start"))
}

fn canceled(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let memory = Mapping::anonymous(PAGE)?;
    let tracing = Tracing::start()?;
    let request = entry(7, abi::FROM_DEVICE, 0, seg(&memory, 0, 64));
    queue.submit(&device, &[request]).all(1)?;
    flight::wait_for_job(&device)?;
    let answer = queue.cancel(7);
    check(answer == Ok(1), format!("cancel: {answer:?}"))?;
    done(&queue.reap_one()?, 7, 64)?;
    let events = tracing.events()?;
    let got = names(&events);
    let want = [
        "pin", "map", "submit", "start", "cancel", "complete", "unmap", "unpin", "end",
    ];
    check(got == want, format!("events are {got:?}"))?;
    let request = events[2].field("request")?;
    let named = [("request", request), ("user_data", "0x7"), ("bytes", "64")];
    expect(&events[2], &named)?;
    expect(&events[8], &named)?;
    expect(&events[8], &[("error", "0")])?;
    let ticket = events[3].field("ticket")?;
    let error = format!("-{}", libc::ECANCELED);
    expect(
        &events[4],
        &[("channel", "0"), ("ticket", ticket), ("error", &error)],
    )?;
    expect(&events[5], &[("ticket", ticket), ("bytes", "64")])
}

fn unreaped(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(PAGE)?;
    let tracing = Tracing::start()?;
    let of = |name| entry(name, abi::FROM_DEVICE, 0, seg(&memory, 0, 64));
    queue.submit(&device, &[0, 1, 2].map(of)).all(3)?;
    drop(queue);
    let events = tracing.events()?;
    let numbers = |name: &str| -> Outcome<BTreeSet<String>> {
        let named = events.iter().filter(|event| event.name == name);
        let number = |event: &Event| Ok(event.field("request")?.to_string());
        named.map(number).collect()
    };
    let (taken, ended) = (numbers("submit")?, numbers("end")?);
    same("requests", taken.len(), 3)?;
    check(taken == ended, format!("{taken:?} {ended:?}"))?;
    let ends = events.iter().filter(|event| event.name == "end").count();
    same("ends", ends, 3)
}

fn half(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(3 * PAGE)?;
    memory.punch(PAGE, PAGE)?;
    let tracing = Tracing::start()?;
    device
        .from_device(0, &[seg(&memory, PAGE - 8, 100)])
        .refused(libc::EFAULT)?;
    let events = tracing.events()?;
    let got = names(&events);
    check(got == ["pin", "unpin"], format!("events are {got:?}"))?;
    expect(&events[0], &[("pages", "1")])?;
    expect(&events[1], &[("pages", "1"), ("dirty", "0")])
}
