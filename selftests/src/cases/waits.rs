// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_QUEUE_WAIT`: how many it waits for and takes, until when, and what it says if there is
//! nothing.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::abi::{self, pindma_queue_wait};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{errno_of, seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::queue::{entry, entry_of, wait_into, Queue, RECORD};
use crate::sys::{self, signals, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "wait_takes_at_least_min_and_at_most_max",
        "and says how many are in flight",
        min_and_max,
    )
    .slow(),
    Case::new(
        "eagain_when_nothing_is_in_flight",
        "a wait without end would never end",
        nothing,
    ),
    case(
        "wait_for_more_than_can_come_takes_what_there_is",
        "as soon as nothing is in flight",
        too_much,
    ),
    case("wait_of_min_zero_does_not_wait", "EAGAIN, or all", no_min).slow(),
    case(
        "etimedout_when_nothing_has_ended_by_the_deadline",
        "the requests go on",
        deadline,
    )
    .slow(),
    case(
        "deadline_of_a_wait_gives_what_there_is",
        "fewer than min",
        deadline_with_some,
    )
    .slow(),
    race(
        "eintr_when_a_signal_ends_a_wait",
        "or what there is; the requests go on",
        signal,
    ),
    race(
        "eintr_unless_restarted_while_waiting",
        "SA_RESTART; it takes what comes then",
        restarted,
    ),
    case(
        "nonblocking_queue_never_waits",
        "EAGAIN while all is in flight",
        nonblocking,
    )
    .slow(),
    Case::new(
        "einval_for_wrong_numbers_of_a_wait",
        "max, min, deadline",
        wrong,
    ),
    Case::new(
        "emsgsize_for_too_many_completions",
        "more than max_batch",
        too_many,
    ),
    Case::new("eopnotsupp_for_unknown_flags_of_a_wait", "each bit", flags),
    // Kills the mutant that forgets what it could not copy out.
    case(
        "efault_of_a_wait_loses_nothing",
        "no memory, memory for two, a struct that cannot be written",
        fault,
    ),
    race(
        "four_threads_reap_one_queue",
        "each completion goes to one of them",
        four_threads,
    ),
    Case::new(
        "enotty_for_commands_of_the_other_file",
        "those of the device on a queue, and the other way round",
        other_file,
    ),
    Case::new(
        "structs_of_queues_may_grow",
        "too small EINVAL, unknown tail E2BIG, zero tail fine",
        sizes,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const MS: i64 = 1_000_000;

/// A queue with so many requests in flight.
struct Busy {
    device: Device,
    queue: Queue,
    _memory: Mapping,
}

impl Busy {
    fn with(count: u64) -> Outcome<Busy> {
        let device = Device::open()?;
        let queue = Queue::create(&device, 64)?;
        let memory = Mapping::anonymous(PAGE)?;
        let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
        let entries: Vec<_> = (0..count).map(of).collect();
        queue.submit(&device, &entries).all(count as usize)?;
        Ok(Busy {
            device,
            queue,
            _memory: memory,
        })
    }
}

fn min_and_max(_: Leg) -> Outcome {
    let busy = Busy::with(6)?;
    let waited = busy.queue.wait(10, 2, abi::DEADLINE_NONE);
    let count = waited.completions.len();
    check(waited.errno == 0 && count >= 2, format!("{count}"))?;
    same("in flight", waited.in_flight as usize, 6 - count)?;
    flight::wait_for_ends(&busy.device, 6)?;
    let rest = busy.queue.wait(1, 1, abi::DEADLINE_NONE);
    same("completions", rest.completions.len(), 1)?;
    let all = busy.queue.wait(10, 1, abi::DEADLINE_NONE);
    same("completions", all.completions.len(), 6 - count - 1)
}

fn nothing(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 4)?;
    for min in [0, 1, 4] {
        queue
            .wait(4, min, abi::DEADLINE_NONE)
            .nothing(libc::EAGAIN)?;
        queue.wait(4, min, 0).nothing(libc::EAGAIN)?;
    }
    Ok(())
}

fn too_much(_: Leg) -> Outcome {
    let busy = Busy::with(3)?;
    let waited = busy.queue.wait(10, 10, abi::DEADLINE_NONE);
    let names = waited.names();
    check(
        waited.errno == 0 && names == [0, 1, 2],
        format!("{waited:?}"),
    )?;
    same("in flight", waited.in_flight, 0)
}

fn no_min(_: Leg) -> Outcome {
    let busy = Busy::with(2)?;
    busy.queue
        .wait(10, 0, abi::DEADLINE_NONE)
        .nothing(libc::EAGAIN)?;
    flight::wait_for_ends(&busy.device, 2)?;
    same("completions", busy.queue.take().len(), 2)
}

fn deadline(_: Leg) -> Outcome {
    let busy = Busy::with(1)?;
    let soon = os::now() + 20 * MS;
    let waited = busy.queue.wait(4, 1, soon);
    same("in flight", waited.in_flight, 1)?;
    waited.nothing(libc::ETIMEDOUT)?;
    check(os::now() >= soon, "it was not waited for")?;
    busy.queue.wait(4, 1, 0).nothing(libc::ETIMEDOUT)?;
    busy.queue.reap(1).map(drop)
}

fn deadline_with_some(_: Leg) -> Outcome {
    let busy = Busy::with(3)?;
    flight::wait_for_ends(&busy.device, 1)?;
    let waited = busy.queue.wait(4, 3, os::now() + 10 * MS);
    check(
        waited.errno == 0 && waited.names() == [0],
        format!("{waited:?}"),
    )?;
    same("in flight", waited.in_flight, 2)
}

fn signal(leg: Leg) -> Outcome {
    // Also in the child: a signal may be there before it has done anything.
    signals::catch(libc::SIGUSR1)?;
    let child = flight::child(|| {
        let busy = Busy::with(30)?;
        let waited = busy.queue.wait(30, 30, abi::DEADLINE_NONE);
        let mut count = waited.completions.len();
        // On a slow machine all of them may end before a signal.
        let late = !leg.counts_time() && count == 30;
        let right = match waited.errno {
            0 => late || (1..30).contains(&count) && signals::caught() > 0,
            errno => errno == libc::EINTR && count == 0 && signals::caught() > 0,
        };
        check(right, format!("{waited:?}"))?;
        busy.queue.cancel_all().ok();
        while count < 30 {
            // There may be more signals.
            let more = busy.queue.wait(30, 1, abi::DEADLINE_NONE);
            check([0, libc::EINTR].contains(&more.errno), format!("{more:?}"))?;
            count += more.completions.len();
        }
        same("completions", count, 30)
    })?;
    // Until one arrives while it waits: before that it changes nothing.
    while !child.ended_within(Duration::from_millis(20))? {
        child.signal(Signal::USR1)?;
    }
    flight::finish(child)
}

fn restarted(leg: Leg) -> Outcome {
    // Also in the child, as above.
    signals::catch_and_restart(libc::SIGUSR1)?;
    let child = flight::child(|| {
        let device = Device::open()?;
        let queue = Queue::create(&device, 1)?;
        let memory = Mapping::anonymous(PAGE)?;
        let segs = [seg(&memory, 0, 16); 10];
        let request = entry_of(7, abi::TO_DEVICE, 0, &segs);
        queue.submit(&device, &[request]).all(1)?;
        let waited = queue.wait(1, 1, abi::DEADLINE_NONE);
        let right = waited.errno == 0 && waited.names() == [7];
        check(right, format!("{waited:?}"))?;
        // It is in flight for a second; on a slow machine it may end before a signal.
        check(
            !leg.counts_time() || signals::caught() > 0,
            "no signal came",
        )
    })?;
    while !child.ended_within(Duration::from_millis(50))? {
        child.signal(Signal::USR1)?;
    }
    flight::finish(child)
}

fn nonblocking(_: Leg) -> Outcome {
    let busy = Busy::with(2)?;
    busy.queue.set_nonblocking()?;
    busy.queue
        .wait(4, 2, abi::DEADLINE_NONE)
        .nothing(libc::EAGAIN)?;
    flight::wait_for_ends(&busy.device, 1)?;
    let waited = busy.queue.wait(4, 2, abi::DEADLINE_NONE);
    check(
        waited.errno == 0 && waited.names() == [0],
        format!("{waited:?}"),
    )
}

fn refuse(errno: i32, spoil: impl FnOnce(&mut pindma_queue_wait)) -> Outcome {
    let queue = Queue::create(&Device::open()?, 4)?;
    let room = Mapping::anonymous(PAGE)?;
    let mut request = wait_into(room.addr(0), 4, 1, 0);
    spoil(&mut request);
    let got = queue.command(abi::PINDMA_QUEUE_WAIT, &mut request);
    same("wait", errno_name(got), errno_name(errno))
}

fn wrong(_: Leg) -> Outcome {
    refuse(libc::EINVAL, |w| (w.max, w.min) = (0, 0))?;
    refuse(libc::EINVAL, |w| w.min = 5)?;
    refuse(libc::EINVAL, |w| w.deadline = -1)?;
    refuse(libc::EINVAL, |w| w.deadline = i64::MIN)
}

fn too_many(_: Leg) -> Outcome {
    let most = Device::open()?.info()?.out_max_batch;
    refuse(libc::EMSGSIZE, |w| w.max = most + 1)?;
    refuse(libc::EMSGSIZE, |w| w.max = u32::MAX)?;
    refuse(libc::EAGAIN, |w| w.max = most)
}

fn flags(_: Leg) -> Outcome {
    for bit in 0..32 {
        refuse(libc::EOPNOTSUPP, |w| w.flags = 1 << bit)?;
    }
    Ok(())
}

fn fault(_: Leg) -> Outcome {
    let busy = Busy::with(4)?;
    flight::wait_for_ends(&busy.device, 4)?;
    let room = Mapping::anonymous(2 * PAGE)?;
    room.protect(PAGE, PAGE, libc::PROT_NONE)?;
    let into = |at| {
        let mut request = wait_into(at, 4, 4, abi::DEADLINE_NONE);
        let errno = busy.queue.command(abi::PINDMA_QUEUE_WAIT, &mut request);
        (errno, request.out_reaped)
    };
    for at in [0, room.addr(PAGE), room.addr(PAGE) - 8, 1 << 63] {
        let got = into(at);
        check(got == (libc::EFAULT, 0), format!("{got:?} for {at:#x}"))?;
    }
    // Two of them fit.
    let got = into(room.addr(PAGE - 2 * RECORD));
    check(got == (0, 2), format!("{got:?} where two fit"))?;
    untold(&busy.queue)?;
    let names: Vec<_> = busy.queue.take().iter().map(|end| end.user_data).collect();
    check(names == [2, 3], format!("{names:?} are left"))
}

/// A wait whose struct cannot be written.
fn untold(queue: &Queue) -> Outcome {
    let (room, argument) = (Mapping::anonymous(PAGE)?, Mapping::anonymous(PAGE)?);
    argument.write(0, &sys::bytes_of(&wait_into(room.addr(0), 4, 1, 0)));
    argument.protect(0, PAGE, libc::PROT_READ)?;
    let called = sys::ioctl_at(queue.fd(), abi::PINDMA_QUEUE_WAIT, argument.addr(0));
    same(
        "the wait",
        errno_name(errno_of(called)),
        errno_name(libc::EFAULT),
    )
}

fn four_threads(_: Leg) -> Outcome {
    let busy = Busy::with(16)?;
    let threads: Outcome<Vec<_>> = (0..4)
        .map(|_| {
            let queue = busy.queue.duplicate()?;
            Ok(thread::spawn(move || {
                let mut names = Vec::new();
                loop {
                    let waited = queue.wait(3, 1, abi::DEADLINE_NONE);
                    if waited.errno != 0 {
                        return (names, waited.errno);
                    }
                    names.extend(waited.names());
                }
            }))
        })
        .collect();
    let mut all = Vec::new();
    for thread in threads? {
        let (names, errno) = thread.join().map_err(|_| Fail::new("a thread panicked"))?;
        same("its end", errno_name(errno), errno_name(libc::EAGAIN))?;
        check(names.is_sorted(), format!("{names:?}"))?;
        all.extend(names);
    }
    all.sort_unstable();
    check(all == (0..16).collect::<Vec<_>>(), format!("{all:?}"))
}

fn other_file(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let run = |fd, command| errno_of(sys::ioctl(fd, command, &mut [128, 0, 0, 0].repeat(32)));
    for command in [
        abi::PINDMA_INFO,
        abi::PINDMA_TRANSFER,
        abi::PINDMA_QUEUE_CREATE,
        abi::PINDMA_SUBMIT,
        0x5401,
    ] {
        let errno = run(queue.fd(), command);
        let what = format!("{command:#x} on a queue");
        same(&what, errno_name(errno), errno_name(libc::ENOTTY))?;
    }
    for command in [
        abi::PINDMA_QUEUE_WAIT,
        abi::PINDMA_QUEUE_CANCEL,
        abi::PINDMA_QUEUE_EVENTFD,
    ] {
        let errno = run(device.fd(), command);
        let what = format!("{command:#x} on the device");
        same(&what, errno_name(errno), errno_name(libc::ENOTTY))?;
    }
    Ok(())
}

fn sizes(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    for (fd, command, full) in [
        (device.fd(), abi::PINDMA_QUEUE_CREATE, 16),
        (device.fd(), abi::PINDMA_SUBMIT, 128),
        (queue.fd(), abi::PINDMA_QUEUE_WAIT, 40),
        (queue.fd(), abi::PINDMA_QUEUE_CANCEL, 24),
        (queue.fd(), abi::PINDMA_QUEUE_EVENTFD, 16),
    ] {
        let run = |size: usize, tail: u8| {
            let mut bytes = vec![0; size.max(8)];
            bytes[..4].copy_from_slice(&(size as u32).to_ne_bytes());
            if size > full {
                bytes[size - 1] = tail;
            }
            errno_of(sys::ioctl(fd, command, &mut bytes))
        };
        let what = format!("command {command:#x}");
        let expect = |got, want| same(&what, errno_name(got), errno_name(want));
        for size in [0, 4, full - 1] {
            expect(run(size, 0), libc::EINVAL)?;
        }
        expect(run(full + 8, 1), libc::E2BIG)?;
        expect(run(PAGE + 1, 0), libc::E2BIG)?;
        // All zero is wrong in some field, or names no file, but not too large.
        let fine = run(full + 8, 0);
        check(fine != libc::E2BIG, format!("{what}: E2BIG"))?;
    }
    Ok(())
}
