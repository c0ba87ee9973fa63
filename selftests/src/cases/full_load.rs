// SPDX-License-Identifier: GPL-2.0

//! The device goes while everything is at work on it, by several files; and what these files are
//! good for afterwards.

use std::thread::{self, JoinHandle};

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, Device, PAGE, WINDOW};
use crate::flight::{self, Background};
use crate::leg::Leg;
use crate::module::pause;
use crate::pattern::{self, GUARD};
use crate::pool::{ask, from_device, of_pages, stream, Pool};
use crate::queue::{entry, Queue};
use crate::region::{register, within, BOTH};
use crate::rw::{pread, preadv, pwrite, range, seek};
use crate::sys::rw::Range;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

use super::frames::load;
use super::unbind::{self, Unbound};
use super::{pool_endings, queue_ends};

pub(crate) const CASES: &[Case] = &[
    race(
        "unbind_under_full_load_ends_everything_once",
        "regions, requests, a read, a stream and a pool, on five files",
        unbound,
    ),
    Case::new(
        "enodev_for_whatever_is_made_after_unbind",
        "region, queue and pool; also when the device is back",
        made,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// What is in the device's memory.
const SEED: u64 = 41;
/// Jobs of a long transfer, which together read all of that.
const PARTS: usize = 16;
/// Bytes of each.
const PART: usize = WINDOW / PARTS;
/// Requests, or buffers, in flight.
const COUNT: usize = 8;

/// Where part number `part` of a long transfer goes.
fn place(part: usize) -> usize {
    part * PAGE + part
}

/// The first `bytes` bytes of a long transfer have arrived.
fn arrived(memory: &Mapping, bytes: usize) -> Outcome {
    same("part of a job", bytes % PART, 0)?;
    let want = pattern::bytes(SEED, bytes);
    for (part, want) in want.chunks(PART).enumerate() {
        pattern::expect(&memory.read(place(part), PART), want)?;
    }
    Ok(())
}

fn join<T>(thread: JoinHandle<T>) -> Outcome<T> {
    let joined = thread.join();
    joined.map_err(|_| Fail::new("a thread panicked"))
}

#[track_caller]
fn refused(what: &str, errno: i32) -> Outcome {
    same(what, errno_name(errno), errno_name(libc::ENODEV))
}

/// Nothing can be made on this file.
fn makes_nothing(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 64)];
    let region = device.register_with(register(BOTH, &segs));
    region.refused(libc::ENODEV)?;
    let mut request = crate::queue::ask(4);
    let errno = device.command(abi::PINDMA_QUEUE_CREATE, &mut request);
    refused("queue", errno)?;
    Pool::refused(device, ask(1, PAGE), libc::ENODEV, abi::FIELD_NONE).map(drop)
}

/// Every call on this file is ENODEV.
fn gone(device: &Device) -> Outcome {
    unbind::gone(device)?;
    makes_nothing(device)?;
    for handle in [0, 0x1_0001] {
        refused("unregister", device.unregister(handle))?;
        let errno = device.unregister_by(handle, abi::DEADLINE_NONE);
        refused("unregister that waits", errno)?;
        let errno = device.sync(abi::SYNC_BEGIN_CPU, handle, (0, 0));
        refused("sync", errno)?;
        refused("region info", device.ask_region(handle).0)?;
    }
    let memory = Mapping::anonymous(PAGE)?;
    pread(device, range(&memory, 0, 64), 0).failed(libc::ENODEV)?;
    pwrite(device, range(&memory, 0, 64), 0).failed(libc::ENODEV)?;
    let want = -i64::from(libc::ENODEV);
    same("lseek", seek(device, 0, libc::SEEK_END), want)
}

/// A long transfer by region, beside a region that nobody uses.
struct Regions {
    device: Device,
    memory: Mapping,
    call: Background,
}

impl Regions {
    fn start() -> Outcome<Regions> {
        let device = Device::open()?;
        let memory = Mapping::anonymous(PARTS * PAGE)?;
        let region = device.register(&[seg(&memory, 0, PARTS * PAGE)])?;
        device.register(&[seg(&memory, 0, PAGE)])?;
        let part = |part| within(region, place(part), PART);
        let segs: Vec<_> = (0..PARTS).map(part).collect();
        let caller = device.duplicate()?;
        let call = Background::start(move || caller.from_device(0, &segs));
        Ok(Regions {
            device,
            memory,
            call,
        })
    }

    fn end(self) -> Outcome<Device> {
        let bytes = unbind::ended(self.call.join()?, WINDOW)?;
        arrived(&self.memory, bytes as usize)?;
        Ok(self.device)
    }
}

/// Requests in flight, each of a page of its own, every other one by region; and another queue,
/// which somebody waits for in read(2).
struct Requests {
    device: Device,
    queue: Queue,
    memory: Mapping,
    idle: JoinHandle<i32>,
}

impl Requests {
    fn start() -> Outcome<Requests> {
        let device = Device::open()?;
        let queue = Queue::create(&device, 16)?;
        let idle = Queue::create(&device, 1)?;
        let memory = Mapping::anonymous(COUNT * PAGE)?;
        memory.fill(0, COUNT * PAGE, GUARD);
        let region = device.register(&[seg(&memory, 0, COUNT * PAGE)])?;
        let of = |page: usize| {
            let seg = match page % 2 {
                0 => seg(&memory, page * PAGE, PAGE),
                _ => within(region, page * PAGE, PAGE),
            };
            entry(page as u64, abi::FROM_DEVICE, 0, seg)
        };
        let entries: Vec<_> = (0..COUNT).map(of).collect();
        queue.submit(&device, &entries).all(COUNT)?;
        Ok(Requests {
            device,
            queue,
            memory,
            idle: thread::spawn(move || errno_of(idle.read(PAGE))),
        })
    }

    fn end(self, leg: Leg) -> Outcome<Device> {
        let ends = self.queue.reap(COUNT)?;
        let done = queue_ends::split(&ends, libc::ENODEV)?;
        check(done < COUNT || !leg.counts_time(), "all were done")?;
        for page in 0..done {
            pattern::verify(&self.memory, page * PAGE, PAGE, SEED)?;
        }
        // Nobody knows about the one that was at work.
        for page in done + 1..COUNT {
            pattern::verify_guard(&self.memory, page * PAGE, PAGE)?;
        }
        let waited = self.queue.wait(1, 1, abi::DEADLINE_NONE);
        same("in flight", waited.in_flight, 0)?;
        waited.nothing(libc::ENODEV)?;
        let cancel = self.queue.cancel_all().err().unwrap_or(0);
        refused("cancel", cancel)?;
        let entry = entry(0, abi::TO_DEVICE, 0, seg(&self.memory, 0, 64));
        let submitted = self.queue.submit(&self.device, &[entry]);
        submitted.only(0, libc::ENODEV)?;
        refused("read of a queue", join(self.idle)?)?;
        Ok(self.device)
    }
}

/// A read(2) in many jobs, which waits for the device or for its turn.
struct Reader {
    device: Device,
    read: JoinHandle<Outcome>,
}

impl Reader {
    fn start() -> Outcome<Reader> {
        let device = Device::open()?;
        let reader = device.duplicate()?;
        let read = thread::spawn(move || {
            let memory = Mapping::anonymous(PARTS * PAGE)?;
            let part = |part| range(&memory, place(part), PART);
            let ranges: Vec<Range> = (0..PARTS).map(part).collect();
            let answer = preadv(&reader, &ranges, 0, 0);
            match answer.errno() {
                libc::ENODEV => Ok(()),
                _ => arrived(&memory, answer.some()?),
            }
        });
        Ok(Reader { device, read })
    }

    fn end(self) -> Outcome<Device> {
        join(self.read)??;
        Ok(self.device)
    }
}

/// A stream into a pool that is mapped, and that nobody dequeues from.
struct Stream {
    device: Device,
    pool: Pool,
    memory: Mapping,
}

impl Stream {
    fn start() -> Outcome<Stream> {
        let device = Device::open()?;
        let pool = of_pages(&device, 2)?;
        let memory = pool.map()?;
        pool.enqueue_all()?;
        pool.start(stream(0))?;
        while pool.state(0)? != abi::POOL_READY {
            pause(5);
        }
        Ok(Stream {
            device,
            pool,
            memory,
        })
    }

    /// The memory is there still, also by a new mapping.
    fn end(self) -> Outcome<(Device, Pool, Mapping)> {
        check(pool_endings::gone(&self.pool)? <= 2, "too many buffers")?;
        pattern::verify(&self.memory, 0, PAGE, SEED)?;
        self.memory.advise(0, 2 * PAGE, libc::MADV_DONTNEED)?;
        pattern::verify(&self.memory, 0, PAGE, SEED)?;
        let late = self.pool.map()?;
        self.memory.write(2 * PAGE - 1, &[7]);
        same("a byte", late.read(2 * PAGE - 1, 1)[0], 7)?;
        Ok((self.device, self.pool, self.memory))
    }
}

/// Somebody waits until a pool is full; the errno at last, and how many records came before.
struct Filling {
    device: Device,
    waiter: JoinHandle<(i32, usize)>,
}

impl Filling {
    fn start() -> Outcome<Filling> {
        let device = Device::open()?;
        let pool = of_pages(&device, COUNT as u32)?;
        pool.enqueue_all()?;
        pool.start(from_device(0))?;
        let waiter = thread::spawn(move || {
            let mut count = 0;
            loop {
                let most = COUNT as u32;
                let (errno, records) = pool.try_dequeue(most, most, abi::DEADLINE_NONE);
                count += records.len();
                if errno != 0 {
                    return (errno, count);
                }
            }
        });
        Ok(Filling { device, waiter })
    }

    fn end(self, leg: Leg) -> Outcome<Device> {
        let (errno, count) = join(self.waiter)?;
        same("buffers that came back", count, COUNT)?;
        // On a slow machine it was full by then.
        if leg.counts_time() || errno != libc::EAGAIN {
            refused("dequeue", errno)?;
        }
        Ok(self.device)
    }
}

fn unbound(leg: Leg) -> Outcome {
    load(&Device::open()?, SEED)?;
    let (streaming, filling) = (Stream::start()?, Filling::start()?);
    let (regions, requests, reader) = (Regions::start()?, Requests::start()?, Reader::start()?);
    for device in [
        &streaming.device,
        &filling.device,
        &regions.device,
        &requests.device,
        &reader.device,
    ] {
        flight::wait_for_job(device)?;
    }
    let unbound = Unbound::now()?;
    let (device, pool, memory) = streaming.end()?;
    let files = [
        device,
        filling.end(leg)?,
        regions.end()?,
        requests.end(leg)?,
        reader.end()?,
    ];
    files.iter().try_for_each(gone)?;
    for name in ["pinned_pages", "mapped_segments", "requests"] {
        same(name, counters::driver(name)?, 0)?;
    }
    unbound.end()?;
    files.iter().try_for_each(gone)?;
    load(&Device::open()?, SEED + 1)?;
    drop(files);
    drop(pool);
    pattern::verify(&memory, 0, PAGE, SEED)
}

fn made(_: Leg) -> Outcome {
    let device = Device::open()?;
    let unbound = Unbound::now()?;
    makes_nothing(&device)?;
    for name in [
        "regions",
        "pools",
        "queues",
        "kernel_pages",
        "charged_pages",
    ] {
        same(name, counters::driver(name)?, 0)?;
    }
    unbound.end()?;
    makes_nothing(&device)?;
    of_pages(&Device::open()?, 1).map(drop)
}
