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

/// Gives the pages of a pool to a pipe, and the pool up.
fn give_away(device: &Device, pipe: &OwnedFd, seed: u64) -> Outcome {
    let pool = Pool::make(device, ask(1, LEN))?;
    let memory = pool.map()?;
    pattern::write(&memory, 0, LEN, seed);
    same("given", memory.give_to_pipe(pipe)?, LEN)?;
    drop(memory);
    let handle = pool.handle;
    drop(pool);
    same("errno", device.unregister(handle), 0)
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

fn wait_until_free() -> Outcome {
    flight::wait_until("the pages are still there", || {
        let pages = counters::driver("kernel_pages")?;
        Ok(pages == 0 && counters::driver("charged_pages")? == 0)
    })
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
    wait_until_free()
}

fn unloaded(leg: Leg) -> Outcome {
    let reader = orphaned(8)?;
    module::reload(leg, "")?;
    same("pages", counters::driver("kernel_pages")?, 0)?;
    take_back(&reader, 8)?;
    wait_until_free()
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
