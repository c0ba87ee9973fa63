// SPDX-License-Identifier: GPL-2.0

//! Calls on a pool that are wrong: the errno, and that nothing has changed.

use std::mem::size_of;

use crate::abi::{self, pindma_pool_record, pindma_pool_start};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{errno_of, seg, transfer, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::pool::{ask, from_device, of_pages, record, stream, to_device, Pool};
use crate::region::within;
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that ignores the generation.
    Case::new(
        "enoent_for_stale_buffer",
        "enqueued twice, of another pool, made up",
        stale,
    ),
    Case::new(
        "einval_for_impossible_record",
        "more bytes than the buffer has, a reserved field, a flag",
        records,
    ),
    Case::new(
        "enqueue_takes_from_the_first_on",
        "up to the first that is wrong",
        first_ones,
    ),
    Case::new(
        "emsgsize_for_too_many_records",
        "and EINVAL for none",
        too_many,
    ),
    memory(
        "efault_for_records_loses_no_buffer",
        "it is dequeued the next time",
        no_records,
    ),
    Case::new(
        "eagain_for_dequeue_when_nothing_comes",
        "stopped, or nothing enqueued, or O_NONBLOCK",
        nothing_comes,
    ),
    memory("ebusy_for_second_start", "until it is stopped", started),
    Case::new(
        "erange_for_frame_that_does_not_fit",
        "into the buffer, or the device's memory",
        frame,
    ),
    Case::new(
        "eopnotsupp_for_direction_the_pool_is_not_for",
        "in a start and in a transfer",
        direction,
    ),
    Case::new(
        "einval_for_start_that_makes_no_sense",
        "direction, stream out of memory, channel, reserved, flags",
        nonsense,
    ),
    Case::new(
        "enotty_for_commands_of_another_file",
        "those of a pool on the node, and the other way round",
        commands,
    ),
    Case::new(
        "pool_commands_check_their_size",
        "too small, larger, larger and not zero",
        sizes,
    ),
    memory(
        "pool_buffer_moves_by_handle",
        "as source and as destination",
        by_handle,
    ),
    memory(
        "pool_buffer_is_enqueued_after_a_transfer_only",
        "EBUSY while a transfer uses it",
        in_use,
    ),
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

#[track_caller]
fn refused(got: i32, errno: i32) -> Outcome {
    same("errno", errno_name(got), errno_name(errno))
}

#[track_caller]
fn refuse_enqueue(pool: &Pool, record: pindma_pool_record, errno: i32) -> Outcome {
    let (got, taken) = pool.try_enqueue(&[record]);
    refused(got, errno)?;
    same("taken", taken, 0)
}

fn stale(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (pool, other) = (of_pages(&device, 2)?, of_pages(&device, 5)?);
    let (first, fourth) = (pool.buffer(0)?, other.buffer(4)?);
    pool.enqueue(first)?;
    refuse_enqueue(&pool, record(first, 0), libc::ENOENT)?;
    for wrong in [0, 1, fourth, u32::MAX, pool.buffer(1)? + (1 << 16)] {
        refuse_enqueue(&pool, record(wrong, 0), libc::ENOENT)?;
    }
    // It comes back with another name.
    pool.start(from_device(16))?;
    pool.stop()?;
    let again = pool.dequeue(1)?[0].buffer;
    check(again != first, "the same handle again")?;
    refuse_enqueue(&pool, record(first, 0), libc::ENOENT)?;
    same("state", pool.state(0)?, abi::POOL_OWNED)?;
    pool.enqueue(again)
}

fn records(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let good = record(pool.buffer(0)?, PAGE);
    for (spoil, errno) in [
        (
            (|r| r.bytes = PAGE as u64 + 1) as fn(&mut pindma_pool_record),
            libc::EINVAL,
        ),
        (|r| r.bytes = u64::MAX, libc::EINVAL),
        (|r| r.reserved[1] = 1, libc::EINVAL),
        (|r| r.flags = abi::OUT_STARTED, libc::EOPNOTSUPP),
    ] {
        let mut bad = good;
        spoil(&mut bad);
        refuse_enqueue(&pool, bad, errno)?;
    }
    // What is only told is not looked at.
    let told = pindma_pool_record {
        index: 77,
        seq: 5,
        status: -1,
        time_ns: 3,
        overruns: 9,
        ..good
    };
    refused(pool.try_enqueue(&[told]).0, 0)
}

fn first_ones(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 3)?;
    let (a, b) = (pool.buffer(0)?, pool.buffer(2)?);
    let (errno, taken) = pool.try_enqueue(&[record(a, 0), record(a, 0), record(b, 0)]);
    refused(errno, 0)?;
    same("taken", taken, 1)?;
    same("the third", pool.state(2)?, abi::POOL_OWNED)?;
    same("the rest", pool.enqueue_all()?, 2)
}

fn too_many(_: Leg) -> Outcome {
    let device = Device::open()?;
    let most = device.info()?.out_max_batch;
    let pool = of_pages(&device, 1)?;
    let many = vec![record(0, 0); most as usize + 1];
    refused(pool.try_enqueue(&many).0, libc::EMSGSIZE)?;
    refused(pool.try_enqueue(&[]).0, libc::EINVAL)?;
    refused(pool.dequeue_to(0, most + 1, 0, 0).errno, libc::EMSGSIZE)?;
    refused(pool.dequeue_to(0, 0, 0, 0).errno, libc::EINVAL)?;
    refused(pool.dequeue_to(0, 1, 2, 0).errno, libc::EINVAL)?;
    refused(pool.dequeue_to(0, 1, 1, -1).errno, libc::EINVAL)
}

fn no_records(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 3)?;
    pool.enqueue_all()?;
    pool.start(from_device(16))?;
    let edge = Mapping::anonymous(2 * PAGE)?;
    edge.protect(PAGE, PAGE, libc::PROT_NONE)?;
    let bad = edge.addr(PAGE);
    let got = pool.dequeue_to(bad, 3, 3, abi::DEADLINE_NONE);
    refused(got.errno, libc::EFAULT)?;
    same("dequeued", got.count, 0)?;
    same("with the device", got.queued, 0)?;
    // Room for one: the others stay.
    let one = edge.addr(PAGE - size_of::<pindma_pool_record>());
    let got = pool.dequeue_to(one, 3, 3, abi::DEADLINE_NONE);
    refused(got.errno, 0)?;
    same("dequeued", got.count, 1)?;
    same("the first", pool.state(0)?, abi::POOL_OWNED)?;
    same("the second", pool.state(1)?, abi::POOL_READY)?;
    for (record, index) in pool.dequeue(2)?.iter().zip(1..) {
        same("index", record.index, index)?;
        same("seq", record.seq, u64::from(index))?;
    }
    Ok(())
}

fn nothing_comes(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let again = |min, deadline| refused(pool.try_dequeue(1, min, deadline).0, libc::EAGAIN);
    again(0, 0)?;
    again(1, abi::DEADLINE_NONE)?;
    pool.start(from_device(16))?;
    again(1, abi::DEADLINE_NONE)?;
    os::set_nonblocking(pool.fd())?;
    pool.enqueue_all()?;
    let (errno, records) = pool.try_dequeue(1, 1, abi::DEADLINE_NONE);
    check(
        errno == libc::EAGAIN || errno == 0 && records.len() == 1,
        errno_name(errno),
    )?;
    pool.stop().map(drop)
}

fn started(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    pool.start(from_device(0))?;
    refused(pool.try_start(from_device(0)), libc::EBUSY)?;
    refused(pool.try_start(stream(0)), libc::EBUSY)?;
    pool.stop()?;
    pool.start(stream(0))?;
    refused(pool.try_start(stream(0)), libc::EBUSY)?;
    pool.stop().map(drop)
}

fn frame(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = Pool::make(&device, ask(1, 2 * PAGE))?;
    for start in [
        from_device(0),
        from_device(PAGE + 1),
        from_device(2 * PAGE + 1),
        from_device(usize::MAX),
        pindma_pool_start {
            dev_addr: 1,
            ..from_device(PAGE)
        },
        pindma_pool_start {
            dev_addr: u64::MAX,
            ..from_device(16)
        },
    ] {
        refused(pool.try_start(start), libc::ERANGE)?;
    }
    let small = of_pages(&device, 1)?;
    refused(small.try_start(from_device(PAGE + 1)), libc::ERANGE)
}

fn direction(_: Leg) -> Outcome {
    let device = Device::open()?;
    let of = |access| {
        let request = abi::pindma_pool_create {
            access,
            ..ask(1, PAGE)
        };
        Pool::make(&device, request)
    };
    let (reads, writes) = (of(abi::DEV_READ)?, of(abi::DEV_WRITE)?);
    for (pool, wrong) in [
        (&reads, from_device(16)),
        (&reads, stream(16)),
        (&writes, to_device(16)),
    ] {
        refused(pool.try_start(wrong), libc::EOPNOTSUPP)?;
    }
    for (pool, wrong) in [(&reads, abi::FROM_DEVICE), (&writes, abi::TO_DEVICE)] {
        let segs = [within(pool.handle, 0, 16)];
        device
            .transfer(transfer(wrong, 0, &segs))
            .refused_for(libc::EOPNOTSUPP, abi::FIELD_SEG_HANDLE)?;
    }
    Ok(())
}

fn nonsense(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let good = from_device(16);
    for (spoil, errno) in [
        (
            (|s| s.direction = 0) as fn(&mut pindma_pool_start),
            libc::EINVAL,
        ),
        (|s| s.direction = 3, libc::EINVAL),
        (|s| s.reserved = 1, libc::EINVAL),
        (|s| s.flags = 2, libc::EOPNOTSUPP),
        (|s| s.dev_flags = 1, libc::EOPNOTSUPP),
        (|s| s.dev_flags = 2, libc::EOPNOTSUPP),
        (|s| s.channel = 1, libc::ENOENT),
        (
            |s| {
                s.direction = abi::TO_DEVICE;
                s.flags = abi::START_STREAM;
            },
            libc::EINVAL,
        ),
    ] {
        let mut bad = good;
        spoil(&mut bad);
        refused(pool.try_start(bad), errno)?;
    }
    let (errno, ..) = pool.try_stop();
    refused(errno, 0)
}

/// Every command of a pool, with the size of its argument.
const COMMANDS: [(u32, usize); 5] = [
    (abi::PINDMA_POOL_BUFFER, size_of::<abi::pindma_pool_query>()),
    (
        abi::PINDMA_POOL_ENQUEUE,
        size_of::<abi::pindma_pool_enqueue>(),
    ),
    (
        abi::PINDMA_POOL_DEQUEUE,
        size_of::<abi::pindma_pool_dequeue>(),
    ),
    (abi::PINDMA_POOL_START, size_of::<pindma_pool_start>()),
    (abi::PINDMA_POOL_STOP, size_of::<abi::pindma_pool_stop>()),
];

/// The errno of a command whose argument says that it has `told` bytes, and whose
/// last one is `last`.
fn call(device: &Device, command: u32, told: usize, last: u8) -> i32 {
    let mut bytes = vec![0; told.max(8)];
    bytes[told.max(8) - 1] = last;
    bytes[..4].copy_from_slice(&(told as u32).to_ne_bytes());
    errno_of(sys::ioctl(device.fd(), command, &mut bytes))
}

fn commands(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    for (command, size) in COMMANDS {
        refused(call(&device, command, size, 0), libc::ENOTTY)?;
    }
    for command in [abi::PINDMA_INFO, abi::PINDMA_POOL_CREATE, 0, u32::MAX] {
        refused(call(pool.file(), command, 144, 0), libc::ENOTTY)?;
    }
    Ok(())
}

fn sizes(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let create = (
        abi::PINDMA_POOL_CREATE,
        size_of::<abi::pindma_pool_create>(),
    );
    for (file, (command, size)) in COMMANDS
        .map(|command| (pool.file(), command))
        .into_iter()
        .chain([(&device, create)])
    {
        refused(call(file, command, size - 1, 0), libc::EINVAL)?;
        refused(call(file, command, 0, 0), libc::EINVAL)?;
        refused(call(file, command, size + 8, 1), libc::E2BIG)?;
        refused(call(file, command, PAGE + 1, 0), libc::E2BIG)?;
        // All zero is the same as without those bytes.
        let (as_is, longer) = (
            call(file, command, size, 0),
            call(file, command, size + 8, 0),
        );
        refused(longer, as_is)?;
        check(longer != libc::E2BIG, "zeroes are too much")?;
        pool.stop()?;
    }
    Ok(())
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
