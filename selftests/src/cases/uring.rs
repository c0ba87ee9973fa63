// SPDX-License-Identifier: GPL-2.0

//! io_uring on the node: reads and writes, with memory by its address and with
//! registered buffers.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::{pause, with_parameters};
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::rw::{device_holds, fill_device, range};
use crate::sys::rw::Range;
use crate::sys::uring::{Request, Ring};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race("uring_read_and_write", "memory by its address", by_address),
    race(
        "uring_read_and_write_fixed",
        "at odd places of a registered buffer; nothing is pinned for it",
        fixed,
    ),
    race("uring_fixed_in_a_huge_page", "one large run of pages", huge),
    race(
        "uring_fixed_in_several_windows",
        "of two pages each",
        windows,
    ),
    race(
        "uring_fixed_outlives_munmap",
        "what is registered stays",
        unmapped,
    ),
    // Kills the mutant that gives back pages which it has not taken: each is used
    // once here, so that it is freed while it is mapped.
    race(
        "uring_many_at_once",
        "more requests than the channel takes",
        many,
    ),
    race(
        "uring_on_a_nonblocking_file",
        "EAGAIN only if the channel is busy",
        nonblocking,
    ),
    race(
        "uring_cancel_ends_a_read_early",
        "the bytes so far, or EINTR",
        canceled,
    ),
    race(
        "uring_exits_with_a_read_in_flight",
        "nothing is left",
        exits,
    ),
    race(
        "uring_fixed_pages_stay_if_the_device_does_not_stop",
        "also when the buffer is given back",
        no_stop,
    )
    .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error"),
    Case::new(
        "uring_errnos_are_those_of_read_and_write",
        "EFAULT, ENOSPC, EAGAIN, ENODEV, 0 at the end",
        errnos,
    ),
    Case::new(
        "enxio_for_uring_fixed_beyond_the_mask",
        "there is nothing to bounce with",
        out_of_reach,
    )
    .needs(Needs::Only(
        &[Leg::Reach],
        "all memory is within the device's reach",
    )),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

fn request(write: bool, memory: Range, at: usize) -> Request {
    Request {
        write,
        memory,
        at: at as u64,
        fixed: None,
        flags: 0,
        name: 7,
    }
}

fn fixed_request(write: bool, memory: Range, at: usize) -> Request {
    Request {
        fixed: Some(0),
        ..request(write, memory, at)
    }
}

/// Makes a request and waits for it: its result.
fn run(ring: &mut Ring, device: &Device, request: Request) -> Outcome<i32> {
    ring.submit(device.fd(), request)?;
    let (name, result) = ring.wait()?;
    same("name", name, request.name)?;
    Ok(result)
}

#[track_caller]
fn moved(ring: &mut Ring, device: &Device, request: Request, bytes: usize) -> Outcome {
    same("result", run(ring, device, request)?, bytes as i32)
}

#[track_caller]
fn failed(ring: &mut Ring, device: &Device, request: Request, errno: i32) -> Outcome {
    let result = run(ring, device, request)?;
    check(
        result == -errno,
        format!("result {result}, not {}", errno_name(errno)),
    )
}

/// Round trips at odd places of `memory`, of which the ring has a buffer if
/// `ask` asks for it.
fn round_trips(
    ring: &mut Ring,
    device: &Device,
    memory: &Mapping,
    ask: fn(bool, Range, usize) -> Request,
) -> Outcome {
    let half = memory.len() / 2;
    for (seed, (from, len, at)) in [
        (0, 4096, 0),
        (1, 4095, 1),
        (4095, 2, 9),
        (5000, 1, 4095),
        (4097, 3000, 77),
    ]
    .into_iter()
    .enumerate()
    {
        let seed = seed as u64 + 1;
        pattern::write(memory, from, len, seed);
        memory.fill(half, half, GUARD);
        moved(ring, device, ask(true, range(memory, from, len), at), len)?;
        let to = half + 4096 - from % 4096;
        moved(ring, device, ask(false, range(memory, to, len), at), len)?;
        pattern::verify(memory, to, len, seed)?;
        pattern::verify_guard(memory, half, to - half)?;
        pattern::verify_guard(memory, to + len, 2 * half - to - len)?;
    }
    Ok(())
}

fn by_address(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    let memory = Mapping::anonymous(8 * PAGE)?;
    round_trips(&mut ring, &device, &memory, request)?;
    check(device.stats()?.out_pages > 0, "nothing was pinned")
}

fn fixed(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    let memory = Mapping::anonymous(8 * PAGE)?;
    ring.register(&[range(&memory, 0, 8 * PAGE)])?;
    round_trips(&mut ring, &device, &memory, fixed_request)?;
    let stats = device.stats()?;
    same("pages pinned", stats.out_pages, 0)?;
    same("calls", stats.out_calls, 10)?;
    same("windows", stats.out_windows, 10)?;
    same("copied", stats.out_copied, 0)?;
    ring.unregister()?;
    // Each page must be as it was, or the kernel complains when it is freed.
    pattern::write(&memory, 0, 8 * PAGE, 1);
    pattern::verify(&memory, 0, 8 * PAGE, 1)
}

fn huge(_: Leg) -> Outcome {
    const HUGE: usize = 2 << 20;
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    let memory = Mapping::anonymous(2 * HUGE)?;
    // Aligned, and made of one huge page if the kernel can.
    let start = (HUGE - memory.addr(0) as usize % HUGE) % HUGE;
    memory.advise(0, 2 * HUGE, libc::MADV_HUGEPAGE)?;
    memory.fill(start, HUGE, GUARD);
    ring.register(&[range(&memory, start, HUGE)])?;
    for (seed, at) in [0, 5 * PAGE + 11, HUGE - WINDOW].into_iter().enumerate() {
        pattern::write(&memory, start + at, WINDOW, seed as u64);
        let part = range(&memory, start + at, WINDOW);
        moved(&mut ring, &device, fixed_request(true, part, 0), WINDOW)?;
        memory.fill(start + at, WINDOW, GUARD);
        moved(&mut ring, &device, fixed_request(false, part, 0), WINDOW)?;
        pattern::verify(&memory, start + at, WINDOW, seed as u64)?;
    }
    Ok(())
}

fn windows(leg: Leg) -> Outcome {
    with_parameters(leg, "window_kib=4", || {
        let (device, mut ring) = (Device::open()?, Ring::new()?);
        let memory = Mapping::anonymous(4 * PAGE)?;
        ring.register(&[range(&memory, 0, 4 * PAGE)])?;
        pattern::write(&memory, 100, WINDOW, 1);
        let from = fixed_request(true, range(&memory, 100, WINDOW), 0);
        moved(&mut ring, &device, from, WINDOW)?;
        device_holds(&device, &pattern::bytes(1, WINDOW))?;
        let to = fixed_request(false, range(&memory, 2 * PAGE - 5, WINDOW), 0);
        moved(&mut ring, &device, to, WINDOW)?;
        pattern::verify(&memory, 2 * PAGE - 5, WINDOW, 1)
    })
}

fn unmapped(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    let mut memory = Mapping::anonymous(3 * PAGE)?;
    pattern::write(&memory, PAGE, PAGE, 2);
    let buffer = range(&memory, PAGE, PAGE);
    ring.register(&[buffer])?;
    memory.punch(PAGE, PAGE)?;
    moved(&mut ring, &device, fixed_request(true, buffer, 0), WINDOW)?;
    device_holds(&device, &pattern::bytes(2, WINDOW))
}

fn many(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    fill_device(&device, 3)?;
    let memory = Mapping::anonymous(8 * PAGE)?;
    ring.register(&[range(&memory, 0, 8 * PAGE)])?;
    for number in 0..8 {
        let part = range(&memory, number * PAGE, 512);
        let ask = if number % 2 == 0 {
            request
        } else {
            fixed_request
        };
        let name = number as u64;
        let request = ask(false, part, number * 512);
        ring.submit(device.fd(), Request { name, ..request })?;
    }
    let mut names = Vec::new();
    for _ in 0..8 {
        let (name, result) = ring.wait()?;
        same("result", result, 512)?;
        names.push(name);
    }
    names.sort_unstable();
    check(names == (0..8).collect::<Vec<_>>(), format!("{names:?}"))?;
    // A page that was given back once too often is free from here on: this takes it.
    ring.unregister()?;
    let other = Mapping::anonymous(64 * PAGE)?;
    other.fill(0, other.len(), GUARD);
    let got: Vec<u8> = (0..8)
        .flat_map(|part| memory.read(part * PAGE, 512))
        .collect();
    pattern::expect(&got, &pattern::bytes(3, WINDOW))
}

fn nonblocking(leg: Leg) -> Outcome {
    let device = Device::open_with(libc::O_NONBLOCK)?;
    let mut ring = Ring::new()?;
    fill_device(&device, 4)?;
    let memory = Mapping::anonymous(PAGE)?;
    let all = request(false, range(&memory, 0, PAGE), 0);
    moved(&mut ring, &device, all, WINDOW)?;
    pattern::verify(&memory, 0, WINDOW, 4)?;
    let (hog, pair) = (Device::open()?, Pair::new(8 * PAGE, 5)?);
    let busy = pair.start(&hog)?;
    flight::wait_for_job(&hog)?;
    let result = run(&mut ring, &device, all)?;
    // On a slow machine it may be free for a moment, between two turns or after the last.
    let free = !leg.counts_time() && result == WINDOW as i32;
    check(free || result == -libc::EAGAIN, format!("result {result}"))?;
    busy.join()?.succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

/// A read that takes two jobs.
fn long_read(memory: &Mapping) -> Request {
    fixed_request(false, range(memory, 100, WINDOW), 0)
}

fn canceled(leg: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    fill_device(&device, 6)?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    memory.fill(0, 2 * PAGE, GUARD);
    // The channel is busy for longer than anybody waits here.
    let (hog, pair) = (Device::open()?, Pair::new(16 * PAGE, 7)?);
    let busy = pair.start(&hog)?;
    flight::wait_for_job(&hog)?;
    ring.register(&[range(&memory, 0, 2 * PAGE)])?;
    ring.submit(device.fd(), long_read(&memory))?;
    wait_for_requests(&ring, 2)?;
    ring.cancel(7, 8)?;
    let mut results = [ring.wait()?, ring.wait()?];
    results.sort_unstable();
    let [(read, result), (cancel, told)] = results;
    check((read, cancel) == (7, 8), "other requests than those")?;
    // It is told that the worker was, and how that ends it.
    let told_in_time = told == -libc::EALREADY || told == 0;
    let ended = result == -libc::EINTR || result == -libc::ECANCELED;
    // On a slow machine its turn came before the cancel: one job or both were done.
    let moved = !leg.counts_time() && [PAGE as i32 - 100, WINDOW as i32].contains(&result);
    let right = told_in_time && ended || moved;
    check(right, format!("cancel {told}, read {result}"))?;
    let end = 100 + result.max(0) as usize;
    pattern::verify_guard(&memory, 0, 100)?;
    pattern::verify_guard(&memory, end, 2 * PAGE - end)?;
    busy.join()?.succeeded(pair.len).map(drop)
}

/// Waits until so many requests are under way, or one of the ring has ended: on a slow
/// machine that may be before anybody looks.
fn wait_for_requests(ring: &Ring, count: u64) -> Outcome {
    for _ in 0..60_000 {
        if ring.has_ended() || counters::driver("requests")? >= count {
            return Ok(());
        }
        pause(1);
    }
    check(false, "the request was never made")
}

fn exits(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 8)?;
    flight::in_child(|| {
        let mut ring = Ring::new()?;
        let memory = Mapping::anonymous(2 * PAGE)?;
        ring.register(&[range(&memory, 0, 2 * PAGE)])?;
        ring.submit(device.fd(), long_read(&memory))?;
        ring.submit(device.fd(), request(false, range(&memory, 0, PAGE), 0))?;
        wait_for_requests(&ring, 2)?;
        // The end of the process is its end.
        std::mem::forget(ring);
        Ok(())
    })?;
    flight::wait_for_rest()?;
    device_holds(&device, &pattern::bytes(8, WINDOW))
}

fn errnos(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    let memory = Mapping::anonymous(PAGE)?;
    let some = range(&memory, 0, 100);
    ring.register(&[some])?;
    for ask in [request, fixed_request] {
        moved(&mut ring, &device, ask(false, some, WINDOW), 0)?;
        failed(&mut ring, &device, ask(true, some, WINDOW), libc::ENOSPC)?;
        let nowait = Request {
            flags: libc::RWF_NOWAIT,
            ..ask(false, some, 0)
        };
        failed(&mut ring, &device, nowait, libc::EAGAIN)?;
    }
    failed(&mut ring, &device, request(false, (8, 1), 0), libc::EFAULT)?;
    pci::unbind()?;
    let by_address = failed(&mut ring, &device, request(true, some, 0), libc::ENODEV);
    let fixed = failed(
        &mut ring,
        &device,
        fixed_request(false, some, 0),
        libc::ENODEV,
    );
    pci::bind()?;
    by_address.and(fixed)
}

/// The frame of the page at `addr`.
fn frame(addr: u64) -> Outcome<u64> {
    let mut entry = [0; 8];
    File::open("/proc/self/pagemap")?.read_exact_at(&mut entry, addr / PAGE as u64 * 8)?;
    Ok(u64::from_ne_bytes(entry) & ((1 << 55) - 1))
}

/// Whether a frame holds anonymous memory: it does until it is freed.
fn is_anonymous(frame: u64) -> Outcome<bool> {
    const ANONYMOUS: u64 = 1 << 12;
    // The kernel's lists of pages have references too, for a while.
    fs::write("/proc/sys/vm/drop_caches", "1")?;
    let mut flags = [0; 8];
    File::open("/proc/kpageflags")?.read_exact_at(&mut flags, frame * 8)?;
    Ok(u64::from_ne_bytes(flags) & ANONYMOUS != 0)
}

fn no_stop(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let device = Device::open()?;
        let mut frames = None;
        for _ in 0..10 {
            fill_device(&device, 9)?;
            frames = lose_pages(&device)?;
            if frames.is_some() {
                break;
            }
        }
        // On a slow machine jobs may always be over before anybody looks.
        let found = frames.is_some() || !leg.counts_time();
        check(found, "every job was over in time")?;
        let Some(frame) = frames else { return Ok(()) };
        // The ring, its buffers and the memory are gone; the device has the page.
        same("still there", is_anonymous(frame)?, true)?;
        pause(400);
        pci::unbind()?;
        same("still there", is_anonymous(frame)?, false)?;
        pci::bind()
    })
}

/// A fixed read that is cancelled in a job which does not stop; the frame that
/// it goes to, if that is how it ended.
fn lose_pages(device: &Device) -> Outcome<Option<u64>> {
    let mut ring = Ring::new()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, GUARD);
    let frame = frame(memory.addr(0))?;
    ring.register(&[range(&memory, 0, PAGE)])?;
    ring.submit(device.fd(), fixed_request(false, range(&memory, 0, 512), 0))?;
    flight::wait()?;
    pause(20);
    ring.cancel(7, 8)?;
    let mut results = [ring.wait()?, ring.wait()?];
    results.sort_unstable();
    ring.unregister()?;
    Ok((results[0].1 == -libc::ENOTRECOVERABLE).then_some(frame))
}

fn out_of_reach(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    // More than what the device reaches: some of it must lie beyond.
    let memory = Mapping::anonymous(300 << 20)?;
    memory.fill(0, memory.len(), 1);
    for offset in (0..memory.len()).step_by(1 << 20) {
        if frame(memory.addr(offset))? << 12 < 1 << 28 {
            continue;
        }
        let far = range(&memory, offset + 5, 100);
        ring.register(&[far])?;
        failed(&mut ring, &device, fixed_request(true, far, 0), libc::ENXIO)?;
        return failed(
            &mut ring,
            &device,
            fixed_request(false, far, 0),
            libc::ENXIO,
        );
    }
    check(false, "all memory is within reach")
}
