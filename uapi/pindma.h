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
 * also when the call fails, as long as the struct could be read and the device
 * is there; what the caller left in them is ignored.  A struct without such
 * fields is only read; one with them must be writable, or nothing is begun.  All
 * that a call does not use besides must be zero, so that it can get a meaning
 * later: reserved fields, and inputs that others make meaningless.
 *
 * Access follows the mode that a file was opened with, as it does for write(2)
 * and read(2).  What moves data to the device needs a file that is open for
 * writing, as does a copy, which overwrites device memory; what moves data from
 * the device needs one that is open for reading.  Regions and pools are made for
 * what the device may do: PINDMA_DEV_READ needs a file open for writing,
 * PINDMA_DEV_WRITE one open for reading.  A pool keeps what it was made for,
 * whoever has its file descriptor.  All other calls work on any file.
 *
 * Handles go stale: what one has named is gone, or a buffer was enqueued.  A
 * handle that is stale is ENOENT, until its number comes round.  It has 32 bits,
 * as few as can count the places for it, and in the others how often its place
 * was given away: that of a region or pool may be taken for another after 2^21
 * more registrations by the file, that of a buffer after the buffer was enqueued
 * 2^17 more times, in a pool of less than 2^n buffers 2^(32 - n).
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
 *                   of a copy, negative deadline, field not zero that is
 *                   reserved or that the call does not use (out.field says
 *                   which); two flags that contradict each other; lseek(2)
 *                   beyond device memory; splice(2); read(2) of a queue into
 *                   less than one record; mmap(2) of a pool without MAP_SHARED
 *                   or beyond its end
 *  EOPNOTSUPP       a flag is unknown, or the channel or the region cannot do
 *                   what was asked
 *  EMSGSIZE         a vector has more segments than max_segs, or a batch more
 *                   entries than max_batch
 *  ENOENT           no such channel, handle or request; a handle is stale
 *  EPERM            the region or pool was made by another process, and is not
 *                   shared; contiguous buffers of a pool that are larger than the
 *                   page allocator's largest, without CAP_SYS_RESOURCE
 *  EBADF            a file descriptor that was passed is not one, or not of the
 *                   right kind; or the file is not open for what was asked: for
 *                   writing if data goes to the device or is copied, for reading
 *                   if it comes from the device; read(2) of a queue made with
 *                   PINDMA_QUEUE_NO_READ
 *  ERANGE           the device range does not lie inside the channel's memory,
 *                   or a range not inside its region
 *  ENOMEM           the kernel is out of memory, or an IOMMU of addresses, which
 *                   the kernel does not tell apart (those of a lazy IOMMU that
 *                   are given back but not free yet are waited for); or, with
 *                   PINDMA_OUT_MEMLOCK, pinning would exceed RLIMIT_MEMLOCK
 *                   (memlock_needed, _used and _limit say by how much)
 *  ENOSPC           the device's own limit of pinned pages is reached, or that
 *                   of pages, mappings, regions, queues, pools or started pools
 *                   of a file, or that of pages or mappings of its user; or a
 *                   page has so many references already that the kernel could
 *                   not count on (fault_index and fault_addr say which); or
 *                   there is no room left to map, such as bounce buffers;
 *                   write(2) at the end of device memory
 *  ENXIO            the memory is out of the device's reach, and it cannot be
 *                   bounced (fault_index and fault_addr say which)
 *  EAGAIN           the file is O_NONBLOCK and the channel is busy, or nothing
 *                   is there to be reaped or dequeued; the queue has no room for
 *                   another request; RWF_NOWAIT; mmap(2) of a pool after
 *                   mlockall(MCL_FUTURE), beyond RLIMIT_MEMLOCK
 *  EBUSY            open(2): the device is open exclusively, or is open and an
 *                   exclusive open was asked for; the region is in use by a
 *                   transfer; the pool buffer is not the application's now; the
 *                   pool is started already; the kernel cannot move memory to
 *                   where it may stay, as somebody has a hold of it, for two
 *                   seconds now: make the call again (fault_index and
 *                   fault_addr say which)
 *  ECANCELED        the request was cancelled, or its file was closed
 *  EINTR            a signal came before all was done; what was in flight was
 *                   drained first.  A call that had done nothing yet is made
 *                   again if no handler runs, or the signal's is SA_RESTART.
 *                   While a transfer, a copy, read(2) or write(2) is under way,
 *                   a stop counts as a signal (SIGSTOP, a frozen cgroup, a
 *                   debugger); task work, such as io_uring's, never does
 *  ETIMEDOUT        the deadline passed before all was done; what was in flight
 *                   was drained first
 *  EIO              the device reported an error; or nothing shows that it
 *                   reached memory: it was reset, lost bus mastering, its
 *                   registers could not be read, or its interrupt did not come;
 *                   or it did not end a job within out_max_timeout_ns.  Bytes
 *                   beyond those that are told may have been moved or not; the
 *                   call can be made again.  Whatever moves data on a device
 *                   that has not recovered from an error, until it is reset.
 *                   read(2) and write(2) that have started nothing, of a device
 *                   that did not stop in another call
 *  ESTALE           the device was reset since the file was opened, or lost power
 *                   as the system slept, and what its memory holds is unknown;
 *                   open it again (out_resets of struct pindma_info counts)
 *  ENODEV           the device is gone; the file is good for nothing but close
 *  ENOTRECOVERABLE  the device did not stop when told to.  Memory that was the
 *                   destination of this call MAY STILL CHANGE: it stays pinned
 *                   and must not be used again by this process.  A read(2)
 *                   does not return with it, its process is killed.  Every later
 *                   ioctl fails with this number too, without
 *                   PINDMA_OUT_STARTED: its memory is as it was
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
/** PINDMA_REGION_REGISTER - pin and map memory once, &struct pindma_region_register. */
#define PINDMA_REGION_REGISTER	_IO(PINDMA_TYPE, 0x20)
/** PINDMA_REGION_UNREGISTER - give it back, &struct pindma_region_unregister. */
#define PINDMA_REGION_UNREGISTER _IO(PINDMA_TYPE, 0x21)
/** PINDMA_REGION_SYNC - begin or end access by the CPU, &struct pindma_region_sync. */
#define PINDMA_REGION_SYNC	_IO(PINDMA_TYPE, 0x22)
/** PINDMA_REGION_INFO - what a region turned out to be, &struct pindma_region_info. */
#define PINDMA_REGION_INFO	_IO(PINDMA_TYPE, 0x23)
/** PINDMA_QUEUE_CREATE - make a completion queue, &struct pindma_queue_create. */
#define PINDMA_QUEUE_CREATE	_IO(PINDMA_TYPE, 0x30)
/** PINDMA_SUBMIT - start requests that end in a queue, &struct pindma_submit. */
#define PINDMA_SUBMIT		_IO(PINDMA_TYPE, 0x31)
/** PINDMA_QUEUE_WAIT - of a queue: wait for completions, &struct pindma_queue_wait. */
#define PINDMA_QUEUE_WAIT	_IO(PINDMA_TYPE, 0x32)
/** PINDMA_QUEUE_CANCEL - of a queue: end requests early, &struct pindma_queue_cancel. */
#define PINDMA_QUEUE_CANCEL	_IO(PINDMA_TYPE, 0x33)
/** PINDMA_QUEUE_EVENTFD - of a queue: signal an eventfd, &struct pindma_queue_eventfd. */
#define PINDMA_QUEUE_EVENTFD	_IO(PINDMA_TYPE, 0x34)
/** PINDMA_POOL_CREATE - allocate a pool of buffers, &struct pindma_pool_create. */
#define PINDMA_POOL_CREATE	_IO(PINDMA_TYPE, 0x40)
/** PINDMA_POOL_BUFFER - of a pool: how a buffer stands, &struct pindma_pool_query. */
#define PINDMA_POOL_BUFFER	_IO(PINDMA_TYPE, 0x41)
/** PINDMA_POOL_ENQUEUE - of a pool: give buffers to the device, &struct pindma_pool_enqueue. */
#define PINDMA_POOL_ENQUEUE	_IO(PINDMA_TYPE, 0x42)
/** PINDMA_POOL_DEQUEUE - of a pool: take buffers back, &struct pindma_pool_dequeue. */
#define PINDMA_POOL_DEQUEUE	_IO(PINDMA_TYPE, 0x43)
/** PINDMA_POOL_START - of a pool: have the device work on it, &struct pindma_pool_start. */
#define PINDMA_POOL_START	_IO(PINDMA_TYPE, 0x44)
/** PINDMA_POOL_STOP - of a pool: have the device stop, &struct pindma_pool_stop. */
#define PINDMA_POOL_STOP	_IO(PINDMA_TYPE, 0x45)

/*
 * read(2), write(2) and their relatives move data between user memory and the
 * memory of the first channel, at the file offset, without a copy: as
 * PINDMA_TRANSFER does, but what was moved before an error is returned as a
 * short count.  read at the end of device memory returns 0, write ENOSPC;
 * lseek SEEK_END is the end of device memory.  On a stream there is no offset,
 * and lseek is ESPIPE.  A call that must not wait (RWF_NOWAIT) gets EAGAIN,
 * unless there is nothing to be moved.
 *
 * A read whose memory may still change, as the device did not stop, does not
 * return: it ends with SIGKILL for the process, whatever was moved before, since
 * whoever has lent the memory takes the return of a read for its end.  So does
 * one by libaio or io_uring.  PINDMA_TRANSFER tells instead, and is for programs
 * that know what to do then.  A write that the device did not let go of is
 * ENOTRECOVERABLE: its memory stays pinned, and the device may read it later.
 * One of either kind that the device was not at work on when it did not stop
 * for another returns what was moved, and EIO if that is nothing.
 *
 * io_uring's reads and writes work as well.  Pages of a buffer that was
 * registered with a ring are neither pinned nor charged again; they are ENXIO if
 * the device does not reach them and they cannot be bounced.  What is neither
 * that nor memory of the calling process is EOPNOTSUPP.  splice(2) and
 * sendfile(2) are EINVAL.  O_DIRECT changes nothing, and asks for no alignment.
 * O_APPEND does not move the offset.  Memory is never copied.
 */

/*
 * open(2) with O_EXCL is an exclusive open: EBUSY if the device is open, and
 * every other open is EBUSY until the last reference to this file goes.
 */

/*
 * A time is one of CLOCK_MONOTONIC, in ns, as the calling process has it: in a
 * time namespace, a deadline is a time of the namespace of whoever makes the
 * call, and what a record tells is one of whoever reaps or dequeues it.
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
 * @addr: Start.  With @handle 0 an address in the memory of the calling process,
 *	else an offset in bytes into the region or pool.
 * @len: Length in bytes, not 0.
 * @handle: 0; or that of a region or pool of this open file.  A vector to
 *	register, and those of a copy, have only user memory.  A range of a pool
 *	must lie within one buffer, which the application owns.
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
/** PINDMA_OUT_COPIED - some memory was not pinned, but copied by the CPU (PINDMA_MAY_COPY). */
#define PINDMA_OUT_COPIED	(1U << 5)

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
 * @PINDMA_FIELD_ACCESS: access.
 * @PINDMA_FIELD_QUEUE: queue, the file descriptor of a queue.
 * @PINDMA_FIELD_NR_ENTRIES: nr_entries.
 * @PINDMA_FIELD_ENTRIES: The pointer entries.
 * @PINDMA_FIELD_COUNT: count, of a pool.
 * @PINDMA_FIELD_BUFFER_BYTES: buffer_bytes, of a pool.
 * @PINDMA_FIELD_SEG: seg of an entry, as a whole.
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
	PINDMA_FIELD_ACCESS = 17,
	PINDMA_FIELD_QUEUE = 18,
	PINDMA_FIELD_NR_ENTRIES = 19,
	PINDMA_FIELD_ENTRIES = 20,
	PINDMA_FIELD_COUNT = 21,
	PINDMA_FIELD_BUFFER_BYTES = 22,
	PINDMA_FIELD_SEG = 23,
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
 * PINDMA_MAY_COPY - memory may be copied by the CPU, through a buffer of the
 * kernel: where it cannot be pinned or mapped, and where the whole transfer is
 * shorter than copy_below of &struct pindma_info, so that pinning costs more.
 */
#define PINDMA_MAY_COPY		(1U << 0)
/** PINDMA_MUST_COPY - all memory is copied by the CPU; nothing is pinned. */
#define PINDMA_MUST_COPY	(1U << 1)

/**
 * struct pindma_transfer - argument of PINDMA_TRANSFER
 * @size: sizeof(struct pindma_transfer).
 * @flags: 0, PINDMA_MAY_COPY or PINDMA_MUST_COPY.
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
 *
 * Memory is what was there when it was pinned, as with read(2) of a file opened
 * with O_DIRECT.  If a page of a shared file mapping is replaced meanwhile, by
 * truncation, a punched hole or an O_DIRECT write, the mapping may show what the
 * other has put there, although the status is 0.
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

/** PINDMA_DEV_READ - the device may read the memory. */
#define PINDMA_DEV_READ		(1U << 0)
/** PINDMA_DEV_WRITE - the device may write the memory. */
#define PINDMA_DEV_WRITE	(1U << 1)

/** PINDMA_REGION_SHARED - whoever has the file may use the region, not only the process that made it. */
#define PINDMA_REGION_SHARED	(1U << 0)
/** PINDMA_REGION_MAY_BOUNCE - bounce what the device does not reach, rather than fail with ENXIO. */
#define PINDMA_REGION_MAY_BOUNCE (1U << 1)

/**
 * struct pindma_region_register - argument of PINDMA_REGION_REGISTER
 * @size: sizeof(struct pindma_region_register).
 * @flags: PINDMA_REGION_*.
 * @segs: Address of an array of &struct pindma_seg, user memory only.
 * @nr_segs: Number of segments, 1 to max_segs of &struct pindma_info.
 * @access: PINDMA_DEV_READ, PINDMA_DEV_WRITE or both: what the device may do.
 * @out_handle: Handle of the region, not 0.
 * @reserved: Must be 0.
 * @out: Result: pages, segments and PINDMA_OUT_BOUNCED, or why it failed.
 *
 * The memory stays pinned, charged and mapped until it is unregistered or the
 * last reference to the open file goes; transfers that use it do neither.  The
 * region is the segments one after the other; what it holds is the memory that
 * was there at the time of the call, whatever is mapped later.  Memory that lies
 * where none may stay (a movable zone, CMA) is moved first; the call waits up to
 * two seconds for transfers that have it, then it is EBUSY.  A writable shared
 * mapping of a file that is written back to a disk is EFAULT as a destination.
 * Write protection by userfaultfd(2) that comes later does not stop the device,
 * and nobody is told of what it writes.
 *
 * Transfers see to caches and bounce buffers by themselves, for the range that
 * they use.  Where the device writes on its own (without
 * PINDMA_CHANNEL_WHEN_TOLD), PINDMA_REGION_SYNC does it.
 */
struct pindma_region_register {
	__u32 size;
	__u32 flags;
	__aligned_u64 segs;
	__u32 nr_segs;
	__u32 access;
	__u32 out_handle;
	__u32 reserved;
	struct pindma_result out;
};

/** PINDMA_UNREGISTER_WAIT - wait for transfers that use the region, rather than fail with EBUSY. */
#define PINDMA_UNREGISTER_WAIT	(1U << 0)

/**
 * struct pindma_region_unregister - argument of PINDMA_REGION_UNREGISTER
 * @size: sizeof(struct pindma_region_unregister).
 * @flags: 0 or PINDMA_UNREGISTER_WAIT.
 * @handle: The region, or pool; the handle is stale from then on.
 * @reserved: Must be 0.
 * @deadline: With PINDMA_UNREGISTER_WAIT: until when to wait, in ns of
 *	CLOCK_MONOTONIC; else 0.  After ETIMEDOUT or EINTR nothing has changed.
 */
struct pindma_region_unregister {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 reserved;
	__s64 deadline __attribute__((aligned(8)));
};

/** PINDMA_SYNC_BEGIN_CPU - the CPU is about to look at what the device has written. */
#define PINDMA_SYNC_BEGIN_CPU	(1U << 0)
/** PINDMA_SYNC_END_CPU - the CPU is done, and the device may read what it has written. */
#define PINDMA_SYNC_END_CPU	(1U << 1)

/**
 * struct pindma_region_sync - argument of PINDMA_REGION_SYNC
 * @size: sizeof(struct pindma_region_sync).
 * @flags: Exactly one of PINDMA_SYNC_*.
 * @handle: The region.
 * @reserved: Must be 0.
 * @offset: Start of the range, in bytes from that of the region.
 * @len: Length of the range in bytes; 0: to the end of the region.
 */
struct pindma_region_sync {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 len;
};

/** PINDMA_REGION_IS_BOUNCED - at least one segment goes through a bounce buffer. */
#define PINDMA_REGION_IS_BOUNCED (1U << 2)
/** PINDMA_REGION_IS_POOL - the handle is that of a pool. */
#define PINDMA_REGION_IS_POOL	(1U << 3)

/**
 * struct pindma_region_info - argument of PINDMA_REGION_INFO
 * @size: sizeof(struct pindma_region_info).
 * @flags: None defined; must be 0.
 * @handle: The region.
 * @out_flags: PINDMA_REGION_*.
 * @out_access: PINDMA_DEV_*.
 * @out_users: Transfers that use it now.
 * @out_len: Length in bytes.
 * @out_pages: Pages pinned.
 * @out_segments: DMA segments.
 * @out_bounced: DMA segments that go through a bounce buffer.
 * @out_page_sizes: Sizes in bytes of the pages, or huge pages, that the memory
 *	is made of, or'ed together.
 */
struct pindma_region_info {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 out_flags;
	__u32 out_access;
	__u32 out_users;
	__aligned_u64 out_len;
	__aligned_u64 out_pages;
	__aligned_u64 out_segments;
	__aligned_u64 out_bounced;
	__aligned_u64 out_page_sizes;
};

/**
 * PINDMA_QUEUE_NO_READ - the queue's file is not open for read(2): completions are
 * only reaped by PINDMA_QUEUE_WAIT, so that nobody takes one for bytes.
 */
#define PINDMA_QUEUE_NO_READ	(1U << 0)

/**
 * struct pindma_queue_create - argument of PINDMA_QUEUE_CREATE
 * @size: sizeof(struct pindma_queue_create).
 * @flags: PINDMA_QUEUE_NO_READ or 0.
 * @depth: Most requests that are in flight or not yet reaped, 1 to max_depth of
 *	&struct pindma_info.
 * @out_fd: File descriptor of the queue, with O_CLOEXEC.
 *
 * read(2) of the queue returns whole &struct pindma_completion, poll(2) says
 * whether there are any.  The queue does not keep the device file open: when
 * that is closed, its requests end with ECANCELED, and can still be reaped.
 * When the queue is closed, its requests are cancelled.
 */
struct pindma_queue_create {
	__u32 size;
	__u32 flags;
	__u32 depth;
	__s32 out_fd;
};

/**
 * struct pindma_entry - one request of PINDMA_SUBMIT
 * @user_data: Comes back in the completion.
 * @flags: None defined; must be 0.
 * @channel: Channel, 0 to channels - 1 of &struct pindma_info.
 * @direction: enum pindma_direction.
 * @dev_flags: PINDMA_DEV_FIXED or 0.
 * @dev_addr: Offset into the channel's memory.
 * @deadline: Absolute time in ns of CLOCK_MONOTONIC, or PINDMA_DEADLINE_NONE.
 * @segs: With @nr_segs not 0: address of an array of &struct pindma_seg; else 0.
 * @nr_segs: Number of segments there, or 0: the one segment is @seg.
 * @reserved: Must be 0.
 * @seg: With @nr_segs 0: the memory; else all of it 0.
 *
 * User memory is pinned and mapped as a whole while it is submitted, and stays
 * so until the request ends.  It is never copied (PINDMA_MAY_COPY): that would
 * need the process, which does not wait.  Unless its deadline is near, within a
 * second or what the module's parameter short_pin_ms says, a request has memory
 * as a region has it: what is in the way of others is moved first, and writable
 * shared mappings of files that are written back are EFAULT as a destination.
 *
 * Requests of one open file to one channel start in the order in which they were
 * submitted, whatever their queues.  Nothing is said of the order in which they
 * end, of requests of other files or channels, nor of other calls beside them:
 * who needs one to be over before another starts waits for its completion.  A
 * fence, when there is one, will be a flag of the entry: such a request starts
 * when all that were submitted before it have ended, of its file and channel.
 *
 * Users take turns at a channel, and the files of a user share its turns: a file
 * more gains a user none.  The user of a file is the real one of the task that
 * has opened it.  This holds for all calls that move data.
 *
 * The struct keeps its 80 bytes, and so gets no fields at its end.
 */
struct pindma_entry {
	__aligned_u64 user_data;
	__u32 flags;
	__u32 channel;
	__u32 direction;
	__u32 dev_flags;
	__aligned_u64 dev_addr;
	__s64 deadline __attribute__((aligned(8)));
	__aligned_u64 segs;
	__u32 nr_segs;
	__u32 reserved;
	struct pindma_seg seg;
};

/**
 * struct pindma_submit - argument of PINDMA_SUBMIT
 * @size: sizeof(struct pindma_submit).
 * @flags: None defined; must be 0.
 * @queue: File descriptor of a queue that was made with this open file.
 * @nr_entries: Number of entries, 1 to max_batch of &struct pindma_info.
 * @entries: Address of an array of &struct pindma_entry.
 * @out_submitted: Requests that were taken, from the first on.  Each of them
 *	ends exactly once, in the queue.
 * @reserved: Must be 0.
 * @out: Result: if not all were taken, why the next one was not.
 *
 * Returns 0 once a request was taken.
 */
struct pindma_submit {
	__u32 size;
	__u32 flags;
	__s32 queue;
	__u32 nr_entries;
	__aligned_u64 entries;
	__u32 out_submitted;
	__u32 reserved;
	struct pindma_result out;
};

/**
 * struct pindma_completion - how a request ended
 * @user_data: That of its entry.
 * @status: 0: done; -ECANCELED, -ETIMEDOUT, -EIO, -ENODEV, -ENOTRECOVERABLE;
 *	-ESTALE if the device was reset before the request was begun, -ENOMEM if
 *	the kernel had no memory to begin it.
 * @flags: PINDMA_OUT_STARTED and PINDMA_OUT_BOUNCED.
 * @bytes: Bytes moved, a contiguous prefix.
 * @fault_addr: Zero.
 * @seq: Number of the completion in its queue, from 0 on.
 * @time_ns: When it ended, in ns of CLOCK_MONOTONIC.
 * @reserved: Zero.
 */
struct pindma_completion {
	__aligned_u64 user_data;
	__s32 status;
	__u32 flags;
	__aligned_u64 bytes;
	__aligned_u64 fault_addr;
	__aligned_u64 seq;
	__s64 time_ns __attribute__((aligned(8)));
	__aligned_u64 reserved[2];
};

/**
 * struct pindma_queue_wait - argument of PINDMA_QUEUE_WAIT
 * @size: sizeof(struct pindma_queue_wait).
 * @flags: None defined; must be 0.
 * @completions: Address of an array of &struct pindma_completion.
 * @max: Room there, 1 to max_batch of &struct pindma_info.
 * @min: How many to wait for, 0 to @max; 0: do not wait.
 * @deadline: Until when to wait, in ns of CLOCK_MONOTONIC.  After that, or when
 *	a handler ran, or if no more requests are in flight: returns what is there,
 *	or fails with ETIMEDOUT, EINTR, EAGAIN if there is nothing.  A stop, or a
 *	signal without a handler, has it wait on.
 * @out_reaped: Completions written.
 * @out_in_flight: Requests in flight.
 */
struct pindma_queue_wait {
	__u32 size;
	__u32 flags;
	__aligned_u64 completions;
	__u32 max;
	__u32 min;
	__s64 deadline __attribute__((aligned(8)));
	__u32 out_reaped;
	__u32 out_in_flight;
};

/** PINDMA_CANCEL_ALL - cancel all requests of the queue, whatever their user_data. */
#define PINDMA_CANCEL_ALL	(1U << 0)

/**
 * struct pindma_queue_cancel - argument of PINDMA_QUEUE_CANCEL
 * @size: sizeof(struct pindma_queue_cancel).
 * @flags: 0 or PINDMA_CANCEL_ALL.
 * @user_data: Which requests; 0 with PINDMA_CANCEL_ALL.
 * @out_canceled: Requests that were told to end.  They end as soon as the device
 *	is done with their memory: mostly with ECANCELED, or done after all.
 * @reserved: Must be 0.
 *
 * ENOENT if there is no such request in flight.  Does not wait.
 */
struct pindma_queue_cancel {
	__u32 size;
	__u32 flags;
	__aligned_u64 user_data;
	__u32 out_canceled;
	__u32 reserved;
};

/**
 * struct pindma_queue_eventfd - argument of PINDMA_QUEUE_EVENTFD
 * @size: sizeof(struct pindma_queue_eventfd).
 * @flags: None defined; must be 0.
 * @fd: An eventfd, to which 1 is added for each completion; -1: none any more.
 * @reserved: Must be 0.
 */
struct pindma_queue_eventfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * PINDMA_POOL_CONTIGUOUS - each buffer is contiguous in physical memory.
 *
 * Buffers up to what the page allocator has in one piece (4 MiB on x86) are
 * charged as all pools are: to RLIMIT_MEMLOCK, to the limits of the device and of
 * the file, and to the memory cgroup.  Larger ones are made free by moving other
 * memory away, which no memory cgroup can be charged with.  So they need
 * CAP_SYS_RESOURCE, else EPERM; the other limits apply to them as well.
 */
#define PINDMA_POOL_CONTIGUOUS	(1U << 0)
/** PINDMA_POOL_AS_MANY - fewer than count buffers will do, down to one. */
#define PINDMA_POOL_AS_MANY	(1U << 1)
/** PINDMA_POOL_SHARED - whoever has the file may use the pool, not only the process that made it. */
#define PINDMA_POOL_SHARED	(1U << 2)

/**
 * struct pindma_pool_create - argument of PINDMA_POOL_CREATE
 * @size: sizeof(struct pindma_pool_create).
 * @flags: PINDMA_POOL_*.
 * @buffer_bytes: Bytes of a buffer; rounded up to whole pages.
 * @count: Number of buffers, 1 to max_buffers of &struct pindma_info.
 * @access: PINDMA_DEV_READ, PINDMA_DEV_WRITE or both: what the device may do.
 * @out_stride: Bytes from one buffer to the next in the mapping.
 * @out_count: Number of buffers that there are.
 * @out_handle: Handle of the pool: as that of a region of this file, where a
 *	buffer starts at its index times @out_stride.
 * @out_fd: File descriptor of the pool, with O_CLOEXEC: mmap(2) it with
 *	MAP_SHARED, at multiples of @out_stride or all at once; poll(2) it.
 * @reserved: Must be 0.
 * @out: Result.
 *
 * The memory is ordinary, zeroed, charged like pinned memory, and lives for as
 * long as the pool's file descriptor, its handle or a mapping does, also when the
 * device is gone.  All buffers are the application's at first.  Pages that others
 * hold for longer, such as a pipe or a socket, stay charged until they let go.
 *
 * After mlockall(MCL_FUTURE) mmap(2) needs room for the mapping below
 * RLIMIT_MEMLOCK beside what the process has locked, else it is EAGAIN; once mapped
 * it is not counted.  What the device writes does not set the soft-dirty bits of
 * /proc/PID/pagemap: who copies only what has changed must copy pools whole.
 *
 * poll(2) of the pool says POLLIN if a buffer can be dequeued, whichever way its
 * data went; of a pool that the device only reads it says POLLOUT too, since what
 * was sent can be filled again.  It says nothing of buffers that the application
 * has.  POLLERR means that nothing can be dequeued and the pool is not started,
 * so that nothing comes before a start; dequeue tells the reason.  POLLHUP means
 * that the device is gone or has failed, or that the file is closed: the pool
 * cannot be started any more.
 */
struct pindma_pool_create {
	__u32 size;
	__u32 flags;
	__aligned_u64 buffer_bytes;
	__u32 count;
	__u32 access;
	__aligned_u64 out_stride;
	__u32 out_count;
	__u32 out_handle;
	__s32 out_fd;
	__u32 reserved;
	struct pindma_result out;
};

/**
 * enum pindma_pool_state - whose a buffer is
 * @PINDMA_POOL_OWNED: The application's.
 * @PINDMA_POOL_QUEUED: The device's, which has not begun with it.
 * @PINDMA_POOL_ACTIVE: The device works on it.
 * @PINDMA_POOL_READY: It can be dequeued.
 */
enum pindma_pool_state {
	PINDMA_POOL_OWNED = 1,
	PINDMA_POOL_QUEUED = 2,
	PINDMA_POOL_ACTIVE = 3,
	PINDMA_POOL_READY = 4,
};

/**
 * struct pindma_pool_query - argument of PINDMA_POOL_BUFFER
 * @size: sizeof(struct pindma_pool_query).
 * @flags: None defined; must be 0.
 * @index: Index of the buffer.
 * @out_state: enum pindma_pool_state.
 * @out_buffer: Handle of the buffer while it is the application's, else 0.
 * @out_reserved: Zero.
 */
struct pindma_pool_query {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 out_state;
	__u32 out_buffer;
	__u32 out_reserved;
};

/**
 * struct pindma_pool_record - a buffer on its way in or out
 * @buffer: Handle of the buffer.  It is good for one enqueue; dequeue makes a new one.
 * @index: Out: index of the buffer.
 * @bytes: In: bytes that the device is to move, a multiple of the out_len_align
 *	of all channels, 0: all.  Out: bytes that it has moved.
 * @seq: Out: number of the frame since the start, lost ones counted as well.
 * @time_ns: Out: when it ended, in ns of CLOCK_MONOTONIC.
 * @overruns: Out: frames lost just before this one.
 * @status: Out: 0, or -ECANCELED (stopped before the device began, or while it
 *	worked), -EIO, -ENODEV, -ENOTRECOVERABLE; -ESTALE of a run that a reset of
 *	the device has ended, -ENOMEM of one that could not go on.
 * @flags: Out: PINDMA_OUT_STARTED and PINDMA_OUT_BOUNCED.
 * @reserved: Zero.
 *
 * To enqueue, only @buffer and @bytes are told; all else must be 0.
 */
struct pindma_pool_record {
	__u32 buffer;
	__u32 index;
	__aligned_u64 bytes;
	__aligned_u64 seq;
	__s64 time_ns __attribute__((aligned(8)));
	__aligned_u64 overruns;
	__s32 status;
	__u32 flags;
	__aligned_u64 reserved[2];
};

/** PINDMA_ENQUEUE_ALL - enqueue all buffers that the application owns. */
#define PINDMA_ENQUEUE_ALL	(1U << 0)

/**
 * struct pindma_pool_enqueue - argument of PINDMA_POOL_ENQUEUE
 * @size: sizeof(struct pindma_pool_enqueue).
 * @flags: 0 or PINDMA_ENQUEUE_ALL.
 * @records: Address of an array of &struct pindma_pool_record; 0 with
 *	PINDMA_ENQUEUE_ALL.
 * @nr_records: Number of records, 1 to max_batch of &struct pindma_info; 0 with
 *	PINDMA_ENQUEUE_ALL.
 * @out_enqueued: Buffers that were taken, from the first on.
 *
 * ENOENT for a handle that is stale, EBUSY for one that a transfer uses; returns
 * 0 once a buffer was taken.
 */
struct pindma_pool_enqueue {
	__u32 size;
	__u32 flags;
	__aligned_u64 records;
	__u32 nr_records;
	__u32 out_enqueued;
};

/** PINDMA_DEQUEUE_STOPPED - the pool was not started, or its run has ended. */
#define PINDMA_DEQUEUE_STOPPED	(1U << 0)

/**
 * struct pindma_pool_dequeue - argument of PINDMA_POOL_DEQUEUE
 * @size: sizeof(struct pindma_pool_dequeue).
 * @flags: None defined; must be 0.
 * @records: Address of an array of &struct pindma_pool_record.
 * @max: Room there, 1 to max_batch of &struct pindma_info.
 * @min: How many to wait for, 0 to @max; 0: do not wait.
 * @deadline: Until when to wait, in ns of CLOCK_MONOTONIC; as in
 *	&struct pindma_queue_wait.  EAGAIN if nothing is enqueued or stopped and
 *	nothing is ready.
 * @out_dequeued: Records written, in the order in which the device was done.
 * @out_queued: Buffers that the device has.
 * @out_flags: PINDMA_DEQUEUE_*.  Together with EAGAIN, @out_queued and this are
 *	of one moment: with PINDMA_DEQUEUE_STOPPED nothing comes before a start.
 * @out_status: With PINDMA_DEQUEUE_STOPPED the reason: 0 if the pool was never
 *	started, -ECANCELED if it was stopped or its file was closed, else the
 *	errno with which the run ended by itself.  Else 0.
 *
 * A run ends with PINDMA_POOL_STOP; but also by itself, when the device is gone
 * or a frame cannot even be begun.  What it has not begun with then comes back
 * with the same status, and the pool can be started again.  If nothing comes
 * back, since nothing was enqueued, @out_status tells all the same.
 */
struct pindma_pool_dequeue {
	__u32 size;
	__u32 flags;
	__aligned_u64 records;
	__u32 max;
	__u32 min;
	__s64 deadline __attribute__((aligned(8)));
	__u32 out_dequeued;
	__u32 out_queued;
	__u32 out_flags;
	__s32 out_status;
};

/** PINDMA_START_STREAM - do not wait for buffers: what finds none is lost and counted. */
#define PINDMA_START_STREAM	(1U << 0)

/**
 * struct pindma_pool_start - argument of PINDMA_POOL_START
 * @size: sizeof(struct pindma_pool_start).
 * @flags: 0 or PINDMA_START_STREAM.
 * @channel: Channel, 0 to channels - 1 of &struct pindma_info.
 * @direction: enum pindma_direction.
 * @dev_addr: Offset into the channel's memory, of every frame.
 * @dev_flags: PINDMA_DEV_FIXED or 0.
 * @reserved: Must be 0.
 * @frame_bytes: Bytes of a frame; 0: those of a buffer.
 *
 * One buffer takes one frame.  Without PINDMA_START_STREAM the device waits
 * until a buffer is enqueued.  With it, which is for PINDMA_FROM_DEVICE only,
 * frames go on: one that finds no buffer is moved to where nobody sees it, and
 * the next record says how many those were.
 */
struct pindma_pool_start {
	__u32 size;
	__u32 flags;
	__u32 channel;
	__u32 direction;
	__aligned_u64 dev_addr;
	__u32 dev_flags;
	__u32 reserved;
	__aligned_u64 frame_bytes;
};

/**
 * struct pindma_pool_stop - argument of PINDMA_POOL_STOP
 * @size: sizeof(struct pindma_pool_stop).
 * @flags: None defined; must be 0.
 * @out_frames: Frames since the start, lost ones counted as well.
 * @out_overruns: Frames lost since the start.
 *
 * Waits until the device is done.  What it had not begun with comes back by
 * dequeue with ECANCELED, also if the pool was not started.
 */
struct pindma_pool_stop {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_frames;
	__aligned_u64 out_overruns;
};

/** PINDMA_CAP_TRANSFER - PINDMA_TRANSFER works. */
#define PINDMA_CAP_TRANSFER	(1ULL << 0)
/** PINDMA_CAP_COPY - PINDMA_COPY works. */
#define PINDMA_CAP_COPY		(1ULL << 1)
/** PINDMA_CAP_ABORT - work in flight can be aborted; without it it is waited for. */
#define PINDMA_CAP_ABORT	(1ULL << 2)
/** PINDMA_CAP_RESET - the device can be reset when it does not stop. */
#define PINDMA_CAP_RESET	(1ULL << 3)
/** PINDMA_CAP_REGION - memory can be registered. */
#define PINDMA_CAP_REGION	(1ULL << 4)
/** PINDMA_CAP_QUEUE - requests can be submitted to a queue. */
#define PINDMA_CAP_QUEUE	(1ULL << 5)
/** PINDMA_CAP_READ_WRITE - read(2) and write(2) work. */
#define PINDMA_CAP_READ_WRITE	(1ULL << 6)
/** PINDMA_CAP_MAY_COPY - PINDMA_MAY_COPY and PINDMA_MUST_COPY work. */
#define PINDMA_CAP_MAY_COPY	(1ULL << 7)
/** PINDMA_CAP_POOL - pools can be made. */
#define PINDMA_CAP_POOL		(1ULL << 8)

/** PINDMA_STATE_IOMMU - an IOMMU translates the device's addresses. */
#define PINDMA_STATE_IOMMU	(1U << 0)
/** PINDMA_STATE_BOUNCE - memory may be bounced: out of reach, or by force. */
#define PINDMA_STATE_BOUNCE	(1U << 1)
/** PINDMA_STATE_COHERENT - the device sees the CPU's caches. */
#define PINDMA_STATE_COHERENT	(1U << 2)
/** PINDMA_STATE_FAILED - the device did not stop when told to; rebind it. */
#define PINDMA_STATE_FAILED	(1U << 3)
/**
 * PINDMA_STATE_MEMLOCK_EXEMPT - the caller has CAP_IPC_LOCK: no limit applies.  It
 * is charged all the same for what is within the limit.
 */
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
 *	the call ends with ETIMEDOUT whatever its deadline.  Also the longest time
 *	of a job on a channel with memory; then it ends with EIO.
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
 * @out_copy_below: Bytes below which a transfer with PINDMA_MAY_COPY is copied.
 * @out_max_regions: Most regions and pools that a file may have at a time.
 * @out_max_queues: Most queues that a file may have at a time.
 * @out_max_depth: Most requests of a queue.
 * @out_max_batch: Most entries of one PINDMA_SUBMIT, and most records that one
 *	PINDMA_QUEUE_WAIT, PINDMA_POOL_ENQUEUE or PINDMA_POOL_DEQUEUE takes.
 * @out_max_buffers: Most buffers in a pool.
 * @out_max_runs: Most pools of a file that may be started at a time.
 * @out_file_pinned_limit: Most of @out_pinned_limit that one open file may have,
 *	and all together that were opened by one user without CAP_SYS_RESOURCE.
 * @out_max_mappings: Most mappings that a file may have at a time, and all
 *	together that were opened by one user without CAP_SYS_RESOURCE: one for
 *	each window of a transfer in work or in a queue, for each 16 MiB of a
 *	region, and for each buffer of a pool.
 * @out_resets: How often the device was reset since it was bound, or lost power.
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
	__aligned_u64 out_copy_below;
	__u32 out_max_regions;
	__u32 out_max_queues;
	__u32 out_max_depth;
	__u32 out_max_batch;
	__u32 out_max_buffers;
	__u32 out_max_runs;
	__aligned_u64 out_file_pinned_limit;
	__aligned_u64 out_max_mappings;
	__aligned_u64 out_resets;
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
 * PINDMA_CHANNEL_WHEN_TOLD - the channel writes to memory only while a request has
 * it do so.  If all channels of a device say so, regions and pools that it may
 * write change only then; else they may change at any time.
 */
#define PINDMA_CHANNEL_WHEN_TOLD	(1ULL << 4)

/**
 * struct pindma_channel_info - argument of PINDMA_CHANNEL_INFO
 * @size: sizeof(struct pindma_channel_info).
 * @flags: None defined; must be 0.
 * @channel: Channel that is asked about; ENOENT if there is none.
 * @out_kind: enum pindma_channel_kind.
 * @out_caps: PINDMA_CHANNEL_*.
 * @out_mem_bytes: Bytes of device memory behind the channel.
 * @out_addr_align: Alignment in bytes that the device needs of addresses, and of
 *	the length of each segment but the last; 1: none.  No other is larger.
 * @out_len_align: Alignment in bytes that the device needs of all lengths, those
 *	of frames and of pool records included; 1: none.
 * @out_max_job_bytes: Most bytes that the device takes at a time.
 * @out_max_job_segs: Most DMA segments that the device takes at a time.
 * @out_dev_align: Alignment in bytes that the device needs of dev_addr, and of the
 *	file offset of read(2) and write(2); 1: none.
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
	__u32 out_dev_align;
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
 * @out_copied: Bytes that the CPU copied (PINDMA_MAY_COPY).
 * @out_regions: Regions and pools registered now.
 * @out_submitted: Requests that queues were given.
 * @out_ended: Requests that have ended, however they did.
 * @out_frames: Pool buffers that the device has worked on.
 * @out_overruns: Frames that were lost because no pool buffer was enqueued.
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
	__aligned_u64 out_copied;
	__aligned_u64 out_regions;
	__aligned_u64 out_submitted;
	__aligned_u64 out_ended;
	__aligned_u64 out_frames;
	__aligned_u64 out_overruns;
};

#endif /* _UAPI_PINDMA_H */
