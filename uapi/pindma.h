/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * pindma: zero-copy DMA between an application's own memory and a device.
 *
 * This header is the whole ABI.  The driver, the Rust crate and C programs are
 * built from it.
 *
 * Every command passes a pointer to one struct.  Each struct starts with its
 * own size and a flags word, and may grow at its end:
 *
 *  - A caller built against an older header passes a smaller size; fields it
 *    does not know read as zero in the kernel and are not written back.
 *  - A caller built against a newer header passes a larger size; the kernel
 *    accepts it as long as the bytes it does not know are zero (else E2BIG).
 *
 * All layouts are the same for 32-bit and 64-bit callers.  Pointers are passed
 * as 64-bit integers.  Fields named out or out_* are written by the kernel,
 * also when the call fails, as long as the struct could be read; what the
 * caller left in them is ignored.
 *
 * Errno of ioctl(2).  struct pindma_result carries the same numbers, negated,
 * in its status, and says which field or address is meant.
 *
 *  ENOTTY           the command is unknown
 *  EFAULT           the struct or a vector cannot be read or written; or user
 *                   memory cannot be pinned: unmapped, PROT_NONE, read-only as
 *                   a destination (fault_index and fault_addr say where)
 *  E2BIG            the struct is larger than the kernel's and the bytes that
 *                   the kernel does not know are not zero; or the struct is
 *                   larger than a page
 *  EINVAL           a field has a value that is never right: struct too small,
 *                   empty vector, empty segment, sum that wraps, unequal sums
 *                   of a copy, negative deadline, reserved field not zero
 *                   (out.field says which)
 *  EOPNOTSUPP       a flag is unknown, or the channel cannot do what was asked
 *  EMSGSIZE         a vector has more segments than max_segs
 *  ENOENT           no such channel or handle
 *  ERANGE           the device range does not lie inside the channel's memory
 *  ENOMEM           the kernel is out of memory, or an IOMMU of addresses, which
 *                   the kernel does not tell apart; or, with PINDMA_OUT_MEMLOCK,
 *                   pinning would exceed RLIMIT_MEMLOCK (memlock_needed, _used
 *                   and _limit say by how much)
 *  ENOSPC           the device's own limit of pinned pages is reached, or there
 *                   is no room left to map, such as bounce buffers
 *  ENXIO            the memory is out of the device's reach, and it cannot be
 *                   bounced (fault_index and fault_addr say which)
 *  EAGAIN           the file is O_NONBLOCK and the channel is busy
 *  EBUSY            open(2): the device is open exclusively, or is open and an
 *                   exclusive open was asked for
 *  EINTR            a signal came before all was done; what was in flight was
 *                   drained first
 *  ETIMEDOUT        the deadline passed before all was done; what was in flight
 *                   was drained first
 *  EIO              the device reported an error, or lost bus mastering while
 *                   it worked
 *  ENODEV           the device is gone; the file is good for nothing but close
 *  ENOTRECOVERABLE  the device did not stop when told to.  Memory that was the
 *                   destination of this call MAY STILL CHANGE: it stays pinned
 *                   and must not be used again by this process.  Every later
 *                   call fails with this number too
 */
#ifndef _UAPI_PINDMA_H
#define _UAPI_PINDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** PINDMA_TYPE - type byte of all commands. */
#define PINDMA_TYPE 0xBC

/** PINDMA_INFO - what the device is and can do, &struct pindma_info. */
#define PINDMA_INFO		_IO(PINDMA_TYPE, 0x00)
/** PINDMA_CHANNEL_INFO - what one channel can do, &struct pindma_channel_info. */
#define PINDMA_CHANNEL_INFO	_IO(PINDMA_TYPE, 0x01)
/** PINDMA_STATS - what this open file has done, &struct pindma_stats. */
#define PINDMA_STATS		_IO(PINDMA_TYPE, 0x02)
/** PINDMA_TRANSFER - user memory to device memory or back, &struct pindma_transfer. */
#define PINDMA_TRANSFER		_IO(PINDMA_TYPE, 0x10)
/** PINDMA_COPY - user memory to user memory through the device, &struct pindma_copy. */
#define PINDMA_COPY		_IO(PINDMA_TYPE, 0x11)

/*
 * open(2) with O_EXCL is an exclusive open: EBUSY if the device is open, and
 * every other open is EBUSY until the last reference to this file goes.
 */

/** PINDMA_DEADLINE_NONE - deadline of a call that may take as long as it needs. */
#define PINDMA_DEADLINE_NONE	0x7fffffffffffffffLL

/**
 * enum pindma_direction - which way data goes, in the sense of the DMA API
 * @PINDMA_TO_DEVICE: the device reads user memory.
 * @PINDMA_FROM_DEVICE: the device writes user memory.
 */
enum pindma_direction {
	PINDMA_TO_DEVICE = 1,
	PINDMA_FROM_DEVICE = 2,
};

/**
 * struct pindma_seg - one range of memory
 * @addr: Start.  With @handle 0 an address in the memory of the calling process.
 * @len: Length in bytes, not 0.
 * @handle: 0; other values are reserved for memory that was registered before.
 * @flags: None defined; must be 0.
 */
struct pindma_seg {
	__aligned_u64 addr;
	__aligned_u64 len;
	__u32 handle;
	__u32 flags;
};

/** PINDMA_OUT_MEMLOCK - status is -ENOMEM because of RLIMIT_MEMLOCK. */
#define PINDMA_OUT_MEMLOCK	(1U << 0)
/** PINDMA_OUT_BOUNCED - at least one segment went through a bounce buffer. */
#define PINDMA_OUT_BOUNCED	(1U << 1)
/** PINDMA_OUT_FAULT_DST - fault_index, or field, means the destination vector of a copy. */
#define PINDMA_OUT_FAULT_DST	(1U << 2)
/** PINDMA_OUT_FAULT - fault_index, fault_addr and pages_pinned are valid. */
#define PINDMA_OUT_FAULT	(1U << 3)
/** PINDMA_OUT_STARTED - the device was told to work at least once. */
#define PINDMA_OUT_STARTED	(1U << 4)

/**
 * enum pindma_field - which input an error is about
 * @PINDMA_FIELD_NONE: None in particular.
 * @PINDMA_FIELD_SIZE: size of the struct.
 * @PINDMA_FIELD_FLAGS: flags of the struct.
 * @PINDMA_FIELD_CHANNEL: channel.
 * @PINDMA_FIELD_DIRECTION: direction.
 * @PINDMA_FIELD_SEGS: The pointer to the vector (segs, or src of a copy).
 * @PINDMA_FIELD_NR_SEGS: The number of segments (nr_segs, or nr_src of a copy).
 * @PINDMA_FIELD_DST: dst, the pointer to the destination vector of a copy.
 * @PINDMA_FIELD_NR_DST: nr_dst of a copy.
 * @PINDMA_FIELD_SEG_ADDR: addr of the segment @fault_index.
 * @PINDMA_FIELD_SEG_LEN: len of the segment @fault_index, or the sum up to it.
 * @PINDMA_FIELD_SEG_HANDLE: handle of the segment @fault_index.
 * @PINDMA_FIELD_SEG_FLAGS: flags of the segment @fault_index.
 * @PINDMA_FIELD_DEV_ADDR: dev_addr, or dev_addr plus the sum of the lengths.
 * @PINDMA_FIELD_DEV_FLAGS: dev_flags.
 * @PINDMA_FIELD_DEADLINE: deadline.
 * @PINDMA_FIELD_RESERVED: A reserved field.
 */
enum pindma_field {
	PINDMA_FIELD_NONE = 0,
	PINDMA_FIELD_SIZE = 1,
	PINDMA_FIELD_FLAGS = 2,
	PINDMA_FIELD_CHANNEL = 3,
	PINDMA_FIELD_DIRECTION = 4,
	PINDMA_FIELD_SEGS = 5,
	PINDMA_FIELD_NR_SEGS = 6,
	PINDMA_FIELD_DST = 7,
	PINDMA_FIELD_NR_DST = 8,
	PINDMA_FIELD_SEG_ADDR = 9,
	PINDMA_FIELD_SEG_LEN = 10,
	PINDMA_FIELD_SEG_HANDLE = 11,
	PINDMA_FIELD_SEG_FLAGS = 12,
	PINDMA_FIELD_DEV_ADDR = 13,
	PINDMA_FIELD_DEV_FLAGS = 14,
	PINDMA_FIELD_DEADLINE = 15,
	PINDMA_FIELD_RESERVED = 16,
};

/**
 * struct pindma_result - how a transfer or a copy ended
 * @status: 0 or a negative errno.  ioctl(2) returns 0 as soon as the device was
 *	told to work once, even if this is an error; before that it fails with
 *	the same number.
 * @flags: PINDMA_OUT_*.
 * @bytes: Bytes moved: a contiguous prefix, counted from the start of the
 *	vector.  What lies beyond it in a destination is undefined.
 * @fault_index: With PINDMA_OUT_FAULT, or when @field is one of a segment: the
 *	index of the segment that is meant.
 * @field: enum pindma_field, the input that the error is about.
 * @fault_addr: With PINDMA_OUT_FAULT: the first address that is not usable.
 * @pages_pinned: With PINDMA_OUT_FAULT: how many pages of the segment, counted
 *	from its start, could be pinned.
 * @pages: Pages pinned by this call in all.
 * @segments: DMA segments mapped by this call in all, after merging.
 * @memlock_needed: With PINDMA_OUT_MEMLOCK: bytes that had to be charged.
 * @memlock_used: With PINDMA_OUT_MEMLOCK: bytes that the user had charged already.
 * @memlock_limit: With PINDMA_OUT_MEMLOCK: the limit, RLIMIT_MEMLOCK in bytes.
 * @reserved: Zero.
 */
struct pindma_result {
	__s32 status;
	__u32 flags;
	__aligned_u64 bytes;
	__u32 fault_index;
	__u32 field;
	__aligned_u64 fault_addr;
	__aligned_u64 pages_pinned;
	__aligned_u64 pages;
	__aligned_u64 segments;
	__aligned_u64 memlock_needed;
	__aligned_u64 memlock_used;
	__aligned_u64 memlock_limit;
	__aligned_u64 reserved[2];
};

/** PINDMA_DEV_FIXED - the device address does not advance (a FIFO). */
#define PINDMA_DEV_FIXED	(1U << 0)

/**
 * struct pindma_transfer - argument of PINDMA_TRANSFER
 * @size: sizeof(struct pindma_transfer).
 * @flags: None defined; must be 0.
 * @channel: Channel, 0 to channels - 1 of &struct pindma_info.
 * @direction: enum pindma_direction.
 * @segs: Address of an array of &struct pindma_seg.
 * @nr_segs: Number of segments, 1 to max_segs of &struct pindma_info.
 * @dev_flags: PINDMA_DEV_*; EOPNOTSUPP if the channel does not list it in caps.
 * @dev_addr: Offset into the channel's memory.
 * @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.
 * @out: Result.
 *
 * The segments, one after the other, are the user side; the device side is
 * contiguous from @dev_addr.  Any alignment and any length that the channel's
 * memory holds: the driver pins, maps and unpins one window after the other.
 */
struct pindma_transfer {
	__u32 size;
	__u32 flags;
	__u32 channel;
	__u32 direction;
	__aligned_u64 segs;
	__u32 nr_segs;
	__u32 dev_flags;
	__aligned_u64 dev_addr;
	__s64 deadline __attribute__((aligned(8)));
	struct pindma_result out;
};

/**
 * struct pindma_copy - argument of PINDMA_COPY
 * @size: sizeof(struct pindma_copy).
 * @flags: None defined; must be 0.
 * @channel: Channel whose memory is the staging window; see copy_addr and
 *	copy_len of &struct pindma_channel_info for what it overwrites.
 * @reserved: Must be 0.
 * @src: Address of an array of &struct pindma_seg, which the device reads.
 * @dst: Address of an array of &struct pindma_seg, which the device writes.
 * @nr_src: Number of source segments, 1 to max_segs.
 * @nr_dst: Number of destination segments, 1 to max_segs.
 * @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.
 * @out: Result.  segments and pages count both sides.
 *
 * Both vectors must have the same sum of lengths (else EINVAL, with
 * PINDMA_FIELD_NR_DST).  Source and destination may
 * overlap; the content of the overlap is then undefined.  The driver owns the
 * staging window while data is in it: no other call on the channel gets between
 * the way in and the way out.
 */
struct pindma_copy {
	__u32 size;
	__u32 flags;
	__u32 channel;
	__u32 reserved;
	__aligned_u64 src;
	__aligned_u64 dst;
	__u32 nr_src;
	__u32 nr_dst;
	__s64 deadline __attribute__((aligned(8)));
	struct pindma_result out;
};

/** PINDMA_CAP_TRANSFER - PINDMA_TRANSFER works. */
#define PINDMA_CAP_TRANSFER	(1ULL << 0)
/** PINDMA_CAP_COPY - PINDMA_COPY works. */
#define PINDMA_CAP_COPY		(1ULL << 1)
/** PINDMA_CAP_ABORT - work in flight can be aborted; without it it is waited for. */
#define PINDMA_CAP_ABORT	(1ULL << 2)
/** PINDMA_CAP_RESET - the device can be reset when it does not stop. */
#define PINDMA_CAP_RESET	(1ULL << 3)

/** PINDMA_STATE_IOMMU - an IOMMU translates the device's addresses. */
#define PINDMA_STATE_IOMMU	(1U << 0)
/** PINDMA_STATE_BOUNCE - memory may be bounced: out of reach, or by force. */
#define PINDMA_STATE_BOUNCE	(1U << 1)
/** PINDMA_STATE_COHERENT - the device sees the CPU's caches. */
#define PINDMA_STATE_COHERENT	(1U << 2)
/** PINDMA_STATE_FAILED - the device did not stop when told to; rebind it. */
#define PINDMA_STATE_FAILED	(1U << 3)
/** PINDMA_STATE_MEMLOCK_EXEMPT - the caller has CAP_IPC_LOCK: no limit applies. */
#define PINDMA_STATE_MEMLOCK_EXEMPT	(1U << 4)

/** PINDMA_NAME_LEN - bytes of a name in &struct pindma_info, with its NUL. */
#define PINDMA_NAME_LEN		32

/**
 * struct pindma_info - argument of PINDMA_INFO
 * @size: sizeof(struct pindma_info).
 * @flags: None defined; must be 0.
 * @out_caps: PINDMA_CAP_*.
 * @out_state: PINDMA_STATE_*.
 * @out_channels: Number of channels.
 * @out_addr_bits: Address bits that the device drives (its DMA mask).
 * @out_max_segs: Most segments in one vector.
 * @out_window_bytes: Most bytes that one call has pinned at a time, both sides
 *	of a copy together; a longer call is worked through in such windows.
 * @out_max_segment_bytes: Most bytes in one DMA segment.
 * @out_max_timeout_ns: Longest time for which one window may be in work; then
 *	the call ends with ETIMEDOUT whatever its deadline.
 * @out_memlock_used: Bytes charged to the calling user against RLIMIT_MEMLOCK,
 *	by whatever driver.
 * @out_memlock_limit: The caller's RLIMIT_MEMLOCK in bytes; all ones: unlimited.
 * @out_pinned_pages: Pages that this device has pinned now, for all files.
 * @out_pinned_limit: Most pages that this device may have pinned.
 * @out_leaked_pages: Pages that could not be given back, because the device did
 *	not stop.
 * @out_page_size: Bytes of a page.
 * @out_cache_align: Bytes of a cache line for DMA; only matters without
 *	PINDMA_STATE_COHERENT.
 * @out_engine: Name of the engine, NUL-terminated.
 * @out_bus: Address on the bus, such as 0000:00:03.0, NUL-terminated.
 */
struct pindma_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_caps;
	__u32 out_state;
	__u32 out_channels;
	__u32 out_addr_bits;
	__u32 out_max_segs;
	__aligned_u64 out_window_bytes;
	__aligned_u64 out_max_segment_bytes;
	__aligned_u64 out_max_timeout_ns;
	__aligned_u64 out_memlock_used;
	__aligned_u64 out_memlock_limit;
	__aligned_u64 out_pinned_pages;
	__aligned_u64 out_pinned_limit;
	__aligned_u64 out_leaked_pages;
	__u32 out_page_size;
	__u32 out_cache_align;
	__u8 out_engine[PINDMA_NAME_LEN];
	__u8 out_bus[PINDMA_NAME_LEN];
};

/**
 * enum pindma_channel_kind - what is behind a channel
 * @PINDMA_CHANNEL_MEMORY: Memory, addressed by dev_addr.
 * @PINDMA_CHANNEL_STREAM: A stream; dev_addr must be 0.
 */
enum pindma_channel_kind {
	PINDMA_CHANNEL_MEMORY = 1,
	PINDMA_CHANNEL_STREAM = 2,
};

/** PINDMA_CHANNEL_TO_DEVICE - the channel can read user memory. */
#define PINDMA_CHANNEL_TO_DEVICE	(1ULL << 0)
/** PINDMA_CHANNEL_FROM_DEVICE - the channel can write user memory. */
#define PINDMA_CHANNEL_FROM_DEVICE	(1ULL << 1)
/** PINDMA_CHANNEL_COPY - the channel can stage a copy. */
#define PINDMA_CHANNEL_COPY		(1ULL << 2)
/** PINDMA_CHANNEL_FIXED - the channel knows PINDMA_DEV_FIXED. */
#define PINDMA_CHANNEL_FIXED		(1ULL << 3)

/**
 * struct pindma_channel_info - argument of PINDMA_CHANNEL_INFO
 * @size: sizeof(struct pindma_channel_info).
 * @flags: None defined; must be 0.
 * @channel: Channel that is asked about; ENOENT if there is none.
 * @out_kind: enum pindma_channel_kind.
 * @out_caps: PINDMA_CHANNEL_*.
 * @out_mem_bytes: Bytes of device memory behind the channel.
 * @out_addr_align: Alignment in bytes that the device needs of addresses; 1: none.
 * @out_len_align: Alignment in bytes that the device needs of lengths; 1: none.
 * @out_max_job_bytes: Most bytes that the device takes at a time.
 * @out_max_job_segs: Most DMA segments that the device takes at a time.
 * @reserved: Zero.
 * @out_copy_addr: Start of the device memory that a copy overwrites.
 * @out_copy_len: Length of the device memory that a copy overwrites.
 */
struct pindma_channel_info {
	__u32 size;
	__u32 flags;
	__u32 channel;
	__u32 out_kind;
	__aligned_u64 out_caps;
	__aligned_u64 out_mem_bytes;
	__u32 out_addr_align;
	__u32 out_len_align;
	__aligned_u64 out_max_job_bytes;
	__u32 out_max_job_segs;
	__u32 reserved;
	__aligned_u64 out_copy_addr;
	__aligned_u64 out_copy_len;
};

/**
 * struct pindma_stats - argument of PINDMA_STATS
 * @size: sizeof(struct pindma_stats).
 * @flags: None defined; must be 0.
 * @out_calls: Transfers and copies that were started.
 * @out_windows: Windows pinned and mapped.
 * @out_jobs: Jobs that the device was given.
 * @out_bytes_to_device: Bytes that the device read.
 * @out_bytes_from_device: Bytes that the device wrote.
 * @out_pages: Pages pinned, in all.
 * @out_segments_unmerged: Segments before merging: one for each page touched.
 * @out_segments: Segments after merging, as the device got them.
 * @out_bounced: Segments that went through a bounce buffer.
 * @out_pinned_pages: Pages pinned now.
 * @out_lost_interrupts: Jobs whose end was seen by polling, not by interrupt.
 */
struct pindma_stats {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_calls;
	__aligned_u64 out_windows;
	__aligned_u64 out_jobs;
	__aligned_u64 out_bytes_to_device;
	__aligned_u64 out_bytes_from_device;
	__aligned_u64 out_pages;
	__aligned_u64 out_segments_unmerged;
	__aligned_u64 out_segments;
	__aligned_u64 out_bounced;
	__aligned_u64 out_pinned_pages;
	__aligned_u64 out_lost_interrupts;
};

#endif /* _UAPI_PINDMA_H */
