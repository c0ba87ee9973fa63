// SPDX-License-Identifier: GPL-2.0

//! The errno of the header, word for word, and the cases that show them.

/// A part of what the header says of an errno.
struct Clause {
    /// Its words; between two of them there is at most punctuation.
    words: &'static str,
    shown: Shown,
}

enum Shown {
    /// By these cases, which begin with the errno.
    By(&'static [&'static str]),
    /// By none, for a reason.
    Nowhere(&'static str),
}

const fn by(words: &'static str, cases: &'static [&'static str]) -> Clause {
    Clause {
        words,
        shown: Shown::By(cases),
    }
}

const fn nowhere(words: &'static str, why: &'static str) -> Clause {
    Clause {
        words,
        shown: Shown::Nowhere(why),
    }
}

/// Every errno of the header, in its order.
const CHECKLIST: &[(&str, &[Clause])] = &[
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
                "read(2) and write(2) that have started nothing, of a device that did not stop \
                 in another call",
                &["eio_for_a_read_that_the_device_has_not_begun_with"],
            ),
        ],
    ),
    (
        "ESTALE",
        &[by(
            "the device was reset since the file was opened, and what its memory holds is \
             unknown; open it again (out_resets of struct pindma_info counts)",
            &["estale_after_a_reset"],
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

const HEADER: &str = include_str!("../../uapi/pindma.h");

/// What the header says of each errno: a line of its first comment that has one
/// where names of fields stand, and those below it that are indented as far.
fn documented() -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in HEADER.lines().take_while(|line| *line != " */") {
        let Some(text) = line.strip_prefix(" *  ") else {
            continue;
        };
        match (text.split_once(' '), entries.last_mut()) {
            (Some((name, words)), _) if is_errno(name) => {
                entries.push((name.to_string(), words.trim().to_string()));
            }
            (_, Some((_, words))) => *words = format!("{words} {}", text.trim()),
            (_, None) => {}
        }
    }
    entries
}

fn is_errno(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c == '2';
    name.starts_with('E') && name.chars().all(plain)
}

/// What of `text` is in no clause.
fn left_out(text: &str, clauses: &[Clause]) -> String {
    let text: Vec<_> = text.split_whitespace().collect();
    let mut rest = text.join(" ");
    let mut skipped = String::new();
    for clause in clauses {
        let Some(start) = rest.find(clause.words) else {
            return format!("no {:?} in {rest:?}", clause.words);
        };
        skipped.push_str(&rest[..start]);
        rest.drain(..start + clause.words.len());
    }
    skipped + &rest
}

#[test]
fn clauses_are_the_words_of_the_header() {
    let documented = documented();
    let names: Vec<_> = documented.iter().map(|(name, _)| name.as_str()).collect();
    let listed: Vec<_> = CHECKLIST.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed);
    for ((name, text), (_, clauses)) in documented.iter().zip(CHECKLIST) {
        let rest = left_out(text, clauses);
        let punctuation = |c: char| " ,;.()".contains(c);
        assert!(rest.chars().all(punctuation), "{name}: {rest}");
    }
}

#[test]
fn each_clause_has_a_case_named_by_its_errno() {
    let known: Vec<_> = crate::table::cases().map(|case| case.name).collect();
    for (errno, clauses) in CHECKLIST {
        let prefix = format!("{}_", errno.to_lowercase());
        for clause in *clauses {
            let cases = match clause.shown {
                Shown::By(cases) => cases,
                Shown::Nowhere(why) => {
                    assert!(!why.is_empty());
                    continue;
                }
            };
            assert!(!cases.is_empty(), "{errno}: {}", clause.words);
            for case in cases {
                assert!(case.starts_with(&prefix), "{case} for {errno}");
                assert!(known.contains(case), "no case {case}");
            }
        }
    }
}
