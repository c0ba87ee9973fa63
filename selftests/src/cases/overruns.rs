// SPDX-License-Identifier: GPL-2.0

//! What a stream tells of its frames, against the jobs that the device was given.
//!
//! A frame of a page is one job of edu, whether it finds a buffer or not.

use crate::abi::{self, pindma_pool_record};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{Device, PAGE};
use crate::leg::Leg;
use crate::module::pause;
use crate::pool::{of_pages, stream, Pool};
use crate::table::{Case, Needs};
use crate::tracing::Tracing;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that does not count.
    case(
        "frames_and_overruns_are_all_jobs_of_a_stream",
        "by the file's statistics, and by tracepoints",
        all,
    )
    .not_on_xdma("a stop ends the frame at work there, which is no record"),
    case(
        "record_tells_of_the_jobs_since_buffers_ran_out",
        "all but the one that may have begun just then",
        each,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Waits until the device was given so many jobs for this file.
fn wait_for_jobs(device: &Device, jobs: u64) -> Outcome {
    for _ in 0..10_000 {
        if device.stats()?.out_jobs >= jobs {
            return Ok(());
        }
        pause(5);
    }
    Err(Fail::new(format!("there never were {jobs} jobs")))
}

/// What a consumer was given and told.
#[derive(Default)]
struct Told {
    frames: u64,
    overruns: u64,
    last: u64,
}

impl Told {
    #[track_caller]
    fn add(&mut self, record: &pindma_pool_record) -> Outcome {
        let status = errno_name(-record.status);
        same("status", status, errno_name(0))?;
        check(record.flags & abi::OUT_STARTED != 0, "not started")?;
        same("bytes", record.bytes, PAGE as u64)?;
        self.frames += 1;
        self.overruns += record.overruns;
        self.last = record.seq;
        Ok(())
    }

    /// Takes what was ready at the stop. There were frames enough for every buffer.
    fn add_rest(&mut self, pool: &Pool) -> Outcome {
        for record in pool.dequeue(pool.count)? {
            self.add(&record)?;
        }
        let (errno, _) = pool.try_dequeue(1, 0, 0);
        same("one more", errno_name(errno), errno_name(libc::EAGAIN))
    }
}

fn all(_: Leg) -> Outcome {
    const BUFFERS: u32 = 3;
    let device = Device::open()?;
    let pool = of_pages(&device, BUFFERS)?;
    let tracing = Tracing::start()?;
    let mut told = Told::default();
    pool.enqueue_all()?;
    pool.start(stream(0))?;
    for round in 1..=5 {
        wait_for_jobs(&device, round * 9)?;
        for record in pool.dequeue(BUFFERS as usize)? {
            told.add(&record)?;
            pool.enqueue(record.buffer)?;
        }
    }
    wait_for_jobs(&device, 60)?;
    let totals = pool.stop()?;
    told.add_rest(&pool)?;
    let stats = device.stats()?;
    let jobs = stats.out_jobs;
    same("records", told.frames, 6 * u64::from(BUFFERS))?;
    same("frames and overruns", told.frames + totals.overruns, jobs)?;
    same("frames of the stop", totals.frames, jobs)?;
    let moved = stats.out_bytes_from_device;
    same("bytes", moved, jobs * PAGE as u64)?;
    // Those after the last record are told by the stop alone.
    let after = jobs - 1 - told.last;
    check(after > 0 && told.overruns > 0, "nothing was lost")?;
    same("overruns", told.overruns + after, totals.overruns)?;
    let events = tracing.events()?;
    for name in ["start", "complete"] {
        let count = events.iter().filter(|event| event.name == name).count();
        same(name, count as u64, jobs)?;
    }
    Ok(())
}

fn each(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    pool.start(stream(0))?;
    // Frames up to the last record.
    let mut known = 0;
    for lost in [3, 1, 7, 2, 2, 5] {
        wait_for_jobs(&device, known + lost)?;
        let before = device.stats()?.out_jobs - known;
        pool.enqueue(pool.buffer(0)?)?;
        // One frame may have looked for a buffer already, and not have started its job.
        let after = device.stats()?.out_jobs - known + 1;
        let record = pool.dequeue(1)?[0];
        let told = record.overruns;
        check(
            (before..=after).contains(&told),
            format!("{told} lost, of {before} to {after}"),
        )?;
        known += told + 1;
        same("seq", record.seq + 1, known)?;
    }
    pool.stop().map(drop)
}
