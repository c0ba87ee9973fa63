// SPDX-License-Identifier: GPL-2.0

//! Requests that end early: cancelled, or out of time; in line, or at work.
//!
//! edu cannot abort: a job that runs is waited for.

use crate::abi::{self, pindma_queue_cancel};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pattern;
use crate::queue::{done, ended, entry, entry_of, untouched, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that lets the other winner forget the completion.
    case(
        "ecanceled_at_once_for_request_in_line",
        "while another is at work; it has not touched anything",
        in_line,
    )
    .slow(),
    case("cancel_ends_all_of_one_name", "and no others", by_name).slow(),
    race(
        "cancel_of_request_at_work_has_exact_bytes",
        "its job is waited for: done, or a part of it",
        at_work,
    ),
    race(
        "cancel_between_two_jobs_leaves_the_rest_alone",
        "the part that was moved is right",
        between,
    ),
    race("cancel_all_ends_all", "each once; the queue works on", all),
    case(
        "cancel_of_one_queue_spares_another",
        "of the same file, with the same names",
        other_queue,
    )
    .slow(),
    case(
        "enoent_for_cancel_of_nothing",
        "never there, ended, reaped",
        nothing,
    )
    .slow(),
    Case::new(
        "einval_for_wrong_cancel",
        "reserved; unknown flags are EOPNOTSUPP",
        wrong,
    ),
    case(
        "memory_of_canceled_request_is_free_at_once",
        "not pinned, and not written",
        memory_is_free,
    )
    .slow(),
    case(
        "canceled_requests_make_room",
        "a thousand of them in a queue of four",
        room,
    )
    .slow()
    .not_on_debug("a thousand requests take long there, and show no more than four"),
    case(
        "etimedout_at_once_for_request_in_line",
        "its deadline comes while another is at work",
        late_in_line,
    )
    .slow(),
    case(
        "etimedout_for_the_earlier_of_two_deadlines_first",
        "whichever was submitted first",
        two_deadlines,
    )
    .slow(),
    case(
        "etimedout_for_request_that_was_late_already",
        "the device does not begin with it",
        late_already,
    ),
    race(
        "etimedout_at_work_has_exact_bytes",
        "its job is waited for",
        late_at_work,
    ),
    case(
        "deadline_that_is_far_away_changes_nothing",
        "an hour, a year",
        far_away,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const MS: i64 = 1_000_000;

/// A queue with requests 0, 1, 2 and so on in flight, each of 64 bytes.
struct Line {
    device: Device,
    queue: Queue,
    memory: Mapping,
}

impl Line {
    fn of(count: usize) -> Outcome<Line> {
        let device = Device::open()?;
        let queue = Queue::create(&device, 64)?;
        let memory = Mapping::anonymous(PAGE)?;
        let line = Line {
            device,
            queue,
            memory,
        };
        let names: Vec<_> = (0..count as u64).collect();
        if count > 0 {
            line.submit(&names, abi::DEADLINE_NONE)?;
        }
        Ok(line)
    }

    fn submit(&self, names: &[u64], deadline: i64) -> Outcome {
        let of = |name: &u64| abi::pindma_entry {
            deadline,
            ..entry(*name, abi::TO_DEVICE, 0, seg(&self.memory, 0, 64))
        };
        let entries: Vec<_> = names.iter().map(of).collect();
        let submitted = self.queue.submit(&self.device, &entries);
        submitted.all(names.len()).map(drop)
    }
}

/// What a cancel has said.
#[track_caller]
fn canceled(answer: Result<u32, i32>, count: u32) -> Outcome {
    match answer {
        Ok(got) => same("canceled", got, count),
        Err(errno) => same("cancel", errno_name(errno), String::from("success")),
    }
}

/// What a cancel has said of a request at work; on a slow machine it may be over.
#[track_caller]
fn canceled_at_work(leg: Leg, answer: Result<u32, i32>) -> Outcome {
    match answer {
        Err(libc::ENOENT) if !leg.counts_time() => Ok(()),
        answer => canceled(answer, 1),
    }
}

#[track_caller]
fn not_found(answer: Result<u32, i32>) -> Outcome {
    check(answer == Err(libc::ENOENT), format!("{answer:?}"))
}

fn in_line(_: Leg) -> Outcome {
    let line = Line::of(4)?;
    canceled(line.queue.cancel(2), 1)?;
    // It has ended, and the first is at work still.
    let waited = line.queue.wait(4, 0, 0);
    same("in flight", waited.in_flight, 3)?;
    same("completions", waited.completions.len(), 1)?;
    untouched(&waited.completions[0], 2, libc::ECANCELED)?;
    same("number", waited.completions[0].seq, 0)?;
    for (end, name) in line.queue.reap(3)?.iter().zip([0, 1, 3]) {
        done(end, name, 64)?;
    }
    same("jobs", line.device.stats()?.out_jobs, 3)
}

fn by_name(_: Leg) -> Outcome {
    let line = Line::of(1)?;
    line.submit(&[7, 8, 7, 9, 7], abi::DEADLINE_NONE)?;
    canceled(line.queue.cancel(7), 3)?;
    for end in line.queue.take() {
        untouched(&end, 7, libc::ECANCELED)?;
    }
    for (end, name) in line.queue.reap(3)?.iter().zip([0, 8, 9]) {
        done(end, name, 64)?;
    }
    Ok(())
}

fn at_work(leg: Leg) -> Outcome {
    let line = Line::of(1)?;
    flight::wait_for_job(&line.device)?;
    canceled_at_work(leg, line.queue.cancel(0))?;
    let end = line.queue.reap_one()?;
    // Its only job was under way.
    done(&end, 0, 64)
}

fn between(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 1);
    device.to_device(0, &[seg(&src, 0, 2048)]).succeeded(2048)?;
    dst.fill(0, PAGE, pattern::GUARD);
    // With a gap between them, they are two jobs.
    let segs = [seg(&dst, 0, 1000), seg(&dst, 2000, 1048)];
    let jobs = device.stats()?.out_jobs;
    queue
        .submit(&device, &[entry_of(5, abi::FROM_DEVICE, 0, &segs)])
        .all(1)?;
    while device.stats()?.out_jobs == jobs {
        pause(1);
    }
    canceled_at_work(leg, queue.cancel(5))?;
    let end = queue.reap_one()?;
    if end.status == 0 {
        // On a slow machine the second job was under way, or over.
        return done(&end, 5, 2048);
    }
    ended(&end, 5, libc::ECANCELED)?;
    same("bytes", end.bytes, 1000)?;
    check(end.flags & abi::OUT_STARTED != 0, "not started")?;
    pattern::verify(&dst, 0, 1000, 1)?;
    pattern::verify_guard(&dst, 1000, PAGE - 1000)
}

fn all(leg: Leg) -> Outcome {
    let line = Line::of(20)?;
    flight::wait_for_job(&line.device)?;
    // On a slow machine all of them may be done by now.
    let count = line.queue.cancel_all().unwrap_or(0);
    let waited = line.queue.wait(20, 0, 0);
    check(waited.in_flight <= 1, "some are in line still")?;
    let mut ends = waited.completions;
    ends.extend(line.queue.reap(20 - ends.len())?);
    let (mut names, mut completed) = (Vec::new(), 0);
    for end in ends {
        if end.status == 0 {
            done(&end, end.user_data, 64)?;
            completed += 1;
        } else {
            untouched(&end, end.user_data, libc::ECANCELED)?;
        }
        names.push(end.user_data);
    }
    names.sort_unstable();
    check(names == (0..20).collect::<Vec<_>>(), format!("{names:?}"))?;
    // One of those that are done may have been told while it was at work.
    let told = 20 - completed..=21 - completed;
    check(told.contains(&count), format!("{count} were told to end"))?;
    check(!leg.counts_time() || count == 20, "the first was over")?;
    line.submit(&[99], abi::DEADLINE_NONE)?;
    done(&line.queue.reap_one()?, 99, 64)
}

fn other_queue(_: Leg) -> Outcome {
    let line = Line::of(3)?;
    let other = Queue::create(&line.device, 4)?;
    let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&line.memory, 0, 64));
    other.submit(&line.device, &[of(1), of(2)]).all(2)?;
    canceled(other.cancel(2), 1)?;
    canceled(other.cancel_all(), 1)?;
    same("completions", other.reap(2)?.len(), 2)?;
    for (end, name) in line.queue.reap(3)?.iter().zip(0..) {
        done(end, name, 64)?;
    }
    Ok(())
}

fn nothing(_: Leg) -> Outcome {
    let line = Line::of(2)?;
    not_found(line.queue.cancel(5))?;
    canceled(line.queue.cancel(1), 1)?;
    not_found(line.queue.cancel(1))?;
    flight::wait_for_ends(&line.device, 2)?;
    not_found(line.queue.cancel(0))?;
    not_found(line.queue.cancel_all())?;
    line.queue.reap(2)?;
    not_found(line.queue.cancel(0))?;
    not_found(line.queue.cancel_all())
}

fn wrong(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 1)?;
    let with = |flags, reserved| {
        queue.cancel_with(pindma_queue_cancel {
            flags,
            reserved,
            ..pindma_queue_cancel::default()
        })
    };
    check(with(0, 1) == Err(libc::EINVAL), "reserved")?;
    for bit in 1..32 {
        let got = with(1 << bit, 0);
        check(got == Err(libc::EOPNOTSUPP), format!("{got:?}"))?;
    }
    Ok(())
}

fn memory_is_free(leg: Leg) -> Outcome {
    let line = Line::of(1)?;
    let pins = counters::pins_outstanding()?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    memory.fill(0, 4 * PAGE, pattern::GUARD);
    let of = |page: usize| {
        let seg = seg(&memory, page * PAGE, PAGE);
        entry(7, abi::FROM_DEVICE, 0, seg)
    };
    let entries = [0, 1, 2, 3].map(of);
    line.queue.submit(&line.device, &entries).all(4)?;
    let pinned = counters::pins_outstanding()?;
    canceled(line.queue.cancel(7), 4)?;
    let left = counters::pins_outstanding()?;
    // Then the device works on one of them by now.
    if !leg.counts_time() && line.device.stats()?.out_ended != 4 {
        return Ok(());
    }
    // And the one before them may have given its page back, at any moment.
    let gone = i64::from(!leg.counts_time());
    let four_more = pins + 4 - gone..=pins + 4;
    check(four_more.contains(&pinned), format!("{pinned} pins"))?;
    let as_before = pins - gone..=pins;
    check(as_before.contains(&left), format!("{left} pins are left"))?;
    line.queue.reap(5)?;
    pause(300);
    pattern::verify_guard(&memory, 0, 4 * PAGE)
}

fn room(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(PAGE)?;
    let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    queue.submit(&device, &[of(0)]).all(1)?;
    for _ in 0..350 {
        queue.submit(&device, &[of(1), of(1), of(1)]).all(3)?;
        canceled(queue.cancel(1), 3)?;
        // All at once, unless the one before them ended just then.
        let mut left = 3;
        while left > 0 {
            match queue.reap_one()?.user_data {
                0 => queue.submit(&device, &[of(0)]).all(1).map(drop)?,
                _ => left -= 1,
            }
        }
    }
    queue.reap(1).map(drop)
}

fn late_in_line(_: Leg) -> Outcome {
    let line = Line::of(1)?;
    flight::wait_for_job(&line.device)?;
    let soon = os::now() + 20 * MS;
    line.submit(&[1, 2], soon)?;
    line.submit(&[3], abi::DEADLINE_NONE)?;
    let ends = line.queue.reap(4)?;
    untouched(&ends[0], 1, libc::ETIMEDOUT)?;
    untouched(&ends[1], 2, libc::ETIMEDOUT)?;
    check(ends[0].time_ns >= soon, "too early")?;
    done(&ends[2], 0, 64)?;
    done(&ends[3], 3, 64)?;
    same("jobs", line.device.stats()?.out_jobs, 2)
}

fn two_deadlines(_: Leg) -> Outcome {
    let line = Line::of(1)?;
    flight::wait_for_job(&line.device)?;
    let now = os::now();
    line.submit(&[1], now + 60_000 * MS)?;
    line.submit(&[2], now + 40 * MS)?;
    // The one that watches sleeps already.
    pause(5);
    line.submit(&[3], now + 20 * MS)?;
    let ends = line.queue.reap(4)?;
    untouched(&ends[0], 3, libc::ETIMEDOUT)?;
    untouched(&ends[1], 2, libc::ETIMEDOUT)?;
    done(&ends[2], 0, 64)?;
    done(&ends[3], 1, 64)
}

fn late_already(_: Leg) -> Outcome {
    let line = Line::of(0)?;
    line.submit(&[0], 0)?;
    line.submit(&[1], os::now() - 1)?;
    let mut ends = line.queue.reap(2)?;
    ends.sort_unstable_by_key(|end| end.user_data);
    for (end, name) in ends.iter().zip(0..) {
        untouched(end, name, libc::ETIMEDOUT)?;
    }
    same("jobs", line.device.stats()?.out_jobs, 0)
}

fn late_at_work(_: Leg) -> Outcome {
    let line = Line::of(0)?;
    let segs = [
        seg(&line.memory, 0, 1000),
        seg(&line.memory, 2000, 500),
        seg(&line.memory, 3000, 500),
    ];
    let request = abi::pindma_entry {
        deadline: os::now() + 130 * MS,
        ..entry_of(4, abi::TO_DEVICE, 0, &segs)
    };
    line.queue.submit(&line.device, &[request]).all(1)?;
    let end = line.queue.reap_one()?;
    ended(&end, 4, libc::ETIMEDOUT)?;
    let jobs = line.device.stats()?.out_jobs;
    // A job has one segment or all.
    let whole = jobs > 0 && [1000, 1500].contains(&end.bytes);
    check(whole, format!("{} bytes in {jobs} jobs", end.bytes))
}

fn far_away(_: Leg) -> Outcome {
    let line = Line::of(0)?;
    line.submit(&[0, 1], os::now() + 3_600_000 * MS)?;
    line.submit(&[2], os::now() + 31_536_000_000 * MS)?;
    for (end, name) in line.queue.reap(3)?.iter().zip(0..) {
        done(end, name, 64)?;
    }
    Ok(())
}
