// SPDX-License-Identifier: GPL-2.0

//! What the device says about itself.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use crate::abi::{self, pindma_channel_info};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{Device, NODE, PAGE, WINDOW};
use crate::flight;
use crate::leg::Leg;
use crate::pci;
use crate::table::{Case, EDU};
use crate::user;

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "node_is_private_to_root",
        "a character device, mode 0600",
        node,
    ),
    Case::new(
        "info_names_engine_and_bus",
        "both NUL-terminated, the bus as in sysfs",
        names,
    )
    .not_on_xdma(EDU),
    Case::new(
        "info_capabilities_are_those_of_edu",
        "transfer and copy, no abort, no reset",
        caps,
    )
    .not_on_xdma(EDU),
    Case::new(
        "info_address_bits_are_the_mask",
        "as the leg set them",
        mask,
    ),
    Case::new(
        "info_state_tells_iommu_and_bounce",
        "as the leg has them; coherent on x86",
        state,
    ),
    Case::new(
        "info_limits_are_sane",
        "window, segments, timeout, pinned pages, page size",
        limits,
    )
    .not_on_xdma(EDU),
    Case::new(
        "info_counts_nothing_at_rest",
        "nothing pinned, nothing leaked",
        rest,
    ),
    Case::new(
        "info_memlock_exempt_only_for_root",
        "the bit follows CAP_IPC_LOCK",
        exempt,
    ),
    Case::new(
        "info_memlock_limit_is_the_callers",
        "the rlimit of whoever asks",
        memlock,
    ),
    Case::new(
        "channel_info_describes_edu",
        "4096 bytes, any alignment, both ways",
        channel,
    )
    .not_on_xdma(EDU),
    Case::new(
        "channel_info_says_what_a_copy_clobbers",
        "inside the device's memory",
        clobbers,
    ),
    Case::new(
        "channel_info_enoent_for_unknown_channel",
        "the first one past the last",
        no_channel,
    )
    .not_on_xdma(EDU),
];

fn node(_: Leg) -> Outcome {
    let metadata = fs::metadata(NODE)?;
    check(
        metadata.file_type().is_char_device(),
        "not a character device",
    )?;
    same("mode", metadata.permissions().mode() & 0o7777, 0o600)
}

/// Text up to the first NUL, which must be there, with zeroes behind it.
fn text(bytes: &[u8]) -> Outcome<String> {
    let end = bytes.iter().position(|byte| *byte == 0);
    let end = end.ok_or_else(|| Fail::new("no NUL in a name"))?;
    check(
        bytes[end..].iter().all(|byte| *byte == 0),
        "garbage after a name",
    )?;
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

fn names(_: Leg) -> Outcome {
    let info = Device::open()?.info()?;
    same("engine", text(&info.out_engine)?.as_str(), "edu")?;
    same("bus", text(&info.out_bus)?, pci::address()?)
}

fn caps(_: Leg) -> Outcome {
    let caps = Device::open()?.info()?.out_caps;
    let wanted = abi::CAP_TRANSFER | abi::CAP_COPY;
    same("transfer and copy", caps & wanted, wanted)?;
    same(
        "abort and reset",
        caps & (abi::CAP_ABORT | abi::CAP_RESET),
        0,
    )
}

fn mask(leg: Leg) -> Outcome {
    same(
        "address bits",
        Device::open()?.info()?.out_addr_bits,
        leg.dma_bits(),
    )
}

fn state(leg: Leg) -> Outcome {
    let state = Device::open()?.info()?.out_state;
    same("IOMMU", state & abi::STATE_IOMMU != 0, leg.has_iommu())?;
    same("bounce", state & abi::STATE_BOUNCE != 0, leg.bounces())?;
    same("coherent", state & abi::STATE_COHERENT != 0, true)?;
    same("failed", state & abi::STATE_FAILED != 0, false)
}

fn limits(leg: Leg) -> Outcome {
    let info = Device::open()?.info()?;
    same("page size", info.out_page_size, PAGE as u32)?;
    same("channels", info.out_channels, 1)?;
    same("max_segs", info.out_max_segs, 1024)?;
    same("window", info.out_window_bytes, 4 << 20)?;
    same("max timeout", info.out_max_timeout_ns, 600_000_000_000)?;
    let segment = info.out_max_segment_bytes;
    check(
        segment >= PAGE as u64,
        format!("segments of {segment} bytes"),
    )?;
    check(info.out_cache_align.is_power_of_two(), "cache line")?;
    let (limit, part) = (info.out_pinned_limit, info.out_file_pinned_limit);
    let most = pages_to_map(leg)?;
    // Not all of memory is there for the kernel.
    let half = limit > most / 4 && limit < most * 3 / 4;
    check(half, format!("limit of {limit} pages of {most}"))?;
    same("limit of a file", part, limit / 4 * 3)?;
    same("mappings", info.out_max_mappings, 32767)?;
    same("started pools", info.out_max_runs, 32)
}

/// Pages that there are, or that the device has addresses for.
fn pages_to_map(leg: Leg) -> Outcome<u64> {
    let room = match leg.has_iommu() {
        true => 1 << (leg.dma_bits() - 12),
        false => u64::MAX,
    };
    Ok(total_pages()?.min(room))
}

fn total_pages() -> Outcome<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    Ok(crate::counters::after(&text, "MemTotal:")? as u64 / 4)
}

fn rest(_: Leg) -> Outcome {
    let info = Device::open()?.info()?;
    same("pinned pages", info.out_pinned_pages, 0)?;
    same("leaked pages", info.out_leaked_pages, 0)
}

fn is_exempt(device: &Device) -> Outcome<bool> {
    Ok(device.info()?.out_state & abi::STATE_MEMLOCK_EXEMPT != 0)
}

fn exempt(_: Leg) -> Outcome {
    let device = Device::open()?;
    same("root is exempt", is_exempt(&device)?, true)?;
    flight::in_child(|| {
        user::become_ordinary(1 << 20)?;
        same("a user is exempt", is_exempt(&device)?, false)
    })?;
    flight::in_child(|| {
        user::become_exempt(1 << 20)?;
        same("CAP_IPC_LOCK is exempt", is_exempt(&device)?, true)
    })
}

fn memlock(_: Leg) -> Outcome {
    let device = Device::open()?;
    for limit in [0, 12_345, 1 << 20, u64::MAX] {
        flight::in_child(|| {
            user::become_ordinary(limit)?;
            let info = device.info()?;
            same("limit", info.out_memlock_limit, limit)?;
            same("used", info.out_memlock_used, 0)
        })?;
    }
    Ok(())
}

fn ask(channel: u32) -> Outcome<(i32, pindma_channel_info)> {
    let mut info = pindma_channel_info {
        size: size_of::<pindma_channel_info>() as u32,
        channel,
        ..pindma_channel_info::default()
    };
    let errno = Device::open()?.command(abi::PINDMA_CHANNEL_INFO, &mut info);
    Ok((errno, info))
}

fn channel(_: Leg) -> Outcome {
    let (errno, info) = ask(0)?;
    same("errno", errno_name(errno), errno_name(0))?;
    same("kind", info.out_kind, abi::CHANNEL_MEMORY)?;
    let directions = abi::CHANNEL_TO_DEVICE | abi::CHANNEL_FROM_DEVICE;
    let caps = directions | abi::CHANNEL_COPY | abi::CHANNEL_WHEN_TOLD;
    same("caps", info.out_caps, caps)?;
    same("memory", info.out_mem_bytes, WINDOW as u64)?;
    same("address alignment", info.out_addr_align, 1)?;
    same("length alignment", info.out_len_align, 1)?;
    same("largest job", info.out_max_job_bytes, WINDOW as u64)?;
    same("segments of a job", info.out_max_job_segs, 1)?;
    same("alignment of the device", info.out_dev_align, 1)
}

fn clobbers(_: Leg) -> Outcome {
    let (_, info) = ask(0)?;
    let end = info.out_copy_addr.checked_add(info.out_copy_len);
    let inside = end.is_some_and(|end| end <= info.out_mem_bytes);
    check(
        inside && info.out_copy_len > 0,
        "the staging window is not inside",
    )
}

fn no_channel(_: Leg) -> Outcome {
    for channel in [1, 2, u32::MAX] {
        let (errno, _) = ask(channel)?;
        same("errno", errno_name(errno), errno_name(libc::ENOENT))?;
    }
    Ok(())
}
