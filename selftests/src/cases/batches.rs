// SPDX-License-Identifier: GPL-2.0

//! Batches and entries that are wrong in one field: the errno, and the field's name.
//!
//! None of them gets as far as the device, so they run on every leg.

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::abi::{self, pindma_entry, pindma_seg, pindma_submit};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, seg_at, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::queue::{batch, entry, entry_of, submit, Queue};
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs, EDU};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "eopnotsupp_for_unknown_flags_of_a_batch",
        "each bit; of an entry too",
        flags,
    ),
    Case::new(
        "einval_for_reserved_field_of_a_batch",
        "of an entry too",
        reserved,
    ),
    Case::new("einval_for_empty_batch", "no entries", empty),
    Case::new(
        "emsgsize_for_one_entry_too_many",
        "and the most that info allows",
        too_many,
    ),
    Case::new(
        "ebadf_for_what_is_no_queue_of_this_file",
        "no file, another file, another's queue",
        no_queue,
    ),
    Case::new(
        "efault_for_entries_that_are_not_there",
        "null, unmapped, kernel, half",
        no_entries,
    ),
    Case::new(
        "efault_for_batch_that_cannot_be_written",
        "and nothing is submitted",
        read_only,
    ),
    Case::new(
        "enoent_for_unknown_channel_of_a_request",
        "the first past the last, and beyond",
        channel,
    )
    .not_on_xdma(EDU),
    Case::new(
        "enoent_for_unknown_handle_of_a_request",
        "nothing is registered",
        handle,
    ),
    Case::new(
        "einval_for_unknown_direction_of_a_request",
        "0, both, beyond",
        direction,
    ),
    Case::new(
        "eopnotsupp_for_unknown_dev_flags_of_a_request",
        "DEV_FIXED too",
        dev_flags,
    ),
    Case::new(
        "erange_for_request_outside_device_memory",
        "start, end, a sum that wraps",
        dev_range,
    ),
    Case::new(
        "einval_for_negative_deadline_of_a_request",
        "the smallest too",
        deadline,
    ),
    Case::new(
        "einval_for_wrong_segment_of_a_request",
        "empty, wrapping; unknown flags are EOPNOTSUPP",
        segment,
    ),
    Case::new(
        "emsgsize_for_one_segment_too_many_of_a_request",
        "1025",
        many_segs,
    ),
    Case::new(
        "efault_for_vector_of_a_request_that_is_not_there",
        "null, unmapped, kernel",
        no_vector,
    ),
    case(
        "efault_for_memory_of_a_request",
        "names the address, and nothing stays pinned",
        no_memory,
    ),
    case(
        "enomem_for_request_over_the_memlock_limit",
        "says by how much; what ends makes room",
        memlock,
    )
    .slow(),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// A batch of one that is right until `spoil` has been at it.
fn refuse_batch(errno: i32, field: u32, spoil: impl FnOnce(&mut pindma_submit)) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let memory = Mapping::anonymous(PAGE)?;
    let entries = [entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 16))];
    let mut request = batch(&queue, &entries);
    spoil(&mut request);
    submit(&device, request).refused_for(errno, field)?;
    nothing_submitted(&device)
}

fn nothing_submitted(device: &Device) -> Outcome {
    let stats = device.stats()?;
    same("submitted", stats.out_submitted, 0)?;
    same("requests", counters::driver("requests")?, 0)
}

/// A request of three segments that is right until `spoil` has been at it.
fn refuse_entry(errno: i32, field: u32, spoil: impl FnOnce(&mut pindma_entry)) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [0, 64, 128].map(|at| seg(&memory, at, 16));
    let mut entry = entry_of(0, abi::TO_DEVICE, 0, &segs);
    spoil(&mut entry);
    let submitted = queue.submit(&device, &[entry]);
    submitted.refused_for(errno, field)?;
    nothing_submitted(&device)
}

fn flags(_: Leg) -> Outcome {
    for bit in 0..32 {
        refuse_batch(libc::EOPNOTSUPP, abi::FIELD_FLAGS, |b| b.flags = 1 << bit)?;
        refuse_entry(libc::EOPNOTSUPP, abi::FIELD_FLAGS, |e| e.flags = 1 << bit)?;
    }
    Ok(())
}

fn reserved(_: Leg) -> Outcome {
    refuse_batch(libc::EINVAL, abi::FIELD_RESERVED, |b| b.reserved = 1)?;
    refuse_entry(libc::EINVAL, abi::FIELD_RESERVED, |e| e.reserved = 1)
}

fn empty(_: Leg) -> Outcome {
    refuse_batch(libc::EINVAL, abi::FIELD_NR_ENTRIES, |b| b.nr_entries = 0)
}

fn too_many(_: Leg) -> Outcome {
    let most = Device::open()?.info()?.out_max_batch;
    for count in [most + 1, u32::MAX] {
        refuse_batch(libc::EMSGSIZE, abi::FIELD_NR_ENTRIES, |b| {
            b.nr_entries = count;
        })?;
    }
    // As many as are allowed, each of them wrong: the first is looked at.
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let entries = vec![pindma_entry::default(); most as usize];
    queue
        .submit(&device, &entries)
        .refused_for(libc::EINVAL, abi::FIELD_DIRECTION)
        .map(drop)
}

fn no_queue(_: Leg) -> Outcome {
    let null = File::open("/dev/null")?;
    let device = Device::open()?;
    let stranger = Device::open()?;
    let other = Queue::create(&stranger, 1)?;
    let of_nobody = Queue::create(&Device::open()?, 1)?;
    for fd in [
        -1,
        i32::MAX,
        null.as_raw_fd(),
        device.fd().as_raw_fd(),
        other.fd().as_raw_fd(),
        of_nobody.fd().as_raw_fd(),
    ] {
        refuse_batch(libc::EBADF, abi::FIELD_QUEUE, |b| b.queue = fd)?;
    }
    Ok(())
}

fn no_entries(_: Leg) -> Outcome {
    let edge = Mapping::anonymous(2 * PAGE)?;
    edge.protect(PAGE, PAGE, libc::PROT_NONE)?;
    for addr in [
        0,
        edge.addr(PAGE),
        0xffff_8880_0000_0000,
        u64::MAX - 7,
        edge.addr(PAGE - 8),
    ] {
        refuse_batch(libc::EFAULT, abi::FIELD_ENTRIES, |b| b.entries = addr)?;
    }
    Ok(())
}

fn read_only(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let memory = Mapping::anonymous(PAGE)?;
    let entries = [entry(0, abi::TO_DEVICE, 0, seg(&memory, 0, 16))];
    let argument = Mapping::anonymous(PAGE)?;
    argument.write(0, &sys::bytes_of(&batch(&queue, &entries)));
    argument.protect(0, PAGE, libc::PROT_READ)?;
    let called = sys::ioctl_at(device.fd(), abi::PINDMA_SUBMIT, argument.addr(0));
    same(
        "submit",
        errno_name(errno_of(called)),
        errno_name(libc::EFAULT),
    )?;
    nothing_submitted(&device)
}

fn channel(_: Leg) -> Outcome {
    for channel in [1, 2, u32::MAX] {
        refuse_entry(libc::ENOENT, abi::FIELD_CHANNEL, |e| e.channel = channel)?;
    }
    Ok(())
}

fn handle(_: Leg) -> Outcome {
    let stale = pindma_seg {
        handle: 0x1_0001,
        ..seg_at(0, 16)
    };
    refuse_entry(libc::ENOENT, abi::FIELD_SEG_HANDLE, |e| {
        (e.segs, e.nr_segs, e.seg) = (0, 0, stale);
    })
}

fn direction(_: Leg) -> Outcome {
    for direction in [0, 3, 4, u32::MAX] {
        refuse_entry(libc::EINVAL, abi::FIELD_DIRECTION, |e| {
            e.direction = direction;
        })?;
    }
    Ok(())
}

fn dev_flags(_: Leg) -> Outcome {
    for bit in 0..32 {
        refuse_entry(libc::EOPNOTSUPP, abi::FIELD_DEV_FLAGS, |e| {
            e.dev_flags = 1 << bit;
        })?;
    }
    Ok(())
}

fn dev_range(_: Leg) -> Outcome {
    for dev_addr in [PAGE as u64 - 47, PAGE as u64, 1 << 32, u64::MAX] {
        refuse_entry(libc::ERANGE, abi::FIELD_DEV_ADDR, |e| e.dev_addr = dev_addr)?;
    }
    Ok(())
}

fn deadline(_: Leg) -> Outcome {
    for deadline in [-1, i64::MIN] {
        refuse_entry(libc::EINVAL, abi::FIELD_DEADLINE, |e| e.deadline = deadline)?;
    }
    Ok(())
}

fn segment(_: Leg) -> Outcome {
    let alone = |seg| move |e: &mut pindma_entry| (e.segs, e.nr_segs, e.seg) = (0, 0, seg);
    let empty = seg_at(4096, 0);
    refuse_entry(libc::EINVAL, abi::FIELD_SEG_LEN, alone(empty))?;
    let wrapping = seg_at(u64::MAX - 15, 17);
    refuse_entry(libc::EINVAL, abi::FIELD_SEG_LEN, alone(wrapping))?;
    let flagged = pindma_seg {
        flags: 1,
        ..seg_at(4096, 16)
    };
    refuse_entry(libc::EOPNOTSUPP, abi::FIELD_SEG_FLAGS, alone(flagged))
}

fn many_segs(_: Leg) -> Outcome {
    for count in [1025, u32::MAX] {
        refuse_entry(libc::EMSGSIZE, abi::FIELD_NR_SEGS, |e| e.nr_segs = count)?;
    }
    Ok(())
}

fn no_vector(_: Leg) -> Outcome {
    for addr in [0, 0xffff_8880_0000_0000, u64::MAX - 7] {
        refuse_entry(libc::EFAULT, abi::FIELD_SEGS, |e| e.segs = addr)?;
    }
    Ok(())
}

fn no_memory(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(4 * PAGE)?;
    memory.protect(PAGE, PAGE, libc::PROT_NONE)?;
    memory.protect(3 * PAGE, PAGE, libc::PROT_READ)?;
    let pins = counters::pins_outstanding()?;
    let good = seg(&memory, 0, 64);
    for (direction, page) in [
        (abi::TO_DEVICE, 1),
        (abi::FROM_DEVICE, 1),
        (abi::FROM_DEVICE, 3),
    ] {
        let segs = [good, seg_at(memory.addr(page * PAGE) - 100, 200)];
        let bad = entry_of(1, direction, 0, &segs);
        let first = entry(0, abi::TO_DEVICE, 0, good);
        let out = queue.submit(&device, &[first, bad]).only(1, libc::EFAULT)?;
        check(out.flags & abi::OUT_FAULT != 0, "no OUT_FAULT")?;
        same("index", out.fault_index, 1)?;
        same("address", out.fault_addr, memory.addr(page * PAGE))?;
        queue.reap_one()?;
        same("pins", counters::pins_outstanding()?, pins)?;
    }
    Ok(())
}

fn memlock(_: Leg) -> Outcome {
    flight::in_child(|| {
        let device = Device::open()?;
        let queue = Queue::create(&device, 8)?;
        crate::user::become_ordinary(2 * PAGE as u64)?;
        let memory = Mapping::anonymous(4 * PAGE)?;
        let of = |name: usize| entry(name as u64, abi::TO_DEVICE, 0, seg(&memory, name * PAGE, 9));
        let out = queue
            .submit(&device, &[of(0), of(1), of(2)])
            .only(2, libc::ENOMEM)?;
        check(out.flags & abi::OUT_MEMLOCK != 0, "no OUT_MEMLOCK")?;
        let page = PAGE as u64;
        let told = [out.memlock_needed, out.memlock_used, out.memlock_limit];
        check(told == [page, 2 * page, 2 * page], format!("{told:?}"))?;
        queue.reap_one()?;
        queue.submit(&device, &[of(2)]).all(1)?;
        queue.reap(2).map(drop)
    })
}
