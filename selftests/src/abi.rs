// SPDX-License-Identifier: GPL-2.0

//! The structs and numbers of `uapi/pindma.h`, written out for the tests.
//!
//! `abi_sizes_and_offsets` proves them against the driver: a wrong size is
//! refused, and a wrong offset makes the other cases fail.

#![allow(missing_docs, non_camel_case_types)]

pub const PINDMA_INFO: u32 = 0xbc00;
pub const PINDMA_CHANNEL_INFO: u32 = 0xbc01;
pub const PINDMA_STATS: u32 = 0xbc02;
pub const PINDMA_TRANSFER: u32 = 0xbc10;
pub const PINDMA_COPY: u32 = 0xbc11;

pub const DEADLINE_NONE: i64 = i64::MAX;
pub const TO_DEVICE: u32 = 1;
pub const FROM_DEVICE: u32 = 2;
pub const DEV_FIXED: u32 = 1;

pub const OUT_MEMLOCK: u32 = 1;
pub const OUT_BOUNCED: u32 = 1 << 1;
pub const OUT_FAULT_DST: u32 = 1 << 2;
pub const OUT_FAULT: u32 = 1 << 3;
pub const OUT_STARTED: u32 = 1 << 4;

pub const FIELD_NONE: u32 = 0;
pub const FIELD_SIZE: u32 = 1;
pub const FIELD_FLAGS: u32 = 2;
pub const FIELD_CHANNEL: u32 = 3;
pub const FIELD_DIRECTION: u32 = 4;
pub const FIELD_SEGS: u32 = 5;
pub const FIELD_NR_SEGS: u32 = 6;
pub const FIELD_DST: u32 = 7;
pub const FIELD_NR_DST: u32 = 8;
pub const FIELD_SEG_ADDR: u32 = 9;
pub const FIELD_SEG_LEN: u32 = 10;
pub const FIELD_SEG_HANDLE: u32 = 11;
pub const FIELD_SEG_FLAGS: u32 = 12;
pub const FIELD_DEV_ADDR: u32 = 13;
pub const FIELD_DEV_FLAGS: u32 = 14;
pub const FIELD_DEADLINE: u32 = 15;
pub const FIELD_RESERVED: u32 = 16;

pub const CAP_TRANSFER: u64 = 1;
pub const CAP_COPY: u64 = 1 << 1;
pub const CAP_ABORT: u64 = 1 << 2;
pub const CAP_RESET: u64 = 1 << 3;

pub const STATE_IOMMU: u32 = 1;
pub const STATE_BOUNCE: u32 = 1 << 1;
pub const STATE_COHERENT: u32 = 1 << 2;
pub const STATE_FAILED: u32 = 1 << 3;
pub const STATE_MEMLOCK_EXEMPT: u32 = 1 << 4;

pub const CHANNEL_MEMORY: u32 = 1;
pub const CHANNEL_TO_DEVICE: u64 = 1;
pub const CHANNEL_FROM_DEVICE: u64 = 1 << 1;
pub const CHANNEL_COPY: u64 = 1 << 2;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct pindma_seg {
    pub addr: u64,
    pub len: u64,
    pub handle: u32,
    pub flags: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct pindma_result {
    pub status: i32,
    pub flags: u32,
    pub bytes: u64,
    pub fault_index: u32,
    pub field: u32,
    pub fault_addr: u64,
    pub pages_pinned: u64,
    pub pages: u64,
    pub segments: u64,
    pub memlock_needed: u64,
    pub memlock_used: u64,
    pub memlock_limit: u64,
    pub reserved: [u64; 2],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct pindma_transfer {
    pub size: u32,
    pub flags: u32,
    pub channel: u32,
    pub direction: u32,
    pub segs: u64,
    pub nr_segs: u32,
    pub dev_flags: u32,
    pub dev_addr: u64,
    pub deadline: i64,
    pub out: pindma_result,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct pindma_copy {
    pub size: u32,
    pub flags: u32,
    pub channel: u32,
    pub reserved: u32,
    pub src: u64,
    pub dst: u64,
    pub nr_src: u32,
    pub nr_dst: u32,
    pub deadline: i64,
    pub out: pindma_result,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct pindma_info {
    pub size: u32,
    pub flags: u32,
    pub out_caps: u64,
    pub out_state: u32,
    pub out_channels: u32,
    pub out_addr_bits: u32,
    pub out_max_segs: u32,
    pub out_window_bytes: u64,
    pub out_max_segment_bytes: u64,
    pub out_max_timeout_ns: u64,
    pub out_memlock_used: u64,
    pub out_memlock_limit: u64,
    pub out_pinned_pages: u64,
    pub out_pinned_limit: u64,
    pub out_leaked_pages: u64,
    pub out_page_size: u32,
    pub out_cache_align: u32,
    pub out_engine: [u8; 32],
    pub out_bus: [u8; 32],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct pindma_channel_info {
    pub size: u32,
    pub flags: u32,
    pub channel: u32,
    pub out_kind: u32,
    pub out_caps: u64,
    pub out_mem_bytes: u64,
    pub out_addr_align: u32,
    pub out_len_align: u32,
    pub out_max_job_bytes: u64,
    pub out_max_job_segs: u32,
    pub reserved: u32,
    pub out_copy_addr: u64,
    pub out_copy_len: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct pindma_stats {
    pub size: u32,
    pub flags: u32,
    pub out_calls: u64,
    pub out_windows: u64,
    pub out_jobs: u64,
    pub out_bytes_to_device: u64,
    pub out_bytes_from_device: u64,
    pub out_pages: u64,
    pub out_segments_unmerged: u64,
    pub out_segments: u64,
    pub out_bounced: u64,
    pub out_pinned_pages: u64,
    pub out_lost_interrupts: u64,
}
