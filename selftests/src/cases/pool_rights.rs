// SPDX-License-Identifier: GPL-2.0

//! Who may use a pool, and how much memory pools may take.

use std::os::unix::net::UnixStream;

use crate::abi::{self, pindma_pool_create};
use crate::cgroup::Cgroup;
use crate::check::{check, errno_name, same, Outcome};
use crate::counters::{self, after};
use crate::device::{errno_of, transfer, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::os;
use crate::pool::{ask, from_device, of_pages, record, Pool, Totals};
use crate::region::within;
use crate::table::{Case, Needs};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "eperm_for_pool_of_another_process",
        "every use of it; who it is may be asked",
        strangers,
    ),
    Case::new(
        "shared_pool_is_for_everybody",
        "who has the file, by whatever way",
        shared,
    ),
    // Kills the mutant that drops the charge.
    Case::new(
        "pool_is_charged_like_pinned_memory",
        "to its maker, for as long as it lives",
        charged,
    ),
    Case::new(
        "enomem_for_pool_over_memlock",
        "with the numbers; nothing is left of it",
        over_memlock,
    ),
    Case::new(
        "enospc_for_pool_over_the_devices_limit",
        "nothing is left of it",
        over_quota,
    ),
    Case::new(
        "enospc_for_one_pool_too_many",
        "or region: they share the limit",
        too_many,
    )
    .not_on_debug("a number is the same there"),
    Case::new(
        "pool_takes_as_many_as_fit",
        "into memlock, and into the device's limit",
        as_many,
    ),
    Case::new(
        "pool_takes_as_many_as_fit_into_its_cgroup",
        "and nobody is killed for it",
        in_a_cgroup,
    )
    .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
    .not_on_debug("it has no memory cgroups"),
    Case::new(
        "enomem_for_pool_larger_than_its_cgroup",
        "not because of memlock, and nobody is killed",
        larger_than_a_cgroup,
    )
    .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
    .not_on_debug("it has no memory cgroups"),
    // Kills the mutant that takes what cannot be charged as a way out.
    Case::new(
        "contiguous_pool_stays_within_its_cgroup",
        "as a scattered one does",
        contiguous_in_a_cgroup,
    )
    .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
    .not_on_debug("it has no memory cgroups"),
    // Kills the mutant that does not ask.
    Case::new(
        "eperm_for_contiguous_buffers_that_no_cgroup_is_charged_with",
        "by a byte; smaller ones, scattered ones and who has the right go on",
        uncharged,
    ),
];

#[track_caller]
fn refused(got: i32, errno: i32) -> Outcome {
    same("errno", errno_name(got), errno_name(errno))
}

fn strangers(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    let buffer = pool.buffer(0)?;
    flight::in_child(|| {
        refused(
            errno_of(pool.map_part(0, PAGE, libc::MAP_SHARED)),
            libc::EPERM,
        )?;
        let (errno, taken) = pool.try_enqueue(&[record(buffer, 0)]);
        refused(errno, libc::EPERM)?;
        same("taken", taken, 0)?;
        refused(pool.try_dequeue(1, 0, 0).0, libc::EPERM)?;
        refused(pool.try_start(from_device(16)), libc::EPERM)?;
        let (errno, totals) = pool.try_stop();
        refused(errno, libc::EPERM)?;
        check(totals == Totals::default(), format!("{totals:?}"))?;
        let segs = [within(pool.handle, 0, 16)];
        device
            .transfer(transfer(abi::TO_DEVICE, 0, &segs))
            .refused_for(libc::EPERM, abi::FIELD_SEG_HANDLE)?;
        same("state", pool.state(0)?, abi::POOL_OWNED)?;
        same(
            "length",
            device.region(pool.handle)?.out_len,
            2 * PAGE as u64,
        )
    })?;
    pool.enqueue(buffer)
}

fn shared(_: Leg) -> Outcome {
    let device = Device::open()?;
    let request = pindma_pool_create {
        flags: abi::POOL_SHARED,
        ..ask(2, PAGE)
    };
    let pool = Pool::make(&device, request)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), 3);
    let (ours, theirs) = UnixStream::pair()?;
    os::send_fd(&ours, pool.fd())?;
    flight::in_child(|| {
        let pool = Pool::received(os::receive_fd(&theirs)?, &pool)?;
        let memory = pool.map()?;
        same("a byte", memory.read(PAGE, 1)[0], 3)?;
        memory.fill(0, 1, 4);
        pool.enqueue(pool.buffer(1)?)?;
        pool.start(from_device(16))?;
        pool.stop()?;
        pool.dequeue(1).map(drop)
    })?;
    same("a byte", memory.read(0, 1)[0], 4)
}

fn charged(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(64 << 10)?;
        let used = || Ok::<_, crate::check::Fail>(device.info()?.out_memlock_used);
        let pool = of_pages(&device, 8)?;
        let len = pool.len() as u64;
        same("used", used()?, len)?;
        same("VmPin in KiB", counters::pinned_kib("self")?, 32)?;
        same("of the device", device.info()?.out_pinned_pages, 8)?;
        let memory = pool.map()?;
        let handle = pool.handle;
        drop(pool);
        same("used by a mapping", used()?, len)?;
        drop(memory);
        same("used by the handle", used()?, len)?;
        same("errno", device.unregister(handle), 0)?;
        same("used at the end", used()?, 0)?;
        same("VmPin in KiB", counters::pinned_kib("self")?, 0)
    })
}

fn over_memlock(_: Leg) -> Outcome {
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(5 * PAGE as u64)?;
        let out = Pool::refused(&device, ask(3, 2 * PAGE), libc::ENOMEM, abi::FIELD_NONE)?;
        same("marked", out.flags & abi::OUT_MEMLOCK, abi::OUT_MEMLOCK)?;
        same("needed", out.memlock_needed, 2 * PAGE as u64)?;
        same("used", out.memlock_used, 4 * PAGE as u64)?;
        same("limit", out.memlock_limit, 5 * PAGE as u64)?;
        same("used then", device.info()?.out_memlock_used, 0)?;
        of_pages(&device, 5).map(drop)
    })?;
    drop(device);
    counters::comes_to("kernel_pages", 0)
}

fn over_quota(leg: Leg) -> Outcome {
    with_parameters(leg, "max_pinned_pages=9", || {
        let device = Device::open()?;
        Pool::refused(&device, ask(5, 2 * PAGE), libc::ENOSPC, abi::FIELD_NONE)?;
        Pool::refused(&device, ask(1, 10 * PAGE), libc::ENOSPC, abi::FIELD_NONE)?;
        counters::comes_to("kernel_pages", 0)?;
        same("of the device", device.info()?.out_pinned_pages, 0)?;
        Pool::make(&device, ask(4, 2 * PAGE)).map(drop)
    })
}

fn too_many(_: Leg) -> Outcome {
    let device = Device::open()?;
    let most = device.info()?.out_max_regions;
    let pools: Vec<_> = (1..most)
        .map(|_| of_pages(&device, 1).map(|pool| pool.handle))
        .collect::<Outcome<_>>()?;
    let last = of_pages(&device, 1)?;
    Pool::refused(&device, ask(1, PAGE), libc::ENOSPC, abi::FIELD_NONE)?;
    same("errno", device.unregister(pools[7]), 0)?;
    of_pages(&device, 1)?;
    drop(last);
    Ok(())
}

fn as_many(leg: Leg) -> Outcome {
    let many = |bytes| pindma_pool_create {
        flags: abi::POOL_AS_MANY,
        ..ask(1000, bytes)
    };
    let device = Device::open()?;
    flight::in_child(|| {
        user::become_ordinary(7 * PAGE as u64)?;
        let pool = Pool::make(&device, many(2 * PAGE))?;
        same("buffers", pool.count, 3)?;
        same("used", device.info()?.out_memlock_used, 6 * PAGE as u64)?;
        // Not even one is an error.
        let out = Pool::refused(&device, many(2 * PAGE), libc::ENOMEM, abi::FIELD_NONE)?;
        same("marked", out.flags & abi::OUT_MEMLOCK, abi::OUT_MEMLOCK)
    })?;
    drop(device);
    with_parameters(leg, "max_pinned_pages=100", || {
        let device = Device::open()?;
        same("buffers", Pool::make(&device, many(3 * PAGE))?.count, 33)?;
        drop(device);
        counters::comes_to("kernel_pages", 0)
    })
}

/// Bytes that the cgroup of a test may have.
const LIMIT: usize = 24 << 20;

fn nobody_was_killed(cgroup: &Cgroup) -> Outcome {
    let events = cgroup.get("memory.events")?;
    same("killed", after(&events, "oom_kill ")?, 0)
}

fn larger_than_a_cgroup(_: Leg) -> Outcome {
    let (cgroup, device) = (Cgroup::new("large-pool")?, Device::open()?);
    cgroup.set("memory.max", &LIMIT.to_string())?;
    flight::in_child(|| {
        cgroup.enter()?;
        let out = Pool::refused(&device, ask(64, 1 << 20), libc::ENOMEM, abi::FIELD_NONE)?;
        same("for memlock", out.flags & abi::OUT_MEMLOCK, 0)
    })?;
    nobody_was_killed(&cgroup)
}

fn in_a_cgroup(_: Leg) -> Outcome {
    let (cgroup, device) = (Cgroup::new("pool")?, Device::open()?);
    cgroup.set("memory.max", &LIMIT.to_string())?;
    flight::in_child(|| {
        cgroup.enter()?;
        let request = pindma_pool_create {
            flags: abi::POOL_AS_MANY,
            ..ask(64, 1 << 20)
        };
        let pool = Pool::make(&device, request)?;
        let most = LIMIT >> 20;
        let fits = (most / 2..=most).contains(&pool.count);
        check(fits, format!("{} buffers in {most} MiB", pool.count))
    })?;
    nobody_was_killed(&cgroup)
}

fn contiguous(count: u32, bytes: usize) -> pindma_pool_create {
    pindma_pool_create {
        flags: abi::POOL_CONTIGUOUS,
        ..ask(count, bytes)
    }
}

fn contiguous_in_a_cgroup(_: Leg) -> Outcome {
    let (cgroup, device) = (Cgroup::new("contiguous-pool")?, Device::open()?);
    cgroup.set("memory.max", &LIMIT.to_string())?;
    flight::in_child(|| {
        cgroup.enter()?;
        let request = contiguous(64, 1 << 20);
        let out = Pool::refused(&device, request, libc::ENOMEM, abi::FIELD_NONE)?;
        same("for memlock", out.flags & abi::OUT_MEMLOCK, 0)
    })?;
    nobody_was_killed(&cgroup)
}

/// The largest run of the page allocator.
const LARGEST: usize = 4 << 20;

fn uncharged(_: Leg) -> Outcome {
    let device = Device::open()?;
    let field = abi::FIELD_BUFFER_BYTES;
    flight::in_child(|| {
        os::drop_sys_resource()?;
        let large = contiguous(1, LARGEST + 1);
        Pool::refused(&device, large, libc::EPERM, field)?;
        // There may be none, but not for want of a right.
        if let Err((errno, _)) = Pool::try_make(&device, contiguous(1, LARGEST))? {
            refused(errno, libc::ENOMEM)?;
        }
        Pool::make(&device, ask(1, LARGEST + 1)).map(drop)
    })?;
    match Pool::try_make(&device, contiguous(1, LARGEST + 1))? {
        Ok(pool) => same("stride", pool.stride, LARGEST + PAGE),
        Err((errno, _)) => refused(errno, libc::ENOMEM),
    }
}
