// SPDX-License-Identifier: GPL-2.0

//! Buffers of a pool in transfers, by the handle of the pool.

use super::pool_calls::{refuse_enqueue, refused};
use crate::abi;
use crate::check::{same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::pattern;
use crate::pool::{ask, of_pages, record, Pool};
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    memory(
        "pool_buffer_moves_by_handle",
        "as source and as destination",
        by_handle,
    ),
    memory(
        "pool_buffer_is_enqueued_after_a_transfer_only",
        "EBUSY while a transfer uses it",
        in_use,
    )
    .slow(),
    Case::new(
        "ebusy_for_transfer_of_enqueued_buffer",
        "and ERANGE across buffers or beyond",
        not_owned,
    ),
    Case::new(
        "pool_handle_is_told_as_a_region",
        "and is stale once it is unregistered",
        as_region,
    ),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

fn by_handle(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = Pool::make(&device, ask(3, 2 * PAGE))?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), pattern::GUARD);
    let (from, to) = (pool.stride + 100, 2 * pool.stride + PAGE - 7);
    pattern::write(&memory, from, PAGE, 21);
    device
        .to_device(0, &[within(pool.handle, from, PAGE)])
        .succeeded(PAGE)?;
    // Two buffers, and memory of our own in between.
    let own = Mapping::anonymous(PAGE)?;
    let segs = [
        within(pool.handle, to, 1000),
        seg(&own, 5, 96),
        within(pool.handle, 0, PAGE - 1096),
    ];
    device.from_device(0, &segs).succeeded(PAGE)?;
    let wanted = pattern::bytes(21, PAGE);
    pattern::expect(&memory.read(to, 1000), &wanted[..1000])?;
    pattern::expect(&own.read(5, 96), &wanted[1000..1096])?;
    pattern::expect(&memory.read(0, PAGE - 1096), &wanted[1096..])?;
    pattern::verify_guard(&memory, to + 1000, 300)?;
    pattern::verify_guard(&memory, to - 300, 300)
}

fn in_use(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = Pool::make(&device, ask(2, 4 * PAGE))?;
    let buffer = pool.buffer(1)?;
    let segs = [within(pool.handle, pool.stride, 4 * PAGE / 4); 1];
    let caller = device.duplicate()?;
    let call = flight::Background::start(move || caller.to_device(0, &segs));
    flight::wait_until("the call uses nothing", || {
        Ok(device.region(pool.handle)?.out_users > 0)
    })?;
    refuse_enqueue(&pool, record(buffer, 0), libc::EBUSY)?;
    same("others", pool.enqueue_all()?, 1)?;
    refused(device.unregister(pool.handle), libc::EBUSY)?;
    refused(device.unregister_by(pool.handle, abi::DEADLINE_NONE), 0)?;
    call.join()?.succeeded(PAGE)?;
    pool.enqueue(buffer)
}

fn not_owned(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 2)?;
    let stride = pool.stride;
    let refuse = |offset, len, errno, field| {
        let segs = [within(pool.handle, offset, len)];
        let call = device.to_device(0, &segs);
        call.refused_for(errno, field).map(drop)
    };
    refuse(stride - 1, 2, libc::ERANGE, abi::FIELD_SEG_LEN)?;
    refuse(0, 2 * stride, libc::ERANGE, abi::FIELD_SEG_LEN)?;
    refuse(2 * stride, 1, libc::ERANGE, abi::FIELD_SEG_ADDR)?;
    refuse(1 << 60, 1, libc::ERANGE, abi::FIELD_SEG_ADDR)?;
    pool.enqueue(pool.buffer(1)?)?;
    refuse(stride, 16, libc::EBUSY, abi::FIELD_SEG_HANDLE)?;
    same("users", device.region(pool.handle)?.out_users, 0)
}

fn as_region(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let request = abi::pindma_pool_create {
        access: abi::DEV_WRITE,
        flags: abi::POOL_SHARED,
        ..ask(3, 5 * PAGE)
    };
    let pool = Pool::make(&device, request)?;
    let info = device.region(pool.handle)?;
    let bounced = if leg.bounces() {
        abi::REGION_IS_BOUNCED
    } else {
        0
    };
    let flags = abi::REGION_IS_POOL | abi::REGION_SHARED | bounced;
    same("flags", info.out_flags, flags)?;
    same("access", info.out_access, abi::DEV_WRITE)?;
    same("users", info.out_users, 0)?;
    same("length", info.out_len, 15 * PAGE as u64)?;
    same("pages", info.out_pages, 15)?;
    same("segments", info.out_segments, pool.out.segments)?;
    same("page sizes", info.out_page_sizes, PAGE as u64)?;
    same("regions", device.stats()?.out_regions, 1)?;
    let sync = device.sync(abi::SYNC_BEGIN_CPU, pool.handle, (0, 0));
    refused(sync, libc::EOPNOTSUPP)?;
    refused(device.unregister(pool.handle), 0)?;
    refused(device.unregister(pool.handle), libc::ENOENT)?;
    same("regions", device.stats()?.out_regions, 0)?;
    let segs = [within(pool.handle, 0, 16)];
    device
        .from_device(0, &segs)
        .refused_for(libc::ENOENT, abi::FIELD_SEG_HANDLE)?;
    // The pool itself is as good as before.
    same("enqueued", pool.enqueue_all()?, 3)?;
    pool.map().map(drop)
}
