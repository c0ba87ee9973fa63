// SPDX-License-Identifier: GPL-2.0

//! Pages of a pool as the memory management sees them: held by others for longer
//! than the pool, locked, looked through for changes.

use std::os::fd::OwnedFd;

use crate::abi;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{errno_of, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module;
use crate::pagemap;
use crate::pattern;
use crate::pool::{ask, from_device, of_pages, Pool};
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that forgets the charge.
    Case::new(
        "pool_pages_in_a_pipe_stay_charged",
        "until they are read, whatever became of the pool; then at once",
        charged,
    ),
    // Kills the mutant that takes one block for another.
    Case::new(
        "pool_pages_in_pipes_stay_charged_one_by_one",
        "also when the first is free and is another pool's by now",
        apart,
    ),
    Case::new(
        "pool_pages_in_a_pipe_outlive_their_owner",
        "with their bytes, on its account",
        outlive,
    ),
    Case::new(
        "pool_pages_in_a_pipe_outlive_the_module",
        "with their bytes, on nobody's account",
        unloaded,
    )
    .needs(Needs::Race),
    Case::new(
        "eagain_for_pool_mapping_under_mlockall",
        "as the kernel counts it before it asks; one that fits is not counted twice",
        locked,
    ),
    Case::new(
        "device_does_not_set_soft_dirty_of_a_pool",
        "but the CPU does",
        soft_dirty,
    )
    .needs(Needs::Memory)
    .not_on_debug("it has no such bits"),
];

const LEN: usize = 256 << 10;

/// A pipe with room for 4 times [`LEN`].
fn pipe() -> Outcome<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe()?;
    rustix::pipe::fcntl_setpipe_size(&writer, 4 * LEN)?;
    Ok((reader, writer))
}

/// Gives a part of a pool to a pipe.
fn give(pool: &Pool, offset: usize, len: usize, pipe: &OwnedFd) -> Outcome {
    let memory = pool.map_part(offset, len, libc::MAP_SHARED)?;
    same("given", memory.give_to_pipe(pipe)?, len)
}

/// Gives a pool up.
fn give_up(device: &Device, pool: Pool) -> Outcome {
    let handle = pool.handle;
    drop(pool);
    same("errno", device.unregister(handle), 0)
}

/// Gives the pages of a pool to a pipe, and the pool up.
fn give_away(device: &Device, pipe: &OwnedFd, seed: u64) -> Outcome {
    let pool = Pool::make(device, ask(1, LEN))?;
    pattern::write(&pool.map()?, 0, LEN, seed);
    give(&pool, 0, LEN, pipe)?;
    give_up(device, pool)
}

/// Reads them out of the pipe.
fn take_back(pipe: &OwnedFd, seed: u64) -> Outcome {
    let mut bytes = vec![0; LEN];
    let mut got = 0;
    while got < LEN {
        got += rustix::io::read(pipe, &mut bytes[got..])?;
    }
    pattern::expect(&bytes, &pattern::bytes(seed, LEN))
}

fn charged(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(4 * LEN as u64)?;
        let used = || Ok::<_, Fail>(device.info()?.out_memlock_used);
        let (reader, writer) = pipe()?;
        for seed in 0..4 {
            give_away(&device, &writer, seed)?;
        }
        same("used", used()?, 4 * LEN as u64)?;
        let out = match Pool::try_make(&device, ask(1, LEN))? {
            Ok(_) => return check(false, "more than the limit"),
            Err((errno, request)) => {
                same("errno", errno_name(errno), errno_name(libc::ENOMEM))?;
                request.out
            }
        };
        check(out.flags & abi::OUT_MEMLOCK != 0, "not because of memlock")?;
        take_back(&reader, 0)?;
        // What is free is found when it is needed.
        drop(Pool::make(&device, ask(1, LEN))?);
        for seed in 1..4 {
            take_back(&reader, seed)?;
        }
        // The last pool has a handle still.
        flight::wait_until("it stays charged", || Ok(used()? == LEN as u64))
    })
}

/// Waits until so many pages are there, and charged.
fn wait_for_pages(pages: usize) -> Outcome {
    counters::comes_to("kernel_pages", pages as u64)?;
    counters::comes_to("charged_pages", pages as u64)
}

fn apart(_: Leg) -> Outcome {
    const PAGES: usize = LEN / PAGE;
    let device = Device::open()?;
    let (first, others, next) = (pipe()?, pipe()?, pipe()?);
    let pool = Pool::make(&device, ask(1, LEN))?;
    give(&pool, 0, PAGE, &first.1)?;
    give(&pool, PAGE, LEN - PAGE, &others.1)?;
    give_up(&device, pool)?;
    wait_for_pages(PAGES)?;
    same("read", rustix::io::read(&first.0, &mut [0; PAGE])?, PAGE)?;
    wait_for_pages(PAGES - 1)?;
    // Blocks of a page each, of which that is one.
    let pool = of_pages(&device, PAGES as u32)?;
    give(&pool, 0, LEN, &next.1)?;
    give_up(&device, pool)?;
    wait_for_pages(2 * PAGES - 1)?;
    drop((others, next));
    wait_for_pages(0)
}

/// Pages that are held for nobody any more but a pipe, whose other end is the result.
fn orphaned(seed: u64) -> Outcome<OwnedFd> {
    let (reader, writer) = pipe()?;
    flight::in_child(|| give_away(&Device::open()?, &writer, seed))?;
    flight::wait_until("there is a file", || Ok(counters::driver("files")? == 0))?;
    let pages = (LEN / PAGE) as u64;
    same("pages", counters::driver("kernel_pages")?, pages)?;
    same("charged", counters::driver("charged_pages")?, pages)?;
    Ok(reader)
}

fn outlive(_: Leg) -> Outcome {
    let reader = orphaned(7)?;
    take_back(&reader, 7)?;
    wait_for_pages(0)
}

fn unloaded(leg: Leg) -> Outcome {
    let reader = orphaned(8)?;
    module::reload(leg, "")?;
    same("pages", counters::driver("kernel_pages")?, 0)?;
    take_back(&reader, 8)?;
    wait_for_pages(0)
}

fn locked(_: Leg) -> Outcome {
    const LIMIT: usize = 64 * PAGE;
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(LIMIT as u64)?;
        let (large, small) = (of_pages(&device, 40)?, of_pages(&device, 8)?);
        let locked = crate::sys::Mapping::anonymous(32 * PAGE)?;
        locked.lock()?;
        rustix::mm::mlockall(rustix::mm::MlockAllFlags::FUTURE)?;
        let refused = errno_of(large.map_part(0, large.len(), libc::MAP_SHARED));
        same("errno", errno_name(refused), errno_name(libc::EAGAIN))?;
        // It fits as often as wanted, as it is not counted once it is mapped.
        for _ in 0..10 {
            let memory = small.map()?;
            memory.fill(0, small.len(), 1);
            std::mem::forget(memory);
        }
        rustix::mm::munlockall()?;
        drop(locked);
        large.map().map(drop)
    })
}

fn soft_dirty(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let memory = pool.map()?;
    memory.fill(0, PAGE, 1);
    std::fs::write("/proc/self/clear_refs", "4")?;
    pool.start(from_device(0))?;
    pool.enqueue_all()?;
    same("status", pool.dequeue(1)?[0].status, 0)?;
    memory.read(0, 1);
    check(!pagemap::is_soft_dirty(&memory)?, "the device set the bit")?;
    memory.fill(0, 1, 2);
    check(pagemap::is_soft_dirty(&memory)?, "the CPU did not")
}
