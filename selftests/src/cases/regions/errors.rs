// SPDX-License-Identifier: GPL-2.0

//! What is wrong with a registration, or with the use of one: the errno, and
//! the field's name.

use crate::abi::{
    self, pindma_region_info, pindma_region_register, pindma_region_sync, pindma_region_unregister,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{seg, seg_at, transfer, Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::region::{register, within, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "eopnotsupp_for_unknown_region_flags",
        "each bit, in all four commands",
        flags,
    ),
    Case::new(
        "eopnotsupp_for_unknown_region_access",
        "each bit but the two",
        access,
    ),
    Case::new(
        "einval_for_region_without_access",
        "neither read nor written",
        no_access,
    ),
    Case::new(
        "einval_for_reserved_field_of_a_region",
        "in all commands that have one",
        reserved,
    ),
    Case::new(
        "einval_for_sync_of_both_or_neither",
        "begin and end at once",
        sync_flags,
    ),
    memory(
        "einval_for_negative_deadline_of_unregister",
        "only looked at with WAIT",
        deadline,
    ),
    memory(
        "einval_for_handle_in_a_registration",
        "of another region, or of none",
        handle,
    ),
    Case::new(
        "einval_for_wrong_vector_of_a_registration",
        "empty, an empty segment, sums that wrap",
        vector,
    ),
    Case::new(
        "emsgsize_for_registration_of_too_many_segments",
        "1025",
        too_many,
    ),
    Case::new(
        "efault_for_vector_of_a_registration",
        "null, unmapped, half",
        no_vector,
    ),
    memory(
        "efault_for_registration_of_missing_memory",
        "index, address, pages before it",
        missing,
    ),
    memory(
        "efault_for_read_only_region_to_be_written",
        "and as a source it is registered",
        read_only,
    ),
    Case::new(
        "enoent_for_unknown_region",
        "in every command, and in a transfer",
        unknown,
    ),
    memory(
        "enoent_for_stale_region",
        "unregistered, also when its place was taken",
        stale,
    ),
    Case::new(
        "enoent_for_stale_region_long_after",
        "when its place was taken 65536 times more",
        stale_for_long,
    )
    .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
    .not_on_debug("it takes too long there"),
    memory(
        "enoent_for_region_of_another_file",
        "handles belong to their file",
        foreign,
    ),
    // Kills the mutant that ignores a region's access.
    memory(
        "eopnotsupp_for_transfer_against_the_access",
        "in either direction, with the index",
        against_access,
    ),
    // Kills the mutant whose range check wraps.
    memory(
        "erange_outside_region",
        "start, end, and a sum that wraps",
        range,
    ),
    memory(
        "eopnotsupp_for_region_that_must_be_copied",
        "PINDMA_MUST_COPY; with MAY_COPY it is used as it is",
        must_copy,
    ),
];

const fn memory(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

#[track_caller]
fn expect(what: &str, errno: i32, want: i32) -> Outcome {
    same(what, errno_name(errno), errno_name(want))
}

/// A registration of 16 bytes that is right until `spoil` has been at it.
fn refuse(errno: i32, field: u32, spoil: impl FnOnce(&mut pindma_region_register)) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 16)];
    let mut request = register(BOTH, &segs);
    spoil(&mut request);
    device.register_with(request).refused_for(errno, field)?;
    same("regions", device.stats()?.out_regions, 0)
}

fn flags(_: Leg) -> Outcome {
    let device = Device::open()?;
    let known = abi::REGION_SHARED | abi::REGION_MAY_BOUNCE;
    for bit in (0..32).map(|shift| 1_u32 << shift) {
        if bit & known == 0 {
            refuse(libc::EOPNOTSUPP, abi::FIELD_FLAGS, |r| r.flags |= bit)?;
        }
        if bit != abi::UNREGISTER_WAIT {
            let mut request = unregistration(1);
            request.flags = bit;
            let errno = device.command(abi::PINDMA_REGION_UNREGISTER, &mut request);
            expect("unregister", errno, libc::EOPNOTSUPP)?;
        }
        if bit & (abi::SYNC_BEGIN_CPU | abi::SYNC_END_CPU) == 0 {
            for with in [0, abi::SYNC_END_CPU] {
                let errno = device.sync(bit | with, 1, (0, 0));
                expect("sync", errno, libc::EOPNOTSUPP)?;
            }
        }
        let mut request = pindma_region_info {
            size: size_of::<pindma_region_info>() as u32,
            flags: bit,
            handle: 1,
            ..pindma_region_info::default()
        };
        let errno = device.command(abi::PINDMA_REGION_INFO, &mut request);
        expect("info", errno, libc::EOPNOTSUPP)?;
    }
    Ok(())
}

fn unregistration(handle: u32) -> pindma_region_unregister {
    pindma_region_unregister {
        size: size_of::<pindma_region_unregister>() as u32,
        handle,
        ..pindma_region_unregister::default()
    }
}

fn access(_: Leg) -> Outcome {
    for bit in 2..32 {
        let (errno, field) = (libc::EOPNOTSUPP, abi::FIELD_ACCESS);
        refuse(errno, field, |r| r.access = 1 << bit)?;
        refuse(errno, field, |r| r.access |= 1 << bit)?;
    }
    Ok(())
}

fn no_access(_: Leg) -> Outcome {
    refuse(libc::EINVAL, abi::FIELD_ACCESS, |r| r.access = 0)
}

fn reserved(_: Leg) -> Outcome {
    refuse(libc::EINVAL, abi::FIELD_RESERVED, |r| r.reserved = 1)?;
    let device = Device::open()?;
    let mut request = unregistration(1);
    request.reserved = 1;
    let errno = device.command(abi::PINDMA_REGION_UNREGISTER, &mut request);
    expect("unregister", errno, libc::EINVAL)?;
    let mut request = pindma_region_sync {
        size: size_of::<pindma_region_sync>() as u32,
        flags: abi::SYNC_BEGIN_CPU,
        handle: 1,
        reserved: 1,
        ..pindma_region_sync::default()
    };
    let errno = device.command(abi::PINDMA_REGION_SYNC, &mut request);
    expect("sync", errno, libc::EINVAL)
}

fn sync_flags(_: Leg) -> Outcome {
    let device = Device::open()?;
    for flags in [0, abi::SYNC_BEGIN_CPU | abi::SYNC_END_CPU] {
        expect("sync", device.sync(flags, 1, (0, 0)), libc::EINVAL)?;
    }
    Ok(())
}

fn deadline(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, 16)])?;
    for deadline in [-1, i64::MIN] {
        let errno = device.unregister_by(region, deadline);
        expect("unregister", errno, libc::EINVAL)?;
    }
    expect("unregister", device.unregister(region), 0)
}

fn handle(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, 16)])?;
    for handle in [region, 1, u32::MAX] {
        let segs = [seg(&memory, 0, 16), within(handle, 0, 16)];
        let call = device.register_with(register(BOTH, &segs));
        let out = call.refused_for(libc::EINVAL, abi::FIELD_SEG_HANDLE)?;
        same("index", out.fault_index, 1)?;
    }
    Ok(())
}

fn vector(_: Leg) -> Outcome {
    refuse(libc::EINVAL, abi::FIELD_NR_SEGS, |r| r.nr_segs = 0)?;
    let device = Device::open()?;
    let (good, half) = (seg_at(0x1000, 16), 1 << 62);
    for (bad, field) in [
        (seg_at(0x1000, 0), abi::FIELD_SEG_LEN),
        (seg_at(u64::MAX, 1), abi::FIELD_SEG_LEN),
        (seg_at(u64::MAX - 7, 9), abi::FIELD_SEG_LEN),
    ] {
        let call = device.register_with(register(BOTH, &[good, bad]));
        let out = call.refused_for(libc::EINVAL, field)?;
        same("index", out.fault_index, 1)?;
    }
    let segs = [seg_at(0, half), seg_at(0, half)];
    let call = device.register_with(register(BOTH, &segs));
    call.refused_for(libc::EINVAL, abi::FIELD_SEG_LEN)?;
    let flagged = abi::pindma_seg { flags: 1, ..good };
    let call = device.register_with(register(BOTH, &[flagged]));
    call.refused_for(libc::EOPNOTSUPP, abi::FIELD_SEG_FLAGS)
        .map(drop)
}

fn too_many(_: Leg) -> Outcome {
    for count in [1025, u32::MAX] {
        refuse(libc::EMSGSIZE, abi::FIELD_NR_SEGS, |r| r.nr_segs = count)?;
    }
    Ok(())
}

fn no_vector(_: Leg) -> Outcome {
    let edge = Mapping::anonymous(2 * PAGE)?;
    edge.protect(PAGE, PAGE, libc::PROT_NONE)?;
    for addr in [0, edge.addr(PAGE), u64::MAX - 7, edge.addr(PAGE - 8)] {
        refuse(libc::EFAULT, abi::FIELD_SEGS, |r| r.segs = addr)?;
    }
    Ok(())
}

fn missing(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(8 * PAGE)?;
    memory.punch(6 * PAGE, PAGE)?;
    let segs = [seg(&memory, 0, 100), seg(&memory, 3 * PAGE + 9, 4 * PAGE)];
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_MAY_BOUNCE;
    let out = device.register_with(request).refused(libc::EFAULT)?;
    check(out.flags & abi::OUT_FAULT != 0, "not marked as fault")?;
    same("index", out.fault_index, 1)?;
    same("address", out.fault_addr, memory.addr(0) + 6 * PAGE as u64)?;
    same("pages before", out.pages_pinned, 3)?;
    same("pages still pinned", device.stats()?.out_pinned_pages, 0)
}

fn read_only(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    memory.fill(0, 2 * PAGE, 1);
    memory.protect(PAGE, PAGE, libc::PROT_READ)?;
    let segs = [seg(&memory, 8, 2 * PAGE - 8)];
    for access in [BOTH, abi::DEV_WRITE] {
        let mut request = register(access, &segs);
        request.flags = abi::REGION_MAY_BOUNCE;
        let out = device.register_with(request).refused(libc::EFAULT)?;
        same("address", out.fault_addr, memory.addr(PAGE))?;
        same("pages before", out.pages_pinned, 1)?;
    }
    let region = device.register_for(abi::DEV_READ, &segs)?;
    expect("unregister", device.unregister(region), 0)
}

/// Every use of `handle` is ENOENT.
#[track_caller]
fn names_nothing(device: &Device, handle: u32) -> Outcome {
    expect("unregister", device.unregister(handle), libc::ENOENT)?;
    let errno = device.unregister_by(handle, 0);
    expect("unregister", errno, libc::ENOENT)?;
    for flags in [abi::SYNC_BEGIN_CPU, abi::SYNC_END_CPU] {
        expect("sync", device.sync(flags, handle, (0, 0)), libc::ENOENT)?;
    }
    expect("info", device.ask_region(handle).0, libc::ENOENT)?;
    if handle == 0 {
        // In a segment: an address.
        return Ok(());
    }
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        let call = device.transfer(transfer(direction, 0, &[within(handle, 0, 16)]));
        call.refused_for(libc::ENOENT, abi::FIELD_SEG_HANDLE)?;
    }
    Ok(())
}

fn unknown(_: Leg) -> Outcome {
    let device = Device::open()?;
    for handle in [0, 1, 0x1_0000, 0x1_0001, 0xffff, u32::MAX] {
        names_nothing(&device, handle)?;
    }
    Ok(())
}

fn stale(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, PAGE)];
    let mut old = Vec::new();
    for _ in 0..3 {
        let region = device.register(&segs)?;
        check(!old.contains(&region), "a handle is given out again")?;
        // While it has the place of the others.
        for stale in &old {
            names_nothing(&device, *stale)?;
        }
        device
            .to_device(0, &[within(region, 0, 16)])
            .succeeded(16)?;
        expect("unregister", device.unregister(region), 0)?;
        names_nothing(&device, region)?;
        old.push(region);
    }
    Ok(())
}

fn stale_for_long(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 16)];
    let old = device.register(&segs)?;
    expect("unregister", device.unregister(old), 0)?;
    for _ in 0..1 << 16 {
        let region = device.register(&segs)?;
        check(region != old, "the handle is given out again")?;
        expect("unregister", device.unregister(region), 0)?;
    }
    let region = device.register(&segs)?;
    names_nothing(&device, old)?;
    expect("unregister", device.unregister(region), 0)
}

fn foreign(_: Leg) -> Outcome {
    let (device, other) = (Device::open()?, Device::open()?);
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    names_nothing(&other, region)?;
    let same_file = device.duplicate()?;
    same_file
        .to_device(0, &[within(region, 0, 16)])
        .succeeded(16)
        .map(drop)
}

fn against_access(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 7);
    for (access, good, bad) in [
        (abi::DEV_READ, abi::TO_DEVICE, abi::FROM_DEVICE),
        (abi::DEV_WRITE, abi::FROM_DEVICE, abi::TO_DEVICE),
    ] {
        let region = device.register_for(access, &[seg(&memory, 0, PAGE)])?;
        let segs = [seg(&memory, 0, 16), within(region, 0, 16)];
        let call = device.transfer(transfer(bad, 0, &segs));
        let out = call.refused_for(libc::EOPNOTSUPP, abi::FIELD_SEG_HANDLE)?;
        same("index", out.fault_index, 1)?;
        device.transfer(transfer(good, 0, &segs)).succeeded(32)?;
        same("access", device.region(region)?.out_access, access)?;
    }
    Ok(())
}

fn range(_: Leg) -> Outcome {
    const LEN: u64 = 5000;
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    let region = device.register(&[seg(&memory, 0, 100), seg(&memory, 200, 4900)])?;
    for (offset, len, field) in [
        (LEN, 1, abi::FIELD_SEG_ADDR),
        (LEN + 1, 1, abi::FIELD_SEG_ADDR),
        (1 << 32, 16, abi::FIELD_SEG_ADDR),
        (u64::MAX - 16, 16, abi::FIELD_SEG_ADDR),
        (LEN - 15, 16, abi::FIELD_SEG_LEN),
        (0, LEN + 1, abi::FIELD_SEG_LEN),
        (100, LEN, abi::FIELD_SEG_LEN),
        (1, i64::MAX as u64, abi::FIELD_SEG_LEN),
    ] {
        let bad = abi::pindma_seg {
            addr: offset,
            len,
            handle: region,
            flags: 0,
        };
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let call = device.transfer(transfer(direction, 0, &[bad]));
            call.refused_for(libc::ERANGE, field)?;
        }
        let errno = device.sync(abi::SYNC_BEGIN_CPU, region, (offset, len));
        expect("sync", errno, libc::ERANGE)?;
    }
    // What wraps is wrong whatever the region is.
    let wraps = abi::pindma_seg {
        addr: u64::MAX,
        len: 2,
        handle: region,
        flags: 0,
    };
    device
        .to_device(0, &[wraps])
        .refused_for(libc::EINVAL, abi::FIELD_SEG_LEN)?;
    for range in [(u64::MAX, 2), (LEN, 0), (LEN + 1, 0), (1, u64::MAX)] {
        let errno = device.sync(abi::SYNC_END_CPU, region, range);
        expect("sync", errno, libc::ERANGE)?;
    }
    let last = within(region, LEN as usize - 16, 16);
    device.to_device(WINDOW - 16, &[last]).succeeded(16)?;
    let errno = device.sync(abi::SYNC_BEGIN_CPU, region, (LEN - 16, 16));
    expect("sync", errno, 0)
}

fn must_copy(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let segs = [seg(&memory, 0, 16), within(region, 0, 16)];
    let mut request = transfer(abi::TO_DEVICE, 0, &segs);
    request.flags = abi::MUST_COPY;
    let out = device
        .transfer(request)
        .refused_for(libc::EOPNOTSUPP, abi::FIELD_SEG_HANDLE)?;
    same("index", out.fault_index, 1)?;
    request.flags = abi::MAY_COPY;
    device.transfer(request).succeeded(32).map(drop)
}
