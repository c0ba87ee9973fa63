// SPDX-License-Identifier: GPL-2.0

//! The errno of calls that are wrong whenever they are made.

use super::{by, Entry};

/// Those, in the order of the header.
pub(super) const OF_CALLS: &[Entry] = &[
    (
        "ENOTTY",
        &[by(
            "the command is unknown",
            &["enotty_for_unknown_commands"],
        )],
    ),
    (
        "EFAULT",
        &[
            by(
                "the struct",
                &[
                    "efault_for_structs_that_are_not_there",
                    "efault_for_structs_that_cannot_be_written",
                ],
            ),
            by(
                "or a vector cannot be read",
                &["efault_for_vector_that_is_not_there"],
            ),
            by(
                "or written",
                &[
                    "efault_of_a_wait_loses_nothing",
                    "efault_for_records_loses_no_buffer",
                ],
            ),
            by(
                "or user memory cannot be pinned: unmapped",
                &["efault_for_unmapped_memory"],
            ),
            by("PROT_NONE", &["efault_for_prot_none_in_the_middle"]),
            by(
                "read-only as a destination",
                &["efault_for_read_only_destination"],
            ),
            by(
                "fault_index and fault_addr say where",
                &["efault_in_a_later_segment"],
            ),
        ],
    ),
    (
        "E2BIG",
        &[
            by(
                "the struct is larger than the kernel's and the bytes that the kernel does not \
                 know are not zero",
                &["e2big_for_tail_that_is_not_zero"],
            ),
            by(
                "or the struct is larger than a page",
                &["e2big_for_structs_larger_than_a_page"],
            ),
        ],
    ),
    (
        "EINVAL",
        &[
            by(
                "a field has a value that is never right: struct too small",
                &["einval_for_structs_too_small"],
            ),
            by("empty vector", &["einval_for_empty_vector"]),
            by("empty segment", &["einval_for_empty_segment"]),
            by("sum that wraps", &["einval_for_sum_that_wraps"]),
            by(
                "unequal sums of a copy",
                &["einval_for_unequal_sums_of_a_copy"],
            ),
            by("negative deadline", &["einval_for_negative_deadline"]),
            by(
                "field not zero that is reserved",
                &["einval_for_reserved_field"],
            ),
            by(
                "or that the call does not use (out.field says which)",
                &["einval_for_unused_field"],
            ),
            by(
                "two flags that contradict each other",
                &[
                    "einval_for_may_copy_beside_must_copy",
                    "einval_for_sync_of_both_or_neither",
                ],
            ),
            by(
                "lseek(2) beyond device memory",
                &["einval_for_lseek_beyond_the_end"],
            ),
            by("splice(2)", &["einval_for_splice_and_sendfile"]),
            by(
                "read(2) of a queue into less than one record",
                &["einval_for_read_of_less_than_a_completion"],
            ),
            by(
                "mmap(2) of a pool without MAP_SHARED",
                &["einval_for_private_mapping_of_a_pool"],
            ),
            by("or beyond its end", &["einval_for_mapping_beyond_the_pool"]),
        ],
    ),
    (
        "EOPNOTSUPP",
        &[
            by("a flag is unknown", &["eopnotsupp_for_unknown_flags"]),
            by("or the channel", &["eopnotsupp_for_unknown_dev_flags"]),
            by(
                "or the region cannot do what was asked",
                &["eopnotsupp_for_transfer_against_the_access"],
            ),
        ],
    ),
    (
        "EMSGSIZE",
        &[
            by(
                "a vector has more segments than max_segs",
                &["emsgsize_for_one_segment_too_many"],
            ),
            by(
                "or a batch more entries than max_batch",
                &["emsgsize_for_one_entry_too_many"],
            ),
        ],
    ),
    (
        "ENOENT",
        &[
            by("no such channel", &["enoent_for_unknown_channel"]),
            by("handle", &["enoent_for_unknown_handle"]),
            by("or request", &["enoent_for_cancel_of_nothing"]),
            by(
                "a handle is stale",
                &["enoent_for_stale_region", "enoent_for_stale_buffer"],
            ),
        ],
    ),
    (
        "EPERM",
        &[
            by("the region", &["eperm_for_region_of_another_process"]),
            by(
                "or pool was made by another process, and is not shared",
                &["eperm_for_pool_of_another_process"],
            ),
            by(
                "contiguous buffers of a pool that are larger than the page allocator's largest, \
                 without CAP_SYS_RESOURCE",
                &["eperm_for_contiguous_buffers_that_no_cgroup_is_charged_with"],
            ),
        ],
    ),
    (
        "EBADF",
        &[
            by(
                "a file descriptor that was passed is not one",
                &["ebadf_for_what_is_no_eventfd"],
            ),
            by(
                "or not of the right kind",
                &["ebadf_for_what_is_no_queue_of_this_file"],
            ),
            by(
                "or the file is not open for what was asked: for writing if data goes to the \
                 device or is copied, for reading if it comes from the device",
                &["ebadf_for_what_a_file_was_not_opened_for"],
            ),
            by(
                "read(2) of a queue made with PINDMA_QUEUE_NO_READ",
                &["ebadf_for_read_of_a_queue_that_is_only_waited_for"],
            ),
        ],
    ),
    (
        "ERANGE",
        &[
            by(
                "the device range does not lie inside the channel's memory",
                &["erange_outside_device_memory"],
            ),
            by(
                "or a range not inside its region",
                &["erange_outside_region"],
            ),
        ],
    ),
];
