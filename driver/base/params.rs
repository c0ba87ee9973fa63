// SPDX-License-Identifier: GPL-2.0

//! The module's parameters, in the units that the driver works with.

use kernel::page::PAGE_SIZE;

use crate::{
    kapi::charge,
    module_parameters, //
};

const NS_PER_MS: i64 = 1_000_000;

/// More BARs than a device has.
const XDMA_BAR_UNKNOWN: u32 = 6;

/// Address bits that edu drives; QEMU's property `dma_mask` of the device must match.
pub(crate) fn dma_bits() -> u32 {
    module_parameters::dma_bits.value()
}

/// Whether edu is taken to need alignment.
pub(crate) fn aligned() -> bool {
    module_parameters::aligned.value() != 0
}

/// Longest segment in bytes that edu is given.
pub(crate) fn max_segment() -> u32 {
    match module_parameters::max_segment.value() {
        0 => u32::MAX,
        bytes => bytes,
    }
}

/// Most jobs that a channel has at a time whose engine takes `depth`.
pub(crate) fn channel_jobs(depth: u32) -> usize {
    match module_parameters::channel_jobs.value() {
        0 => depth as usize,
        jobs => depth.min(jobs) as usize,
    }
}

/// Bytes of memory of a card with XDMA, which does not say how much it has.
pub(crate) fn xdma_memory() -> u64 {
    u64::from(module_parameters::xdma_memory_mib.value().max(1)) << 20
}

/// The BAR with the registers of XDMA, if it is not to be looked for.
pub(crate) fn xdma_bar() -> Option<u32> {
    let bar = module_parameters::xdma_bar.value();
    (bar < XDMA_BAR_UNKNOWN).then_some(bar)
}

/// Most pages that one call has pinned at a time.
pub(crate) fn window_pages() -> usize {
    let bytes = u64::from(module_parameters::window_kib.value()) * 1024;
    // A copy needs a page for each side.
    usize::try_from(bytes / PAGE_SIZE as u64).map_or(usize::MAX, |pages| pages.max(2))
}

/// Bytes below which a transfer that may be copied is copied.
pub(crate) fn copy_below() -> u64 {
    module_parameters::copy_below.value().into()
}

/// How long a job may take to end once it was told to, in ns.
pub(crate) fn drain_ns() -> i64 {
    i64::from(module_parameters::drain_ms.value()) * NS_PER_MS
}

/// How long a stopped device may take to be idle, in ns.
pub(crate) fn stop_ns() -> i64 {
    i64::from(module_parameters::stop_ms.value()) * NS_PER_MS
}

/// How long a window may be in work, in ns.
pub(crate) fn max_timeout_ns() -> i64 {
    i64::from(module_parameters::max_timeout_ms.value()) * NS_PER_MS
}

/// How far away the deadline of a request may be whose memory is pinned for short, in ns.
pub(crate) fn short_pin_ns() -> i64 {
    i64::from(module_parameters::short_pin_ms.value()) * NS_PER_MS
}

/// Most pages that a device may have pinned which has room to map `room` pages at a time.
pub(crate) fn max_pinned_pages(room: usize) -> usize {
    match module_parameters::max_pinned_pages.value() {
        0 => half(room),
        pages => pages as usize,
    }
}

/// Half of the RAM, or of the room.
fn half(room: usize) -> usize {
    charge::total_pages().min(room) / 2
}

/// Most pages of them that one file may have pinned.
pub(crate) fn max_file_pages(room: usize) -> usize {
    match module_parameters::max_file_pages.value() {
        0 => half(room) / 4 * 3,
        pages => pages as usize,
    }
}
