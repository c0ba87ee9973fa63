// SPDX-License-Identifier: GPL-2.0

//! What a transfer by handle does not cost: pins, maps, memory.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::ktap::note;
use crate::leg::Leg;
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::tracing::{Allocations, Tracing};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "registered_transfers_pin_map_and_allocate_nothing",
        "10000 of them, of up to four segments; by counters and tracepoints",
        nothing,
    )
    .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
    // A job takes 100 ms of it, and hardly any real time.
    .minutes(|| 20),
    Case::new(
        "tracepoints_tell_of_a_region",
        "one long-term pin and map, and no more until it goes",
        traced,
    )
    .needs(Needs::Memory),
];

/// Transfers.
const TRANSFERS: u64 = 10_000;

/// What each transfer by address does once, and one by handle never.
const PER_ADDRESS: [&str; 4] = ["pin", "map", "unmap", "unpin"];

/// `nr_foll_pin_acquired`: pages pinned by anybody since boot.
fn pins_ever() -> Outcome<i64> {
    fs::write("/proc/sys/vm/stat_refresh", "1")?;
    let text = fs::read_to_string("/proc/vmstat")?;
    counters::after(&text, "nr_foll_pin_acquired ")
}

fn nothing(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    memory.fill(0, 4 * PAGE, 3);
    let (ours, theirs) = UnixStream::pair()?;
    let child = flight::child(|| {
        let region = device.register(&[seg(&memory, 0, 4 * PAGE)])?;
        let segs: Vec<_> = (0..4).map(|page| within(region, page * PAGE, 8)).collect();
        // What grows at its first use has grown, and the other side is told.
        device.to_device(0, &segs).succeeded(32)?;
        turn(&theirs)?;
        // Mostly one segment, which is one job.
        for number in 0..TRANSFERS {
            if number % 1000 == 0 {
                // Who waits for the end sees that there will be one.
                note(&format!("{number} of {TRANSFERS} transfers"));
            }
            let count = if number % 100 == 0 { 4 } else { 1 };
            device.to_device(0, &segs[..count]).succeeded(8 * count)?;
        }
        turn(&theirs)
    })?;
    wait(&ours)?;
    let before = (pins_ever()?, counters::driver("mapped_segments")?);
    let tracing = Tracing::beside(&PER_ADDRESS)?;
    let watch = Allocations::watch(child.pid())?;
    go(&ours)?;
    wait(&ours)?;
    let (events, one) = watch.count()?;
    drop(watch);
    let told = tracing.events()?;
    check(told.is_empty(), format!("such as {:?}", told.first()))?;
    same("pages pinned meanwhile", pins_ever()? - before.0, 0)?;
    same(
        "segments mapped",
        counters::driver("mapped_segments")?,
        before.1,
    )?;
    are_seen(&tracing)?;
    go(&ours)?;
    flight::finish(child)?;
    // Both ends of the socket's messages, and the like.
    check(
        events < TRANSFERS as usize / 100,
        format!("{events} allocations in {TRANSFERS} transfers, such as {one}"),
    )?;
    let stats = device.stats()?;
    check(stats.out_calls > TRANSFERS, "too few transfers")?;
    same("pages pinned in all", stats.out_pages, 4)
}

/// The tracepoints tell of one transfer by address what they did not tell of all the others.
fn are_seen(tracing: &Tracing) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    Device::open()?
        .to_device(0, &[seg(&memory, 0, 8)])
        .succeeded(8)?;
    let events = tracing.events()?;
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    check(names == PER_ADDRESS, format!("events are {names:?}"))
}

/// Says that we are here, and waits to go on.
fn turn(mut socket: &UnixStream) -> Outcome {
    socket.write_all(&[1])?;
    wait(socket)
}

fn wait(mut socket: &UnixStream) -> Outcome {
    Ok(socket.read_exact(&mut [0])?)
}

fn go(mut socket: &UnixStream) -> Outcome {
    Ok(socket.write_all(&[1])?)
}

fn traced(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let tracing = Tracing::start()?;
    let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
    for _ in 0..5 {
        device
            .to_device(0, &[within(region, 0, 16)])
            .succeeded(16)?;
    }
    same("unregister", device.unregister(region), 0)?;
    let events = tracing.events()?;
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    let jobs = ["start", "complete"].repeat(5);
    let want = [&["pin", "map"], jobs.as_slice(), &["unmap", "unpin"]].concat();
    check(names == want, format!("events are {names:?}"))?;
    same("long-term", events[0].field("longterm")?, "1")?;
    same("pages", events[0].field("pages")?, "3")?;
    let last = events.len() - 1;
    same("pages", events[last].field("pages")?, "3")
}
