// SPDX-License-Identifier: GPL-2.0

//! The errno of calls that others, limits, time or the device stand in the way of.

use super::{by, nowhere, Entry};

/// Those, in the order of the header.
pub(super) const OF_MOMENTS: &[Entry] = &[
    (
        "ENOMEM",
        &[
            by(
                "the kernel is out of memory",
                &["enomem_for_pool_larger_than_its_cgroup"],
            ),
            by(
                "or an IOMMU of addresses, which the kernel does not tell apart",
                &["enomem_without_addresses_for_the_source"],
            ),
            nowhere(
                "those of a lazy IOMMU that are given back but not free yet are waited for",
                "what is waited for is no error; addresses_that_linger_are_waited_for shows it",
            ),
            by(
                "or, with PINDMA_OUT_MEMLOCK, pinning would exceed RLIMIT_MEMLOCK",
                &["enomem_at_memlock_zero"],
            ),
            by(
                "memlock_needed, _used and _limit say by how much",
                &["enomem_over_memlock_gives_the_numbers"],
            ),
        ],
    ),
    (
        "ENOSPC",
        &[
            by(
                "the device's own limit of pinned pages is reached",
                &["enospc_over_the_devices_own_limit"],
            ),
            by(
                "or that of pages",
                &["enospc_for_more_pages_than_a_file_may_have"],
            ),
            by(
                "mappings",
                &["enospc_for_more_mappings_than_a_file_may_have"],
            ),
            by("regions", &["enospc_for_more_regions_than_a_file_may_have"]),
            by("queues", &["enospc_for_one_queue_too_many"]),
            by("pools", &["enospc_for_one_pool_too_many"]),
            by(
                "or started pools of a file",
                &["enospc_for_more_started_pools_than_a_file_may_have"],
            ),
            by(
                "or that of pages or mappings of its user",
                &[
                    "enospc_for_more_pages_than_a_user_may_have",
                    "enospc_for_more_mappings_than_a_user_may_have",
                ],
            ),
            by(
                "or a page has so many references already that the kernel could not count on \
                 (fault_index and fault_addr say which)",
                &["enospc_for_page_with_too_many_references"],
            ),
            by(
                "or there is no room left to map, such as bounce buffers",
                &["enospc_without_bounce_buffers_for_the_source"],
            ),
            by(
                "write(2) at the end of device memory",
                &["enospc_for_write_at_the_end"],
            ),
        ],
    ),
    (
        "ENXIO",
        &[
            by(
                "the memory is out of the device's reach, and it cannot be bounced",
                &["enxio_for_source_beyond_the_mask"],
            ),
            by(
                "fault_index and fault_addr say which",
                &["enxio_names_the_first_page_out_of_reach"],
            ),
        ],
    ),
    (
        "EAGAIN",
        &[
            by(
                "the file is O_NONBLOCK and the channel is busy",
                &["eagain_for_nonblocking_file_on_busy_channel"],
            ),
            by(
                "or nothing is there to be reaped",
                &["eagain_when_nothing_is_in_flight"],
            ),
            by("or dequeued", &["eagain_for_dequeue_when_nothing_comes"]),
            by(
                "the queue has no room for another request",
                &["eagain_when_the_queue_is_full"],
            ),
            by("RWF_NOWAIT", &["eagain_for_rwf_nowait"]),
            by(
                "mmap(2) of a pool after mlockall(MCL_FUTURE), beyond RLIMIT_MEMLOCK",
                &["eagain_for_pool_mapping_under_mlockall"],
            ),
        ],
    ),
    (
        "EBUSY",
        &[
            by(
                "open(2): the device is open exclusively",
                &["ebusy_for_open_of_exclusive_device"],
            ),
            by(
                "or is open and an exclusive open was asked for",
                &["ebusy_for_exclusive_open_of_open_device"],
            ),
            by(
                "the region is in use by a transfer",
                &["ebusy_for_unregister_in_flight"],
            ),
            by(
                "the pool buffer is not the application's now",
                &["ebusy_for_transfer_of_enqueued_buffer"],
            ),
            by("the pool is started already", &["ebusy_for_second_start"]),
            by(
                "the kernel cannot move memory to where it may stay, as somebody has a hold of \
                 it, for two seconds now: make the call again (fault_index and fault_addr say \
                 which)",
                &["ebusy_for_page_that_cannot_be_moved"],
            ),
        ],
    ),
    (
        "ECANCELED",
        &[
            by(
                "the request was cancelled",
                &["ecanceled_at_once_for_request_in_line"],
            ),
            by(
                "or its file was closed",
                &["ecanceled_when_the_device_file_is_closed"],
            ),
        ],
    ),
    (
        "EINTR",
        &[
            by(
                "a signal came before all was done; what was in flight was drained first",
                &["eintr_during_copy_with_exact_bytes"],
            ),
            by(
                "A call that had done nothing yet is made again if no handler runs, or the \
                 signal's is SA_RESTART",
                &[
                    "eintr_never_by_a_stop_before_the_first_job",
                    "eintr_never_by_a_stop_during_a_wait",
                    "eintr_never_by_a_stop_during_a_dequeue",
                    "eintr_never_by_a_stop_during_an_unregister",
                    "eintr_unless_restarted_for_a_read_that_waits",
                    "eintr_unless_restarted_while_waiting",
                ],
            ),
            by(
                "While a transfer, a copy, read(2) or write(2) is under way, a stop counts as a \
                 signal (SIGSTOP, a frozen cgroup, a debugger)",
                &["eintr_by_a_stop_between_jobs_with_exact_bytes"],
            ),
            by(
                "task work, such as io_uring's, never does",
                &[
                    "eintr_never_by_task_work_during_a_transfer",
                    "eintr_never_by_task_work_during_a_copy",
                    "eintr_never_by_task_work_during_a_readv",
                    "eintr_never_by_task_work_during_a_wait",
                    "eintr_never_by_task_work_during_a_dequeue",
                    "eintr_never_by_task_work_during_an_unregister",
                ],
            ),
        ],
    ),
    (
        "ETIMEDOUT",
        &[by(
            "the deadline passed before all was done; what was in flight was drained first",
            &["etimedout_during_dma_with_exact_bytes"],
        )],
    ),
    (
        "EIO",
        &[
            nowhere(
                "the device reported an error",
                "edu never does, and no mock stands in for it",
            ),
            by(
                "or nothing shows that it reached memory: it was reset, lost bus mastering, its \
                 registers could not be read, or its interrupt did not come",
                &[
                    "eio_when_bus_mastering_goes_during_dma",
                    "eio_when_bus_mastering_was_off_for_a_moment",
                    "eio_when_registers_are_off",
                    "eio_of_a_job_without_its_interrupt",
                ],
            ),
            nowhere(
                "or it did not end a job within out_max_timeout_ns",
                "edu ends every job within 100 ms",
            ),
            by(
                "Bytes beyond those that are told may have been moved or not; the call can be \
                 made again",
                &["eio_when_bus_mastering_was_off_for_a_moment"],
            ),
            by(
                "Whatever moves data on a device that has not recovered from an error, until it \
                 is reset",
                &["eio_after_error_without_recovery"],
            ),
            by(
                "read(2) and write(2) that have started nothing, of a device that did not stop \
                 in another call",
                &["eio_for_a_read_that_the_device_has_not_begun_with"],
            ),
        ],
    ),
    (
        "ESTALE",
        &[by(
            "the device was reset since the file was opened, or lost power as the system slept, \
             and what its memory holds is unknown; open it again (out_resets of struct \
             pindma_info counts)",
            &["estale_after_a_reset", "estale_after_a_sleep_without_power"],
        )],
    ),
    (
        "ENODEV",
        &[
            by("the device is gone", &["enodev_when_unbound_during_dma"]),
            by(
                "the file is good for nothing but close",
                &[
                    "enodev_for_whatever_is_made_after_unbind",
                    "enodev_stays_after_bind_for_old_file",
                ],
            ),
        ],
    ),
    (
        "ENOTRECOVERABLE",
        &[
            by(
                "the device did not stop when told to. Memory that was the destination of this \
                 call MAY STILL CHANGE: it stays pinned and must not be used again by this \
                 process",
                &["enotrecoverable_when_the_device_does_not_stop"],
            ),
            by(
                "A read(2) does not return with it, its process is killed",
                &["enotrecoverable_for_read_is_the_end_of_its_process"],
            ),
            by(
                "Every later ioctl fails with this number too, without PINDMA_OUT_STARTED: its \
                 memory is as it was",
                &["enotrecoverable_for_every_later_call"],
            ),
        ],
    ),
];
