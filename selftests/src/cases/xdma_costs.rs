// SPDX-License-Identifier: GPL-2.0

//! What a request by handle costs on a card that is kept busy: registers, memory, and nothing else.

use crate::abi::{self, pindma_entry};
use crate::card::Card;
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::ktap::note;
use crate::leg::Leg;
use crate::queue::{done, entry, Queue};
use crate::region::within;
use crate::sys::Mapping;
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

/// Requests that are made, and how many are in flight.
const REQUESTS: usize = 10_000;
const AT_ONCE: usize = 32;

/// A queue of requests of a page each, by handle.
struct Load {
    device: Device,
    queue: Queue,
    region: u32,
    memory: Mapping,
}

impl Load {
    fn new() -> Outcome<Load> {
        let (device, memory) = (Device::open()?, Mapping::anonymous(AT_ONCE * PAGE)?);
        memory.fill(0, memory.len(), 1);
        Ok(Load {
            queue: Queue::create(&device, AT_ONCE as u32)?,
            region: device.register(&[seg(&memory, 0, memory.len())])?,
            device,
            memory,
        })
    }

    fn request(&self, number: usize) -> pindma_entry {
        let at = number % AT_ONCE * PAGE;
        let part = within(self.region, at, PAGE);
        entry(number as u64, abi::TO_DEVICE, at, part)
    }

    fn submit(&self, numbers: std::ops::Range<usize>) -> Outcome {
        let count = numbers.len();
        let batch: Vec<_> = numbers.map(|number| self.request(number)).collect();
        self.queue.submit(&self.device, &batch).all(count).map(drop)
    }

    /// Makes requests, so many with each call, and as many calls as keep the card busy.
    fn run(&self, each: usize) -> Outcome {
        let mut submitted = 0;
        while submitted < AT_ONCE {
            self.submit(submitted..submitted + each)?;
            submitted += each;
        }
        let mut reaped = 0;
        while reaped < REQUESTS {
            for end in self.queue.reap(each)? {
                done(&end, reaped as u64, PAGE)?;
                reaped += 1;
            }
            if submitted < REQUESTS {
                self.submit(submitted..submitted + each)?;
                submitted += each;
            }
        }
        Ok(())
    }

    fn end(self) -> Outcome {
        same("unregister", self.device.unregister(self.region), 0)?;
        drop(self.memory);
        Ok(())
    }
}

/// Reads and writes of registers, and interrupts, for each request, if `each` are submitted at a time.
fn counted(load: &Load, card: &Card, each: usize) -> Outcome<[f64; 3]> {
    let names = ["reads", "writes", "interrupts"];
    let first = card.counts(names)?;
    let before = card.counts(names)?;
    load.run(each)?;
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
    let (load, card) = (Load::new()?, Card::find()?);
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
    let load = Load::new()?;
    // What grows at its first use has grown.
    load.run(8)?;
    let before = (
        counters::pins_acquired()?,
        counters::driver("mapped_segments")?,
    );
    let watch = Allocations::watch(std::process::id() as i32)?;
    load.run(1)?;
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
