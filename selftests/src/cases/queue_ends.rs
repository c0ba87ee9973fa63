// SPDX-License-Identifier: GPL-2.0

//! The end of what a request needs while it is in flight: its file, its queue, its process, its
//! device.

use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::event::PollFlags;

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::{self, pause};
use crate::os;
use crate::pattern;
use crate::pci;
use crate::process::{self, Exit};
use crate::queue::{done, ended, entry, untouched, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant whose release cancels nothing.
    race(
        "ecanceled_when_the_device_file_is_closed",
        "all of it is there when close returns; then it is the end of the file",
        close_device,
    ),
    race(
        "requests_go_on_while_a_duplicate_is_open",
        "only the last close cancels them",
        close_duplicate,
    ),
    race(
        "queue_tells_a_reader_that_its_file_was_closed",
        "who waits in read or poll wakes up",
        wakes,
    ),
    // Kills the mutant that gives memory back in flight.
    race(
        "close_of_a_queue_waits_for_the_device",
        "then its memory is neither pinned nor written",
        close_queue,
    ),
    race(
        "exclusive_open_right_after_close_in_flight",
        "the file is gone when close returns",
        exclusive,
    ),
    race(
        "rmmod_right_after_close_in_flight",
        "no work is left behind",
        rmmod,
    ),
    race(
        "kill_9_with_requests_in_flight",
        "everything is given back",
        killed,
    ),
    race("exit_with_requests_in_flight", "the same", exit),
    race(
        "exec_with_requests_in_flight",
        "the same, and the new program runs",
        exec,
    ),
    race(
        "child_reaps_what_its_parent_submitted",
        "and submits memory of its own, on its own account",
        fork,
    ),
    race(
        "enodev_for_requests_in_flight_at_unbind",
        "each once; then every call says so",
        unbind,
    ),
    race(
        "unbind_wakes_who_waits_for_a_queue",
        "in read, poll and wait",
        unbind_wakes,
    ),
    race(
        "completions_outlive_their_device",
        "those that were not reaped at unbind",
        unbind_reap,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// A queue with requests 0, 1, 2 and so on in flight, each of a page of its own from the device.
struct Flight {
    device: Device,
    queue: Queue,
    memory: Mapping,
    count: usize,
}

impl Flight {
    fn of(count: usize) -> Outcome<Flight> {
        let device = Device::open()?;
        let queue = Queue::create(&device, 64)?;
        let memory = Mapping::anonymous(count * PAGE)?;
        memory.fill(0, count * PAGE, pattern::GUARD);
        let of = |page: usize| {
            let seg = seg(&memory, page * PAGE, PAGE);
            entry(page as u64, abi::FROM_DEVICE, 0, seg)
        };
        let entries: Vec<_> = (0..count).map(of).collect();
        queue.submit(&device, &entries).all(count)?;
        flight::wait_for_job(&device)?;
        Ok(Flight {
            device,
            queue,
            memory,
            count,
        })
    }

    /// The device does not write any more; `done` pages were written.
    fn is_over(&self, done: usize) -> Outcome {
        let rest = (self.count - done) * PAGE;
        pattern::verify_guard(&self.memory, done * PAGE, rest)
    }
}

/// The first so many are done, the others ended with this errno, or could not be stopped any more.
#[track_caller]
pub(super) fn split(ends: &[abi::pindma_completion], errno: i32) -> Outcome<usize> {
    let whole = ends.iter().filter(|end| end.status == 0).count();
    let mut names = Vec::new();
    for end in ends {
        match end.status {
            0 => done(end, end.user_data, PAGE)?,
            _ => ended(end, end.user_data, errno)?,
        }
        names.push(end.user_data);
    }
    names.sort_unstable();
    let all = (0..ends.len() as u64).collect::<Vec<_>>();
    check(names == all, format!("{names:?}"))?;
    Ok(whole)
}

fn close_device(leg: Leg) -> Outcome {
    let flight = Flight::of(6)?;
    let Flight { device, queue, .. } = flight;
    drop(device);
    // Nothing is waited for from here on.
    let ends = queue.take();
    same("completions", ends.len(), 6)?;
    // Only the one at work could not be stopped; on a slow machine more were over.
    let few = split(&ends, libc::ECANCELED)? <= 2;
    check(few || !leg.counts_time(), "most were done")?;
    for end in ends.iter().filter(|end| end.status != 0) {
        untouched(end, end.user_data, libc::ECANCELED)?;
    }
    queue.wait(1, 1, abi::DEADLINE_NONE).nothing(libc::EAGAIN)?;
    same("end of the file", queue.read(PAGE)?.len(), 0)?;
    let polled = os::poll(queue.fd(), Duration::ZERO)?;
    same("polled", polled.bits(), PollFlags::HUP.bits())?;
    check(queue.cancel_all() == Err(libc::ENOENT), "cancel")?;
    let other = Device::open()?;
    let entry = entry(0, abi::TO_DEVICE, 0, seg(&flight.memory, 0, 64));
    queue.submit(&other, &[entry]).only(0, libc::EBADF)?;
    counters::comes_to("files", 1)
}

fn close_duplicate(_: Leg) -> Outcome {
    let flight = Flight::of(3)?;
    drop(flight.device.duplicate()?);
    for (end, name) in flight.queue.reap(3)?.iter().zip(0..) {
        done(end, name, PAGE)?;
    }
    Ok(())
}

fn wakes(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let (reader, poller) = (queue.duplicate()?, queue.duplicate()?);
    let read = thread::spawn(move || reader.read(PAGE));
    let polled = thread::spawn(move || os::poll(poller.fd(), Duration::from_secs(100)));
    pause(50);
    drop(device);
    let panicked = || Fail::new("a thread panicked");
    same("read", read.join().map_err(|_| panicked())??.len(), 0)?;
    let polled = polled.join().map_err(|_| panicked())??;
    same("polled", polled.bits(), PollFlags::HUP.bits())
}

fn close_queue(leg: Leg) -> Outcome {
    let pins = counters::pins_outstanding()?;
    let flight = Flight::of(6)?;
    let done = flight.device.stats()?.out_jobs as usize;
    drop(flight.queue.duplicate()?);
    // On a slow machine all of it may be over.
    let in_flight = !leg.counts_time() || counters::pins_outstanding()? > pins;
    check(in_flight, "nothing was in flight")?;
    let Flight {
        device,
        queue,
        memory,
        ..
    } = flight;
    drop(queue);
    same("pins", counters::pins_outstanding()?, pins)?;
    same("requests", counters::driver("requests")?, 0)?;
    let stats = device.stats()?;
    same("ended", stats.out_ended, stats.out_submitted)?;
    let late = stats.out_jobs as usize;
    let few = !leg.counts_time() || late <= done + 1;
    check(few, format!("{late} jobs, {done} before"))?;
    memory.fill(0, 6 * PAGE, pattern::GUARD);
    pause(300);
    pattern::verify_guard(&memory, 0, 6 * PAGE)
}

fn exclusive(_: Leg) -> Outcome {
    for _ in 0..3 {
        let Flight { device, queue, .. } = Flight::of(3)?;
        drop(device);
        Device::open_with(libc::O_EXCL)?;
        drop(queue);
    }
    Ok(())
}

fn rmmod(leg: Leg) -> Outcome {
    let Flight { device, queue, .. } = Flight::of(3)?;
    drop(queue);
    drop(device);
    module::reload(leg, "")
}

fn killed(_: Leg) -> Outcome {
    let child = flight::child(|| {
        let flight = Flight::of(16)?;
        process::kill_self()?;
        flight.queue.reap(1).map(drop)
    })?;
    same("child", child.wait()?, Exit::KILLED)?;
    // Close has waited; it runs on the way out of the process.
    for name in ["requests", "pinned_pages", "charged_pages"] {
        same(name, counters::driver(name)?, 0)?;
    }
    Ok(())
}

fn exit(_: Leg) -> Outcome {
    let child = flight::child(|| {
        std::mem::forget(Flight::of(16)?);
        Ok(())
    })?;
    flight::finish(child)?;
    same("requests", counters::driver("requests")?, 0)
}

fn exec(_: Leg) -> Outcome {
    flight::in_child(|| {
        let flight = Flight::of(16)?;
        os::keep_across_exec(flight.device.fd())?;
        let error = Command::new("/bin/busybox").arg("true").exec();
        Err(Fail::new(error))
    })?;
    same("requests", counters::driver("requests")?, 0)
}

fn fork(leg: Leg) -> Outcome {
    let flight = Flight::of(3)?;
    let child = flight::child(|| {
        user::become_ordinary(1 << 20)?;
        for (end, name) in flight.queue.reap(3)?.iter().zip(0..) {
            done(end, name, PAGE)?;
        }
        let memory = Mapping::anonymous(PAGE)?;
        let own = entry(77, abi::FROM_DEVICE, 0, seg(&memory, 0, PAGE));
        flight.queue.submit(&flight.device, &[own]).all(1)?;
        let pinned = counters::pinned_kib("self")?;
        // On a slow machine it may be over.
        let over = !leg.counts_time() && pinned == 0;
        check(over || pinned == 4, format!("VmPin of the child: {pinned}"))?;
        done(&flight.queue.reap_one()?, 77, PAGE)?;
        same("VmPin of the child", counters::pinned_kib("self")?, 0)
    })?;
    flight::finish(child)?;
    same("VmPin", counters::pinned_kib("self")?, 0)?;
    same("completions", flight.queue.take().len(), 0)?;
    // A child's memory that is in flight when it ends.
    let child = flight::child(|| {
        let memory = Mapping::anonymous(PAGE)?;
        let own = entry(78, abi::FROM_DEVICE, 0, seg(&memory, 0, PAGE));
        flight.queue.submit(&flight.device, &[own, own]).all(2)?;
        std::mem::forget(memory);
        Ok(())
    })?;
    flight::finish(child)?;
    for end in flight.queue.reap(2)? {
        done(&end, 78, PAGE)?;
    }
    Ok(())
}

/// Every call on a queue whose device is gone.
fn gone(flight: &Flight) -> Outcome {
    let Flight { device, queue, .. } = flight;
    queue.wait(1, 1, abi::DEADLINE_NONE).nothing(libc::ENODEV)?;
    queue.wait(1, 0, 0).nothing(libc::ENODEV)?;
    let read = errno_name(errno_of(queue.read(PAGE)));
    same("read", read, errno_name(libc::ENODEV))?;
    let polled = os::poll(queue.fd(), Duration::ZERO)?;
    same("polled", polled.bits(), PollFlags::HUP.bits())?;
    check(queue.cancel_all() == Err(libc::ENODEV), "cancel")?;
    check(queue.set_eventfd(-1) == libc::ENODEV, "eventfd")?;
    let entry = entry(0, abi::TO_DEVICE, 0, seg(&flight.memory, 0, 64));
    queue.submit(device, &[entry]).only(0, libc::ENODEV)?;
    let mut request = crate::queue::ask(4);
    let errno = device.command(abi::PINDMA_QUEUE_CREATE, &mut request);
    same("create", errno_name(errno), errno_name(libc::ENODEV))
}

fn unbind(leg: Leg) -> Outcome {
    let flight = Flight::of(8)?;
    let eventfd = os::eventfd()?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&eventfd);
    same("eventfd", flight.queue.set_eventfd(number), 0)?;
    pci::unbind()?;
    let ends = flight.queue.reap(8);
    let count = os::count_of(eventfd.as_fd());
    let gone = gone(&flight);
    pci::bind()?;
    module::wait_for_node(true)?;
    let done = split(&ends?, libc::ENODEV)?;
    check(done < 8 || !leg.counts_time(), "all were done")?;
    check(count? <= 8, "eventfd")?;
    gone?;
    flight.is_over((done + 1).min(8))?;
    // The file is good for nothing, also now.
    let polled = os::poll(flight.queue.fd(), Duration::ZERO)?;
    same("polled", polled.bits(), PollFlags::HUP.bits())
}

fn unbind_wakes(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let (reader, poller) = (queue.duplicate()?, queue.duplicate()?);
    let read = thread::spawn(move || errno_of(reader.read(PAGE)));
    let hung_up = move || os::hung_up_within(poller.fd(), Duration::from_secs(100));
    let told = thread::spawn(hung_up);
    pause(50);
    pci::unbind()?;
    let (read, told) = (read.join(), told.join());
    let polled = os::poll(queue.fd(), Duration::ZERO);
    pci::bind()?;
    module::wait_for_node(true)?;
    let panicked = || Fail::new("a thread panicked");
    let read = errno_name(read.map_err(|_| panicked())?);
    same("read", read, errno_name(libc::ENODEV))?;
    let told = told.map_err(|_| panicked())??;
    check(told, "nobody told the poller")?;
    same("polled", polled?.bits(), PollFlags::HUP.bits())
}

fn unbind_reap(_: Leg) -> Outcome {
    let flight = Flight::of(2)?;
    flight::wait_for_ends(&flight.device, 2)?;
    pci::unbind()?;
    let polled = os::poll(flight.queue.fd(), Duration::ZERO);
    let first = flight.queue.read(crate::queue::RECORD);
    let second = flight.queue.wait(4, 4, abi::DEADLINE_NONE);
    pci::bind()?;
    module::wait_for_node(true)?;
    let wanted = PollFlags::IN | PollFlags::HUP;
    same("polled", polled?.bits(), wanted.bits())?;
    done(&first?[0], 0, PAGE)?;
    check(second.names() == [1], format!("{second:?}"))
}
