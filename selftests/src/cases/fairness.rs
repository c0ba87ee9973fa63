// SPDX-License-Identifier: GPL-2.0

//! The channel is shared fairly by users, and by the files of a user, whatever they have
//! waiting.

use std::thread;

use crate::abi;
use crate::check::{check, Fail, Outcome};
use crate::device::{copy, seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::queue::{entry, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    case(
        "deep_queue_does_not_starve_single_transfers",
        "of another file: they get every other job",
        deep_queue,
    )
    .slow(),
    // Kills the mutant that serves callers in the order they came, whose file they are on.
    case(
        "many_threads_of_a_file_get_no_more_than_one_of_another",
        "eight against one",
        threads,
    )
    .slow(),
    case(
        "queues_of_three_files_advance_together",
        "one of them with three queues",
        queues,
    )
    .slow()
    .not_on_debug(LATE),
    // Kills the mutant that has turns for each file.
    case(
        "user_with_four_files_gets_no_more_than_one_with_one",
        "and the four take turns",
        users,
    )
    .slow()
    .not_on_debug(LATE),
    // Kills the mutant that lets who comes back go before all others.
    case(
        "pause_of_a_file_earns_it_nothing",
        "what it asks for then takes turns with the others",
        pause,
    )
    .slow()
    .not_on_debug(LATE),
];

const LATE: &str = "there a file's worker may come too late for its turn";

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Transfers of the modest file.
const TURNS: u64 = 8;

/// Makes single transfers, one after the other; how many jobs `other` has got meanwhile.
fn jobs_meanwhile(other: &Device) -> Outcome<u64> {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let before = other.stats()?.out_jobs;
    for _ in 0..TURNS {
        device.to_device(0, &[seg(&memory, 0, 64)]).succeeded(64)?;
    }
    Ok(other.stats()?.out_jobs - before)
}

/// One turn each; one more may have begun before, and one after.
fn fair(jobs: u64) -> Outcome {
    let right = (TURNS - 1..=TURNS + 2).contains(&jobs);
    check(right, format!("{jobs} jobs against {TURNS}"))
}

fn deep_queue(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 256)?;
    let memory = Mapping::anonymous(PAGE)?;
    let greedy = vec![entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 64)); 200];
    queue.submit(&device, &greedy).all(200)?;
    flight::wait_for_job(&device)?;
    fair(jobs_meanwhile(&device)?)
}

fn threads(_: Leg) -> Outcome {
    let device = Device::open()?;
    let greedy: Outcome<Vec<_>> = (0..8)
        .map(|_| {
            let device = device.duplicate()?;
            Ok(thread::spawn(move || {
                let memory = Mapping::anonymous(4 * PAGE)?;
                let (src, dst) = (seg(&memory, 0, 2 * PAGE), seg(&memory, 2 * PAGE, 2 * PAGE));
                for _ in 0..4 {
                    device.copy(copy(&[src], &[dst])).succeeded(2 * PAGE)?;
                }
                Ok(())
            }))
        })
        .collect();
    flight::wait_for_job(&device)?;
    // All of them are in line.
    crate::module::pause(50);
    let jobs = jobs_meanwhile(&device)?;
    for thread in greedy? {
        let joined = thread.join();
        let outcome: Outcome = joined.map_err(|_| Fail::new("a thread panicked"))?;
        outcome?;
    }
    // A turn of theirs is two jobs: there and back.
    fair(jobs / 2)
}

fn queues(_: Leg) -> Outcome {
    let devices = [Device::open()?, Device::open()?, Device::open()?];
    let memory = Mapping::anonymous(PAGE)?;
    let of = vec![entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 64)); 30];
    let mut queues = Vec::new();
    for (device, count) in devices.iter().zip([3, 1, 1]) {
        for _ in 0..count {
            let queue = Queue::create(device, 30)?;
            queue.submit(device, &of).all(30)?;
            queues.push(queue);
        }
    }
    flight::wait_for_ends(&devices[2], 12)?;
    for device in &devices {
        let ended = device.stats()?.out_ended;
        check((11..=15).contains(&ended), format!("{ended} against 12"))?;
    }
    Ok(())
}

/// Requests that have ended, of all of `devices`.
fn ends(devices: &[Device]) -> Outcome<u64> {
    devices
        .iter()
        .map(|device| Ok(device.stats()?.out_ended))
        .sum()
}

fn users(_: Leg) -> Outcome {
    flight::in_child(|| {
        let open = |uid, count| -> Outcome<Vec<Device>> {
            os::open_as(uid)?;
            (0..count).map(|_| Ok(Device::open()?)).collect()
        };
        let (many, one) = (open(user::UID + 1, 4)?, open(user::UID, 1)?);
        let memory = Mapping::anonymous(PAGE)?;
        let of = vec![entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 64)); 60];
        let mut queues = Vec::new();
        for device in many.iter().chain(&one) {
            let queue = Queue::create(device, 60)?;
            queue.submit(device, &of).all(60)?;
            queues.push(queue);
        }
        flight::wait_for_ends(&one[0], 1)?;
        let (first, before) = (one[0].stats()?.out_ended, ends(&many)?);
        flight::wait_for_ends(&one[0], first + 20)?;
        let jobs = ends(&many)? - before;
        check((18..=22).contains(&jobs), format!("{jobs} against 20"))?;
        for device in &many {
            let ended = device.stats()?.out_ended;
            check(
                (4..=7).contains(&ended),
                format!("{ended} of a file against 5"),
            )?;
        }
        Ok(())
    })
}

fn pause(_: Leg) -> Outcome {
    let (idle, busy) = (Device::open()?, Device::open()?);
    let memory = Mapping::anonymous(PAGE)?;
    let of = vec![entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 64)); 60];
    idle.to_device(0, &[seg(&memory, 0, 64)]).succeeded(64)?;
    let queue = Queue::create(&busy, 60)?;
    queue.submit(&busy, &of).all(60)?;
    flight::wait_for_ends(&busy, 20)?;
    let late = Queue::create(&idle, 10)?;
    late.submit(&idle, &of[..10]).all(10)?;
    let before = busy.stats()?.out_ended;
    flight::wait_for_ends(&idle, 10)?;
    let jobs = busy.stats()?.out_ended - before;
    check((8..=12).contains(&jobs), format!("{jobs} against 10"))
}
