// SPDX-License-Identifier: GPL-2.0

//! What a request by handle costs on a card that is kept busy: registers, memory, and nothing else.

use crate::card::Card;
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::ktap::note;
use crate::leg::Leg;
use crate::load::Load;
use crate::table::{Case, Needs};
use crate::tracing::Allocations;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that kicks for each of a batch.
    case(
        "queued_requests_write_one_register_for_each_call",
        "10000 with 32 in flight, alone and in batches of 8; the model counts",
        registers,
    ),
    case(
        "queued_requests_pin_map_and_allocate_nothing",
        "10000 with 32 in flight; by counters and tracepoints",
        nothing,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(&[Leg::XdmaSmp], "one job at a time here"))
}

/// Requests that are made.
const REQUESTS: usize = 10_000;

/// Reads and writes of registers, and interrupts, for each request, if `each` are submitted at a time.
fn counted(load: &Load, card: &Card, each: usize) -> Outcome<[f64; 3]> {
    let names = ["reads", "writes", "interrupts"];
    let first = card.counts(names)?;
    let before = card.counts(names)?;
    load.run(REQUESTS, each)?;
    let after = card.counts(names)?;
    // Looking at the counts adds to them.
    let looking = |at: usize| before[at] - first[at];
    let counts = [0, 1, 2].map(|at| {
        let count = after[at] - before[at];
        count.saturating_sub(looking(at)) as f64 / REQUESTS as f64
    });
    let [reads, writes, interrupts] = counts;
    note(&format!(
        "{each} at a time: {reads:.4} reads, {writes:.3} writes, {interrupts:.3} interrupts each"
    ));
    Ok(counts)
}

fn registers(_: Leg) -> Outcome {
    let (load, card) = (Load::new(0)?, Card::find()?);
    for each in [1, 8] {
        let [reads, writes, interrupts] = counted(&load, &card, each)?;
        // An interrupt writes one to say that it was seen, and reads one if the card may be done with
        // all that is left by then. How many there are is a matter of speed.
        let (kicks, most) = (writes - interrupts, 1.01 / each as f64);
        check(kicks <= most, format!("{kicks} kicks with {each}"))?;
        check(
            interrupts <= 1.01 && reads <= interrupts,
            format!("{reads} reads and {interrupts} interrupts with {each}"),
        )?;
    }
    load.end()
}

fn nothing(_: Leg) -> Outcome {
    let load = Load::new(0)?;
    // What grows at its first use has grown.
    load.run(REQUESTS, 8)?;
    let before = (
        counters::pins_acquired()?,
        counters::driver("mapped_segments")?,
    );
    let watch = Allocations::watch(std::process::id() as i32)?;
    load.run(REQUESTS, 1)?;
    let (events, one) = watch.count()?;
    drop(watch);
    same("pages pinned", counters::pins_acquired()? - before.0, 0)?;
    let mapped = counters::driver("mapped_segments")?;
    same("segments mapped", mapped, before.1)?;
    check(
        events < REQUESTS / 100,
        format!("{events} allocations in {REQUESTS} requests, such as {one}"),
    )?;
    load.end()
}
