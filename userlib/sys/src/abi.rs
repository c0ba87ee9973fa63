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
pub const PINDMA_REGION_REGISTER: u32 = 48160;
pub const PINDMA_REGION_UNREGISTER: u32 = 48161;
pub const PINDMA_REGION_SYNC: u32 = 48162;
pub const PINDMA_REGION_INFO: u32 = 48163;
pub const PINDMA_QUEUE_CREATE: u32 = 48176;
pub const PINDMA_SUBMIT: u32 = 48177;
pub const PINDMA_QUEUE_WAIT: u32 = 48178;
pub const PINDMA_QUEUE_CANCEL: u32 = 48179;
pub const PINDMA_QUEUE_EVENTFD: u32 = 48180;
pub const PINDMA_POOL_CREATE: u32 = 48192;
pub const PINDMA_POOL_BUFFER: u32 = 48193;
pub const PINDMA_POOL_ENQUEUE: u32 = 48194;
pub const PINDMA_POOL_DEQUEUE: u32 = 48195;
pub const PINDMA_POOL_START: u32 = 48196;
pub const PINDMA_POOL_STOP: u32 = 48197;
pub const PINDMA_DEADLINE_NONE: u64 = 9223372036854775807;
pub const PINDMA_OUT_MEMLOCK: u32 = 1;
pub const PINDMA_OUT_BOUNCED: u32 = 2;
pub const PINDMA_OUT_FAULT_DST: u32 = 4;
pub const PINDMA_OUT_FAULT: u32 = 8;
pub const PINDMA_OUT_STARTED: u32 = 16;
pub const PINDMA_OUT_COPIED: u32 = 32;
pub const PINDMA_DEV_FIXED: u32 = 1;
pub const PINDMA_MAY_COPY: u32 = 1;
pub const PINDMA_MUST_COPY: u32 = 2;
pub const PINDMA_DEV_READ: u32 = 1;
pub const PINDMA_DEV_WRITE: u32 = 2;
pub const PINDMA_REGION_SHARED: u32 = 1;
pub const PINDMA_REGION_MAY_BOUNCE: u32 = 2;
pub const PINDMA_UNREGISTER_WAIT: u32 = 1;
pub const PINDMA_SYNC_BEGIN_CPU: u32 = 1;
pub const PINDMA_SYNC_END_CPU: u32 = 2;
pub const PINDMA_REGION_IS_BOUNCED: u32 = 4;
pub const PINDMA_REGION_IS_POOL: u32 = 8;
pub const PINDMA_QUEUE_NO_READ: u32 = 1;
pub const PINDMA_CANCEL_ALL: u32 = 1;
pub const PINDMA_POOL_CONTIGUOUS: u32 = 1;
pub const PINDMA_POOL_AS_MANY: u32 = 2;
pub const PINDMA_POOL_SHARED: u32 = 4;
pub const PINDMA_ENQUEUE_ALL: u32 = 1;
pub const PINDMA_DEQUEUE_STOPPED: u32 = 1;
pub const PINDMA_START_STREAM: u32 = 1;
pub const PINDMA_CAP_TRANSFER: u32 = 1;
pub const PINDMA_CAP_COPY: u32 = 2;
pub const PINDMA_CAP_ABORT: u32 = 4;
pub const PINDMA_CAP_RESET: u32 = 8;
pub const PINDMA_CAP_REGION: u32 = 16;
pub const PINDMA_CAP_QUEUE: u32 = 32;
pub const PINDMA_CAP_READ_WRITE: u32 = 64;
pub const PINDMA_CAP_MAY_COPY: u32 = 128;
pub const PINDMA_CAP_POOL: u32 = 256;
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
pub const PINDMA_CHANNEL_WHEN_TOLD: u32 = 16;
pub type __u8 = ::core::ffi::c_uchar;
pub type __s32 = ::core::ffi::c_int;
pub type __u32 = ::core::ffi::c_uint;
pub type __s64 = ::core::ffi::c_longlong;
pub type __u64 = ::core::ffi::c_ulonglong;
pub const PINDMA_TO_DEVICE: pindma_direction = 1;
pub const PINDMA_FROM_DEVICE: pindma_direction = 2;
#[doc = " enum pindma_direction - which way data goes, in the sense of the DMA API\n @PINDMA_TO_DEVICE: the device reads user memory.\n @PINDMA_FROM_DEVICE: the device writes user memory."]
pub type pindma_direction = ::core::ffi::c_uint;
#[doc = " struct pindma_seg - one range of memory\n @addr: Start.  With @handle 0 an address in the memory of the calling process,\n\telse an offset in bytes into the region or pool.\n @len: Length in bytes, not 0.\n @handle: 0; or that of a region or pool of this open file.  A vector to\n\tregister, and those of a copy, have only user memory.  A range of a pool\n\tmust lie within one buffer, which the application owns.\n @flags: None defined; must be 0."]
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
pub const PINDMA_FIELD_ACCESS: pindma_field = 17;
pub const PINDMA_FIELD_QUEUE: pindma_field = 18;
pub const PINDMA_FIELD_NR_ENTRIES: pindma_field = 19;
pub const PINDMA_FIELD_ENTRIES: pindma_field = 20;
pub const PINDMA_FIELD_COUNT: pindma_field = 21;
pub const PINDMA_FIELD_BUFFER_BYTES: pindma_field = 22;
pub const PINDMA_FIELD_SEG: pindma_field = 23;
#[doc = " enum pindma_field - which input an error is about\n @PINDMA_FIELD_NONE: None in particular.\n @PINDMA_FIELD_SIZE: size of the struct.\n @PINDMA_FIELD_FLAGS: flags of the struct.\n @PINDMA_FIELD_CHANNEL: channel.\n @PINDMA_FIELD_DIRECTION: direction.\n @PINDMA_FIELD_SEGS: The pointer to the vector (segs, or src of a copy).\n @PINDMA_FIELD_NR_SEGS: The number of segments (nr_segs, or nr_src of a copy).\n @PINDMA_FIELD_DST: dst, the pointer to the destination vector of a copy.\n @PINDMA_FIELD_NR_DST: nr_dst of a copy.\n @PINDMA_FIELD_SEG_ADDR: addr of the segment @fault_index.\n @PINDMA_FIELD_SEG_LEN: len of the segment @fault_index, or the sum up to it.\n @PINDMA_FIELD_SEG_HANDLE: handle of the segment @fault_index.\n @PINDMA_FIELD_SEG_FLAGS: flags of the segment @fault_index.\n @PINDMA_FIELD_DEV_ADDR: dev_addr, or dev_addr plus the sum of the lengths.\n @PINDMA_FIELD_DEV_FLAGS: dev_flags.\n @PINDMA_FIELD_DEADLINE: deadline.\n @PINDMA_FIELD_RESERVED: A reserved field.\n @PINDMA_FIELD_ACCESS: access.\n @PINDMA_FIELD_QUEUE: queue, the file descriptor of a queue.\n @PINDMA_FIELD_NR_ENTRIES: nr_entries.\n @PINDMA_FIELD_ENTRIES: The pointer entries.\n @PINDMA_FIELD_COUNT: count, of a pool.\n @PINDMA_FIELD_BUFFER_BYTES: buffer_bytes, of a pool.\n @PINDMA_FIELD_SEG: seg of an entry, as a whole."]
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
#[doc = " struct pindma_transfer - argument of PINDMA_TRANSFER\n @size: sizeof(struct pindma_transfer).\n @flags: 0, PINDMA_MAY_COPY or PINDMA_MUST_COPY.\n @channel: Channel, 0 to channels - 1 of &struct pindma_info.\n @direction: enum pindma_direction.\n @segs: Address of an array of &struct pindma_seg.\n @nr_segs: Number of segments, 1 to max_segs of &struct pindma_info.\n @dev_flags: PINDMA_DEV_*; EOPNOTSUPP if the channel does not list it in caps.\n @dev_addr: Offset into the channel's memory.\n @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.\n @out: Result.\n\n The segments, one after the other, are the user side; the device side is\n contiguous from @dev_addr.  Any alignment and any length that the channel's\n memory holds: the driver pins, maps and unpins one window after the other.\n\n Memory is what was there when it was pinned, as with read(2) of a file opened\n with O_DIRECT.  If a page of a shared file mapping is replaced meanwhile, by\n truncation, a punched hole or an O_DIRECT write, the mapping may show what the\n other has put there, although the status is 0."]
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
#[doc = " struct pindma_region_register - argument of PINDMA_REGION_REGISTER\n @size: sizeof(struct pindma_region_register).\n @flags: PINDMA_REGION_*.\n @segs: Address of an array of &struct pindma_seg, user memory only.\n @nr_segs: Number of segments, 1 to max_segs of &struct pindma_info.\n @access: PINDMA_DEV_READ, PINDMA_DEV_WRITE or both: what the device may do.\n @out_handle: Handle of the region, not 0.\n @reserved: Must be 0.\n @out: Result: pages, segments and PINDMA_OUT_BOUNCED, or why it failed.\n\n The memory stays pinned, charged and mapped until it is unregistered or the\n last reference to the open file goes; transfers that use it do neither.  The\n region is the segments one after the other; what it holds is the memory that\n was there at the time of the call, whatever is mapped later.  Memory that lies\n where none may stay (a movable zone, CMA) is moved first; the call waits up to\n two seconds for transfers that have it, then it is EBUSY.  A writable shared\n mapping of a file that is written back to a disk is EFAULT as a destination.\n Write protection by userfaultfd(2) that comes later does not stop the device,\n and nobody is told of what it writes.\n\n Transfers see to caches and bounce buffers by themselves, for the range that\n they use.  Where the device writes on its own (without\n PINDMA_CHANNEL_WHEN_TOLD), PINDMA_REGION_SYNC does it."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_region_register {
    pub size: __u32,
    pub flags: __u32,
    pub segs: __u64,
    pub nr_segs: __u32,
    pub access: __u32,
    pub out_handle: __u32,
    pub reserved: __u32,
    pub out: pindma_result,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_region_register"][::core::mem::size_of::<pindma_region_register>() - 128usize];
    ["Alignment of pindma_region_register"]
        [::core::mem::align_of::<pindma_region_register>() - 8usize];
    ["Offset of field: pindma_region_register::size"]
        [::core::mem::offset_of!(pindma_region_register, size) - 0usize];
    ["Offset of field: pindma_region_register::flags"]
        [::core::mem::offset_of!(pindma_region_register, flags) - 4usize];
    ["Offset of field: pindma_region_register::segs"]
        [::core::mem::offset_of!(pindma_region_register, segs) - 8usize];
    ["Offset of field: pindma_region_register::nr_segs"]
        [::core::mem::offset_of!(pindma_region_register, nr_segs) - 16usize];
    ["Offset of field: pindma_region_register::access"]
        [::core::mem::offset_of!(pindma_region_register, access) - 20usize];
    ["Offset of field: pindma_region_register::out_handle"]
        [::core::mem::offset_of!(pindma_region_register, out_handle) - 24usize];
    ["Offset of field: pindma_region_register::reserved"]
        [::core::mem::offset_of!(pindma_region_register, reserved) - 28usize];
    ["Offset of field: pindma_region_register::out"]
        [::core::mem::offset_of!(pindma_region_register, out) - 32usize];
};
#[doc = " struct pindma_region_unregister - argument of PINDMA_REGION_UNREGISTER\n @size: sizeof(struct pindma_region_unregister).\n @flags: 0 or PINDMA_UNREGISTER_WAIT.\n @handle: The region, or pool; the handle is stale from then on.\n @reserved: Must be 0.\n @deadline: With PINDMA_UNREGISTER_WAIT: until when to wait, in ns of\n\tCLOCK_MONOTONIC; else 0.  After ETIMEDOUT or EINTR nothing has changed."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_region_unregister {
    pub size: __u32,
    pub flags: __u32,
    pub handle: __u32,
    pub reserved: __u32,
    pub deadline: __s64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_region_unregister"]
        [::core::mem::size_of::<pindma_region_unregister>() - 24usize];
    ["Alignment of pindma_region_unregister"]
        [::core::mem::align_of::<pindma_region_unregister>() - 8usize];
    ["Offset of field: pindma_region_unregister::size"]
        [::core::mem::offset_of!(pindma_region_unregister, size) - 0usize];
    ["Offset of field: pindma_region_unregister::flags"]
        [::core::mem::offset_of!(pindma_region_unregister, flags) - 4usize];
    ["Offset of field: pindma_region_unregister::handle"]
        [::core::mem::offset_of!(pindma_region_unregister, handle) - 8usize];
    ["Offset of field: pindma_region_unregister::reserved"]
        [::core::mem::offset_of!(pindma_region_unregister, reserved) - 12usize];
    ["Offset of field: pindma_region_unregister::deadline"]
        [::core::mem::offset_of!(pindma_region_unregister, deadline) - 16usize];
};
#[doc = " struct pindma_region_sync - argument of PINDMA_REGION_SYNC\n @size: sizeof(struct pindma_region_sync).\n @flags: Exactly one of PINDMA_SYNC_*.\n @handle: The region.\n @reserved: Must be 0.\n @offset: Start of the range, in bytes from that of the region.\n @len: Length of the range in bytes; 0: to the end of the region."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_region_sync {
    pub size: __u32,
    pub flags: __u32,
    pub handle: __u32,
    pub reserved: __u32,
    pub offset: __u64,
    pub len: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_region_sync"][::core::mem::size_of::<pindma_region_sync>() - 32usize];
    ["Alignment of pindma_region_sync"][::core::mem::align_of::<pindma_region_sync>() - 8usize];
    ["Offset of field: pindma_region_sync::size"]
        [::core::mem::offset_of!(pindma_region_sync, size) - 0usize];
    ["Offset of field: pindma_region_sync::flags"]
        [::core::mem::offset_of!(pindma_region_sync, flags) - 4usize];
    ["Offset of field: pindma_region_sync::handle"]
        [::core::mem::offset_of!(pindma_region_sync, handle) - 8usize];
    ["Offset of field: pindma_region_sync::reserved"]
        [::core::mem::offset_of!(pindma_region_sync, reserved) - 12usize];
    ["Offset of field: pindma_region_sync::offset"]
        [::core::mem::offset_of!(pindma_region_sync, offset) - 16usize];
    ["Offset of field: pindma_region_sync::len"]
        [::core::mem::offset_of!(pindma_region_sync, len) - 24usize];
};
#[doc = " struct pindma_region_info - argument of PINDMA_REGION_INFO\n @size: sizeof(struct pindma_region_info).\n @flags: None defined; must be 0.\n @handle: The region.\n @out_flags: PINDMA_REGION_*.\n @out_access: PINDMA_DEV_*.\n @out_users: Transfers that use it now.\n @out_len: Length in bytes.\n @out_pages: Pages pinned.\n @out_segments: DMA segments.\n @out_bounced: DMA segments that go through a bounce buffer.\n @out_page_sizes: Sizes in bytes of the pages, or huge pages, that the memory\n\tis made of, or'ed together."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_region_info {
    pub size: __u32,
    pub flags: __u32,
    pub handle: __u32,
    pub out_flags: __u32,
    pub out_access: __u32,
    pub out_users: __u32,
    pub out_len: __u64,
    pub out_pages: __u64,
    pub out_segments: __u64,
    pub out_bounced: __u64,
    pub out_page_sizes: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_region_info"][::core::mem::size_of::<pindma_region_info>() - 64usize];
    ["Alignment of pindma_region_info"][::core::mem::align_of::<pindma_region_info>() - 8usize];
    ["Offset of field: pindma_region_info::size"]
        [::core::mem::offset_of!(pindma_region_info, size) - 0usize];
    ["Offset of field: pindma_region_info::flags"]
        [::core::mem::offset_of!(pindma_region_info, flags) - 4usize];
    ["Offset of field: pindma_region_info::handle"]
        [::core::mem::offset_of!(pindma_region_info, handle) - 8usize];
    ["Offset of field: pindma_region_info::out_flags"]
        [::core::mem::offset_of!(pindma_region_info, out_flags) - 12usize];
    ["Offset of field: pindma_region_info::out_access"]
        [::core::mem::offset_of!(pindma_region_info, out_access) - 16usize];
    ["Offset of field: pindma_region_info::out_users"]
        [::core::mem::offset_of!(pindma_region_info, out_users) - 20usize];
    ["Offset of field: pindma_region_info::out_len"]
        [::core::mem::offset_of!(pindma_region_info, out_len) - 24usize];
    ["Offset of field: pindma_region_info::out_pages"]
        [::core::mem::offset_of!(pindma_region_info, out_pages) - 32usize];
    ["Offset of field: pindma_region_info::out_segments"]
        [::core::mem::offset_of!(pindma_region_info, out_segments) - 40usize];
    ["Offset of field: pindma_region_info::out_bounced"]
        [::core::mem::offset_of!(pindma_region_info, out_bounced) - 48usize];
    ["Offset of field: pindma_region_info::out_page_sizes"]
        [::core::mem::offset_of!(pindma_region_info, out_page_sizes) - 56usize];
};
#[doc = " struct pindma_queue_create - argument of PINDMA_QUEUE_CREATE\n @size: sizeof(struct pindma_queue_create).\n @flags: PINDMA_QUEUE_NO_READ or 0.\n @depth: Most requests that are in flight or not yet reaped, 1 to max_depth of\n\t&struct pindma_info.\n @out_fd: File descriptor of the queue, with O_CLOEXEC.\n\n read(2) of the queue returns whole &struct pindma_completion, poll(2) says\n whether there are any.  The queue does not keep the device file open: when\n that is closed, its requests end with ECANCELED, and can still be reaped.\n When the queue is closed, its requests are cancelled."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_queue_create {
    pub size: __u32,
    pub flags: __u32,
    pub depth: __u32,
    pub out_fd: __s32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_queue_create"][::core::mem::size_of::<pindma_queue_create>() - 16usize];
    ["Alignment of pindma_queue_create"][::core::mem::align_of::<pindma_queue_create>() - 4usize];
    ["Offset of field: pindma_queue_create::size"]
        [::core::mem::offset_of!(pindma_queue_create, size) - 0usize];
    ["Offset of field: pindma_queue_create::flags"]
        [::core::mem::offset_of!(pindma_queue_create, flags) - 4usize];
    ["Offset of field: pindma_queue_create::depth"]
        [::core::mem::offset_of!(pindma_queue_create, depth) - 8usize];
    ["Offset of field: pindma_queue_create::out_fd"]
        [::core::mem::offset_of!(pindma_queue_create, out_fd) - 12usize];
};
#[doc = " struct pindma_entry - one request of PINDMA_SUBMIT\n @user_data: Comes back in the completion.\n @flags: None defined; must be 0.\n @channel: Channel, 0 to channels - 1 of &struct pindma_info.\n @direction: enum pindma_direction.\n @dev_flags: PINDMA_DEV_FIXED or 0.\n @dev_addr: Offset into the channel's memory.\n @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.\n @segs: With @nr_segs not 0: address of an array of &struct pindma_seg; else 0.\n @nr_segs: Number of segments there, or 0: the one segment is @seg.\n @reserved: Must be 0.\n @seg: With @nr_segs 0: the memory; else all of it 0.\n\n User memory is pinned and mapped as a whole while it is submitted, and stays\n so until the request ends.  It is never copied (PINDMA_MAY_COPY): that would\n need the process, which does not wait.  Unless its deadline is near, within a\n second or what the module's parameter short_pin_ms says, a request has memory\n as a region has it: what is in the way of others is moved first, and writable\n shared mappings of files that are written back are EFAULT as a destination.\n\n Requests of one open file to one channel start in the order in which they were\n submitted, whatever their queues.  Nothing is said of the order in which they\n end, of requests of other files or channels, nor of other calls beside them:\n who needs one to be over before another starts waits for its completion.  A\n fence, when there is one, will be a flag of the entry: such a request starts\n when all that were submitted before it have ended, of its file and channel.\n\n Users take turns at a channel, and the files of a user share its turns: a file\n more gains a user none.  The user of a file is the real one of the task that\n has opened it.  This holds for all calls that move data.\n\n The struct keeps its 80 bytes, and so gets no fields at its end."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_entry {
    pub user_data: __u64,
    pub flags: __u32,
    pub channel: __u32,
    pub direction: __u32,
    pub dev_flags: __u32,
    pub dev_addr: __u64,
    pub deadline: __s64,
    pub segs: __u64,
    pub nr_segs: __u32,
    pub reserved: __u32,
    pub seg: pindma_seg,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_entry"][::core::mem::size_of::<pindma_entry>() - 80usize];
    ["Alignment of pindma_entry"][::core::mem::align_of::<pindma_entry>() - 8usize];
    ["Offset of field: pindma_entry::user_data"]
        [::core::mem::offset_of!(pindma_entry, user_data) - 0usize];
    ["Offset of field: pindma_entry::flags"][::core::mem::offset_of!(pindma_entry, flags) - 8usize];
    ["Offset of field: pindma_entry::channel"]
        [::core::mem::offset_of!(pindma_entry, channel) - 12usize];
    ["Offset of field: pindma_entry::direction"]
        [::core::mem::offset_of!(pindma_entry, direction) - 16usize];
    ["Offset of field: pindma_entry::dev_flags"]
        [::core::mem::offset_of!(pindma_entry, dev_flags) - 20usize];
    ["Offset of field: pindma_entry::dev_addr"]
        [::core::mem::offset_of!(pindma_entry, dev_addr) - 24usize];
    ["Offset of field: pindma_entry::deadline"]
        [::core::mem::offset_of!(pindma_entry, deadline) - 32usize];
    ["Offset of field: pindma_entry::segs"][::core::mem::offset_of!(pindma_entry, segs) - 40usize];
    ["Offset of field: pindma_entry::nr_segs"]
        [::core::mem::offset_of!(pindma_entry, nr_segs) - 48usize];
    ["Offset of field: pindma_entry::reserved"]
        [::core::mem::offset_of!(pindma_entry, reserved) - 52usize];
    ["Offset of field: pindma_entry::seg"][::core::mem::offset_of!(pindma_entry, seg) - 56usize];
};
#[doc = " struct pindma_submit - argument of PINDMA_SUBMIT\n @size: sizeof(struct pindma_submit).\n @flags: None defined; must be 0.\n @queue: File descriptor of a queue that was made with this open file.\n @nr_entries: Number of entries, 1 to max_batch of &struct pindma_info.\n @entries: Address of an array of &struct pindma_entry.\n @out_submitted: Requests that were taken, from the first on.  Each of them\n\tends exactly once, in the queue.\n @reserved: Must be 0.\n @out: Result: if not all were taken, why the next one was not.\n\n Returns 0 once a request was taken."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_submit {
    pub size: __u32,
    pub flags: __u32,
    pub queue: __s32,
    pub nr_entries: __u32,
    pub entries: __u64,
    pub out_submitted: __u32,
    pub reserved: __u32,
    pub out: pindma_result,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_submit"][::core::mem::size_of::<pindma_submit>() - 128usize];
    ["Alignment of pindma_submit"][::core::mem::align_of::<pindma_submit>() - 8usize];
    ["Offset of field: pindma_submit::size"][::core::mem::offset_of!(pindma_submit, size) - 0usize];
    ["Offset of field: pindma_submit::flags"]
        [::core::mem::offset_of!(pindma_submit, flags) - 4usize];
    ["Offset of field: pindma_submit::queue"]
        [::core::mem::offset_of!(pindma_submit, queue) - 8usize];
    ["Offset of field: pindma_submit::nr_entries"]
        [::core::mem::offset_of!(pindma_submit, nr_entries) - 12usize];
    ["Offset of field: pindma_submit::entries"]
        [::core::mem::offset_of!(pindma_submit, entries) - 16usize];
    ["Offset of field: pindma_submit::out_submitted"]
        [::core::mem::offset_of!(pindma_submit, out_submitted) - 24usize];
    ["Offset of field: pindma_submit::reserved"]
        [::core::mem::offset_of!(pindma_submit, reserved) - 28usize];
    ["Offset of field: pindma_submit::out"][::core::mem::offset_of!(pindma_submit, out) - 32usize];
};
#[doc = " struct pindma_completion - how a request ended\n @user_data: That of its entry.\n @status: 0: done; -ECANCELED, -ETIMEDOUT, -EIO, -ENODEV, -ENOTRECOVERABLE;\n\t-ESTALE if the device was reset before the request was begun, -ENOMEM if\n\tthe kernel had no memory to begin it.\n @flags: PINDMA_OUT_STARTED and PINDMA_OUT_BOUNCED.\n @bytes: Bytes moved, a contiguous prefix.\n @fault_addr: Zero.\n @seq: Number of the completion in its queue, from 0 on.\n @time_ns: When it ended, in ns of CLOCK_MONOTONIC.\n @reserved: Zero."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_completion {
    pub user_data: __u64,
    pub status: __s32,
    pub flags: __u32,
    pub bytes: __u64,
    pub fault_addr: __u64,
    pub seq: __u64,
    pub time_ns: __s64,
    pub reserved: [__u64; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_completion"][::core::mem::size_of::<pindma_completion>() - 64usize];
    ["Alignment of pindma_completion"][::core::mem::align_of::<pindma_completion>() - 8usize];
    ["Offset of field: pindma_completion::user_data"]
        [::core::mem::offset_of!(pindma_completion, user_data) - 0usize];
    ["Offset of field: pindma_completion::status"]
        [::core::mem::offset_of!(pindma_completion, status) - 8usize];
    ["Offset of field: pindma_completion::flags"]
        [::core::mem::offset_of!(pindma_completion, flags) - 12usize];
    ["Offset of field: pindma_completion::bytes"]
        [::core::mem::offset_of!(pindma_completion, bytes) - 16usize];
    ["Offset of field: pindma_completion::fault_addr"]
        [::core::mem::offset_of!(pindma_completion, fault_addr) - 24usize];
    ["Offset of field: pindma_completion::seq"]
        [::core::mem::offset_of!(pindma_completion, seq) - 32usize];
    ["Offset of field: pindma_completion::time_ns"]
        [::core::mem::offset_of!(pindma_completion, time_ns) - 40usize];
    ["Offset of field: pindma_completion::reserved"]
        [::core::mem::offset_of!(pindma_completion, reserved) - 48usize];
};
#[doc = " struct pindma_queue_wait - argument of PINDMA_QUEUE_WAIT\n @size: sizeof(struct pindma_queue_wait).\n @flags: None defined; must be 0.\n @completions: Address of an array of &struct pindma_completion.\n @max: Room there, 1 to max_batch of &struct pindma_info.\n @min: How many to wait for, 0 to @max; 0: do not wait.\n @deadline: Until when to wait, in ns of CLOCK_MONOTONIC.  After that, or when\n\ta handler ran, or if no more requests are in flight: returns what is there,\n\tor fails with ETIMEDOUT, EINTR, EAGAIN if there is nothing.  A stop, or a\n\tsignal without a handler, has it wait on.\n @out_reaped: Completions written.\n @out_in_flight: Requests in flight."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_queue_wait {
    pub size: __u32,
    pub flags: __u32,
    pub completions: __u64,
    pub max: __u32,
    pub min: __u32,
    pub deadline: __s64,
    pub out_reaped: __u32,
    pub out_in_flight: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_queue_wait"][::core::mem::size_of::<pindma_queue_wait>() - 40usize];
    ["Alignment of pindma_queue_wait"][::core::mem::align_of::<pindma_queue_wait>() - 8usize];
    ["Offset of field: pindma_queue_wait::size"]
        [::core::mem::offset_of!(pindma_queue_wait, size) - 0usize];
    ["Offset of field: pindma_queue_wait::flags"]
        [::core::mem::offset_of!(pindma_queue_wait, flags) - 4usize];
    ["Offset of field: pindma_queue_wait::completions"]
        [::core::mem::offset_of!(pindma_queue_wait, completions) - 8usize];
    ["Offset of field: pindma_queue_wait::max"]
        [::core::mem::offset_of!(pindma_queue_wait, max) - 16usize];
    ["Offset of field: pindma_queue_wait::min"]
        [::core::mem::offset_of!(pindma_queue_wait, min) - 20usize];
    ["Offset of field: pindma_queue_wait::deadline"]
        [::core::mem::offset_of!(pindma_queue_wait, deadline) - 24usize];
    ["Offset of field: pindma_queue_wait::out_reaped"]
        [::core::mem::offset_of!(pindma_queue_wait, out_reaped) - 32usize];
    ["Offset of field: pindma_queue_wait::out_in_flight"]
        [::core::mem::offset_of!(pindma_queue_wait, out_in_flight) - 36usize];
};
#[doc = " struct pindma_queue_cancel - argument of PINDMA_QUEUE_CANCEL\n @size: sizeof(struct pindma_queue_cancel).\n @flags: 0 or PINDMA_CANCEL_ALL.\n @user_data: Which requests; 0 with PINDMA_CANCEL_ALL.\n @out_canceled: Requests that were told to end.  They end as soon as the device\n\tis done with their memory: mostly with ECANCELED, or done after all.\n @reserved: Must be 0.\n\n ENOENT if there is no such request in flight.  Does not wait."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_queue_cancel {
    pub size: __u32,
    pub flags: __u32,
    pub user_data: __u64,
    pub out_canceled: __u32,
    pub reserved: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_queue_cancel"][::core::mem::size_of::<pindma_queue_cancel>() - 24usize];
    ["Alignment of pindma_queue_cancel"][::core::mem::align_of::<pindma_queue_cancel>() - 8usize];
    ["Offset of field: pindma_queue_cancel::size"]
        [::core::mem::offset_of!(pindma_queue_cancel, size) - 0usize];
    ["Offset of field: pindma_queue_cancel::flags"]
        [::core::mem::offset_of!(pindma_queue_cancel, flags) - 4usize];
    ["Offset of field: pindma_queue_cancel::user_data"]
        [::core::mem::offset_of!(pindma_queue_cancel, user_data) - 8usize];
    ["Offset of field: pindma_queue_cancel::out_canceled"]
        [::core::mem::offset_of!(pindma_queue_cancel, out_canceled) - 16usize];
    ["Offset of field: pindma_queue_cancel::reserved"]
        [::core::mem::offset_of!(pindma_queue_cancel, reserved) - 20usize];
};
#[doc = " struct pindma_queue_eventfd - argument of PINDMA_QUEUE_EVENTFD\n @size: sizeof(struct pindma_queue_eventfd).\n @flags: None defined; must be 0.\n @fd: An eventfd, to which 1 is added for each completion; -1: none any more.\n @reserved: Must be 0."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_queue_eventfd {
    pub size: __u32,
    pub flags: __u32,
    pub fd: __s32,
    pub reserved: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_queue_eventfd"][::core::mem::size_of::<pindma_queue_eventfd>() - 16usize];
    ["Alignment of pindma_queue_eventfd"][::core::mem::align_of::<pindma_queue_eventfd>() - 4usize];
    ["Offset of field: pindma_queue_eventfd::size"]
        [::core::mem::offset_of!(pindma_queue_eventfd, size) - 0usize];
    ["Offset of field: pindma_queue_eventfd::flags"]
        [::core::mem::offset_of!(pindma_queue_eventfd, flags) - 4usize];
    ["Offset of field: pindma_queue_eventfd::fd"]
        [::core::mem::offset_of!(pindma_queue_eventfd, fd) - 8usize];
    ["Offset of field: pindma_queue_eventfd::reserved"]
        [::core::mem::offset_of!(pindma_queue_eventfd, reserved) - 12usize];
};
#[doc = " struct pindma_pool_create - argument of PINDMA_POOL_CREATE\n @size: sizeof(struct pindma_pool_create).\n @flags: PINDMA_POOL_*.\n @buffer_bytes: Bytes of a buffer; rounded up to whole pages.\n @count: Number of buffers, 1 to max_buffers of &struct pindma_info.\n @access: PINDMA_DEV_READ, PINDMA_DEV_WRITE or both: what the device may do.\n @out_stride: Bytes from one buffer to the next in the mapping.\n @out_count: Number of buffers that there are.\n @out_handle: Handle of the pool: as that of a region of this file, where a\n\tbuffer starts at its index times @out_stride.\n @out_fd: File descriptor of the pool, with O_CLOEXEC: mmap(2) it with\n\tMAP_SHARED, at multiples of @out_stride or all at once; poll(2) it.\n @reserved: Must be 0.\n @out: Result.\n\n The memory is ordinary, zeroed, charged like pinned memory, and lives for as\n long as the pool's file descriptor, its handle or a mapping does, also when the\n device is gone.  All buffers are the application's at first.  Pages that others\n hold for longer, such as a pipe or a socket, stay charged until they let go.\n\n After mlockall(MCL_FUTURE) mmap(2) needs room for the mapping below\n RLIMIT_MEMLOCK beside what the process has locked, else it is EAGAIN; once mapped\n it is not counted.  What the device writes does not set the soft-dirty bits of\n /proc/PID/pagemap: who copies only what has changed must copy pools whole.\n\n poll(2) of the pool says POLLIN if a buffer can be dequeued, whichever way its\n data went; of a pool that the device only reads it says POLLOUT too, since what\n was sent can be filled again.  It says nothing of buffers that the application\n has.  POLLERR means that nothing can be dequeued and the pool is not started,\n so that nothing comes before a start; dequeue tells the reason.  POLLHUP means\n that the device is gone or has failed, or that the file is closed: the pool\n cannot be started any more."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_create {
    pub size: __u32,
    pub flags: __u32,
    pub buffer_bytes: __u64,
    pub count: __u32,
    pub access: __u32,
    pub out_stride: __u64,
    pub out_count: __u32,
    pub out_handle: __u32,
    pub out_fd: __s32,
    pub reserved: __u32,
    pub out: pindma_result,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_create"][::core::mem::size_of::<pindma_pool_create>() - 144usize];
    ["Alignment of pindma_pool_create"][::core::mem::align_of::<pindma_pool_create>() - 8usize];
    ["Offset of field: pindma_pool_create::size"]
        [::core::mem::offset_of!(pindma_pool_create, size) - 0usize];
    ["Offset of field: pindma_pool_create::flags"]
        [::core::mem::offset_of!(pindma_pool_create, flags) - 4usize];
    ["Offset of field: pindma_pool_create::buffer_bytes"]
        [::core::mem::offset_of!(pindma_pool_create, buffer_bytes) - 8usize];
    ["Offset of field: pindma_pool_create::count"]
        [::core::mem::offset_of!(pindma_pool_create, count) - 16usize];
    ["Offset of field: pindma_pool_create::access"]
        [::core::mem::offset_of!(pindma_pool_create, access) - 20usize];
    ["Offset of field: pindma_pool_create::out_stride"]
        [::core::mem::offset_of!(pindma_pool_create, out_stride) - 24usize];
    ["Offset of field: pindma_pool_create::out_count"]
        [::core::mem::offset_of!(pindma_pool_create, out_count) - 32usize];
    ["Offset of field: pindma_pool_create::out_handle"]
        [::core::mem::offset_of!(pindma_pool_create, out_handle) - 36usize];
    ["Offset of field: pindma_pool_create::out_fd"]
        [::core::mem::offset_of!(pindma_pool_create, out_fd) - 40usize];
    ["Offset of field: pindma_pool_create::reserved"]
        [::core::mem::offset_of!(pindma_pool_create, reserved) - 44usize];
    ["Offset of field: pindma_pool_create::out"]
        [::core::mem::offset_of!(pindma_pool_create, out) - 48usize];
};
pub const PINDMA_POOL_OWNED: pindma_pool_state = 1;
pub const PINDMA_POOL_QUEUED: pindma_pool_state = 2;
pub const PINDMA_POOL_ACTIVE: pindma_pool_state = 3;
pub const PINDMA_POOL_READY: pindma_pool_state = 4;
#[doc = " enum pindma_pool_state - whose a buffer is\n @PINDMA_POOL_OWNED: The application's.\n @PINDMA_POOL_QUEUED: The device's, which has not begun with it.\n @PINDMA_POOL_ACTIVE: The device works on it.\n @PINDMA_POOL_READY: It can be dequeued."]
pub type pindma_pool_state = ::core::ffi::c_uint;
#[doc = " struct pindma_pool_query - argument of PINDMA_POOL_BUFFER\n @size: sizeof(struct pindma_pool_query).\n @flags: None defined; must be 0.\n @index: Index of the buffer.\n @out_state: enum pindma_pool_state.\n @out_buffer: Handle of the buffer while it is the application's, else 0.\n @out_reserved: Zero."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_query {
    pub size: __u32,
    pub flags: __u32,
    pub index: __u32,
    pub out_state: __u32,
    pub out_buffer: __u32,
    pub out_reserved: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_query"][::core::mem::size_of::<pindma_pool_query>() - 24usize];
    ["Alignment of pindma_pool_query"][::core::mem::align_of::<pindma_pool_query>() - 4usize];
    ["Offset of field: pindma_pool_query::size"]
        [::core::mem::offset_of!(pindma_pool_query, size) - 0usize];
    ["Offset of field: pindma_pool_query::flags"]
        [::core::mem::offset_of!(pindma_pool_query, flags) - 4usize];
    ["Offset of field: pindma_pool_query::index"]
        [::core::mem::offset_of!(pindma_pool_query, index) - 8usize];
    ["Offset of field: pindma_pool_query::out_state"]
        [::core::mem::offset_of!(pindma_pool_query, out_state) - 12usize];
    ["Offset of field: pindma_pool_query::out_buffer"]
        [::core::mem::offset_of!(pindma_pool_query, out_buffer) - 16usize];
    ["Offset of field: pindma_pool_query::out_reserved"]
        [::core::mem::offset_of!(pindma_pool_query, out_reserved) - 20usize];
};
#[doc = " struct pindma_pool_record - a buffer on its way in or out\n @buffer: Handle of the buffer.  It is good for one enqueue; dequeue makes a new one.\n @index: Out: index of the buffer.\n @bytes: In: bytes that the device is to move, a multiple of the out_len_align\n\tof all channels, 0: all.  Out: bytes that it has moved.\n @seq: Out: number of the frame since the start, lost ones counted as well.\n @time_ns: Out: when it ended, in ns of CLOCK_MONOTONIC.\n @overruns: Out: frames lost just before this one.\n @status: Out: 0, or -ECANCELED (stopped before the device began, or while it\n\tworked), -EIO, -ENODEV, -ENOTRECOVERABLE; -ESTALE of a run that a reset of\n\tthe device has ended, -ENOMEM of one that could not go on.\n @flags: Out: PINDMA_OUT_STARTED and PINDMA_OUT_BOUNCED.\n @reserved: Zero.\n\n To enqueue, only @buffer and @bytes are told; all else must be 0."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_record {
    pub buffer: __u32,
    pub index: __u32,
    pub bytes: __u64,
    pub seq: __u64,
    pub time_ns: __s64,
    pub overruns: __u64,
    pub status: __s32,
    pub flags: __u32,
    pub reserved: [__u64; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_record"][::core::mem::size_of::<pindma_pool_record>() - 64usize];
    ["Alignment of pindma_pool_record"][::core::mem::align_of::<pindma_pool_record>() - 8usize];
    ["Offset of field: pindma_pool_record::buffer"]
        [::core::mem::offset_of!(pindma_pool_record, buffer) - 0usize];
    ["Offset of field: pindma_pool_record::index"]
        [::core::mem::offset_of!(pindma_pool_record, index) - 4usize];
    ["Offset of field: pindma_pool_record::bytes"]
        [::core::mem::offset_of!(pindma_pool_record, bytes) - 8usize];
    ["Offset of field: pindma_pool_record::seq"]
        [::core::mem::offset_of!(pindma_pool_record, seq) - 16usize];
    ["Offset of field: pindma_pool_record::time_ns"]
        [::core::mem::offset_of!(pindma_pool_record, time_ns) - 24usize];
    ["Offset of field: pindma_pool_record::overruns"]
        [::core::mem::offset_of!(pindma_pool_record, overruns) - 32usize];
    ["Offset of field: pindma_pool_record::status"]
        [::core::mem::offset_of!(pindma_pool_record, status) - 40usize];
    ["Offset of field: pindma_pool_record::flags"]
        [::core::mem::offset_of!(pindma_pool_record, flags) - 44usize];
    ["Offset of field: pindma_pool_record::reserved"]
        [::core::mem::offset_of!(pindma_pool_record, reserved) - 48usize];
};
#[doc = " struct pindma_pool_enqueue - argument of PINDMA_POOL_ENQUEUE\n @size: sizeof(struct pindma_pool_enqueue).\n @flags: 0 or PINDMA_ENQUEUE_ALL.\n @records: Address of an array of &struct pindma_pool_record; 0 with\n\tPINDMA_ENQUEUE_ALL.\n @nr_records: Number of records, 1 to max_batch of &struct pindma_info; 0 with\n\tPINDMA_ENQUEUE_ALL.\n @out_enqueued: Buffers that were taken, from the first on.\n\n ENOENT for a handle that is stale, EBUSY for one that a transfer uses; returns\n 0 once a buffer was taken."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_enqueue {
    pub size: __u32,
    pub flags: __u32,
    pub records: __u64,
    pub nr_records: __u32,
    pub out_enqueued: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_enqueue"][::core::mem::size_of::<pindma_pool_enqueue>() - 24usize];
    ["Alignment of pindma_pool_enqueue"][::core::mem::align_of::<pindma_pool_enqueue>() - 8usize];
    ["Offset of field: pindma_pool_enqueue::size"]
        [::core::mem::offset_of!(pindma_pool_enqueue, size) - 0usize];
    ["Offset of field: pindma_pool_enqueue::flags"]
        [::core::mem::offset_of!(pindma_pool_enqueue, flags) - 4usize];
    ["Offset of field: pindma_pool_enqueue::records"]
        [::core::mem::offset_of!(pindma_pool_enqueue, records) - 8usize];
    ["Offset of field: pindma_pool_enqueue::nr_records"]
        [::core::mem::offset_of!(pindma_pool_enqueue, nr_records) - 16usize];
    ["Offset of field: pindma_pool_enqueue::out_enqueued"]
        [::core::mem::offset_of!(pindma_pool_enqueue, out_enqueued) - 20usize];
};
#[doc = " struct pindma_pool_dequeue - argument of PINDMA_POOL_DEQUEUE\n @size: sizeof(struct pindma_pool_dequeue).\n @flags: None defined; must be 0.\n @records: Address of an array of &struct pindma_pool_record.\n @max: Room there, 1 to max_batch of &struct pindma_info.\n @min: How many to wait for, 0 to @max; 0: do not wait.\n @deadline: Until when to wait, in ns of CLOCK_MONOTONIC; as in\n\t&struct pindma_queue_wait.  EAGAIN if nothing is enqueued or stopped and\n\tnothing is ready.\n @out_dequeued: Records written, in the order in which the device was done.\n @out_queued: Buffers that the device has.\n @out_flags: PINDMA_DEQUEUE_*.  Together with EAGAIN, @out_queued and this are\n\tof one moment: with PINDMA_DEQUEUE_STOPPED nothing comes before a start.\n @out_status: With PINDMA_DEQUEUE_STOPPED the reason: 0 if the pool was never\n\tstarted, -ECANCELED if it was stopped or its file was closed, else the\n\terrno with which the run ended by itself.  Else 0.\n\n A run ends with PINDMA_POOL_STOP; but also by itself, when the device is gone\n or a frame cannot even be begun.  What it has not begun with then comes back\n with the same status, and the pool can be started again.  If nothing comes\n back, since nothing was enqueued, @out_status tells all the same."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_dequeue {
    pub size: __u32,
    pub flags: __u32,
    pub records: __u64,
    pub max: __u32,
    pub min: __u32,
    pub deadline: __s64,
    pub out_dequeued: __u32,
    pub out_queued: __u32,
    pub out_flags: __u32,
    pub out_status: __s32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_dequeue"][::core::mem::size_of::<pindma_pool_dequeue>() - 48usize];
    ["Alignment of pindma_pool_dequeue"][::core::mem::align_of::<pindma_pool_dequeue>() - 8usize];
    ["Offset of field: pindma_pool_dequeue::size"]
        [::core::mem::offset_of!(pindma_pool_dequeue, size) - 0usize];
    ["Offset of field: pindma_pool_dequeue::flags"]
        [::core::mem::offset_of!(pindma_pool_dequeue, flags) - 4usize];
    ["Offset of field: pindma_pool_dequeue::records"]
        [::core::mem::offset_of!(pindma_pool_dequeue, records) - 8usize];
    ["Offset of field: pindma_pool_dequeue::max"]
        [::core::mem::offset_of!(pindma_pool_dequeue, max) - 16usize];
    ["Offset of field: pindma_pool_dequeue::min"]
        [::core::mem::offset_of!(pindma_pool_dequeue, min) - 20usize];
    ["Offset of field: pindma_pool_dequeue::deadline"]
        [::core::mem::offset_of!(pindma_pool_dequeue, deadline) - 24usize];
    ["Offset of field: pindma_pool_dequeue::out_dequeued"]
        [::core::mem::offset_of!(pindma_pool_dequeue, out_dequeued) - 32usize];
    ["Offset of field: pindma_pool_dequeue::out_queued"]
        [::core::mem::offset_of!(pindma_pool_dequeue, out_queued) - 36usize];
    ["Offset of field: pindma_pool_dequeue::out_flags"]
        [::core::mem::offset_of!(pindma_pool_dequeue, out_flags) - 40usize];
    ["Offset of field: pindma_pool_dequeue::out_status"]
        [::core::mem::offset_of!(pindma_pool_dequeue, out_status) - 44usize];
};
#[doc = " struct pindma_pool_start - argument of PINDMA_POOL_START\n @size: sizeof(struct pindma_pool_start).\n @flags: 0 or PINDMA_START_STREAM.\n @channel: Channel, 0 to channels - 1 of &struct pindma_info.\n @direction: enum pindma_direction.\n @dev_addr: Offset into the channel's memory, of every frame.\n @dev_flags: PINDMA_DEV_FIXED or 0.\n @reserved: Must be 0.\n @frame_bytes: Bytes of a frame; 0: those of a buffer.\n\n One buffer takes one frame.  Without PINDMA_START_STREAM the device waits\n until a buffer is enqueued.  With it, which is for PINDMA_FROM_DEVICE only,\n frames go on: one that finds no buffer is moved to where nobody sees it, and\n the next record says how many those were."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_start {
    pub size: __u32,
    pub flags: __u32,
    pub channel: __u32,
    pub direction: __u32,
    pub dev_addr: __u64,
    pub dev_flags: __u32,
    pub reserved: __u32,
    pub frame_bytes: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_start"][::core::mem::size_of::<pindma_pool_start>() - 40usize];
    ["Alignment of pindma_pool_start"][::core::mem::align_of::<pindma_pool_start>() - 8usize];
    ["Offset of field: pindma_pool_start::size"]
        [::core::mem::offset_of!(pindma_pool_start, size) - 0usize];
    ["Offset of field: pindma_pool_start::flags"]
        [::core::mem::offset_of!(pindma_pool_start, flags) - 4usize];
    ["Offset of field: pindma_pool_start::channel"]
        [::core::mem::offset_of!(pindma_pool_start, channel) - 8usize];
    ["Offset of field: pindma_pool_start::direction"]
        [::core::mem::offset_of!(pindma_pool_start, direction) - 12usize];
    ["Offset of field: pindma_pool_start::dev_addr"]
        [::core::mem::offset_of!(pindma_pool_start, dev_addr) - 16usize];
    ["Offset of field: pindma_pool_start::dev_flags"]
        [::core::mem::offset_of!(pindma_pool_start, dev_flags) - 24usize];
    ["Offset of field: pindma_pool_start::reserved"]
        [::core::mem::offset_of!(pindma_pool_start, reserved) - 28usize];
    ["Offset of field: pindma_pool_start::frame_bytes"]
        [::core::mem::offset_of!(pindma_pool_start, frame_bytes) - 32usize];
};
#[doc = " struct pindma_pool_stop - argument of PINDMA_POOL_STOP\n @size: sizeof(struct pindma_pool_stop).\n @flags: None defined; must be 0.\n @out_frames: Frames since the start, lost ones counted as well.\n @out_overruns: Frames lost since the start.\n\n Waits until the device is done.  What it had not begun with comes back by\n dequeue with ECANCELED, also if the pool was not started."]
#[repr(C)]
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub struct pindma_pool_stop {
    pub size: __u32,
    pub flags: __u32,
    pub out_frames: __u64,
    pub out_overruns: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_pool_stop"][::core::mem::size_of::<pindma_pool_stop>() - 24usize];
    ["Alignment of pindma_pool_stop"][::core::mem::align_of::<pindma_pool_stop>() - 8usize];
    ["Offset of field: pindma_pool_stop::size"]
        [::core::mem::offset_of!(pindma_pool_stop, size) - 0usize];
    ["Offset of field: pindma_pool_stop::flags"]
        [::core::mem::offset_of!(pindma_pool_stop, flags) - 4usize];
    ["Offset of field: pindma_pool_stop::out_frames"]
        [::core::mem::offset_of!(pindma_pool_stop, out_frames) - 8usize];
    ["Offset of field: pindma_pool_stop::out_overruns"]
        [::core::mem::offset_of!(pindma_pool_stop, out_overruns) - 16usize];
};
#[doc = " struct pindma_info - argument of PINDMA_INFO\n @size: sizeof(struct pindma_info).\n @flags: None defined; must be 0.\n @out_caps: PINDMA_CAP_*.\n @out_state: PINDMA_STATE_*.\n @out_channels: Number of channels.\n @out_addr_bits: Address bits that the device drives (its DMA mask).\n @out_max_segs: Most segments in one vector.\n @out_window_bytes: Most bytes that one call has pinned at a time, both sides\n\tof a copy together; a longer call is worked through in such windows.\n @out_max_segment_bytes: Most bytes in one DMA segment.\n @out_max_timeout_ns: Longest time for which one window may be in work; then\n\tthe call ends with ETIMEDOUT whatever its deadline.  Also the longest time\n\tof a job on a channel with memory; then it ends with EIO.\n @out_memlock_used: Bytes charged to the calling user against RLIMIT_MEMLOCK,\n\tby whatever driver.\n @out_memlock_limit: The caller's RLIMIT_MEMLOCK in bytes; all ones: unlimited.\n @out_pinned_pages: Pages that this device has pinned now, for all files.\n @out_pinned_limit: Most pages that this device may have pinned.\n @out_leaked_pages: Pages that could not be given back, because the device did\n\tnot stop.\n @out_page_size: Bytes of a page.\n @out_cache_align: Bytes of a cache line for DMA; only matters without\n\tPINDMA_STATE_COHERENT.\n @out_engine: Name of the engine, NUL-terminated.\n @out_bus: Address on the bus, such as 0000:00:03.0, NUL-terminated.\n @out_copy_below: Bytes below which a transfer with PINDMA_MAY_COPY is copied.\n @out_max_regions: Most regions and pools that a file may have at a time.\n @out_max_queues: Most queues that a file may have at a time.\n @out_max_depth: Most requests of a queue.\n @out_max_batch: Most entries of one PINDMA_SUBMIT, and most records that one\n\tPINDMA_QUEUE_WAIT, PINDMA_POOL_ENQUEUE or PINDMA_POOL_DEQUEUE takes.\n @out_max_buffers: Most buffers in a pool.\n @out_max_runs: Most pools of a file that may be started at a time.\n @out_file_pinned_limit: Most of @out_pinned_limit that one open file may have,\n\tand all together that were opened by one user without CAP_SYS_RESOURCE.\n @out_max_mappings: Most mappings that a file may have at a time, and all\n\ttogether that were opened by one user without CAP_SYS_RESOURCE: one for\n\teach window of a transfer in work or in a queue, for each 16 MiB of a\n\tregion, and for each buffer of a pool.\n @out_resets: How often the device was reset since it was bound, or lost power."]
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
    pub out_copy_below: __u64,
    pub out_max_regions: __u32,
    pub out_max_queues: __u32,
    pub out_max_depth: __u32,
    pub out_max_batch: __u32,
    pub out_max_buffers: __u32,
    pub out_max_runs: __u32,
    pub out_file_pinned_limit: __u64,
    pub out_max_mappings: __u64,
    pub out_resets: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_info"][::core::mem::size_of::<pindma_info>() - 224usize];
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
    ["Offset of field: pindma_info::out_copy_below"]
        [::core::mem::offset_of!(pindma_info, out_copy_below) - 168usize];
    ["Offset of field: pindma_info::out_max_regions"]
        [::core::mem::offset_of!(pindma_info, out_max_regions) - 176usize];
    ["Offset of field: pindma_info::out_max_queues"]
        [::core::mem::offset_of!(pindma_info, out_max_queues) - 180usize];
    ["Offset of field: pindma_info::out_max_depth"]
        [::core::mem::offset_of!(pindma_info, out_max_depth) - 184usize];
    ["Offset of field: pindma_info::out_max_batch"]
        [::core::mem::offset_of!(pindma_info, out_max_batch) - 188usize];
    ["Offset of field: pindma_info::out_max_buffers"]
        [::core::mem::offset_of!(pindma_info, out_max_buffers) - 192usize];
    ["Offset of field: pindma_info::out_max_runs"]
        [::core::mem::offset_of!(pindma_info, out_max_runs) - 196usize];
    ["Offset of field: pindma_info::out_file_pinned_limit"]
        [::core::mem::offset_of!(pindma_info, out_file_pinned_limit) - 200usize];
    ["Offset of field: pindma_info::out_max_mappings"]
        [::core::mem::offset_of!(pindma_info, out_max_mappings) - 208usize];
    ["Offset of field: pindma_info::out_resets"]
        [::core::mem::offset_of!(pindma_info, out_resets) - 216usize];
};
pub const PINDMA_CHANNEL_MEMORY: pindma_channel_kind = 1;
pub const PINDMA_CHANNEL_STREAM: pindma_channel_kind = 2;
#[doc = " enum pindma_channel_kind - what is behind a channel\n @PINDMA_CHANNEL_MEMORY: Memory, addressed by dev_addr.\n @PINDMA_CHANNEL_STREAM: A stream; dev_addr must be 0."]
pub type pindma_channel_kind = ::core::ffi::c_uint;
#[doc = " struct pindma_channel_info - argument of PINDMA_CHANNEL_INFO\n @size: sizeof(struct pindma_channel_info).\n @flags: None defined; must be 0.\n @channel: Channel that is asked about; ENOENT if there is none.\n @out_kind: enum pindma_channel_kind.\n @out_caps: PINDMA_CHANNEL_*.\n @out_mem_bytes: Bytes of device memory behind the channel.\n @out_addr_align: Alignment in bytes that the device needs of addresses, and of\n\tthe length of each segment but the last; 1: none.  No other is larger.\n @out_len_align: Alignment in bytes that the device needs of all lengths, those\n\tof frames and of pool records included; 1: none.\n @out_max_job_bytes: Most bytes that the device takes at a time.\n @out_max_job_segs: Most DMA segments that the device takes at a time.\n @out_dev_align: Alignment in bytes that the device needs of dev_addr, and of the\n\tfile offset of read(2) and write(2); 1: none.\n @out_copy_addr: Start of the device memory that a copy overwrites.\n @out_copy_len: Length of the device memory that a copy overwrites."]
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
    pub out_dev_align: __u32,
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
    ["Offset of field: pindma_channel_info::out_dev_align"]
        [::core::mem::offset_of!(pindma_channel_info, out_dev_align) - 52usize];
    ["Offset of field: pindma_channel_info::out_copy_addr"]
        [::core::mem::offset_of!(pindma_channel_info, out_copy_addr) - 56usize];
    ["Offset of field: pindma_channel_info::out_copy_len"]
        [::core::mem::offset_of!(pindma_channel_info, out_copy_len) - 64usize];
};
#[doc = " struct pindma_stats - argument of PINDMA_STATS\n @size: sizeof(struct pindma_stats).\n @flags: None defined; must be 0.\n @out_calls: Transfers and copies that were started.\n @out_windows: Windows pinned and mapped.\n @out_jobs: Jobs that the device was given.\n @out_bytes_to_device: Bytes that the device read.\n @out_bytes_from_device: Bytes that the device wrote.\n @out_pages: Pages pinned, in all.\n @out_segments_unmerged: Segments before merging: one for each page touched.\n @out_segments: Segments after merging, as the device got them.\n @out_bounced: Segments that went through a bounce buffer.\n @out_pinned_pages: Pages pinned now.\n @out_lost_interrupts: Jobs whose end was seen by polling, not by interrupt.\n @out_copied: Bytes that the CPU copied (PINDMA_MAY_COPY).\n @out_regions: Regions and pools registered now.\n @out_submitted: Requests that queues were given.\n @out_ended: Requests that have ended, however they did.\n @out_frames: Pool buffers that the device has worked on.\n @out_overruns: Frames that were lost because no pool buffer was enqueued."]
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
    pub out_copied: __u64,
    pub out_regions: __u64,
    pub out_submitted: __u64,
    pub out_ended: __u64,
    pub out_frames: __u64,
    pub out_overruns: __u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pindma_stats"][::core::mem::size_of::<pindma_stats>() - 144usize];
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
    ["Offset of field: pindma_stats::out_copied"]
        [::core::mem::offset_of!(pindma_stats, out_copied) - 96usize];
    ["Offset of field: pindma_stats::out_regions"]
        [::core::mem::offset_of!(pindma_stats, out_regions) - 104usize];
    ["Offset of field: pindma_stats::out_submitted"]
        [::core::mem::offset_of!(pindma_stats, out_submitted) - 112usize];
    ["Offset of field: pindma_stats::out_ended"]
        [::core::mem::offset_of!(pindma_stats, out_ended) - 120usize];
    ["Offset of field: pindma_stats::out_frames"]
        [::core::mem::offset_of!(pindma_stats, out_frames) - 128usize];
    ["Offset of field: pindma_stats::out_overruns"]
        [::core::mem::offset_of!(pindma_stats, out_overruns) - 136usize];
};
