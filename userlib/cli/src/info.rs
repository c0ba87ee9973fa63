// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma info`.

use anyhow::Result;
use pindma::{Capabilities, ChannelInfo, ChannelKind, Device, Info, Memlock, State};
use serde_json::{json, Value};

use crate::args::InfoArgs;
use crate::host::kernel_release;
use crate::report::{bytes, count, print_json, Table};

/// Prints what the device and its channels are and can do.
pub fn run(args: &InfoArgs) -> Result<()> {
    let device = Device::open(&args.common.device)?;
    let info = device.info()?;
    let channels = (0..info.channels)
        .map(|channel| device.channel_info(channel))
        .collect::<pindma::Result<Vec<_>>>()?;
    let path = args.common.device.display().to_string();
    if args.common.json {
        print_json(&as_json(&path, &info, &channels))
    } else {
        as_table(&path, &info, &channels).print()
    }
}

/// The rows that say on what kind of machine and device this is.
pub fn setting(table: &mut Table, path: &str, info: &Info) {
    let iommu = info.state.contains(State::IOMMU);
    let bounce = info.state.contains(State::BOUNCE);
    table.row("kernel", kernel_release());
    table.row("device", format!("{path}, {} at {}", info.engine, info.bus));
    table.row(
        "IOMMU",
        if iommu {
            "translating"
        } else {
            "not translating"
        },
    );
    table.row("bouncing", if bounce { "possible" } else { "not possible" });
}

fn as_table(path: &str, info: &Info, channels: &[ChannelInfo]) -> Table {
    let mut table = Table::default();
    setting(&mut table, path, info);
    table.row(
        "state",
        if info.state.contains(State::FAILED) {
            "FAILED"
        } else {
            "ready"
        },
    );
    table.row(
        "can",
        names(info.capabilities.iter_names().map(|(name, _)| name)),
    );
    table.row("address", count(info.address_bits.into(), "bit"));
    table.row("coherent", coherent(info));
    table.row("window", bytes(info.window_bytes));
    table.row("segments", limits(info));
    table.row("longest", format!("{:?} for one window", info.max_timeout));
    table.row("memlock", memlock(&info.memlock));
    table.row(
        "pinned",
        format!(
            "{} of {} at most",
            info.pinned_pages,
            count(info.pinned_limit, "page")
        ),
    );
    table.row("leaked", count(info.leaked_pages, "page"));
    table.row("copies", copies(info));
    table.row("a file has", per_file(info));
    table.row("queues", queues(info));
    for channel in channels {
        describe(&mut table, channel);
    }
    table
}

fn describe(table: &mut Table, channel: &ChannelInfo) {
    let window = &channel.copy_window;
    table.title(format!("channel {}", channel.channel));
    table.row("  kind", kind(channel.kind));
    table.row(
        "  can",
        names(channel.capabilities.iter_names().map(|(name, _)| name)),
    );
    table.row("  memory", bytes(channel.memory_bytes));
    table.row(
        "  align",
        format!(
            "addresses {}, lengths {}",
            channel.address_align, channel.length_align
        ),
    );
    table.row("  job", job(channel));
    table.row(
        "  copy uses",
        format!("device memory {:#x} to {:#x}", window.start, window.end),
    );
}

fn job(channel: &ChannelInfo) -> String {
    let segments = count(channel.max_job_segments.into(), "segment");
    format!("at most {} in {segments}", bytes(channel.max_job_bytes))
}

fn limits(info: &Info) -> String {
    let most = count(info.max_segments.into(), "slice");
    format!(
        "{most} in a call, {} in a DMA segment",
        bytes(info.max_segment_bytes)
    )
}

fn copies(info: &Info) -> String {
    if info.capabilities.contains(Capabilities::MAY_COPY) {
        return format!("where allowed, below {}", bytes(info.copy_below));
    }
    "not possible".to_owned()
}

fn per_file(info: &Info) -> String {
    let regions = count(info.max_regions.into(), "region");
    let queues = count(info.max_queues.into(), "queue");
    let pages = count(info.file_pinned_limit, "page");
    format!("at most {regions} and pools, {queues}, {pages} pinned")
}

fn queues(info: &Info) -> String {
    let requests = count(info.max_depth.into(), "request");
    let buffers = count(info.max_buffers.into(), "buffer");
    format!(
        "at most {requests}; pools at most {buffers}; {} in a call",
        info.max_batch
    )
}

fn coherent(info: &Info) -> String {
    if info.state.contains(State::COHERENT) {
        return "yes".to_owned();
    }
    format!("no, cache lines of {}", bytes(info.cache_align.into()))
}

fn memlock(memlock: &Memlock) -> String {
    let limit = memlock.limit.map_or("unlimited".to_owned(), bytes);
    let exempt = if memlock.exempt {
        ", does not apply: CAP_IPC_LOCK"
    } else {
        ""
    };
    format!("{} used, limit {limit}{exempt}", bytes(memlock.used))
}

fn kind(kind: ChannelKind) -> String {
    match kind {
        ChannelKind::Memory => "memory".to_owned(),
        ChannelKind::Stream => "stream".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Names of flags as people write them, such as "to-device copy".
fn names<'a>(flags: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = flags
        .map(|flag| flag.to_lowercase().replace('_', "-"))
        .collect();
    words.join(" ")
}

fn as_json(path: &str, info: &Info, channels: &[ChannelInfo]) -> Value {
    let has = |flag| info.state.contains(flag);
    json!({
        "kernel_release": kernel_release(),
        "device": path,
        "engine": info.engine,
        "bus": info.bus,
        "iommu": has(State::IOMMU),
        "bounce_possible": has(State::BOUNCE),
        "coherent": has(State::COHERENT),
        "failed": has(State::FAILED),
        "can_transfer": info.capabilities.contains(Capabilities::TRANSFER),
        "can_copy": info.capabilities.contains(Capabilities::COPY),
        "can_abort": info.capabilities.contains(Capabilities::ABORT),
        "can_reset": info.capabilities.contains(Capabilities::RESET),
        "can_register": info.capabilities.contains(Capabilities::REGION),
        "can_queue": info.capabilities.contains(Capabilities::QUEUE),
        "can_read_write": info.capabilities.contains(Capabilities::READ_WRITE),
        "can_may_copy": info.capabilities.contains(Capabilities::MAY_COPY),
        "can_pool": info.capabilities.contains(Capabilities::POOL),
        "address_bits": info.address_bits,
        "max_segments": info.max_segments,
        "window_bytes": info.window_bytes,
        "max_segment_bytes": info.max_segment_bytes,
        "max_timeout_seconds": info.max_timeout.as_secs_f64(),
        "memlock_used_bytes": info.memlock.used,
        "memlock_limit_bytes": info.memlock.limit,
        "memlock_exempt": info.memlock.exempt,
        "pinned_pages": info.pinned_pages,
        "pinned_limit_pages": info.pinned_limit,
        "leaked_pages": info.leaked_pages,
        "copy_below_bytes": info.copy_below,
        "max_regions": info.max_regions,
        "max_queues": info.max_queues,
        "max_depth": info.max_depth,
        "max_batch": info.max_batch,
        "max_buffers": info.max_buffers,
        "max_runs": info.max_runs,
        "file_pinned_limit_pages": info.file_pinned_limit,
        "max_mappings": info.max_mappings,
        "resets": info.resets,
        "page_bytes": info.page_size,
        "cache_align_bytes": info.cache_align,
        "channels": channels.iter().map(channel_json).collect::<Vec<_>>(),
    })
}

fn channel_json(channel: &ChannelInfo) -> Value {
    json!({
        "channel": channel.channel,
        "kind": kind(channel.kind),
        "can": names(channel.capabilities.iter_names().map(|(name, _)| name)),
        "memory_bytes": channel.memory_bytes,
        "address_align": channel.address_align,
        "length_align": channel.length_align,
        "max_job_bytes": channel.max_job_bytes,
        "max_job_segments": channel.max_job_segments,
        "copy_start": channel.copy_window.start,
        "copy_end": channel.copy_window.end,
    })
}
