// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_INFO`, `PINDMA_CHANNEL_INFO` and `PINDMA_STATS`: what a program can rely on, and what it
//! has done, in numbers.

use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

use crate::{
    base::{
        batch,
        params, //
    },
    card::device::Device,
    engine::{
        ChannelLimits,
        Kind, //
    },
    kapi::{
        abi::{
            self,
            pindma_channel_info,
            pindma_info,
            pindma_stats,
            PINDMA_NAME_LEN, //
        },
        charge::Memlock,
        dma_view, //
    },
    memory::{
        client::Client,
        names::MOST_NAMED,
        vector::MAX_SEGMENTS, //
    },
    pool::{
        MAX_BUFFERS,
        MOST_RUNS, //
    },
    queue::{
        backlog::MAX_QUEUES,
        MAX_DEPTH, //
    }, //
};

/// Fills in what the device is.
pub(crate) fn device(device: &Device, info: &mut pindma_info) -> Result {
    *info = pindma_info {
        size: info.size,
        flags: info.flags,
        ..pindma_info::default()
    };
    if info.flags != 0 {
        return Err(EOPNOTSUPP);
    }
    let limits = &device.facts.limits;
    info.out_caps = caps(device);
    info.out_channels = limits.channels.len() as u32;
    info.out_max_segs = MAX_SEGMENTS;
    info.out_window_bytes = params::window_pages() as u64 * PAGE_SIZE as u64;
    info.out_copy_below = params::copy_below();
    info.out_max_timeout_ns = params::max_timeout_ns() as u64;
    info.out_pinned_pages = device.quota.used() as u64;
    info.out_pinned_limit = device.quota.limit() as u64;
    info.out_leaked_pages = device.leaked().get() as u64;
    info.out_page_size = PAGE_SIZE as u32;
    info.out_cache_align = dma_view::cache_align();
    info.out_engine = name(limits.name.as_bytes());
    info.out_max_regions = MOST_NAMED;
    info.out_bus = name(device.facts.bus.to_bytes());
    info.out_max_queues = MAX_QUEUES as u32;
    info.out_max_depth = MAX_DEPTH;
    info.out_max_batch = batch::MOST;
    info.out_max_buffers = MAX_BUFFERS;
    info.out_max_runs = MOST_RUNS as u32;
    info.out_file_pinned_limit = device.max_file_pages() as u64;
    info.out_max_mappings = Device::MOST_FILE_MAPPINGS as u64;
    info.out_resets = device.resets().into();
    memlock(info)?;
    view(device, info)
}

fn caps(device: &Device) -> u64 {
    let limits = &device.facts.limits;
    let mut caps = abi::PINDMA_CAP_TRANSFER
        | abi::PINDMA_CAP_QUEUE
        | abi::PINDMA_CAP_REGION
        | abi::PINDMA_CAP_POOL
        | abi::PINDMA_CAP_READ_WRITE
        | abi::PINDMA_CAP_MAY_COPY;
    if limits.channels.iter().any(|ch| ch.staging.is_some()) {
        caps |= abi::PINDMA_CAP_COPY;
    }
    if limits.abort {
        caps |= abi::PINDMA_CAP_ABORT;
    }
    caps.into()
}

fn memlock(info: &mut pindma_info) -> Result {
    let memlock = Memlock::current()?;
    info.out_memlock_used = memlock.used;
    info.out_memlock_limit = memlock.limit;
    set(info, memlock.exempt, abi::PINDMA_STATE_MEMLOCK_EXEMPT);
    Ok(())
}

fn view(device: &Device, info: &mut pindma_info) -> Result {
    device.with_card(|card| {
        let view = card.view();
        info.out_addr_bits = u64::BITS - view.limit().leading_zeros();
        info.out_max_segment_bytes = view.max_segment().into();
        set(info, view.translated(), abi::PINDMA_STATE_IOMMU);
        set(info, view.bounce_possible(), abi::PINDMA_STATE_BOUNCE);
        set(info, view.coherent(), abi::PINDMA_STATE_COHERENT);
        set(info, device.has_failed(), abi::PINDMA_STATE_FAILED);
    })
}

fn set(info: &mut pindma_info, on: bool, bit: u32) {
    if on {
        info.out_state |= bit;
    }
}

/// A name, cut if need be, with a NUL at its end.
fn name(from: &[u8]) -> [u8; PINDMA_NAME_LEN as usize] {
    let mut name = [0; PINDMA_NAME_LEN as usize];
    let len = from.len().min(name.len() - 1);
    name[..len].copy_from_slice(&from[..len]);
    name
}

/// Fills in what a channel can do.
pub(crate) fn channel(device: &Device, info: &mut pindma_channel_info) -> Result {
    *info = pindma_channel_info {
        size: info.size,
        flags: info.flags,
        channel: info.channel,
        ..pindma_channel_info::default()
    };
    if info.flags != 0 {
        return Err(EOPNOTSUPP);
    }
    let channels = &device.facts.limits.channels;
    let limits = channels.get(info.channel as usize).ok_or(ENOENT)?;
    (info.out_kind, info.out_mem_bytes) = match limits.kind {
        Kind::Memory(bytes) => (abi::PINDMA_CHANNEL_MEMORY, bytes),
        Kind::Stream => (abi::PINDMA_CHANNEL_STREAM, 0),
    };
    info.out_caps = channel_caps(limits).into();
    info.out_addr_align = limits.addr_align;
    info.out_len_align = limits.len_align;
    info.out_dev_align = limits.dev_align;
    info.out_max_job_bytes = limits.job_bytes;
    info.out_max_job_segs = limits.job_segments;
    (info.out_copy_addr, info.out_copy_len) = limits.staging.unwrap_or_default();
    Ok(())
}

fn channel_caps(limits: &ChannelLimits) -> u32 {
    [
        (limits.to_device, abi::PINDMA_CHANNEL_TO_DEVICE),
        (limits.from_device, abi::PINDMA_CHANNEL_FROM_DEVICE),
        (limits.staging.is_some(), abi::PINDMA_CHANNEL_COPY),
        (limits.fixed, abi::PINDMA_CHANNEL_FIXED),
        (limits.when_told, abi::PINDMA_CHANNEL_WHEN_TOLD),
    ]
    .into_iter()
    .filter_map(|(able, bit)| able.then_some(bit))
    .sum()
}

/// Fills in what a client has done.
pub(crate) fn stats(client: &Client, out: &mut pindma_stats) -> Result {
    *out = pindma_stats {
        size: out.size,
        flags: out.flags,
        ..pindma_stats::default()
    };
    if out.flags != 0 {
        return Err(EOPNOTSUPP);
    }
    client.stats().report(out);
    Ok(())
}
