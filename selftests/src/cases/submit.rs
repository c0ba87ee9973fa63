// SPDX-License-Identifier: GPL-2.0

//! Requests that are submitted to a queue, and what their completions say.

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::queue::{done, entry, entry_of, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "requests_move_data_both_ways",
        "and their completions say all of it",
        both_ways,
    ),
    case(
        "completions_come_in_order_with_their_user_data",
        "numbered from 0 on, also in the second round",
        order,
    ),
    case(
        "request_of_a_vector_moves_all_of_it",
        "segments of any length, at any place",
        vector,
    ),
    case(
        "request_of_the_most_segments_moves_all_of_it",
        "1024 of them",
        long_vector,
    ),
    case(
        "request_in_many_windows_is_pinned_as_a_whole",
        "and moved window by window",
        windows,
    )
    .slow(),
    case(
        "batch_partly_taken_says_how_many_and_why",
        "those before the wrong one are done, those after it are not",
        partly,
    ),
    // Kills the mutant that takes any number.
    case(
        "eagain_when_the_queue_is_full",
        "in flight or not reaped: both take room",
        full,
    ),
    case(
        "room_of_a_refused_request_is_given_back",
        "a thousand refused ones fill nothing",
        refused,
    ),
    // Kills the mutant that unpins too early.
    case(
        "memory_stays_pinned_until_the_request_ends",
        "and not longer: who sees its completion finds nothing pinned",
        pinned,
    )
    .slow(),
    case(
        "request_counts_in_the_statistics",
        "submitted, ended, calls, jobs, bytes",
        statistics,
    ),
    case(
        "requests_of_two_queues_do_not_mix",
        "each ends in its own",
        two_queues,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn both_ways(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 2)?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 1);
    let before = os::now();
    let there = entry(u64::MAX, abi::TO_DEVICE, 0, seg(&src, 0, PAGE));
    let back = entry(7, abi::FROM_DEVICE, 0, seg(&dst, 0, PAGE));
    queue.submit(&device, &[there, back]).all(2)?;
    let ended = queue.reap(2)?;
    done(&ended[0], u64::MAX, PAGE)?;
    done(&ended[1], 7, PAGE)?;
    pattern::verify(&dst, 0, PAGE, 1)?;
    let bounced = |flags| flags & abi::OUT_BOUNCED != 0;
    check(
        ended.iter().all(|end| bounced(end.flags) == leg.bounces()),
        "bounced, or not, and not told",
    )?;
    let times = [before, ended[0].time_ns, ended[1].time_ns, os::now()];
    check(times.is_sorted(), format!("times {times:?}"))
}

fn order(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 3)?;
    let memory = Mapping::anonymous(PAGE)?;
    for round in 0..3 {
        let names = [5 * round, 1000 - round, 5 * round];
        let entries = names.map(|name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64)));
        queue.submit(&device, &entries).all(3)?;
        for (index, (end, name)) in (0..).zip(queue.reap(3)?.iter().zip(names)) {
            done(end, name, 64)?;
            same("number", end.seq, 3 * round + index)?;
        }
    }
    Ok(())
}

fn vector(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 2)?;
    let (src, dst) = (Mapping::anonymous(4 * PAGE)?, Mapping::anonymous(4 * PAGE)?);
    pattern::write(&src, 0, 4 * PAGE, 2);
    let ranges = [(1, 1), (PAGE - 3, 100), (2 * PAGE, 1500), (40, 7)];
    let of = |memory: &Mapping| ranges.map(|(at, len)| seg(memory, at, len));
    let (from, to) = (of(&src), of(&dst));
    let sum = ranges.iter().map(|(_, len)| len).sum();
    let entries = [
        entry_of(1, abi::TO_DEVICE, 100, &from),
        entry_of(2, abi::FROM_DEVICE, 100, &to),
    ];
    queue.submit(&device, &entries).all(2)?;
    let ended = queue.reap(2)?;
    done(&ended[0], 1, sum)?;
    done(&ended[1], 2, sum)?;
    for (at, len) in ranges {
        pattern::expect(&dst.read(at, len), &src.read(at, len))?;
    }
    Ok(())
}

fn long_vector(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 2)?;
    let (src, dst) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    pattern::write(&src, 0, PAGE, 3);
    let back = vec![seg(&dst, 0, 2); 1024];
    let entries = [
        entry(1, abi::TO_DEVICE, 0, seg(&src, 0, 2048)),
        entry_of(2, abi::FROM_DEVICE, 0, &back[..24]),
    ];
    queue.submit(&device, &entries).all(2)?;
    done(&queue.reap(2)?[1], 2, 48)?;
    pattern::expect(&dst.read(0, 2), &src.read(46, 2))?;
    // All of them: pinned and mapped, then told to end; 1024 jobs take long.
    queue
        .submit(&device, &[entry_of(3, abi::FROM_DEVICE, 0, &back)])
        .all(1)?;
    queue.cancel(3).ok();
    let end = queue.reap_one()?;
    // A fast card may be done before it is told.
    let most = if leg.is_fast() { 2048 } else { 2046 };
    check(end.bytes % 2 == 0 && end.bytes <= most, "bytes")
}

fn windows(leg: Leg) -> Outcome {
    crate::module::with_parameters(leg, "window_kib=8", || {
        let device = Device::open()?;
        let queue = Queue::create(&device, 2)?;
        let src = Mapping::anonymous(16 * PAGE)?;
        let dst = Mapping::anonymous(PAGE)?;
        pattern::write(&src, 0, 16 * PAGE, 4);
        // Sixteen pages: eight windows of two.
        let segs: Vec<_> = (0..16).map(|page| seg(&src, page * PAGE, 200)).collect();
        let there = entry_of(1, abi::TO_DEVICE, 0, &segs);
        let out = queue.submit(&device, &[there]).all(1)?;
        same("pages", out.pages, 16)?;
        same("pinned in KiB", counters::pinned_kib("self")?, 64)?;
        done(&queue.reap_one()?, 1, 3200)?;
        same("windows", device.stats()?.out_windows, 8)?;
        device
            .from_device(0, &[seg(&dst, 0, 3200)])
            .succeeded(3200)?;
        for page in 0..16 {
            let want = src.read(page * PAGE, 200);
            pattern::expect(&dst.read(page * 200, 200), &want)?;
        }
        Ok(())
    })
}

fn partly(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 8)?;
    let memory = Mapping::anonymous(PAGE)?;
    let good = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    let bad = entry(2, abi::TO_DEVICE, 0, seg(&memory, 0, 0));
    let out = queue
        .submit(&device, &[good(0), good(1), bad, good(3)])
        .only(2, libc::EINVAL)?;
    same("field", out.field, abi::FIELD_SEG_LEN)?;
    for (name, end) in (0..).zip(queue.reap(2)?) {
        done(&end, name, 64)?;
    }
    let waited = queue.wait(8, 1, abi::DEADLINE_NONE);
    same("in flight", waited.in_flight, 0)?;
    waited.nothing(libc::EAGAIN)
}

fn full(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 3)?;
    let memory = Mapping::anonymous(PAGE)?;
    let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    let five = [0, 1, 2, 3, 4].map(of);
    queue.submit(&device, &five).only(3, libc::EAGAIN)?;
    queue.submit(&device, &five).only(0, libc::EAGAIN)?;
    flight::wait_for_ends(&device, 3)?;
    // All of them have ended, and none was reaped.
    queue.submit(&device, &five).only(0, libc::EAGAIN)?;
    same("in flight", queue.wait(1, 1, 0).in_flight, 0)?;
    queue.submit(&device, &five).only(1, libc::EAGAIN)?;
    let names: Vec<_> = queue.reap(3)?.iter().map(|end| end.user_data).collect();
    check(names == [1, 2, 0], format!("{names:?}"))
}

fn refused(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 2)?;
    let memory = Mapping::anonymous(PAGE)?;
    let bad = entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 0));
    for _ in 0..1000 {
        queue.submit(&device, &[bad]).only(0, libc::EINVAL)?;
    }
    let good = entry(1, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    queue.submit(&device, &[good, good]).all(2)?;
    queue.reap(2).map(drop)
}

fn pinned(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    let before = counters::pins_outstanding()?;
    let of = |page: usize| entry(0, abi::TO_DEVICE, 0, seg(&memory, page * PAGE, 64));
    let out = queue.submit(&device, &[0, 1, 2, 3].map(of)).all(4)?;
    same("pages", out.pages, 4)?;
    for left in (0..4).rev() {
        let now = || counters::pins_outstanding().map(|pins| pins - before);
        check(now()? > left, format!("{} pins, {left} left", now()?))?;
        queue.reap_one()?;
        same("pins", now()?, left)?;
        same("pinned in KiB", counters::pinned_kib("self")?, 4 * left)?;
    }
    same("requests", counters::driver("requests")?, 0)
}

fn statistics(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(PAGE)?;
    let there = entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    let back = entry(0, abi::FROM_DEVICE, 0, seg(&memory, 0, 100));
    queue.submit(&device, &[there, back, there]).all(3)?;
    same("submitted", device.stats()?.out_submitted, 3)?;
    queue.reap(3)?;
    let stats = device.stats()?;
    same("ended", stats.out_ended, 3)?;
    same("calls", stats.out_calls, 3)?;
    same("jobs", stats.out_jobs, 3)?;
    same("windows", stats.out_windows, 3)?;
    same("to device", stats.out_bytes_to_device, 128)?;
    same("from device", stats.out_bytes_from_device, 100)
}

fn two_queues(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queues = [Queue::create(&device, 4)?, Queue::create(&device, 4)?];
    let memory = Mapping::anonymous(PAGE)?;
    for name in 0..4 {
        for queue in &queues {
            let entry = entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
            queue.submit(&device, &[entry]).all(1)?;
        }
    }
    for queue in &queues {
        for (name, end) in (0..).zip(queue.reap(4)?) {
            done(&end, name, 64)?;
            same("number", end.seq, name)?;
        }
    }
    Ok(())
}
