// SPDX-License-Identifier: GPL-2.0

//! read(2), poll(2), select(2), epoll(7) and eventfds of a queue.

use std::os::fd::{AsFd, AsRawFd};
use std::thread;
use std::time::Duration;

use rustix::event::epoll::EventFlags;
use rustix::event::PollFlags;
use rustix::process::Signal;

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{errno_of, seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::pause;
use crate::os::{self, Epoll};
use crate::queue::{done, entry, Queue, RECORD};
use crate::sys::{self, signals, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "read_gives_whole_completions",
        "as many as fit, in order",
        whole,
    ),
    Case::new(
        "einval_for_read_of_less_than_a_completion",
        "0, 1 and 63 bytes",
        short,
    ),
    case(
        "read_into_a_vector_is_one_read",
        "a completion may lie in two buffers",
        vector,
    ),
    case(
        "efault_of_a_read_loses_nothing",
        "no memory, half of a completion's",
        fault,
    ),
    Case::new(
        "eagain_for_read_of_a_nonblocking_queue",
        "and what there is",
        nonblocking,
    )
    .slow()
    .needs(Needs::Memory),
    race(
        "read_waits_for_a_completion",
        "also for one that is submitted later",
        waits,
    ),
    race(
        "eintr_when_a_signal_ends_a_read",
        "nothing was in flight",
        signal,
    ),
    Case::new(
        "queue_cannot_be_written_or_sought",
        "EINVAL, ESPIPE",
        other_calls,
    ),
    case(
        "poll_tells_of_completions",
        "readable while there are some, never writable",
        poll,
    )
    .slow(),
    race("poll_wakes_when_a_request_ends", "in another thread", wakes),
    case("select_tells_of_completions", "as poll does", select),
    case(
        "epoll_tells_of_completions",
        "level and edge: each completion is an edge",
        epoll,
    ),
    case(
        "queue_may_be_closed_while_epoll_watches_it",
        "with requests in flight",
        epoll_close,
    ),
    // Kills the mutant that signals once for many.
    case(
        "eventfd_counts_completions",
        "one for each, however they end",
        eventfd,
    ),
    case(
        "eventfd_can_be_replaced_and_taken_away",
        "the old one hears nothing any more",
        eventfd_changes,
    ),
    Case::new(
        "ebadf_for_what_is_no_eventfd",
        "no file, another file; flags and reserved too",
        no_eventfd,
    ),
    // Kills the mutant that keeps its reference.
    Case::new(
        "eventfd_is_let_go",
        "when it is replaced, taken away, and with the queue",
        let_go,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const NOW: Duration = Duration::ZERO;
/// Long enough for whatever is to come.
const LONG: Duration = Duration::from_secs(100);

/// A device, a queue and memory for requests of 64 bytes.
struct Setup {
    device: Device,
    queue: Queue,
    memory: Mapping,
}

impl Setup {
    fn new() -> Outcome<Setup> {
        let device = Device::open()?;
        Ok(Setup {
            queue: Queue::create(&device, 16)?,
            device,
            memory: Mapping::anonymous(PAGE)?,
        })
    }

    fn submit(&self, count: u64) -> Outcome {
        let of = |name| entry(name, abi::TO_DEVICE, 0, seg(&self.memory, 0, 64));
        let entries: Vec<_> = (0..count).map(of).collect();
        let submitted = self.queue.submit(&self.device, &entries);
        submitted.all(count as usize).map(drop)
    }

    /// So many requests, all of which have ended.
    fn ended(count: u64) -> Outcome<Setup> {
        let setup = Setup::new()?;
        setup.submit(count)?;
        flight::wait_for_ends(&setup.device, count)?;
        Ok(setup)
    }
}

fn whole(_: Leg) -> Outcome {
    let setup = Setup::ended(5)?;
    let mut names = Vec::new();
    for (len, count) in [(RECORD, 1), (2 * RECORD + 63, 2), (1000, 2)] {
        let read = setup.queue.read(len)?;
        same("completions", read.len(), count)?;
        for end in read {
            done(&end, end.user_data, 64)?;
            names.push(end.user_data);
        }
    }
    check(names == [0, 1, 2, 3, 4], format!("{names:?}"))
}

fn short(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 1)?;
    for len in [0, 1, 63] {
        let errno = errno_of(queue.read(len));
        let what = format!("read of {len} bytes");
        same(&what, errno_name(errno), errno_name(libc::EINVAL))?;
    }
    Ok(())
}

fn vector(_: Leg) -> Outcome {
    let setup = Setup::ended(3)?;
    let (mut one, mut two) = ([0; 100], [0; 50]);
    let read = os::read_two(setup.queue.fd(), &mut one, &mut two)?;
    same("bytes", read, 2 * RECORD)?;
    let bytes = [one.as_slice(), two.as_slice()].concat();
    done(&sys::from_bytes(&bytes[RECORD..]), 1, 64)?;
    done(&setup.queue.reap_one()?, 2, 64)
}

fn fault(_: Leg) -> Outcome {
    let setup = Setup::ended(3)?;
    let room = Mapping::anonymous(2 * PAGE)?;
    room.protect(PAGE, PAGE, libc::PROT_NONE)?;
    let read = |at, len: usize| sys::rw::plain(setup.queue.fd(), false, (at, len as u64));
    for at in [0, room.addr(PAGE), room.addr(PAGE) - 8] {
        let errno = errno_name(errno_of(read(at, 3 * RECORD)));
        same("read", errno, errno_name(libc::EFAULT))?;
    }
    let got = read(room.addr(PAGE - RECORD - 8), 3 * RECORD)?;
    same("bytes where one fits", got, RECORD)?;
    let names: Vec<_> = setup.queue.take().iter().map(|end| end.user_data).collect();
    check(names == [1, 2], format!("{names:?} are left"))
}

fn nonblocking(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    setup.queue.set_nonblocking()?;
    let errno = errno_of(setup.queue.read(RECORD));
    same("none", errno_name(errno), errno_name(libc::EAGAIN))?;
    setup.submit(2)?;
    let errno = errno_of(setup.queue.read(RECORD));
    same("in flight", errno_name(errno), errno_name(libc::EAGAIN))?;
    flight::wait_for_ends(&setup.device, 2)?;
    same("read", setup.queue.read(PAGE)?.len(), 2)
}

fn waits(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let queue = setup.queue.duplicate()?;
    let reader = thread::spawn(move || queue.read(PAGE));
    pause(50);
    check(!reader.is_finished(), "it did not wait")?;
    setup.submit(1)?;
    let read = reader
        .join()
        .map_err(|_| Fail::new("the thread panicked"))??;
    same("completions", read.len(), 1)?;
    done(&read[0], 0, 64)
}

fn signal(_: Leg) -> Outcome {
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        let setup = Setup::new()?;
        // Says that it is about to read.
        setup.submit(1)?;
        flight::wait_for_ends(&setup.device, 1)?;
        same("completions", setup.queue.take().len(), 1)?;
        let errno = errno_of(setup.queue.read(RECORD));
        same("read", errno_name(errno), errno_name(libc::EINTR))
    })?;
    flight::wait()?;
    // Until one arrives while it waits: before that it changes nothing.
    for _ in 0..500 {
        child.signal(Signal::USR1)?;
        if child.ended_within(Duration::from_millis(20))? {
            break;
        }
    }
    flight::finish(child)
}

fn other_calls(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 1)?;
    let errno = errno_name(errno_of(os::write(queue.fd(), &[0; RECORD])));
    same("write", errno, errno_name(libc::EINVAL))?;
    let errno = errno_name(errno_of(os::seek(queue.fd())));
    same("lseek", errno, errno_name(libc::ESPIPE))
}

fn poll(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let polled = || os::poll(setup.queue.fd(), NOW);
    same("empty", polled()?.bits(), 0)?;
    setup.submit(2)?;
    same("in flight", polled()?.bits(), 0)?;
    let ended = os::poll(setup.queue.fd(), LONG)?;
    same("ended", ended.bits(), PollFlags::IN.bits())?;
    setup.queue.reap_one()?;
    setup.queue.reap_one()?;
    same("reaped", polled()?.bits(), 0)
}

fn wakes(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let queue = setup.queue.duplicate()?;
    let poller = thread::spawn(move || os::poll(queue.fd(), LONG));
    pause(20);
    setup.submit(1)?;
    let polled = poller
        .join()
        .map_err(|_| Fail::new("the thread panicked"))??;
    same("polled", polled.bits(), PollFlags::IN.bits())
}

fn select(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let selected = |time| sys::select_readable(setup.queue.fd(), time);
    check(!selected(NOW)?, "readable while empty")?;
    setup.submit(1)?;
    check(selected(LONG)?, "not readable")?;
    setup.queue.reap_one()?;
    check(!selected(NOW)?, "readable after all")
}

fn epoll(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let level = Epoll::of(setup.queue.fd(), false)?;
    let edge = Epoll::of(setup.queue.fd(), true)?;
    for _ in 0..3 {
        same("level before", level.wait(NOW)?.bits(), 0)?;
        setup.submit(1)?;
        same("edge", edge.wait(LONG)?.bits(), EventFlags::IN.bits())?;
        same("no edge", edge.wait(NOW)?.bits(), 0)?;
        same("level", level.wait(NOW)?.bits(), EventFlags::IN.bits())?;
        same("still", level.wait(NOW)?.bits(), EventFlags::IN.bits())?;
        // One more that is not reaped is an edge too.
        setup.submit(1)?;
        same("edge", edge.wait(LONG)?.bits(), EventFlags::IN.bits())?;
        setup.queue.reap(2)?;
    }
    Ok(())
}

fn epoll_close(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let epoll = Epoll::of(setup.queue.fd(), false)?;
    setup.submit(3)?;
    drop(setup.queue);
    same("events", epoll.wait(Duration::from_millis(10))?.bits(), 0)
}

fn eventfd(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let eventfd = os::eventfd()?;
    same("errno", setup.queue.set_eventfd(eventfd.as_raw_fd()), 0)?;
    setup.submit(5)?;
    setup.queue.cancel(4).ok();
    setup.queue.reap(5)?;
    same("count", os::count_of(eventfd.as_fd())?, 5)?;
    // It outlives the descriptor.
    setup.submit(1)?;
    drop(eventfd);
    setup.queue.reap(1).map(drop)
}

fn eventfd_changes(_: Leg) -> Outcome {
    let setup = Setup::new()?;
    let (old, new) = (os::eventfd()?, os::eventfd()?);
    let mut want = [0, 0];
    for (fd, counts) in [
        (old.as_raw_fd(), [1, 0]),
        (new.as_raw_fd(), [0, 1]),
        (-1, [0, 0]),
        (-1, [0, 0]),
        (old.as_raw_fd(), [1, 0]),
    ] {
        same("errno", setup.queue.set_eventfd(fd), 0)?;
        setup.submit(1)?;
        setup.queue.reap_one()?;
        want = [want[0] + counts[0], want[1] + counts[1]];
    }
    let got = [os::count_of(old.as_fd())?, os::count_of(new.as_fd())?];
    check(got == want, format!("{got:?}, not {want:?}"))
}

fn no_eventfd(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    for fd in [
        -2,
        i32::MAX,
        device.fd().as_raw_fd(),
        queue.fd().as_raw_fd(),
    ] {
        let errno = queue.set_eventfd(fd);
        same("errno", errno_name(errno), errno_name(libc::EBADF))?;
    }
    for (flags, reserved, want) in [(1, 0, libc::EOPNOTSUPP), (0, 1, libc::EINVAL)] {
        let mut request = abi::pindma_queue_eventfd {
            size: size_of::<abi::pindma_queue_eventfd>() as u32,
            flags,
            fd: -1,
            reserved,
        };
        let errno = queue.command(abi::PINDMA_QUEUE_EVENTFD, &mut request);
        same("errno", errno_name(errno), errno_name(want))?;
    }
    Ok(())
}

/// The number that the kernel gives the next eventfd: the lowest that is free.
fn next_number() -> Outcome<i64> {
    let eventfd = os::eventfd()?;
    let path = format!("/proc/self/fdinfo/{}", eventfd.as_raw_fd());
    crate::counters::after(&std::fs::read_to_string(path)?, "eventfd-id:")
}

fn let_go(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let free = next_number()?;
    for _ in 0..3 {
        let eventfd = os::eventfd()?;
        same("errno", queue.set_eventfd(eventfd.as_raw_fd()), 0)?;
    }
    check(next_number()? != free, "the queue has none")?;
    same("errno", queue.set_eventfd(-1), 0)?;
    same("after it was taken away", next_number()?, free)?;
    same("errno", queue.set_eventfd(os::eventfd()?.as_raw_fd()), 0)?;
    drop(queue);
    same("after the queue was closed", next_number()?, free)
}
