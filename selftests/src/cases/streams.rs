// SPDX-License-Identifier: GPL-2.0

//! Streams: frames that come whether there is a buffer or not.

use std::collections::HashSet;
use std::thread;

use crate::abi::{self, pindma_pool_record, pindma_stats};
use crate::card::Card;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{Device, PAGE};
use crate::leg::Leg;
use crate::module::pause;
use crate::pattern::{self, GUARD};
use crate::pool::{of_pages, stream, Pool, Totals};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

use super::frames::load;

pub(crate) const CASES: &[Case] = &[
    case(
        "stream_fills_buffer_after_buffer",
        "each with all of one frame, none lost",
        keeping_up,
    ),
    // Kills the mutant that does not count.
    case(
        "stream_counts_every_overrun",
        "in the next record, and in all",
        slow,
    ),
    case(
        "stream_runs_without_any_buffer",
        "the first record tells how many were lost",
        none,
    ),
    case(
        "one_pool_serves_several_threads",
        "each frame goes to one of them",
        threads,
    ),
    case(
        "pools_of_several_files_stream_at_once",
        "each has its own frames and its own count",
        files,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// Follows the numbers of a stream from record to record.
#[derive(Default)]
struct Ledger {
    next: u64,
    records: u64,
    overruns: u64,
}

impl Ledger {
    #[track_caller]
    fn enter(&mut self, record: &pindma_pool_record) -> Outcome {
        same("status", record.status, 0)?;
        same("bytes", record.bytes, PAGE as u64)?;
        same("seq", record.seq, self.next + record.overruns)?;
        self.next = record.seq + 1;
        self.records += 1;
        self.overruns += record.overruns;
        Ok(())
    }

    /// Every frame is in a record, or was counted as lost; `rest` are records that
    /// were ready at the stop.
    #[track_caller]
    fn close(mut self, pool: &Pool, totals: Totals) -> Outcome {
        loop {
            let (errno, records) = pool.try_dequeue(32, 0, 0);
            if errno == libc::EAGAIN {
                break;
            }
            same("errno of a dequeue", errno_name(errno), errno_name(0))?;
            let filled = records.iter().filter(|record| record.status == 0);
            filled.clone().try_for_each(|record| self.enter(record))?;
            let canceled = |record: &&pindma_pool_record| record.status == -libc::ECANCELED;
            let unfilled = records.iter().filter(canceled).count();
            same("others", filled.count() + unfilled, records.len())?;
        }
        let told = self.records + totals.overruns;
        // Where a job can be ended early, a stop does so with the frame at work, which is neither.
        let cut = totals.frames.wrapping_sub(told);
        let most = u64::from(Card::find().is_ok());
        let frames = totals.frames;
        check(
            cut <= most,
            format!("{told} records and overruns of {frames}"),
        )?;
        // Those after the last record stand in the total only.
        check(self.overruns <= totals.overruns, "more lost than counted")?;
        let trailing = totals.overruns - self.overruns;
        same("last frame", self.next + trailing + cut, frames)
    }
}

/// Which of the patterns `seeds` fills the buffer.
#[track_caller]
fn seed_of(memory: &Mapping, index: u32, seeds: std::ops::RangeInclusive<u64>) -> Outcome<u64> {
    let got = memory.read(index as usize * PAGE, PAGE);
    for seed in seeds.clone() {
        if pattern::expect(&got, &pattern::bytes(seed, PAGE)).is_ok() {
            return Ok(seed);
        }
    }
    Err(Fail::new(format!("none of the patterns {seeds:?}")))
}

fn keeping_up(leg: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 0)?;
    let pool = of_pages(&device, 16)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), GUARD);
    pool.enqueue_all()?;
    pool.start(stream(0))?;
    let (mut ledger, mut oldest) = (Ledger::default(), 0);
    for round in 1..=24 {
        let record = pool.dequeue(1)?[0];
        ledger.enter(&record)?;
        // It holds one frame, and none that is older than the one before.
        oldest = seed_of(&memory, record.index, oldest..=round - 1)?;
        memory.fill(record.index as usize * PAGE, PAGE, GUARD);
        pool.enqueue(record.buffer)?;
        // Between two frames somebody else has a turn.
        load(&device, round)?;
    }
    let totals = pool.stop()?;
    if leg.counts_time() {
        // On a slow machine we may not keep up.
        check(oldest >= 16, format!("the last is pattern {oldest}"))?;
        same("overruns", totals.overruns, 0)?;
        same("overruns told", ledger.overruns, 0)?;
    }
    ledger.close(&pool, totals)
}

/// Waits until the stream has got as far as frame number `frames`.
fn wait_for(device: &Device, frames: u64) -> Outcome {
    for _ in 0..10_000 {
        if device.stats()?.out_frames >= frames {
            return Ok(());
        }
        pause(10);
    }
    Err(Fail::new("the stream stands still"))
}

/// Waits for seven frames after those in `before`, more than there are buffers; what
/// the statistics are then.
fn lose_some(device: &Device, before: &pindma_stats) -> Outcome<pindma_stats> {
    wait_for(device, before.out_frames + 7)?;
    let now = device.stats()?;
    check(now.out_overruns > before.out_overruns, "nothing was lost")?;
    Ok(now)
}

fn slow(_: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 1)?;
    let pool = of_pages(&device, 2)?;
    let memory = pool.map()?;
    let mut ledger = Ledger::default();
    pool.enqueue_all()?;
    let mut before = device.stats()?;
    pool.start(stream(0))?;
    for _ in 0..4 {
        before = lose_some(&device, &before)?;
        for record in pool.dequeue(2)? {
            ledger.enter(&record)?;
            pattern::verify(&memory, record.index as usize * PAGE, PAGE, 1)?;
            pool.enqueue(record.buffer)?;
        }
    }
    lose_some(&device, &before)?;
    let totals = pool.stop()?;
    check(totals.overruns >= 10, format!("{totals:?}"))?;
    check(ledger.overruns > 0, "no record tells of what was lost")?;
    same("of the file", device.stats()?.out_frames, totals.frames)?;
    same("of the file", device.stats()?.out_overruns, totals.overruns)?;
    ledger.close(&pool, totals)
}

fn none(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    pool.start(stream(0))?;
    let (errno, _) = pool.try_dequeue(1, 1, abi::DEADLINE_NONE);
    same("errno", errno_name(errno), errno_name(libc::EAGAIN))?;
    wait_for(&device, 4)?;
    pool.enqueue(pool.buffer(0)?)?;
    let record = pool.dequeue(1)?[0];
    check(record.overruns >= 4, format!("{} lost", record.overruns))?;
    let mut ledger = Ledger::default();
    ledger.enter(&record)?;
    // It goes on until it is stopped.
    wait_for(&device, record.seq + 3)?;
    ledger.close(&pool, pool.stop()?)
}

fn threads(_: Leg) -> Outcome {
    const FRAMES: usize = 8;
    let device = Device::open()?;
    let pool = of_pages(&device, 8)?;
    pool.enqueue_all()?;
    pool.start(stream(0))?;
    let consumers: Vec<_> = (0..3)
        .map(|_| {
            let pool = pool.duplicate()?;
            Ok(thread::spawn(move || consume(&pool, FRAMES)))
        })
        .collect::<Outcome<_>>()?;
    let mut seen = HashSet::new();
    for consumer in consumers {
        let seqs = consumer.join().map_err(|_| Fail::new("panicked"))??;
        check(seqs.is_sorted(), "out of order")?;
        seen.extend(seqs);
    }
    same("different frames", seen.len(), 3 * FRAMES)?;
    pool.stop().map(drop)
}

/// Dequeues and enqueues again; the numbers of the frames.
fn consume(pool: &Pool, frames: usize) -> Outcome<Vec<u64>> {
    let mut seqs = Vec::new();
    while seqs.len() < frames {
        let (errno, records) = pool.try_dequeue(1, 1, abi::DEADLINE_NONE);
        if errno == libc::EAGAIN {
            // The others have all buffers just now.
            pause(1);
            continue;
        }
        same("errno of a dequeue", errno_name(errno), errno_name(0))?;
        seqs.push(records[0].seq);
        pool.enqueue(records[0].buffer)?;
    }
    Ok(seqs)
}

fn files(_: Leg) -> Outcome {
    let files: Vec<_> = (0..3)
        .map(|_| {
            let device = Device::open()?;
            let pool = of_pages(&device, 4)?;
            pool.enqueue_all()?;
            Ok((device, pool))
        })
        .collect::<Outcome<_>>()?;
    same("pools", counters::driver("pools")?, 3)?;
    load(&files[0].0, 9)?;
    for (_, pool) in &files {
        pool.start(stream(0))?;
    }
    let mut ledgers: Vec<_> = files.iter().map(|_| Ledger::default()).collect();
    for _ in 0..6 {
        for ((_, pool), ledger) in files.iter().zip(&mut ledgers) {
            let record = pool.dequeue(1)?[0];
            ledger.enter(&record)?;
            pool.enqueue(record.buffer)?;
        }
    }
    for ((device, pool), ledger) in files.iter().zip(ledgers) {
        let totals = pool.stop()?;
        same("of the file", device.stats()?.out_frames, totals.frames)?;
        let memory = pool.map()?;
        pattern::verify(&memory, 0, PAGE, 9)?;
        ledger.close(pool, totals)?;
    }
    Ok(())
}
