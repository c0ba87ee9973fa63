// SPDX-License-Identifier: GPL-2.0

//! io_uring on the node: reads and writes, with memory by its address and with
//! registered buffers.

use crate::check::{check, same, Outcome};
use crate::device::{Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::rw::{device_holds, fill_device, range};
use crate::sys::rw::Range;
use crate::sys::uring::{Request, Ring};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::uring::{failed, fixed_request, moved, request, run};

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
    Case::new(
        "uring_errnos_are_those_of_read_and_write",
        "EFAULT, ENOSPC, EAGAIN, ENODEV, 0 at the end",
        errnos,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
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
