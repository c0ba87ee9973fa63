// SPDX-License-Identifier: GPL-2.0

//! Very many files with something in flight: what they cost the kernel, and what
//! they leave to others.

use std::fs;

use crate::abi;
use crate::check::{check, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::queue::{entry, untouched, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[Case::new(
    "deadline_is_kept_beside_2100_files",
    "with a request each, for which no kernel thread waits",
    deadline_beside_many,
)
.needs(Needs::Memory)
.not_on_xdma("a card is done with them in no time, or takes minutes if it is slowed down")
.not_on_debug("it has no memory for so many files")];

const MANY: usize = 2100;
/// Kernel threads for whatever else is going on.
const OTHERS: usize = 8;
const MS: i64 = 1_000_000;

/// A file with a queue, and a request in flight.
struct Busy {
    queue: Queue,
    device: Device,
}

impl Busy {
    fn new(memory: &Mapping, deadline: i64) -> Outcome<Busy> {
        let device = Device::open()?;
        let queue = Queue::create(&device, 1)?;
        let request = abi::pindma_entry {
            deadline,
            ..entry(7, abi::TO_DEVICE, 0, seg(memory, 0, 64))
        };
        queue.submit(&device, &[request]).all(1)?;
        Ok(Busy { queue, device })
    }
}

/// Threads of the kernel's that do work.
fn kworkers() -> Outcome<usize> {
    let processes = fs::read_dir("/proc")?.flatten();
    let name = |process: fs::DirEntry| fs::read_to_string(process.path().join("comm"));
    let names = processes.filter_map(|process| name(process).ok());
    Ok(names.filter(|name| name.starts_with("kworker")).count())
}

fn deadline_beside_many(_: Leg) -> Outcome {
    os::limit_files(3 * MANY as u64)?;
    let memory = Mapping::anonymous(PAGE)?;
    let before = kworkers()?;
    let crowd: Outcome<Vec<_>> = (0..MANY)
        .map(|_| Busy::new(&memory, abi::DEADLINE_NONE))
        .collect();
    let crowd = crowd?;
    flight::wait_until("no job was ever started", || Ok(started(&crowd)? > 0))?;
    let late = Busy::new(&memory, os::now() + 50 * MS)?;
    untouched(&late.queue.reap_one()?, 7, libc::ETIMEDOUT)?;
    let ended = crowd.iter().filter(|busy| !busy.queue.take().is_empty());
    let ended = ended.count();
    // The device takes longer for a tenth of them than any machine to notice.
    check(ended < MANY / 10, format!("{ended} have ended before it"))?;
    let after = kworkers()?;
    check(
        after <= before + OTHERS,
        format!("{after} kernel threads, {before} before"),
    )?;
    let begun = started(&crowd)?;
    drop((crowd, late));
    // Others may have ended meanwhile.
    check(begun < MANY as u64 / 10, format!("{begun} were begun"))
}

/// Jobs of them all.
fn started(crowd: &[Busy]) -> Outcome<u64> {
    let jobs = |busy: &Busy| Ok(busy.device.stats()?.out_jobs);
    crowd.iter().map(jobs).sum()
}
