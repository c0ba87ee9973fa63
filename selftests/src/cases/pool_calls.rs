// SPDX-License-Identifier: GPL-2.0

//! Calls on a pool that are wrong: the errno, and that nothing has changed.

use std::mem::size_of;

use crate::abi::{self, pindma_pool_record, pindma_pool_start};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{errno_of, transfer, Device, PAGE};
use crate::leg::Leg;
use crate::os;
use crate::pool::{ask, from_device, of_pages, record, stream, to_device, Pool};
use crate::region::within;
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs, EDU};

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
    )
    .not_on_xdma(EDU),
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
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

#[track_caller]
pub(super) fn refused(got: i32, errno: i32) -> Outcome {
    same("errno", errno_name(got), errno_name(errno))
}

#[track_caller]
pub(super) fn refuse_enqueue(pool: &Pool, record: pindma_pool_record, errno: i32) -> Outcome {
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
    refused(pool.try_enqueue(&[good]).0, 0)
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
