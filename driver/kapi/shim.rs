// SPDX-License-Identifier: GPL-2.0

//! Declarations of the functions in `shim.c`, and of C functions that `bindings` lacks.
//!
//! Not to be used outside of `kapi`: each caller wraps them in something safe.

use kernel::{
    bindings,
    ffi::{
        c_char,
        c_int,
        c_ulong,
        c_void, //
    }, //
};

#[expect(
    improper_ctypes,
    reason = "the structs are only pointed to; some of their members are empty in this configuration"
)]
extern "C" {
    // Of `linux/anon_inodes.h`, which bindgen does not see.
    pub(super) fn anon_inode_getfile(
        name: *const c_char,
        ops: *const bindings::file_operations,
        data: *mut c_void,
        flags: c_int,
    ) -> *mut bindings::file;

    // Of `linux/pagemap.h`, likewise.
    pub(super) fn fault_in_readable(addr: *const c_char, size: usize) -> usize;

    // Of `linux/workqueue.h`, which `bindings` has only a part of.
    pub(super) fn drain_workqueue(queue: *mut bindings::workqueue_struct);

    pub(super) fn pindma_alloc_workqueue(name: *const c_char) -> *mut bindings::workqueue_struct;
    pub(super) fn pindma_get_current_user() -> *mut bindings::user_struct;
    pub(super) fn pindma_get_user(user: *mut bindings::user_struct) -> *mut bindings::user_struct;
    pub(super) fn pindma_has_capability(capability: c_int) -> bool;
    pub(super) fn pindma_rlimit_memlock() -> c_ulong;
    pub(super) fn pindma_total_pages() -> c_ulong;
    pub(super) fn pindma_cond_resched();
    pub(super) fn pindma_killed() -> bool;
    pub(super) fn pindma_signal_pending() -> bool;
    pub(super) fn pindma_signal_acts() -> bool;
    pub(super) fn pindma_hold_notify_signal() -> bool;
    pub(super) fn pindma_let_notify_signal();
    pub(super) fn pindma_time_to_host(ns: i64) -> i64;
    pub(super) fn pindma_time_from_host(ns: i64) -> i64;
    pub(super) fn pindma_kill_process();

    pub(super) fn pindma_alloc_contiguous(
        count: c_ulong,
        gfp: bindings::gfp_t,
    ) -> *mut bindings::page;
    pub(super) fn pindma_get_page(page: *mut bindings::page);
    pub(super) fn pindma_page_is_shared(page: *const bindings::page) -> bool;
    pub(super) fn pindma_put_page(page: *mut bindings::page);
    pub(super) fn pindma_file_set_direct(file: *mut bindings::file);
    pub(super) fn pindma_iocb_nowait(iocb: *const bindings::kiocb) -> bool;
    pub(super) fn pindma_iter_is_user(iter: *const bindings::iov_iter) -> bool;
    pub(super) fn pindma_iter_is_bvec(iter: *const bindings::iov_iter) -> bool;
    pub(super) fn pindma_iter_count(iter: *const bindings::iov_iter) -> usize;
    pub(super) fn pindma_iter_truncate(iter: *mut bindings::iov_iter, count: u64);
    pub(super) fn pindma_iter_addr(iter: *const bindings::iov_iter) -> u64;
    pub(super) fn pindma_iter_len(iter: *const bindings::iov_iter) -> u64;

    pub(super) fn pindma_try_get_page(page: *mut bindings::page) -> bool;
    pub(super) fn pindma_mapped_until(addr: c_ulong) -> c_ulong;
    pub(super) fn pindma_page_references(page: *const bindings::page) -> u32;
    pub(super) fn pindma_page_is_held(page: *const bindings::page) -> bool;
    pub(super) fn pindma_page_size(page: *const bindings::page) -> u64;
    pub(super) fn pindma_page_phys(page: *const bindings::page) -> u64;
    pub(super) fn pindma_sg_is_bounced(list: *mut bindings::scatterlist) -> bool;
    pub(super) fn pindma_sg_set(
        sg: *mut bindings::scatterlist,
        page: *mut bindings::page,
        len: u32,
        offset: u32,
    );

    pub(super) fn pindma_dma_translated(dev: *mut bindings::device) -> bool;
    pub(super) fn pindma_dma_lazy(dev: *mut bindings::device) -> bool;
    pub(super) fn pindma_dma_forget(dev: *mut bindings::device);
    pub(super) fn pindma_dma_coherent(dev: *mut bindings::device) -> bool;
    pub(super) fn pindma_dma_need_sync(
        dev: *mut bindings::device,
        addr: bindings::dma_addr_t,
    ) -> bool;
    pub(super) fn pindma_dma_sync_for_device(
        dev: *mut bindings::device,
        addr: bindings::dma_addr_t,
        size: usize,
        direction: u32,
    );
    pub(super) fn pindma_dma_sync_for_cpu(
        dev: *mut bindings::device,
        addr: bindings::dma_addr_t,
        size: usize,
        direction: u32,
    );
    pub(super) fn pindma_dma_limit(dev: *mut bindings::device) -> u64;
    pub(super) fn pindma_dma_addr(dev: *mut bindings::device, phys: u64) -> u64;
    pub(super) fn pindma_dma_phys(dev: *mut bindings::device, addr: bindings::dma_addr_t) -> u64;
    pub(super) fn pindma_dma_max_segment(dev: *mut bindings::device) -> u32;
    pub(super) fn pindma_dma_set_boundary(dev: *mut bindings::device, mask: c_ulong);
    pub(super) fn pindma_dma_boundary(dev: *mut bindings::device) -> u64;
    pub(super) fn pindma_dma_cache_align() -> u32;
    pub(super) fn pindma_dma_untrusted(dev: *mut bindings::device) -> bool;
    pub(super) fn pindma_bounce_forced(dev: *mut bindings::device) -> bool;
    pub(super) fn pindma_bounce_possible(dev: *mut bindings::device) -> bool;

    pub(super) fn pindma_trace_pin(
        addr: u64,
        ranges: u64,
        pages: u64,
        direction: u32,
        longterm: bool,
    );
    pub(super) fn pindma_trace_unpin(pages: u64, dirty: bool);
    pub(super) fn pindma_traces_mappings() -> bool;
    pub(super) fn pindma_trace_map(
        dev: *const bindings::device,
        addr: u64,
        segments: u64,
        bytes: u64,
        direction: u32,
    );
    pub(super) fn pindma_trace_unmap(
        dev: *const bindings::device,
        addr: u64,
        segments: u64,
        bytes: u64,
        direction: u32,
    );
    pub(super) fn pindma_trace_start(
        dev: *const bindings::device,
        channel: u32,
        ticket: u64,
        dev_addr: u64,
        bytes: u64,
        direction: u32,
    );
    pub(super) fn pindma_trace_complete(dev: *const bindings::device, ticket: u64, bytes: u64);
    pub(super) fn pindma_trace_cancel(channel: u32, ticket: u64, error: c_int);
    pub(super) fn pindma_trace_submit(request: u64, user_data: u64, bytes: u64, direction: u32);
    pub(super) fn pindma_trace_end(request: u64, user_data: u64, bytes: u64, error: c_int);
}
