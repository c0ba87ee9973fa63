// SPDX-License-Identifier: GPL-2.0

//! What one file leaves to others: pages, mappings, the channel, threads of the
//! kernel; and what a name that has gone stale leaves alone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;

use crate::abi::{self, pindma_pool_create, pindma_transfer};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{seg, transfer, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::os;
use crate::pool::{ask, from_device, of_pages, stream, Pool};
use crate::region::{register, within, BOTH};
use crate::rw::range;
use crate::sys::uring::Ring;
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::uring::{failed, fixed_request, moved};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that puts a new file into the round that is under way.
    memory(
        "new_files_do_not_starve_an_old_one",
        "three processes that open, transfer, close, over and over",
        new_files,
    )
    .slow(),
    // Kills the mutant that asks the device's quota alone.
    memory(
        "enospc_for_more_pages_than_a_file_may_have",
        "and another file has its own part",
        pages,
    ),
    // Kills the mutant that has no part for a user.
    memory(
        "enospc_for_more_pages_than_a_user_may_have",
        "in two files, or in a pool; not with CAP_SYS_RESOURCE",
        pages_of_a_user,
    ),
    memory(
        "enospc_for_more_pages_than_a_file_may_have_mapped",
        "that are copied or io_uring's own, for which nothing is pinned",
        pages_that_are_not_pinned,
    ),
    Case::new(
        "enospc_for_more_mappings_than_a_file_may_have",
        "until a pool is closed; another file has its own",
        mappings,
    )
    .needs(Needs::Only(
        &[Leg::Wide],
        "it takes 128 MiB in the device's reach",
    )),
    // Kills the mutant that counts them for each file alone.
    Case::new(
        "enospc_for_more_mappings_than_a_user_may_have",
        "in two files; others have their own",
        mappings_of_a_user,
    )
    .needs(Needs::Only(
        &[Leg::Wide],
        "it takes 128 MiB in the device's reach",
    )),
    memory(
        "enospc_for_more_started_pools_than_a_file_may_have",
        "until one is stopped",
        runs,
    ),
    memory(
        "as_many_as_fit_can_be_streamed",
        "at the limit of memlock, and at that of the device",
        as_many,
    ),
    // Kills the mutant that has memory for them in each file.
    memory(
        "frames_lost_by_many_files_cost_16_pages",
        "in no user's account, until the last pool is closed",
        lost_frames,
    ),
    // Kills the mutant that leaves them with the device.
    memory(
        "ecanceled_for_buffers_given_to_a_stopped_pool",
        "by stop, and by close they are the application's again",
        given_to_nobody,
    ),
    // Kills the mutant that unmaps once more what it has unmapped.
    Case::new(
        "closing_a_pool_late_unmaps_nothing_of_others",
        "whose mapping has its old name",
        old_name,
    )
    .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
    .not_on_debug("65,000 registrations take too long there"),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Processes that are new whenever they come.
const NEWCOMERS: u64 = 3;
/// Transfers of the one that is not.
const TURNS: u64 = 6;

/// Opens, transfers and closes until told to stop, counting.
fn come_and_go(stop: &AtomicBool, count: &AtomicU64) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    while !stop.load(Ordering::Relaxed) {
        let device = Device::open()?;
        device.to_device(0, &[seg(&memory, 0, 64)]).succeeded(64)?;
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn new_files(_: Leg) -> Outcome {
    let (stop, count) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let newcomers: Vec<_> = (0..NEWCOMERS)
        .map(|_| {
            let (stop, count) = (stop.clone(), count.clone());
            thread::spawn(move || come_and_go(&stop, &count))
        })
        .collect();
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let call = || device.to_device(0, &[seg(&memory, 0, 64)]).succeeded(64);
    call()?;
    let before = count.load(Ordering::Relaxed);
    let turns = (0..TURNS).try_for_each(|_| call().map(drop));
    let theirs = count.load(Ordering::Relaxed) - before;
    stop.store(true, Ordering::Relaxed);
    for newcomer in newcomers {
        let joined = newcomer.join();
        joined.map_err(|_| Fail::new("a thread panicked"))??;
    }
    turns?;
    // A turn of each in between, and one on either side.
    let most = (TURNS + 2) * NEWCOMERS;
    check(theirs <= most, format!("{theirs} against {TURNS}"))?;
    check(theirs > 0, "nobody else was there")
}

fn pages(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=10 max_file_pages=6", || {
        let (device, other) = (Device::open()?, Device::open()?);
        same("told", device.info()?.out_file_pinned_limit, 6)?;
        let memory = Mapping::anonymous(7 * PAGE)?;
        let seven = [seg(&memory, 0, 7 * PAGE)];
        let refused = device.register_with(register(BOTH, &seven));
        refused.refused(libc::ENOSPC)?;
        let region = device.register(&[seg(&memory, 0, 6 * PAGE)])?;
        let call = device.to_device(0, &[seg(&memory, 6 * PAGE, 16)]);
        same("errno", errno_name(call.errno), errno_name(libc::ENOSPC))?;
        Pool::refused(&device, ask(1, PAGE), libc::ENOSPC, abi::FIELD_NONE)?;
        // The same pages by another file are its own part, of what is left.
        let rest = other.register(&[seg(&memory, 0, 4 * PAGE)])?;
        let refused = other.register_with(register(BOTH, &[seg(&memory, 0, PAGE)]));
        refused.refused(libc::ENOSPC)?;
        same("unregister", device.unregister(region), 0)?;
        same("unregister", other.unregister(rest), 0)?;
        let all = other.register(&[seg(&memory, 0, 6 * PAGE)])?;
        same("unregister", other.unregister(all), 0)
    })
}

fn pages_of_a_user(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=10 max_file_pages=6", || {
        let memory = Mapping::anonymous(6 * PAGE)?;
        let all = [seg(&memory, 0, 6 * PAGE)];
        let roots = Device::open()?;
        flight::in_child(|| {
            os::drop_sys_resource()?;
            let (device, other) = (Device::open()?, Device::open()?);
            let region = device.register(&all)?;
            let refused = other.register_with(register(BOTH, &[seg(&memory, 0, 1)]));
            refused.refused(libc::ENOSPC)?;
            same("unregister", device.unregister(region), 0)?;
            let pool = of_pages(&device, 4)?;
            let refused = other.register_with(register(BOTH, &all));
            refused.refused(libc::ENOSPC)?;
            // What works for a closed file lets go of it as the last, at some time.
            drop((pool, device));
            flight::wait_until("the pool's share is not given back", || {
                Ok(other.register(&all).is_ok())
            })
        })?;
        counters::comes_to("pinned_pages", 0)?;
        let region = roots.register(&all)?;
        let second = Device::open()?;
        second.register(&[seg(&memory, 0, 4 * PAGE)])?;
        same("unregister", roots.unregister(region), 0)
    })
}

fn pages_that_are_not_pinned(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=10 max_file_pages=3", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous(4 * PAGE)?;
        let mut ring = Ring::new()?;
        ring.register(&[range(&memory, 0, 4 * PAGE)])?;
        let region = device.register(&[seg(&memory, 0, 3 * PAGE)])?;
        let one = [seg(&memory, 3 * PAGE, 16)];
        let copied = || pindma_transfer {
            flags: abi::MUST_COPY,
            ..transfer(abi::TO_DEVICE, 0, &one)
        };
        let errno = errno_name(device.transfer(copied()).errno);
        same("copied", errno, errno_name(libc::ENOSPC))?;
        let fixed = || fixed_request(true, range(&memory, 3 * PAGE, 16), 0);
        failed(&mut ring, &device, fixed(), libc::ENOSPC)?;
        same("unregister", device.unregister(region), 0)?;
        device.transfer(copied()).succeeded(16)?;
        moved(&mut ring, &device, fixed(), 16)
    })
}

fn mappings(leg: Leg) -> Outcome {
    // Pages are not what is short.
    let pages = "max_pinned_pages=40000 max_file_pages=40000";
    with_parameters(leg, pages, || {
        let (device, other) = (Device::open()?, Device::open()?);
        let info = device.info()?;
        let most = info.out_max_mappings as u32;
        check(
            most > info.out_max_buffers,
            "a pool can have all, and this case proves nothing",
        )?;
        let rest = most - info.out_max_buffers;
        // Each buffer is a mapping.
        let many = of_pages(&device, info.out_max_buffers)?;
        let one_more = ask(rest + 1, PAGE);
        Pool::refused(&device, one_more, libc::ENOSPC, abi::FIELD_NONE)?;
        let all_others = of_pages(&device, rest)?;
        let memory = Mapping::anonymous(PAGE)?;
        let segs = [seg(&memory, 0, 16)];
        let refused = device.register_with(register(BOTH, &segs));
        refused.refused(libc::ENOSPC)?;
        same("errno", device.to_device(0, &segs).errno, libc::ENOSPC)?;
        other.to_device(0, &segs).succeeded(16)?;
        same("unregister", device.unregister(many.handle), 0)?;
        drop(many);
        device.to_device(0, &segs).succeeded(16)?;
        drop(all_others);
        Ok(())
    })
}

fn mappings_of_a_user(leg: Leg) -> Outcome {
    let pages = "max_pinned_pages=40000 max_file_pages=40000";
    with_parameters(leg, pages, || {
        let strangers = Device::open()?;
        flight::in_child(|| {
            os::drop_sys_resource()?;
            let (device, other) = (Device::open()?, Device::open()?);
            let info = device.info()?;
            // Each buffer is a mapping.
            let many = of_pages(&device, info.out_max_buffers)?;
            let rest = info.out_max_mappings as u32 - info.out_max_buffers;
            let all_others = of_pages(&other, rest)?;
            let memory = Mapping::anonymous(PAGE)?;
            let segs = [seg(&memory, 0, 16)];
            for file in [&device, &other] {
                let errno = errno_name(file.to_device(0, &segs).errno);
                same("errno", errno, errno_name(libc::ENOSPC))?;
            }
            strangers.to_device(0, &segs).succeeded(16)?;
            same("unregister", other.unregister(all_others.handle), 0)?;
            drop(all_others);
            device.to_device(0, &segs).succeeded(16)?;
            drop(many);
            Ok(())
        })
    })
}

fn runs(_: Leg) -> Outcome {
    let (device, other) = (Device::open()?, Device::open()?);
    let most = device.info()?.out_max_runs as usize;
    let pools: Outcome<Vec<_>> = (0..=most).map(|_| of_pages(&device, 1)).collect();
    let pools = pools?;
    // They have no buffers, so that the device has nothing to do.
    for pool in &pools[..most] {
        pool.start(from_device(0))?;
    }
    let errno = errno_name(pools[most].try_start(from_device(0)));
    same("one more", errno, errno_name(libc::ENOSPC))?;
    let theirs = of_pages(&other, 1)?;
    theirs.start(from_device(0))?;
    theirs.stop()?;
    pools[7].stop()?;
    pools[most].start(from_device(0))?;
    pools[most].enqueue_all()?;
    same("status", pools[most].dequeue(1)?[0].status, 0)
}

/// Streams one frame into a pool that takes all there is.
fn stream_one(device: &Device, count: usize) -> Outcome {
    let request = pindma_pool_create {
        flags: abi::POOL_AS_MANY,
        ..ask(1000, PAGE)
    };
    let pool = Pool::make(device, request)?;
    same("buffers", pool.count, count)?;
    pool.enqueue_all()?;
    pool.start(stream(0))?;
    same("status", pool.dequeue(1)?[0].status, 0)?;
    pool.stop().map(drop)
}

fn as_many(leg: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(7 * PAGE as u64)?;
        stream_one(&device, 7)
    })?;
    drop(device);
    with_parameters(leg, "max_pinned_pages=5", || {
        stream_one(&Device::open()?, 5)
    })
}

/// Starts a pool without buffers and stops it when frames were lost.
fn lose(device: &Device, pool: &Pool) -> Outcome {
    let before = device.stats()?.out_overruns;
    pool.start(stream(0))?;
    flight::wait_until("no frame is lost", || {
        Ok(device.stats()?.out_overruns > before)
    })?;
    pool.stop().map(drop)
}

fn lost_frames(_: Leg) -> Outcome {
    const FILES: u64 = 64;
    let files = (0..FILES).map(|_| {
        let device = Device::open()?;
        let pool = of_pages(&device, 1)?;
        pool.start(stream(0))?;
        pool.stop()?;
        Ok((device, pool))
    });
    let mut files: Vec<_> = files.collect::<Outcome<_>>()?;
    same("charged", counters::driver("charged_pages")?, FILES)?;
    let pages = counters::driver("kernel_pages")?;
    check(pages <= FILES + 16, format!("{pages} pages"))?;
    // It is there for the last as well.
    files.drain(1..);
    let (device, pool) = &files[0];
    lose(device, pool)?;
    counters::comes_to("charged_pages", 1)?;
    check(counters::driver("kernel_pages")? > 1, "nothing to lose to")?;
    drop(files);
    counters::comes_to("kernel_pages", 0)
}

fn given_to_nobody(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 3)?;
    same("given", pool.enqueue_all()?, 3)?;
    pool.stop()?;
    for record in pool.dequeue(3)? {
        same("status", record.status, -libc::ECANCELED)?;
        same("flags", record.flags, 0)?;
    }
    pool.start(from_device(0))?;
    pool.stop()?;
    pool.enqueue(pool.buffer(1)?)?;
    let handle = pool.handle;
    let segs = [within(handle, PAGE, 16)];
    let busy = errno_name(device.to_device(0, &segs).errno);
    same("while given", busy, errno_name(libc::EBUSY))?;
    drop(pool);
    device.to_device(0, &segs).succeeded(16)?;
    same("unregister", device.unregister(handle), 0)
}

/// Handles of the driver's own have 16 bits that tell one generation from another.
const GENERATIONS: usize = 1 << 16;

fn old_name(_: Leg) -> Outcome {
    let (first, second) = (Device::open()?, Device::open()?);
    let pool = of_pages(&first, 1)?;
    drop(first);
    counters::comes_to("mapped_segments", 0)?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 16)];
    // All take the place that was first, until its generation comes round.
    for _ in 1..GENERATIONS {
        let region = second.register(&segs)?;
        same("unregister", second.unregister(region), 0)?;
    }
    let region = second.register(&segs)?;
    drop(pool);
    same("pages", second.stats()?.out_pinned_pages, 1)?;
    same("segments", counters::driver("mapped_segments")?, 1)?;
    second
        .to_device(0, &[within(region, 0, 16)])
        .succeeded(16)?;
    same("unregister", second.unregister(region), 0)
}
