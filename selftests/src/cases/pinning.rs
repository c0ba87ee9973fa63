// SPDX-License-Identifier: GPL-2.0

//! Where pinning needs more than a call of the kernel: a stack that is to grow, a page with very many
//! pins, a page that has to be moved first.

use std::fs;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::process::Signal;

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{seg, seg_at, Device, PAGE, WINDOW};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::os;
use crate::pattern;
use crate::queue::{entry, Queue};
use crate::region::{register, BOTH};
use crate::rw::{device_holds, fill_device, pread};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::tracing::Probes;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that has no stack grow.
    case(
        "stack_grows_for_whatever_pins_it",
        "an array that was never touched; one that must grow itself too",
        stack,
    ),
    case(
        "efault_for_stack_beyond_its_limit",
        "and the kernel writes nothing",
        beyond,
    ),
    // Kills the mutant that pins a page however often.
    Case::new(
        "enospc_for_page_with_too_many_references",
        "a region's of a shared file; transfers of it go on",
        crowd,
    )
    .needs(Needs::Only(
        &[Leg::Direct],
        "there is no room to map so much here, or the code is the same",
    )),
    // Kills the mutant that does not wait.
    movable(
        "registration_waits_for_pages_in_flight",
        "of a transfer in a movable zone, and then moves them",
        in_flight,
    ),
    movable(
        "request_without_deadline_waits_for_those_with_one",
        "which have the page pinned for short",
        behind,
    ),
    movable(
        "ebusy_for_page_that_cannot_be_moved",
        "a pipe has it; with its address, and not for ever",
        held,
    ),
    // Kills the mutant that says EINTR of a registration.
    movable(
        "eintr_never_by_a_stop_while_a_page_is_waited_for",
        "a registration and a request are made again",
        stopped,
    ),
    // Kills the mutant that asks for the right first.
    case(
        "no_right_is_asked_for_within_the_limit",
        "of memory that is locked; and no audit beyond it",
        unasked,
    )
    .not_on_debug("it has no probes"),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const fn movable(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(
        &[Leg::Lazy],
        "this machine has no movable zone",
    ))
}

/// Where the stack begins that grows by itself.
fn start_of_stack() -> Outcome<u64> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let line = maps.lines().find(|line| line.ends_with("[stack]"));
    let start = line.and_then(|line| line.split('-').next());
    let start = start.ok_or_else(|| Fail::new("no stack in the maps"))?;
    u64::from_str_radix(start, 16).map_err(|_| Fail::new(format!("{start} is no address")))
}

/// Some bytes on the stack, further down than it has ever been.
fn untouched() -> Outcome<u64> {
    Ok(start_of_stack()? - 2 * PAGE as u64)
}

fn stack(_: Leg) -> Outcome {
    const LEN: usize = 64;
    let device = Device::open()?;
    fill_device(&device, 1)?;
    let array = untouched()?;
    let bytes = [seg_at(array, LEN as u64)];
    device.from_device(0, &bytes).succeeded(LEN)?;
    fill_device(&device, 2)?;
    device.to_device(100, &bytes).succeeded(LEN)?;
    let mut want = pattern::bytes(2, WINDOW);
    want[100..][..LEN].copy_from_slice(&pattern::bytes(1, LEN));
    device_holds(&device, &want)?;
    device
        .to_device(0, &[seg_at(untouched()?, 8)])
        .succeeded(8)?;
    pread(&device, (untouched()?, 8), 0).moved(8)?;
    let region = device.register(&[seg_at(untouched()?, 5 * PAGE as u64)])?;
    same("unregister", device.unregister(region), 0)?;
    let queue = Queue::create(&device, 1)?;
    let request = entry(7, abi::FROM_DEVICE, 0, seg_at(untouched()?, 8));
    queue.submit(&device, &[request]).all(1)?;
    queue.reap_one()?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN;
    let grows = Mapping::new(PAGE, libc::PROT_READ | libc::PROT_WRITE, flags, None)?;
    let across = [seg_at(grows.addr(0) - 100, 200)];
    device.from_device(0, &across).succeeded(200).map(drop)
}

fn beyond(_: Leg) -> Outcome {
    let device = Device::open()?;
    // What is needed from here on is there already.
    device
        .to_device(0, &[seg_at(start_of_stack()? - 32 * PAGE as u64, 8)])
        .succeeded(8)?;
    flight::in_child(|| {
        os::limit_stack(PAGE as u64)?;
        let array = untouched()?;
        let out = device
            .from_device(0, &[seg_at(array, 8)])
            .refused(libc::EFAULT)?;
        same("address", out.fault_addr, array)
    })
}

/// Pins that a region may add to a page, and a few less: others have it too.
const MOST: usize = (1 << 18) / MANY - 1;
/// Segments of a vector.
const MANY: usize = 1024;

fn crowd(leg: Leg) -> Outcome {
    let room = "max_pinned_pages=300000 max_file_pages=300000";
    with_parameters(leg, room, || {
        let file = os::memfd(PAGE, MemfdFlags::empty())?;
        let read_write = libc::PROT_READ | libc::PROT_WRITE;
        let map = |protection| Mapping::new(PAGE, protection, libc::MAP_SHARED, Some(file.as_fd()));
        let others = map(read_write)?;
        pattern::write(&others, 0, PAGE, 3);
        let page = map(libc::PROT_READ)?;
        let device = Device::open()?;
        let segs = vec![seg(&page, 0, PAGE); MANY];
        let request = || register(abi::DEV_READ, &segs);
        let regions = (0..MOST).map(|_| device.register_with(request()).succeeded());
        let regions: Vec<u32> = regions.collect::<Outcome<_>>()?;
        let out = device.register_with(request()).refused(libc::ENOSPC)?;
        check(out.flags & abi::OUT_FAULT != 0, "no page is told")?;
        same("address", out.fault_addr, page.addr(0))?;
        // Whoever has it for a moment only can have it still.
        flight::in_child(|| {
            let device = Device::open()?;
            device
                .to_device(0, &[seg(&others, 0, PAGE)])
                .succeeded(PAGE)?;
            device_holds(&device, &pattern::bytes(3, PAGE))
        })?;
        same("unregister", device.unregister(regions[0]), 0)?;
        device.register_with(request()).succeeded().map(drop)
    })
}

/// Memory that is there, in a zone for what can be moved.
fn pages(count: usize) -> Outcome<Mapping> {
    let memory = Mapping::anonymous(count * PAGE)?;
    pattern::write(&memory, 0, count * PAGE, 4);
    Ok(memory)
}

fn in_flight(_: Leg) -> Outcome {
    const JOBS: usize = 4;
    let device = Device::open()?;
    let memory = pages(16)?;
    let segs: Vec<_> = (0..JOBS)
        .map(|job| seg(&memory, 2 * job * PAGE, 64))
        .collect();
    let file = device.duplicate()?;
    let call = Background::start(move || file.to_device(0, &segs));
    flight::wait_for_job(&device)?;
    let region = device.register_for(BOTH, &[seg(&memory, 0, 16 * PAGE)])?;
    same("jobs before it", device.stats()?.out_jobs, JOBS as u64)?;
    call.join()?.succeeded(JOBS * 64)?;
    pattern::verify(&memory, 0, 16 * PAGE, 4)?;
    same("unregister", device.unregister(region), 0)
}

fn behind(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = pages(1)?;
    let queue = Queue::create(&device, 8)?;
    let request = |number| entry(number, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    let near = |number| abi::pindma_entry {
        deadline: os::now() + 900_000_000,
        ..request(number)
    };
    queue.submit(&device, &[near(0), near(1)]).all(2)?;
    queue.submit(&device, &[request(2), request(3)]).all(2)?;
    same("ended before", device.stats()?.out_ended, 2)?;
    for (number, ended) in queue.reap(4)?.iter().enumerate() {
        crate::queue::done(ended, number as u64, 64)?;
    }
    Ok(())
}

fn held(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = pages(2)?;
    let (outlet, inlet) = rustix::pipe::pipe()?;
    same("given", memory.give_to_pipe(&inlet)?, 2 * PAGE)?;
    let out = device
        .register_with(register(BOTH, &[seg(&memory, PAGE, PAGE)]))
        .refused(libc::EBUSY)?;
    same("address", out.fault_addr, memory.addr(PAGE))?;
    same("pages pinned", device.stats()?.out_pinned_pages, 0)?;
    device
        .to_device(0, &[seg(&memory, PAGE, 64)])
        .succeeded(64)?;
    drop((outlet, inlet));
    let region = device.register(&[seg(&memory, PAGE, PAGE)])?;
    pattern::verify(&memory, 0, 2 * PAGE, 4)?;
    same("unregister", device.unregister(region), 0)
}

/// The child is stopped while it waits for a page that a pipe has, and goes on when the pipe is
/// empty.
fn stopped(_: Leg) -> Outcome {
    for call in [registered, submitted] {
        let (outlet, inlet) = rustix::pipe::pipe()?;
        let child = flight::child(|| {
            let (device, memory) = (Device::open()?, pages(1)?);
            same("given", memory.give_to_pipe(&inlet)?, PAGE)?;
            let mut errno = libc::EBUSY;
            while errno == libc::EBUSY {
                errno = call(&device, &memory)?;
            }
            same("errno", errno_name(errno), errno_name(0))
        })?;
        flight::wait_until("the child does not wait", || {
            let given = os::readable_within(outlet.as_fd(), Duration::ZERO)?;
            Ok(given && child.sleeps_in(libc::SYS_ioctl)?)
        })?;
        child.signal(Signal::STOP)?;
        flight::wait_until("the child does not stop", || Ok(child.is_stopped()?))?;
        same("taken", rustix::io::read(&outlet, &mut [0; PAGE])?, PAGE)?;
        child.signal(Signal::CONT)?;
        flight::finish(child)?;
    }
    Ok(())
}

fn registered(device: &Device, memory: &Mapping) -> Outcome<i32> {
    let segs = [seg(memory, 0, PAGE)];
    Ok(device.register_with(register(BOTH, &segs)).errno)
}

fn submitted(device: &Device, memory: &Mapping) -> Outcome<i32> {
    let queue = Queue::create(device, 1)?;
    let request = entry(1, abi::TO_DEVICE, 0, seg(memory, 0, 64));
    let submitted = queue.submit(device, &[request]);
    if submitted.count == 1 {
        crate::queue::done(&queue.reap_one()?, 1, 64)?;
    }
    Ok(submitted.errno)
}

fn unasked(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        os::drop_ipc_lock()?;
        os::limit_memlock(device.info()?.out_memlock_used + PAGE as u64)?;
        let memory = Mapping::anonymous(2 * PAGE)?;
        memory.fill(0, 2 * PAGE, 1);
        let beyond = || device.to_device(0, &[seg(&memory, PAGE - 4, 8)]);
        let audited = Probes::of_this_thread(&["capable"])?;
        device.to_device(0, &[seg(&memory, 0, 8)]).succeeded(8)?;
        beyond().refused(libc::ENOMEM)?;
        same("asked, with an audit", audited.hits()?, 0)?;
        drop(audited);
        let asked = Probes::of_this_thread(&["ns_capable_noaudit"])?;
        device.to_device(0, &[seg(&memory, 0, 8)]).succeeded(8)?;
        same("asked within the limit", asked.hits()?, 0)?;
        beyond().refused(libc::ENOMEM)?;
        same("asked beyond it", asked.hits()?, 1)
    })
}
