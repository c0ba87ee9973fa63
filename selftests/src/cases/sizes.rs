// SPDX-License-Identifier: GPL-2.0

//! Structs that grow: smaller, larger, too large; unknown commands.

use crate::abi::{self, pindma_channel_info, pindma_copy, pindma_info, pindma_stats};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{errno_of, seg, transfer, Device, PAGE};
use crate::leg::Leg;
use crate::sys::{self, Mapping};
use crate::table::Case;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "enotty_for_unknown_commands",
        "numbers and types that are nobody's",
        unknown,
    ),
    Case::new(
        "einval_for_structs_too_small",
        "sizes 0 to 4, and one short",
        too_small,
    ),
    Case::new(
        "larger_struct_with_zero_tail_works",
        "a caller of tomorrow",
        zero_tail,
    ),
    Case::new(
        "e2big_for_tail_that_is_not_zero",
        "in the first and the last byte",
        bad_tail,
    ),
    Case::new(
        "e2big_for_structs_larger_than_a_page",
        "even when all zero",
        too_large,
    ),
    Case::new(
        "efault_for_structs_that_are_not_there",
        "null, unmapped, kernel, the edge",
        no_struct,
    ),
    Case::new(
        "efault_for_structs_that_cannot_be_written",
        "read-only memory",
        read_only,
    ),
    Case::new(
        "bytes_after_the_struct_stay",
        "nothing is written past its size",
        stay,
    ),
    Case::new(
        "out_fields_of_the_caller_are_ignored",
        "garbage in them changes nothing",
        garbage,
    ),
];

/// Commands that take a struct and move no data, with the size of the struct.
const QUERIES: [(u32, usize); 3] = [
    (abi::PINDMA_INFO, size_of::<pindma_info>()),
    (abi::PINDMA_CHANNEL_INFO, size_of::<pindma_channel_info>()),
    (abi::PINDMA_STATS, size_of::<pindma_stats>()),
];

/// Commands that move data.
const MOVES: [(u32, usize); 2] = [
    (abi::PINDMA_TRANSFER, size_of::<abi::pindma_transfer>()),
    (abi::PINDMA_COPY, size_of::<pindma_copy>()),
];

/// Runs a command on `len` bytes, all zero but for `size`; the errno.
fn try_size(command: u32, size: usize, len: usize) -> Outcome<(i32, Vec<u8>)> {
    try_bytes(command, size, vec![0; len])
}

fn try_bytes(command: u32, size: usize, mut bytes: Vec<u8>) -> Outcome<(i32, Vec<u8>)> {
    bytes[..4].copy_from_slice(&(size as u32).to_ne_bytes());
    let device = Device::open()?;
    let errno = errno_of(sys::ioctl(device.fd(), command, &mut bytes));
    Ok((errno, bytes))
}

fn expect_size(command: u32, size: usize, errno: i32) -> Outcome {
    let (got, _) = try_size(command, size, size.max(8))?;
    let what = format!("command {command:#x} of {size} bytes");
    same(&what, errno_name(got), errno_name(errno))
}

fn unknown(_: Leg) -> Outcome {
    for command in [
        0xbc03,
        0xbc0f,
        0xbc12,
        0xbcff,
        0xbb00,
        0,
        0x5401,
        0x8004_bc00,
        0xc008_bc10,
    ] {
        let (errno, _) = try_size(command, 8, PAGE)?;
        let what = format!("command {command:#x}");
        same(&what, errno_name(errno), errno_name(libc::ENOTTY))?;
    }
    Ok(())
}

fn too_small(_: Leg) -> Outcome {
    for (command, full) in QUERIES.into_iter().chain(MOVES) {
        for size in [0, 1, 4, 8, full - 1, full - 8] {
            expect_size(command, size, libc::EINVAL)?;
        }
    }
    Ok(())
}

fn zero_tail(_: Leg) -> Outcome {
    for (command, full) in QUERIES {
        for size in [full, full + 1, full + 8, PAGE] {
            expect_size(command, size, 0)?;
        }
    }
    // A transfer of nothing: its own error, not one of size.
    for (command, full) in MOVES {
        expect_size(command, full + 8, libc::EINVAL)?;
        expect_size(command, PAGE, libc::EINVAL)?;
    }
    Ok(())
}

fn bad_tail(_: Leg) -> Outcome {
    for (command, full) in QUERIES.into_iter().chain(MOVES) {
        for (size, at) in [(full + 1, full), (full + 8, full + 7), (PAGE, PAGE - 1)] {
            let mut bytes = vec![0; size];
            bytes[at] = 1;
            let (errno, _) = try_bytes(command, size, bytes)?;
            same("errno", errno_name(errno), errno_name(libc::E2BIG))?;
        }
    }
    Ok(())
}

fn too_large(_: Leg) -> Outcome {
    for (command, _) in QUERIES.into_iter().chain(MOVES) {
        expect_size(command, PAGE + 1, libc::E2BIG)?;
        expect_size(command, 2 * PAGE, libc::E2BIG)?;
    }
    Ok(())
}

fn no_struct(_: Leg) -> Outcome {
    let device = Device::open()?;
    let edge = Mapping::anonymous(2 * PAGE)?;
    edge.protect(PAGE, PAGE, libc::PROT_NONE)?;
    for (command, full) in QUERIES.into_iter().chain(MOVES) {
        // All but the last eight bytes are there.
        let at = PAGE + 8 - full;
        edge.write(at, &(full as u32).to_ne_bytes());
        for addr in [
            0,
            8,
            edge.addr(PAGE),
            0xffff_8880_0000_0000,
            u64::MAX - 7,
            edge.addr(at),
        ] {
            let errno = errno_of(sys::ioctl_at(device.fd(), command, addr));
            let what = format!("command {command:#x} at {addr:#x}");
            same(&what, errno_name(errno), errno_name(libc::EFAULT))?;
        }
    }
    Ok(())
}

fn read_only(_: Leg) -> Outcome {
    let device = Device::open()?;
    for (command, size) in QUERIES {
        let mapping = Mapping::anonymous(PAGE)?;
        mapping.write(0, &(size as u32).to_ne_bytes());
        mapping.protect(0, PAGE, libc::PROT_READ)?;
        let errno = errno_of(sys::ioctl_at(device.fd(), command, mapping.addr(0)));
        same("errno", errno_name(errno), errno_name(libc::EFAULT))?;
    }
    Ok(())
}

fn stay(_: Leg) -> Outcome {
    for (command, full) in QUERIES {
        let mut bytes = vec![0; full + 64];
        bytes[full..].fill(0x5a);
        let (errno, after) = try_bytes(command, full, bytes)?;
        same("errno", errno, 0)?;
        check(
            after[full..].iter().all(|byte| *byte == 0x5a),
            "written past its end",
        )?;
    }
    Ok(())
}

fn garbage(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    // Outside the device's memory, so that it is refused on every leg.
    let segs = [seg(&memory, 0, 16)];
    let mut request = transfer(abi::TO_DEVICE, 1 << 20, &segs);
    request.out.status = 77;
    request.out.flags = u32::MAX;
    request.out.bytes = 99;
    request.out.reserved = [u64::MAX; 2];
    let out = device
        .transfer(request)
        .refused_for(libc::ERANGE, abi::FIELD_DEV_ADDR)?;
    same("flags", out.flags, 0)?;
    same("reserved", out.reserved[0] | out.reserved[1], 0)
}
