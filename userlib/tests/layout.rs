// SPDX-License-Identifier: MIT OR GPL-2.0
//! The layout of the ABI is what it always was: the structs as this crate sees
//! them against tests/layout.golden, which holds 64-bit and 32-bit values.

use std::collections::BTreeMap;
use std::mem::{align_of, offset_of, size_of};

use pindma::sys::*;

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
            out_page_size, out_cache_align, out_engine, out_bus,
        }
        pindma_channel_info {
            size, flags, channel, out_kind, out_caps, out_mem_bytes, out_addr_align,
            out_len_align, out_max_job_bytes, out_max_job_segs, reserved, out_copy_addr,
            out_copy_len,
        }
        pindma_stats {
            size, flags, out_calls, out_windows, out_jobs, out_bytes_to_device,
            out_bytes_from_device, out_pages, out_segments_unmerged, out_segments, out_bounced,
            out_pinned_pages, out_lost_interrupts,
        }
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
    assert_eq!(PINDMA_DEADLINE_NONE, i64::MAX as u64);
}
