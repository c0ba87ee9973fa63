// SPDX-License-Identifier: GPL-2.0

//! Requests that are wrong in one field: the errno, and the field's name.
//!
//! None of them gets as far as memory, so they run on every leg.

use crate::abi::{self, pindma_copy, pindma_seg, pindma_transfer};
use crate::check::{check, same, Outcome};
use crate::device::{copy, seg, seg_at, transfer, Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::sys::Mapping;
use crate::table::{Case, Needs, EDU};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "eopnotsupp_for_unknown_flags",
        "each bit, in transfer and copy",
        flags,
    ),
    Case::new(
        "eopnotsupp_for_unknown_dev_flags",
        "DEV_FIXED too: edu is no FIFO",
        dev_flags,
    ),
    Case::new(
        "eopnotsupp_for_unknown_segment_flags",
        "named with its index",
        seg_flags,
    ),
    Case::new(
        "enoent_for_unknown_channel",
        "in transfer and copy",
        channel,
    )
    .not_on_xdma(EDU),
    Case::new("enoent_for_unknown_handle", "nothing is registered", handle),
    Case::new(
        "einval_for_handle_in_a_copy",
        "copies are between user memory",
        handle_in_copy,
    )
    .needs(Needs::Memory),
    Case::new("einval_for_unknown_direction", "0, both, beyond", direction),
    Case::new("einval_for_reserved_field", "in a copy", reserved),
    Case::new(
        "einval_for_empty_vector",
        "in transfer and on both sides of a copy",
        no_segs,
    ),
    Case::new(
        "emsgsize_for_one_segment_too_many",
        "1025, and the most that fits",
        many_segs,
    ),
    Case::new(
        "efault_for_vector_that_is_not_there",
        "null, unmapped, kernel, half",
        no_vector,
    ),
    Case::new(
        "einval_for_empty_segment",
        "first, last, only; both sides",
        empty_segment,
    ),
    Case::new(
        "einval_for_segment_that_wraps",
        "its end is beyond the last address",
        wrapping,
    ),
    Case::new(
        "einval_for_sum_that_wraps",
        "each length is fine alone",
        wrapping_sum,
    ),
    Case::new(
        "einval_for_unequal_sums_of_a_copy",
        "one more on either side",
        unequal,
    ),
    Case::new(
        "einval_for_negative_deadline",
        "the smallest too",
        negative_deadline,
    ),
    Case::new(
        "erange_outside_device_memory",
        "start, end, and a sum that wraps",
        dev_range,
    ),
    Case::new(
        "erange_for_length_over_limit",
        "4097 bytes, and 1 TiB",
        too_long,
    ),
    Case::new(
        "first_error_leaves_nothing_started",
        "the file's statistics stay zero",
        nothing_started,
    ),
];

/// A request that is right until `spoil` has been at it.
fn refuse_transfer(errno: i32, field: u32, spoil: impl FnOnce(&mut pindma_transfer)) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 16)];
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    spoil(&mut request);
    Device::open()?
        .transfer(request)
        .refused_for(errno, field)
        .map(drop)
}

fn refuse_copy(errno: i32, field: u32, spoil: impl FnOnce(&mut pindma_copy)) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let (src, dst) = ([seg(&memory, 0, 16)], [seg(&memory, 64, 16)]);
    let mut request = copy(&src, &dst);
    spoil(&mut request);
    Device::open()?
        .copy(request)
        .refused_for(errno, field)
        .map(drop)
}

fn flags(_: Leg) -> Outcome {
    for bit in 0..32 {
        if (abi::MAY_COPY | abi::MUST_COPY) & (1 << bit) == 0 {
            refuse_transfer(libc::EOPNOTSUPP, abi::FIELD_FLAGS, |r| r.flags = 1 << bit)?;
        }
        refuse_copy(libc::EOPNOTSUPP, abi::FIELD_FLAGS, |r| r.flags = 1 << bit)?;
    }
    Ok(())
}

fn dev_flags(_: Leg) -> Outcome {
    for bit in 0..32 {
        refuse_transfer(libc::EOPNOTSUPP, abi::FIELD_DEV_FLAGS, |r| {
            r.dev_flags = 1 << bit
        })?;
    }
    Ok(())
}

/// Three segments of a page, of which the third is `spoil`ed.
fn third_segment(errno: i32, field: u32, spoil: impl Fn(&mut pindma_seg)) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let good: Vec<_> = (0..3).map(|index| seg(&memory, index * 64, 16)).collect();
    let mut bad = good.clone();
    spoil(&mut bad[2]);
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        let call = device.transfer(transfer(direction, 0, &bad));
        same("index", call.refused_for(errno, field)?.fault_index, 2)?;
    }
    let out = device.copy(copy(&bad, &good)).refused_for(errno, field)?;
    same("source index", out.fault_index, 2)?;
    same("destination flag", out.flags & abi::OUT_FAULT_DST, 0)?;
    let out = device.copy(copy(&good, &bad)).refused_for(errno, field)?;
    same("destination index", out.fault_index, 2)?;
    same(
        "destination flag",
        out.flags & abi::OUT_FAULT_DST,
        abi::OUT_FAULT_DST,
    )
}

fn seg_flags(_: Leg) -> Outcome {
    third_segment(libc::EOPNOTSUPP, abi::FIELD_SEG_FLAGS, |seg| seg.flags = 1)?;
    third_segment(libc::EOPNOTSUPP, abi::FIELD_SEG_FLAGS, |seg| {
        seg.flags = 1 << 31
    })
}

fn channel(_: Leg) -> Outcome {
    for channel in [1, 2, u32::MAX] {
        refuse_transfer(libc::ENOENT, abi::FIELD_CHANNEL, |r| r.channel = channel)?;
        refuse_copy(libc::ENOENT, abi::FIELD_CHANNEL, |r| r.channel = channel)?;
    }
    Ok(())
}

fn handle(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let good: Vec<_> = (0..3).map(|index| seg(&memory, index * 64, 16)).collect();
    for handle in [1, 0x1_0000, 0x1_0001, u32::MAX] {
        let mut bad = good.clone();
        bad[2].handle = handle;
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let call = device.transfer(transfer(direction, 0, &bad));
            let out = call.refused_for(libc::ENOENT, abi::FIELD_SEG_HANDLE)?;
            same("index", out.fault_index, 2)?;
        }
    }
    Ok(())
}

fn handle_in_copy(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let good: Vec<_> = (0..3).map(|index| seg(&memory, index * 64, 16)).collect();
    let region = device.register(&good)?;
    for handle in [region, u32::MAX] {
        let mut bad = good.clone();
        bad[2].handle = handle;
        let field = abi::FIELD_SEG_HANDLE;
        let call = device.copy(copy(&bad, &good));
        let out = call.refused_for(libc::EINVAL, field)?;
        same("source index", out.fault_index, 2)?;
        same("destination flag", out.flags & abi::OUT_FAULT_DST, 0)?;
        let call = device.copy(copy(&good, &bad));
        let out = call.refused_for(libc::EINVAL, field)?;
        same("destination index", out.fault_index, 2)?;
        let flag = abi::OUT_FAULT_DST;
        same("destination flag", out.flags & flag, flag)?;
    }
    Ok(())
}

fn direction(_: Leg) -> Outcome {
    for direction in [0, 3, 4, u32::MAX] {
        refuse_transfer(libc::EINVAL, abi::FIELD_DIRECTION, |r| {
            r.direction = direction
        })?;
    }
    Ok(())
}

fn reserved(_: Leg) -> Outcome {
    refuse_copy(libc::EINVAL, abi::FIELD_RESERVED, |r| r.reserved = 1)
}

fn no_segs(_: Leg) -> Outcome {
    refuse_transfer(libc::EINVAL, abi::FIELD_NR_SEGS, |r| r.nr_segs = 0)?;
    refuse_copy(libc::EINVAL, abi::FIELD_NR_SEGS, |r| r.nr_src = 0)?;
    refuse_copy(libc::EINVAL, abi::FIELD_NR_DST, |r| r.nr_dst = 0)
}

fn many_segs(_: Leg) -> Outcome {
    for count in [1025, 1 << 20, u32::MAX] {
        refuse_transfer(libc::EMSGSIZE, abi::FIELD_NR_SEGS, |r| r.nr_segs = count)?;
        refuse_copy(libc::EMSGSIZE, abi::FIELD_NR_SEGS, |r| r.nr_src = count)?;
        refuse_copy(libc::EMSGSIZE, abi::FIELD_NR_DST, |r| r.nr_dst = count)?;
    }
    Ok(())
}

fn no_vector(_: Leg) -> Outcome {
    let edge = Mapping::anonymous(2 * PAGE)?;
    edge.protect(PAGE, PAGE, libc::PROT_NONE)?;
    for addr in [
        0,
        edge.addr(PAGE),
        0xffff_8880_0000_0000,
        u64::MAX - 7,
        edge.addr(PAGE - 8),
    ] {
        refuse_transfer(libc::EFAULT, abi::FIELD_SEGS, |r| r.segs = addr)?;
        refuse_copy(libc::EFAULT, abi::FIELD_SEGS, |r| r.src = addr)?;
        refuse_copy(libc::EFAULT, abi::FIELD_DST, |r| r.dst = addr)?;
    }
    Ok(())
}

fn empty_segment(_: Leg) -> Outcome {
    third_segment(libc::EINVAL, abi::FIELD_SEG_LEN, |seg| seg.len = 0)?;
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let empty = [seg(&memory, 0, 0), seg(&memory, 0, 16)];
    let out = device
        .to_device(0, &empty)
        .refused_for(libc::EINVAL, abi::FIELD_SEG_LEN)?;
    same("index", out.fault_index, 0)
}

fn wrapping(_: Leg) -> Outcome {
    let device = Device::open()?;
    for (addr, len) in [(u64::MAX - 15, 17), (u64::MAX, 2), (4096, u64::MAX - 4094)] {
        let out = device
            .to_device(0, &[seg_at(addr, len)])
            .refused(libc::EINVAL)?;
        let named = [abi::FIELD_SEG_ADDR, abi::FIELD_SEG_LEN].contains(&out.field);
        check(
            named,
            format!("field {} for {addr:#x} and {len:#x}", out.field),
        )?;
    }
    Ok(())
}

fn wrapping_sum(_: Leg) -> Outcome {
    let device = Device::open()?;
    let big = seg_at(4096, 3 << 61);
    let out = device
        .to_device(0, &[big, big, big])
        .refused_for(libc::EINVAL, abi::FIELD_SEG_LEN)?;
    check(
        (1..=2).contains(&out.fault_index),
        "the wrong segment is named",
    )?;
    // Sums that are equal only because they wrapped.
    let (half, small) = (seg_at(4096, 1 << 63), seg_at(4096, 16));
    device
        .copy(copy(&[half, half, small], &[small]))
        .refused_for(libc::EINVAL, abi::FIELD_SEG_LEN)
        .map(drop)
}

fn unequal(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let (short, long) = ([seg(&memory, 0, 16)], [seg(&memory, 64, 17)]);
    let twice = [seg(&memory, 0, 8), seg(&memory, 64, 9)];
    device.copy(copy(&short, &long)).refused(libc::EINVAL)?;
    device.copy(copy(&long, &short)).refused(libc::EINVAL)?;
    device
        .copy(copy(&twice, &short))
        .refused(libc::EINVAL)
        .map(drop)
}

fn negative_deadline(_: Leg) -> Outcome {
    for deadline in [-1, i64::MIN] {
        refuse_transfer(libc::EINVAL, abi::FIELD_DEADLINE, |r| r.deadline = deadline)?;
        refuse_copy(libc::EINVAL, abi::FIELD_DEADLINE, |r| r.deadline = deadline)?;
    }
    Ok(())
}

fn dev_range(_: Leg) -> Outcome {
    // The last address that does not fit 16 bytes, the end, beyond, wrapping.
    for dev_addr in [
        WINDOW as u64 - 15,
        WINDOW as u64,
        0x4_0000,
        1 << 32,
        u64::MAX - 7,
        u64::MAX,
    ] {
        refuse_transfer(libc::ERANGE, abi::FIELD_DEV_ADDR, |r| r.dev_addr = dev_addr)?;
    }
    Ok(())
}

fn too_long(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    for segs in [
        vec![seg(&memory, 0, WINDOW + 1)],
        vec![seg(&memory, 0, WINDOW), seg(&memory, 0, 1)],
        vec![seg_at(memory.addr(0), 1 << 32)],
        vec![seg_at(memory.addr(0), 1 << 40)],
    ] {
        let field = abi::FIELD_DEV_ADDR;
        device
            .to_device(0, &segs)
            .refused_for(libc::ERANGE, field)?;
        device
            .from_device(0, &segs)
            .refused_for(libc::ERANGE, field)?;
    }
    Ok(())
}

fn nothing_started(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let wrong = [seg(&memory, 0, 16), seg(&memory, 0, 0)];
    device.to_device(0, &wrong).refused(libc::EINVAL)?;
    device.from_device(0, &wrong).refused(libc::EINVAL)?;
    let stats = device.stats()?;
    same("calls", stats.out_calls, 0)?;
    same("jobs", stats.out_jobs, 0)?;
    same("pages", stats.out_pages, 0)
}
