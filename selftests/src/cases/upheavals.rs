// SPDX-License-Identifier: GPL-2.0

//! What befalls the process or the machine while data moves: a core dump, a collector of sockets, a
//! CPU that goes, sleep, a device that is taken off its bus and found again.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::process::{Resource, Rlimit, Signal};

use crate::abi;
use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module;
use crate::os;
use crate::pattern;
use crate::pci;
use crate::pool::{ask, from_device, Pool};
use crate::process::Exit;
use crate::queue::{entry, Queue};
use crate::region::within;
use crate::rw::{device_holds, fill_device};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "core_dump_in_flight_leaves_nothing",
        "and has no memory of a pool in it",
        core_dump,
    )
    .not_on_debug("it dumps no core"),
    race(
        "cycle_of_sockets_is_collected_in_flight",
        "a device file, a queue and a pool that only they hold",
        cycle,
    ),
    race(
        "cpu_goes_and_comes_back_in_flight",
        "the one that the interrupt goes to",
        offline,
    )
    .needs(Needs::Only(&[Leg::Smp], "there is no CPU but one")),
    race(
        "sleep_in_flight_loses_nothing",
        "all that was submitted is done, or the machine stays awake",
        asleep,
    )
    .not_on_debug("it does not sleep"),
    race(
        "device_is_removed_in_flight_and_found_again",
        "ENODEV, and a new one that works",
        removed,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// A queue with eight requests of a region in flight, and a pool that the device works on.
struct Busy {
    device: Device,
    queue: Queue,
    pool: Pool,
    _memory: Mapping,
}

impl Busy {
    fn new() -> Outcome<Busy> {
        let device = Device::open()?;
        let memory = Mapping::anonymous(PAGE)?;
        let region = device.register(&[seg(&memory, 0, PAGE)])?;
        let queue = Queue::create(&device, 8)?;
        let of = |name| entry(name, abi::FROM_DEVICE, 0, within(region, 0, 64));
        let entries: Vec<_> = (0..8).map(of).collect();
        queue.submit(&device, &entries).all(8)?;
        let pool = Pool::make(&device, ask(4, PAGE))?;
        pool.enqueue_all()?;
        pool.start(from_device(PAGE))?;
        Ok(Busy {
            device,
            queue,
            pool,
            _memory: memory,
        })
    }
}

/// Waits until nothing of the driver is in use.
fn wait_for_no_files() -> Outcome {
    flight::wait_until("files are left", || {
        Ok(counters::driver("files")? == 0 && counters::driver("pinned_pages")? == 0)
    })
}

fn still_works() -> Outcome {
    let pair = Pair::new(PAGE, 59)?;
    pair.copy(&Device::open()?).succeeded(PAGE)?;
    pair.verify(PAGE as u64)
}

// ---- a core dump ----

const PATTERN: &str = "/proc/sys/kernel/core_pattern";
const CORE: &str = "/tmp/core";

/// A byte that nothing else is a page full of.
const MARK: u8 = 0xa7;

fn core_dump(_: Leg) -> Outcome {
    let before = fs::read_to_string(PATTERN)?;
    fs::write(PATTERN, CORE)?;
    let dumped = dump();
    fs::write(PATTERN, before)?;
    dumped?;
    let marked = has_marked_page(CORE)?;
    fs::remove_file(CORE)?;
    check(!marked, "memory of the pool is in the core")?;
    wait_for_no_files()?;
    still_works()
}

fn dump() -> Outcome {
    let child = flight::child(|| {
        let (current, maximum) = (None, None);
        rustix::process::setrlimit(Resource::Core, Rlimit { current, maximum })?;
        let busy = Busy::new()?;
        let other = Pool::make(&busy.device, ask(1, PAGE))?;
        let map = other.map()?;
        map.fill(0, PAGE, MARK);
        let pair = Pair::new(8 * PAGE, 51)?;
        let copy = pair.start(&busy.device)?;
        flight::wait_for_job(&busy.device)?;
        rustix::process::kill_process(rustix::process::getpid(), Signal::ABORT)?;
        copy.join()?;
        Err(Fail::new("it lives"))
    })?;
    same("child", child.wait()?, Exit::Signal(libc::SIGABRT))
}

fn has_marked_page(path: &str) -> Outcome<bool> {
    let mut core = fs::File::open(path)?;
    let (mut part, mut run, mut bytes) = (vec![0; WINDOW], 0, 0);
    loop {
        let len = core.read(&mut part)?;
        if len == 0 {
            check(bytes > 0, "the core is empty")?;
            return Ok(false);
        }
        bytes += len;
        for byte in &part[..len] {
            run = if *byte == MARK { run + 1 } else { 0 };
            if run == PAGE {
                return Ok(true);
            }
        }
    }
}

// ---- sockets ----

fn cycle(_: Leg) -> Outcome {
    let busy = Busy::new()?;
    flight::wait_for_job(&busy.device)?;
    let (here, there) = UnixStream::pair()?;
    for fd in [busy.device.fd(), busy.queue.fd(), busy.pool.fd()] {
        os::send_fd(&here, fd)?;
    }
    // What is in line at `there` now holds `there` itself, and that the files.
    os::send_fd(&here, there.as_fd())?;
    drop((here, there, busy));
    flight::wait_until("the files are never collected", || {
        // A socket that is closed has the collector look.
        let (one, other) = UnixStream::pair()?;
        os::send_fd(&one, other.as_fd())?;
        drop((one, other));
        Ok(counters::driver("files")? == 0 && counters::driver("pools")? == 0)
    })?;
    wait_for_no_files()?;
    still_works()
}

// ---- a CPU ----

/// CPU 1, which is off while this lives.
struct Offline;

const CPU: &str = "/sys/devices/system/cpu/cpu1/online";

impl Offline {
    fn now() -> Outcome<Offline> {
        fs::write(CPU, "0")?;
        Ok(Offline)
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        // A case that needs it notices if this does not work.
        let _ = fs::write(CPU, "1");
    }
}

fn offline(_: Leg) -> Outcome {
    let device = Device::open()?;
    for seed in 0..4 {
        pci::interrupts_to_cpu(1)?;
        let pair = Pair::new(8 * PAGE, seed)?;
        let call = pair.start(&device)?;
        flight::wait_for_job(&device)?;
        let off = Offline::now()?;
        module::pause(150);
        drop(off);
        call.join()?.succeeded(pair.len)?;
        pair.verify(pair.len as u64)?;
    }
    same("lost", device.stats()?.out_lost_interrupts, 0)
}

// ---- sleep ----

fn asleep(_: Leg) -> Outcome {
    const LEVEL: &str = "/sys/power/pm_test";
    let device = Device::open()?;
    fill_device(&device, 52)?;
    let memory = Mapping::anonymous(8 * PAGE)?;
    let queue = Queue::create(&device, 8)?;
    let of = |page| {
        let part = seg(&memory, page as usize * PAGE, PAGE);
        entry(page, abi::FROM_DEVICE, 0, part)
    };
    let entries: Vec<_> = (0..8).map(of).collect();
    queue.submit(&device, &entries).all(8)?;
    flight::wait_for_job(&device)?;
    fs::write(LEVEL, "devices")?;
    // It may be refused: then it is as if nothing had been asked for.
    let _ = fs::write("/sys/power/state", "freeze");
    fs::write(LEVEL, "none")?;
    let want = pattern::bytes(52, WINDOW);
    for completion in queue.reap(8)? {
        same("status", completion.status, 0)?;
        let at = completion.user_data as usize * PAGE;
        pattern::expect(&memory.read(at, PAGE), &want)?;
    }
    device_holds(&device, &want)
}

// ---- the bus ----

fn removed(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(8 * PAGE, 53)?;
    let call = pair.start(&device)?;
    flight::wait_for_job(&device)?;
    pci::remove()?;
    let call = call.join()?;
    let found = pci::rescan();
    pair.verify(super::unbind::ended(call, pair.len)?)?;
    found?;
    check(pci::bound(), "the device is not bound again")?;
    module::wait_for_node(true)?;
    let memory = Mapping::anonymous(PAGE)?;
    device
        .to_device(0, &[seg(&memory, 0, 64)])
        .refused(libc::ENODEV)?;
    still_works()
}
