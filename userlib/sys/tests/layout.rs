// SPDX-License-Identifier: MIT OR GPL-2.0
//! The layout of the ABI is what it always was: the structs as this crate sees
//! them against tests/layout.golden, which holds 64-bit and 32-bit values.

use std::collections::BTreeMap;
use std::mem::{align_of, offset_of, size_of};

use pindma_sys::*;

const GOLDEN: &str = include_str!("layout.golden");

/// Item, such as "offset pindma_seg.len", to its value in bytes.
type Layout = BTreeMap<String, usize>;

macro_rules! lay_out {
    ($layout:ident: $($name:ident { $($field:ident),* $(,)? })*) => {$(
        let name = stringify!($name);
        $layout.insert(format!("size {name}"), size_of::<$name>());
        $layout.insert(format!("align {name}"), align_of::<$name>());
        $($layout.insert(
            format!("offset {name}.{}", stringify!($field)),
            offset_of!($name, $field),
        );)*
    )*};
}

fn actual() -> Layout {
    let mut layout = Layout::new();
    lay_out! { layout:
        pindma_seg { addr, len, handle, flags }
        pindma_result {
            status, flags, bytes, fault_index, field, fault_addr, pages_pinned, pages, segments,
            memlock_needed, memlock_used, memlock_limit, reserved,
        }
        pindma_transfer {
            size, flags, channel, direction, segs, nr_segs, dev_flags, dev_addr, deadline, out,
        }
        pindma_copy {
            size, flags, channel, reserved, src, dst, nr_src, nr_dst, deadline, out,
        }
        pindma_info {
            size, flags, out_caps, out_state, out_channels, out_addr_bits, out_max_segs,
            out_window_bytes, out_max_segment_bytes, out_max_timeout_ns, out_memlock_used,
            out_memlock_limit, out_pinned_pages, out_pinned_limit, out_leaked_pages,
            out_page_size, out_cache_align, out_engine, out_bus, out_copy_below, out_max_regions,
            out_max_queues, out_max_depth, out_max_batch, out_max_buffers, out_max_runs,
            out_file_pinned_limit, out_max_mappings, out_resets,
        }
        pindma_channel_info {
            size, flags, channel, out_kind, out_caps, out_mem_bytes, out_addr_align,
            out_len_align, out_max_job_bytes, out_max_job_segs, out_dev_align, out_copy_addr,
            out_copy_len,
        }
        pindma_stats {
            size, flags, out_calls, out_windows, out_jobs, out_bytes_to_device,
            out_bytes_from_device, out_pages, out_segments_unmerged, out_segments, out_bounced,
            out_pinned_pages, out_lost_interrupts, out_copied, out_regions, out_submitted,
            out_ended, out_frames, out_overruns,
        }
        pindma_region_register {
            size, flags, segs, nr_segs, access, out_handle, reserved, out,
        }
        pindma_region_unregister { size, flags, handle, reserved, deadline }
        pindma_region_sync { size, flags, handle, reserved, offset, len }
        pindma_region_info {
            size, flags, handle, out_flags, out_access, out_users, out_len, out_pages,
            out_segments, out_bounced, out_page_sizes,
        }
        pindma_queue_create { size, flags, depth, out_fd }
        pindma_entry {
            user_data, flags, channel, direction, dev_flags, dev_addr, deadline, segs, nr_segs,
            reserved, seg,
        }
        pindma_submit {
            size, flags, queue, nr_entries, entries, out_submitted, reserved, out,
        }
        pindma_completion {
            user_data, status, flags, bytes, fault_addr, seq, time_ns, reserved,
        }
        pindma_queue_wait {
            size, flags, completions, max, min, deadline, out_reaped, out_in_flight,
        }
        pindma_queue_cancel { size, flags, user_data, out_canceled, reserved }
        pindma_queue_eventfd { size, flags, fd, reserved }
        pindma_pool_create {
            size, flags, buffer_bytes, count, access, out_stride, out_count, out_handle, out_fd,
            reserved, out,
        }
        pindma_pool_query { size, flags, index, out_state, out_buffer, out_reserved }
        pindma_pool_record {
            buffer, index, bytes, seq, time_ns, overruns, status, flags, reserved,
        }
        pindma_pool_enqueue { size, flags, records, nr_records, out_enqueued }
        pindma_pool_dequeue {
            size, flags, records, max, min, deadline, out_dequeued, out_queued, out_flags,
            out_status,
        }
        pindma_pool_start {
            size, flags, channel, direction, dev_addr, dev_flags, reserved, frame_bytes,
        }
        pindma_pool_stop { size, flags, out_frames, out_overruns }
    }
    layout
}

/// One column of the golden file: 0 for 64-bit callers, 1 for 32-bit ones.
fn golden(column: usize) -> Layout {
    let lines = GOLDEN.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let value = words[2 + column].parse().expect("a number of bytes");
            (format!("{} {}", words[0], words[1]), value)
        })
        .collect()
}

#[test]
fn structs_are_laid_out_as_recorded() {
    assert_eq!(actual(), golden(0));
}

#[test]
fn layout_is_the_same_for_32_bit_callers() {
    assert_eq!(golden(0), golden(1));
}

#[test]
fn numbers_are_what_they_were() {
    let numbers = [
        PINDMA_INFO,
        PINDMA_CHANNEL_INFO,
        PINDMA_STATS,
        PINDMA_TRANSFER,
        PINDMA_COPY,
    ];
    assert_eq!(numbers, [0xbc00, 0xbc01, 0xbc02, 0xbc10, 0xbc11]);
    let regions = [
        PINDMA_REGION_REGISTER,
        PINDMA_REGION_UNREGISTER,
        PINDMA_REGION_SYNC,
        PINDMA_REGION_INFO,
    ];
    assert_eq!(regions, [0xbc20, 0xbc21, 0xbc22, 0xbc23]);
    let queues = [
        PINDMA_QUEUE_CREATE,
        PINDMA_SUBMIT,
        PINDMA_QUEUE_WAIT,
        PINDMA_QUEUE_CANCEL,
        PINDMA_QUEUE_EVENTFD,
    ];
    assert_eq!(queues, [0xbc30, 0xbc31, 0xbc32, 0xbc33, 0xbc34]);
    let pools = [
        PINDMA_POOL_CREATE,
        PINDMA_POOL_BUFFER,
        PINDMA_POOL_ENQUEUE,
        PINDMA_POOL_DEQUEUE,
        PINDMA_POOL_START,
        PINDMA_POOL_STOP,
    ];
    assert_eq!(pools, [0xbc40, 0xbc41, 0xbc42, 0xbc43, 0xbc44, 0xbc45]);
    assert_eq!(PINDMA_DEADLINE_NONE, i64::MAX as u64);
}
