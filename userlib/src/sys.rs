// SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT
//! The ABI as raw structs and numbers, generated from uapi/pindma.h by bindings.sh; do not edit.
#![allow(missing_docs, non_camel_case_types, clippy::pedantic)]
#![allow(rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]

pub const PINDMA_TYPE: u32 = 188;
pub const PINDMA_INFO: u32 = 48128;
pub const PINDMA_CHANNEL_INFO: u32 = 48129;
pub const PINDMA_STATS: u32 = 48130;
pub const PINDMA_TRANSFER: u32 = 48144;
pub const PINDMA_COPY: u32 = 48145;
pub const PINDMA_DEADLINE_NONE: u64 = 9223372036854775807;
pub const PINDMA_OUT_MEMLOCK: u32 = 1;
pub const PINDMA_OUT_BOUNCED: u32 = 2;
pub const PINDMA_OUT_FAULT_DST: u32 = 4;
pub const PINDMA_OUT_FAULT: u32 = 8;
pub const PINDMA_OUT_STARTED: u32 = 16;
pub const PINDMA_DEV_FIXED: u32 = 1;
pub const PINDMA_CAP_TRANSFER: u32 = 1;
pub const PINDMA_CAP_COPY: u32 = 2;
pub const PINDMA_CAP_ABORT: u32 = 4;
pub const PINDMA_CAP_RESET: u32 = 8;
pub const PINDMA_STATE_IOMMU: u32 = 1;
pub const PINDMA_STATE_BOUNCE: u32 = 2;
pub const PINDMA_STATE_COHERENT: u32 = 4;
pub const PINDMA_STATE_FAILED: u32 = 8;
pub const PINDMA_STATE_MEMLOCK_EXEMPT: u32 = 16;
pub const PINDMA_NAME_LEN: u32 = 32;
pub const PINDMA_CHANNEL_TO_DEVICE: u32 = 1;
pub const PINDMA_CHANNEL_FROM_DEVICE: u32 = 2;
pub const PINDMA_CHANNEL_COPY: u32 = 4;
pub const PINDMA_CHANNEL_FIXED: u32 = 8;
pub type __u8 = ::core::ffi::c_uchar;
pub type __s32 = ::core::ffi::c_int;
pub type __u32 = ::core::ffi::c_uint;
pub type __s64 = ::core::ffi::c_longlong;
pub type __u64 = ::core::ffi::c_ulonglong;
pub const PINDMA_TO_DEVICE: pindma_direction = 1;
pub const PINDMA_FROM_DEVICE: pindma_direction = 2;
#[doc = " enum pindma_direction - which way data goes, in the sense of the DMA API\n @PINDMA_TO_DEVICE: the device reads user memory.\n @PINDMA_FROM_DEVICE: the device writes user memory."]
pub type pindma_direction = ::core::ffi::c_uint;
#[doc = " struct pindma_seg - one range of memory\n @addr: Start.  With @handle 0 an address in the memory of the calling process.\n @len: Length in bytes, not 0.\n @handle: 0; other values are reserved for memory that was registered before.\n @flags: None defined; must be 0."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_seg {
    pub addr: __u64,
    pub len: __u64,
    pub handle: __u32,
    pub flags: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_seg"][::core::mem::size_of::<pindma_seg>() - 24usize];
    ["Alignment of pindma_seg"][::core::mem::align_of::<pindma_seg>() - 8usize];
    ["Offset of field: pindma_seg::addr"][::core::mem::offset_of!(pindma_seg, addr) - 0usize];
    ["Offset of field: pindma_seg::len"][::core::mem::offset_of!(pindma_seg, len) - 8usize];
    ["Offset of field: pindma_seg::handle"][::core::mem::offset_of!(pindma_seg, handle) - 16usize];
    ["Offset of field: pindma_seg::flags"][::core::mem::offset_of!(pindma_seg, flags) - 20usize];
};
pub const PINDMA_FIELD_NONE: pindma_field = 0;
pub const PINDMA_FIELD_SIZE: pindma_field = 1;
pub const PINDMA_FIELD_FLAGS: pindma_field = 2;
pub const PINDMA_FIELD_CHANNEL: pindma_field = 3;
pub const PINDMA_FIELD_DIRECTION: pindma_field = 4;
pub const PINDMA_FIELD_SEGS: pindma_field = 5;
pub const PINDMA_FIELD_NR_SEGS: pindma_field = 6;
pub const PINDMA_FIELD_DST: pindma_field = 7;
pub const PINDMA_FIELD_NR_DST: pindma_field = 8;
pub const PINDMA_FIELD_SEG_ADDR: pindma_field = 9;
pub const PINDMA_FIELD_SEG_LEN: pindma_field = 10;
pub const PINDMA_FIELD_SEG_HANDLE: pindma_field = 11;
pub const PINDMA_FIELD_SEG_FLAGS: pindma_field = 12;
pub const PINDMA_FIELD_DEV_ADDR: pindma_field = 13;
pub const PINDMA_FIELD_DEV_FLAGS: pindma_field = 14;
pub const PINDMA_FIELD_DEADLINE: pindma_field = 15;
pub const PINDMA_FIELD_RESERVED: pindma_field = 16;
#[doc = " enum pindma_field - which input an error is about\n @PINDMA_FIELD_NONE: None in particular.\n @PINDMA_FIELD_SIZE: size of the struct.\n @PINDMA_FIELD_FLAGS: flags of the struct.\n @PINDMA_FIELD_CHANNEL: channel.\n @PINDMA_FIELD_DIRECTION: direction.\n @PINDMA_FIELD_SEGS: The pointer to the vector (segs, or src of a copy).\n @PINDMA_FIELD_NR_SEGS: The number of segments (nr_segs, or nr_src of a copy).\n @PINDMA_FIELD_DST: dst, the pointer to the destination vector of a copy.\n @PINDMA_FIELD_NR_DST: nr_dst of a copy.\n @PINDMA_FIELD_SEG_ADDR: addr of the segment @fault_index.\n @PINDMA_FIELD_SEG_LEN: len of the segment @fault_index, or the sum up to it.\n @PINDMA_FIELD_SEG_HANDLE: handle of the segment @fault_index.\n @PINDMA_FIELD_SEG_FLAGS: flags of the segment @fault_index.\n @PINDMA_FIELD_DEV_ADDR: dev_addr, or dev_addr plus the sum of the lengths.\n @PINDMA_FIELD_DEV_FLAGS: dev_flags.\n @PINDMA_FIELD_DEADLINE: deadline.\n @PINDMA_FIELD_RESERVED: A reserved field."]
pub type pindma_field = ::core::ffi::c_uint;
#[doc = " struct pindma_result - how a transfer or a copy ended\n @status: 0 or a negative errno.  ioctl(2) returns 0 as soon as the device was\n\ttold to work once, even if this is an error; before that it fails with\n\tthe same number.\n @flags: PINDMA_OUT_*.\n @bytes: Bytes moved: a contiguous prefix, counted from the start of the\n\tvector.  What lies beyond it in a destination is undefined.\n @fault_index: With PINDMA_OUT_FAULT, or when @field is one of a segment: the\n\tindex of the segment that is meant.\n @field: enum pindma_field, the input that the error is about.\n @fault_addr: With PINDMA_OUT_FAULT: the first address that is not usable.\n @pages_pinned: With PINDMA_OUT_FAULT: how many pages of the segment, counted\n\tfrom its start, could be pinned.\n @pages: Pages pinned by this call in all.\n @segments: DMA segments mapped by this call in all, after merging.\n @memlock_needed: With PINDMA_OUT_MEMLOCK: bytes that had to be charged.\n @memlock_used: With PINDMA_OUT_MEMLOCK: bytes that the user had charged already.\n @memlock_limit: With PINDMA_OUT_MEMLOCK: the limit, RLIMIT_MEMLOCK in bytes.\n @reserved: Zero."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_result {
    pub status: __s32,
    pub flags: __u32,
    pub bytes: __u64,
    pub fault_index: __u32,
    pub field: __u32,
    pub fault_addr: __u64,
    pub pages_pinned: __u64,
    pub pages: __u64,
    pub segments: __u64,
    pub memlock_needed: __u64,
    pub memlock_used: __u64,
    pub memlock_limit: __u64,
    pub reserved: [__u64; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_result"][::core::mem::size_of::<pindma_result>() - 96usize];
    ["Alignment of pindma_result"][::core::mem::align_of::<pindma_result>() - 8usize];
    ["Offset of field: pindma_result::status"]
        [::core::mem::offset_of!(pindma_result, status) - 0usize];
    ["Offset of field: pindma_result::flags"]
        [::core::mem::offset_of!(pindma_result, flags) - 4usize];
    ["Offset of field: pindma_result::bytes"]
        [::core::mem::offset_of!(pindma_result, bytes) - 8usize];
    ["Offset of field: pindma_result::fault_index"]
        [::core::mem::offset_of!(pindma_result, fault_index) - 16usize];
    ["Offset of field: pindma_result::field"]
        [::core::mem::offset_of!(pindma_result, field) - 20usize];
    ["Offset of field: pindma_result::fault_addr"]
        [::core::mem::offset_of!(pindma_result, fault_addr) - 24usize];
    ["Offset of field: pindma_result::pages_pinned"]
        [::core::mem::offset_of!(pindma_result, pages_pinned) - 32usize];
    ["Offset of field: pindma_result::pages"]
        [::core::mem::offset_of!(pindma_result, pages) - 40usize];
    ["Offset of field: pindma_result::segments"]
        [::core::mem::offset_of!(pindma_result, segments) - 48usize];
    ["Offset of field: pindma_result::memlock_needed"]
        [::core::mem::offset_of!(pindma_result, memlock_needed) - 56usize];
    ["Offset of field: pindma_result::memlock_used"]
        [::core::mem::offset_of!(pindma_result, memlock_used) - 64usize];
    ["Offset of field: pindma_result::memlock_limit"]
        [::core::mem::offset_of!(pindma_result, memlock_limit) - 72usize];
    ["Offset of field: pindma_result::reserved"]
        [::core::mem::offset_of!(pindma_result, reserved) - 80usize];
};
#[doc = " struct pindma_transfer - argument of PINDMA_TRANSFER\n @size: sizeof(struct pindma_transfer).\n @flags: None defined; must be 0.\n @channel: Channel, 0 to channels - 1 of &struct pindma_info.\n @direction: enum pindma_direction.\n @segs: Address of an array of &struct pindma_seg.\n @nr_segs: Number of segments, 1 to max_segs of &struct pindma_info.\n @dev_flags: PINDMA_DEV_*; EOPNOTSUPP if the channel does not list it in caps.\n @dev_addr: Offset into the channel's memory.\n @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.\n @out: Result.\n\n The segments, one after the other, are the user side; the device side is\n contiguous from @dev_addr.  Any alignment and any length that the channel's\n memory holds: the driver pins, maps and unpins one window after the other."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_transfer {
    pub size: __u32,
    pub flags: __u32,
    pub channel: __u32,
    pub direction: __u32,
    pub segs: __u64,
    pub nr_segs: __u32,
    pub dev_flags: __u32,
    pub dev_addr: __u64,
    pub deadline: __s64,
    pub out: pindma_result,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_transfer"][::core::mem::size_of::<pindma_transfer>() - 144usize];
    ["Alignment of pindma_transfer"][::core::mem::align_of::<pindma_transfer>() - 8usize];
    ["Offset of field: pindma_transfer::size"]
        [::core::mem::offset_of!(pindma_transfer, size) - 0usize];
    ["Offset of field: pindma_transfer::flags"]
        [::core::mem::offset_of!(pindma_transfer, flags) - 4usize];
    ["Offset of field: pindma_transfer::channel"]
        [::core::mem::offset_of!(pindma_transfer, channel) - 8usize];
    ["Offset of field: pindma_transfer::direction"]
        [::core::mem::offset_of!(pindma_transfer, direction) - 12usize];
    ["Offset of field: pindma_transfer::segs"]
        [::core::mem::offset_of!(pindma_transfer, segs) - 16usize];
    ["Offset of field: pindma_transfer::nr_segs"]
        [::core::mem::offset_of!(pindma_transfer, nr_segs) - 24usize];
    ["Offset of field: pindma_transfer::dev_flags"]
        [::core::mem::offset_of!(pindma_transfer, dev_flags) - 28usize];
    ["Offset of field: pindma_transfer::dev_addr"]
        [::core::mem::offset_of!(pindma_transfer, dev_addr) - 32usize];
    ["Offset of field: pindma_transfer::deadline"]
        [::core::mem::offset_of!(pindma_transfer, deadline) - 40usize];
    ["Offset of field: pindma_transfer::out"]
        [::core::mem::offset_of!(pindma_transfer, out) - 48usize];
};
#[doc = " struct pindma_copy - argument of PINDMA_COPY\n @size: sizeof(struct pindma_copy).\n @flags: None defined; must be 0.\n @channel: Channel whose memory is the staging window; see copy_addr and\n\tcopy_len of &struct pindma_channel_info for what it overwrites.\n @reserved: Must be 0.\n @src: Address of an array of &struct pindma_seg, which the device reads.\n @dst: Address of an array of &struct pindma_seg, which the device writes.\n @nr_src: Number of source segments, 1 to max_segs.\n @nr_dst: Number of destination segments, 1 to max_segs.\n @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.\n @out: Result.  segments and pages count both sides.\n\n Both vectors must have the same sum of lengths (else EINVAL, with\n PINDMA_FIELD_NR_DST).  Source and destination may\n overlap; the content of the overlap is then undefined.  The driver owns the\n staging window while data is in it: no other call on the channel gets between\n the way in and the way out."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_copy {
    pub size: __u32,
    pub flags: __u32,
    pub channel: __u32,
    pub reserved: __u32,
    pub src: __u64,
    pub dst: __u64,
    pub nr_src: __u32,
    pub nr_dst: __u32,
    pub deadline: __s64,
    pub out: pindma_result,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_copy"][::core::mem::size_of::<pindma_copy>() - 144usize];
    ["Alignment of pindma_copy"][::core::mem::align_of::<pindma_copy>() - 8usize];
    ["Offset of field: pindma_copy::size"][::core::mem::offset_of!(pindma_copy, size) - 0usize];
    ["Offset of field: pindma_copy::flags"][::core::mem::offset_of!(pindma_copy, flags) - 4usize];
    ["Offset of field: pindma_copy::channel"]
        [::core::mem::offset_of!(pindma_copy, channel) - 8usize];
    ["Offset of field: pindma_copy::reserved"]
        [::core::mem::offset_of!(pindma_copy, reserved) - 12usize];
    ["Offset of field: pindma_copy::src"][::core::mem::offset_of!(pindma_copy, src) - 16usize];
    ["Offset of field: pindma_copy::dst"][::core::mem::offset_of!(pindma_copy, dst) - 24usize];
    ["Offset of field: pindma_copy::nr_src"]
        [::core::mem::offset_of!(pindma_copy, nr_src) - 32usize];
    ["Offset of field: pindma_copy::nr_dst"]
        [::core::mem::offset_of!(pindma_copy, nr_dst) - 36usize];
    ["Offset of field: pindma_copy::deadline"]
        [::core::mem::offset_of!(pindma_copy, deadline) - 40usize];
    ["Offset of field: pindma_copy::out"][::core::mem::offset_of!(pindma_copy, out) - 48usize];
};
#[doc = " struct pindma_info - argument of PINDMA_INFO\n @size: sizeof(struct pindma_info).\n @flags: None defined; must be 0.\n @out_caps: PINDMA_CAP_*.\n @out_state: PINDMA_STATE_*.\n @out_channels: Number of channels.\n @out_addr_bits: Address bits that the device drives (its DMA mask).\n @out_max_segs: Most segments in one vector.\n @out_window_bytes: Most bytes that one call has pinned at a time, both sides\n\tof a copy together; a longer call is worked through in such windows.\n @out_max_segment_bytes: Most bytes in one DMA segment.\n @out_max_timeout_ns: Longest time for which one window may be in work; then\n\tthe call ends with ETIMEDOUT whatever its deadline.\n @out_memlock_used: Bytes charged to the calling user against RLIMIT_MEMLOCK,\n\tby whatever driver.\n @out_memlock_limit: The caller's RLIMIT_MEMLOCK in bytes; all ones: unlimited.\n @out_pinned_pages: Pages that this device has pinned now, for all files.\n @out_pinned_limit: Most pages that this device may have pinned.\n @out_leaked_pages: Pages that could not be given back, because the device did\n\tnot stop.\n @out_page_size: Bytes of a page.\n @out_cache_align: Bytes of a cache line for DMA; only matters without\n\tPINDMA_STATE_COHERENT.\n @out_engine: Name of the engine, NUL-terminated.\n @out_bus: Address on the bus, such as 0000:00:03.0, NUL-terminated."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_info {
    pub size: __u32,
    pub flags: __u32,
    pub out_caps: __u64,
    pub out_state: __u32,
    pub out_channels: __u32,
    pub out_addr_bits: __u32,
    pub out_max_segs: __u32,
    pub out_window_bytes: __u64,
    pub out_max_segment_bytes: __u64,
    pub out_max_timeout_ns: __u64,
    pub out_memlock_used: __u64,
    pub out_memlock_limit: __u64,
    pub out_pinned_pages: __u64,
    pub out_pinned_limit: __u64,
    pub out_leaked_pages: __u64,
    pub out_page_size: __u32,
    pub out_cache_align: __u32,
    pub out_engine: [__u8; 32usize],
    pub out_bus: [__u8; 32usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_info"][::core::mem::size_of::<pindma_info>() - 168usize];
    ["Alignment of pindma_info"][::core::mem::align_of::<pindma_info>() - 8usize];
    ["Offset of field: pindma_info::size"][::core::mem::offset_of!(pindma_info, size) - 0usize];
    ["Offset of field: pindma_info::flags"][::core::mem::offset_of!(pindma_info, flags) - 4usize];
    ["Offset of field: pindma_info::out_caps"]
        [::core::mem::offset_of!(pindma_info, out_caps) - 8usize];
    ["Offset of field: pindma_info::out_state"]
        [::core::mem::offset_of!(pindma_info, out_state) - 16usize];
    ["Offset of field: pindma_info::out_channels"]
        [::core::mem::offset_of!(pindma_info, out_channels) - 20usize];
    ["Offset of field: pindma_info::out_addr_bits"]
        [::core::mem::offset_of!(pindma_info, out_addr_bits) - 24usize];
    ["Offset of field: pindma_info::out_max_segs"]
        [::core::mem::offset_of!(pindma_info, out_max_segs) - 28usize];
    ["Offset of field: pindma_info::out_window_bytes"]
        [::core::mem::offset_of!(pindma_info, out_window_bytes) - 32usize];
    ["Offset of field: pindma_info::out_max_segment_bytes"]
        [::core::mem::offset_of!(pindma_info, out_max_segment_bytes) - 40usize];
    ["Offset of field: pindma_info::out_max_timeout_ns"]
        [::core::mem::offset_of!(pindma_info, out_max_timeout_ns) - 48usize];
    ["Offset of field: pindma_info::out_memlock_used"]
        [::core::mem::offset_of!(pindma_info, out_memlock_used) - 56usize];
    ["Offset of field: pindma_info::out_memlock_limit"]
        [::core::mem::offset_of!(pindma_info, out_memlock_limit) - 64usize];
    ["Offset of field: pindma_info::out_pinned_pages"]
        [::core::mem::offset_of!(pindma_info, out_pinned_pages) - 72usize];
    ["Offset of field: pindma_info::out_pinned_limit"]
        [::core::mem::offset_of!(pindma_info, out_pinned_limit) - 80usize];
    ["Offset of field: pindma_info::out_leaked_pages"]
        [::core::mem::offset_of!(pindma_info, out_leaked_pages) - 88usize];
    ["Offset of field: pindma_info::out_page_size"]
        [::core::mem::offset_of!(pindma_info, out_page_size) - 96usize];
    ["Offset of field: pindma_info::out_cache_align"]
        [::core::mem::offset_of!(pindma_info, out_cache_align) - 100usize];
    ["Offset of field: pindma_info::out_engine"]
        [::core::mem::offset_of!(pindma_info, out_engine) - 104usize];
    ["Offset of field: pindma_info::out_bus"]
        [::core::mem::offset_of!(pindma_info, out_bus) - 136usize];
};
pub const PINDMA_CHANNEL_MEMORY: pindma_channel_kind = 1;
pub const PINDMA_CHANNEL_STREAM: pindma_channel_kind = 2;
#[doc = " enum pindma_channel_kind - what is behind a channel\n @PINDMA_CHANNEL_MEMORY: Memory, addressed by dev_addr.\n @PINDMA_CHANNEL_STREAM: A stream; dev_addr must be 0."]
pub type pindma_channel_kind = ::core::ffi::c_uint;
#[doc = " struct pindma_channel_info - argument of PINDMA_CHANNEL_INFO\n @size: sizeof(struct pindma_channel_info).\n @flags: None defined; must be 0.\n @channel: Channel that is asked about; ENOENT if there is none.\n @out_kind: enum pindma_channel_kind.\n @out_caps: PINDMA_CHANNEL_*.\n @out_mem_bytes: Bytes of device memory behind the channel.\n @out_addr_align: Alignment in bytes that the device needs of addresses; 1: none.\n @out_len_align: Alignment in bytes that the device needs of lengths; 1: none.\n @out_max_job_bytes: Most bytes that the device takes at a time.\n @out_max_job_segs: Most DMA segments that the device takes at a time.\n @reserved: Zero.\n @out_copy_addr: Start of the device memory that a copy overwrites.\n @out_copy_len: Length of the device memory that a copy overwrites."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_channel_info {
    pub size: __u32,
    pub flags: __u32,
    pub channel: __u32,
    pub out_kind: __u32,
    pub out_caps: __u64,
    pub out_mem_bytes: __u64,
    pub out_addr_align: __u32,
    pub out_len_align: __u32,
    pub out_max_job_bytes: __u64,
    pub out_max_job_segs: __u32,
    pub reserved: __u32,
    pub out_copy_addr: __u64,
    pub out_copy_len: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_channel_info"][::core::mem::size_of::<pindma_channel_info>() - 72usize];
    ["Alignment of pindma_channel_info"][::core::mem::align_of::<pindma_channel_info>() - 8usize];
    ["Offset of field: pindma_channel_info::size"]
        [::core::mem::offset_of!(pindma_channel_info, size) - 0usize];
    ["Offset of field: pindma_channel_info::flags"]
        [::core::mem::offset_of!(pindma_channel_info, flags) - 4usize];
    ["Offset of field: pindma_channel_info::channel"]
        [::core::mem::offset_of!(pindma_channel_info, channel) - 8usize];
    ["Offset of field: pindma_channel_info::out_kind"]
        [::core::mem::offset_of!(pindma_channel_info, out_kind) - 12usize];
    ["Offset of field: pindma_channel_info::out_caps"]
        [::core::mem::offset_of!(pindma_channel_info, out_caps) - 16usize];
    ["Offset of field: pindma_channel_info::out_mem_bytes"]
        [::core::mem::offset_of!(pindma_channel_info, out_mem_bytes) - 24usize];
    ["Offset of field: pindma_channel_info::out_addr_align"]
        [::core::mem::offset_of!(pindma_channel_info, out_addr_align) - 32usize];
    ["Offset of field: pindma_channel_info::out_len_align"]
        [::core::mem::offset_of!(pindma_channel_info, out_len_align) - 36usize];
    ["Offset of field: pindma_channel_info::out_max_job_bytes"]
        [::core::mem::offset_of!(pindma_channel_info, out_max_job_bytes) - 40usize];
    ["Offset of field: pindma_channel_info::out_max_job_segs"]
        [::core::mem::offset_of!(pindma_channel_info, out_max_job_segs) - 48usize];
    ["Offset of field: pindma_channel_info::reserved"]
        [::core::mem::offset_of!(pindma_channel_info, reserved) - 52usize];
    ["Offset of field: pindma_channel_info::out_copy_addr"]
        [::core::mem::offset_of!(pindma_channel_info, out_copy_addr) - 56usize];
    ["Offset of field: pindma_channel_info::out_copy_len"]
        [::core::mem::offset_of!(pindma_channel_info, out_copy_len) - 64usize];
};
#[doc = " struct pindma_stats - argument of PINDMA_STATS\n @size: sizeof(struct pindma_stats).\n @flags: None defined; must be 0.\n @out_calls: Transfers and copies that were started.\n @out_windows: Windows pinned and mapped.\n @out_jobs: Jobs that the device was given.\n @out_bytes_to_device: Bytes that the device read.\n @out_bytes_from_device: Bytes that the device wrote.\n @out_pages: Pages pinned, in all.\n @out_segments_unmerged: Segments before merging: one for each page touched.\n @out_segments: Segments after merging, as the device got them.\n @out_bounced: Segments that went through a bounce buffer.\n @out_pinned_pages: Pages pinned now.\n @out_lost_interrupts: Jobs whose end was seen by polling, not by interrupt."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_stats {
    pub size: __u32,
    pub flags: __u32,
    pub out_calls: __u64,
    pub out_windows: __u64,
    pub out_jobs: __u64,
    pub out_bytes_to_device: __u64,
    pub out_bytes_from_device: __u64,
    pub out_pages: __u64,
    pub out_segments_unmerged: __u64,
    pub out_segments: __u64,
    pub out_bounced: __u64,
    pub out_pinned_pages: __u64,
    pub out_lost_interrupts: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_stats"][::core::mem::size_of::<pindma_stats>() - 96usize];
    ["Alignment of pindma_stats"][::core::mem::align_of::<pindma_stats>() - 8usize];
    ["Offset of field: pindma_stats::size"][::core::mem::offset_of!(pindma_stats, size) - 0usize];
    ["Offset of field: pindma_stats::flags"][::core::mem::offset_of!(pindma_stats, flags) - 4usize];
    ["Offset of field: pindma_stats::out_calls"]
        [::core::mem::offset_of!(pindma_stats, out_calls) - 8usize];
    ["Offset of field: pindma_stats::out_windows"]
        [::core::mem::offset_of!(pindma_stats, out_windows) - 16usize];
    ["Offset of field: pindma_stats::out_jobs"]
        [::core::mem::offset_of!(pindma_stats, out_jobs) - 24usize];
    ["Offset of field: pindma_stats::out_bytes_to_device"]
        [::core::mem::offset_of!(pindma_stats, out_bytes_to_device) - 32usize];
    ["Offset of field: pindma_stats::out_bytes_from_device"]
        [::core::mem::offset_of!(pindma_stats, out_bytes_from_device) - 40usize];
    ["Offset of field: pindma_stats::out_pages"]
        [::core::mem::offset_of!(pindma_stats, out_pages) - 48usize];
    ["Offset of field: pindma_stats::out_segments_unmerged"]
        [::core::mem::offset_of!(pindma_stats, out_segments_unmerged) - 56usize];
    ["Offset of field: pindma_stats::out_segments"]
        [::core::mem::offset_of!(pindma_stats, out_segments) - 64usize];
    ["Offset of field: pindma_stats::out_bounced"]
        [::core::mem::offset_of!(pindma_stats, out_bounced) - 72usize];
    ["Offset of field: pindma_stats::out_pinned_pages"]
        [::core::mem::offset_of!(pindma_stats, out_pinned_pages) - 80usize];
    ["Offset of field: pindma_stats::out_lost_interrupts"]
        [::core::mem::offset_of!(pindma_stats, out_lost_interrupts) - 88usize];
};
