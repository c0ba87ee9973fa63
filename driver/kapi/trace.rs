// SPDX-License-Identifier: GPL-2.0

//! The tracepoints of `trace.h`, which says what they mean.

use kernel::prelude::*;

use super::{
    abi::pindma_completion,
    dma_view::DmaView,
    mapped::DmaSegment,
    pins::{
        Direction,
        Term,
        UserRange, //
    },
    raw,
    shim, //
};

/// Ranges of user memory were pinned.
pub(super) fn pin(ranges: &[UserRange], pages: usize, direction: Direction, term: Term) {
    let addr = ranges.first().map_or(0, |range| range.addr);
    let long = term == Term::Long;
    // SAFETY: May be called anywhere.
    unsafe {
        shim::pindma_trace_pin(
            addr,
            ranges.len() as u64,
            pages as u64,
            direction.as_raw().0 as u32,
            long,
        )
    };
}

/// They were unpinned.
pub(super) fn unpin(pages: usize, dirty: bool) {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_trace_unpin(pages as u64, dirty) };
}

/// Segments were mapped.
pub(super) fn map(view: &DmaView<'_>, segments: &[DmaSegment], direction: Direction) {
    if !mappings_are_traced() {
        return;
    }
    let (addr, bytes) = extent(segments);
    // SAFETY: The device is bound.
    unsafe {
        shim::pindma_trace_map(
            raw::device(view.device()),
            addr,
            segments.len() as u64,
            bytes,
            direction.as_raw().0 as u32,
        )
    };
}

/// They are about to be unmapped.
pub(super) fn unmap(view: &DmaView<'_>, segments: &[DmaSegment], direction: Direction) {
    if !mappings_are_traced() {
        return;
    }
    let (addr, bytes) = extent(segments);
    // SAFETY: The device is bound.
    unsafe {
        shim::pindma_trace_unmap(
            raw::device(view.device()),
            addr,
            segments.len() as u64,
            bytes,
            direction.as_raw().0 as u32,
        )
    };
}

/// Whether anybody wants to know of what is mapped and unmapped. Adding up segments costs as much
/// as there are.
fn mappings_are_traced() -> bool {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_traces_mappings() }
}

/// First bus address, and bytes in all.
fn extent(segments: &[DmaSegment]) -> (u64, u64) {
    let addr = segments.first().map_or(0, |segment| segment.addr());
    (addr, segments.iter().map(|segment| segment.len()).sum())
}

/// A job was started.
pub(crate) fn start(
    view: &DmaView<'_>,
    channel: u32,
    ticket: u64,
    dev_addr: u64,
    bytes: u64,
    direction: Direction,
) {
    // SAFETY: The device is bound.
    unsafe {
        shim::pindma_trace_start(
            raw::device(view.device()),
            channel,
            ticket,
            dev_addr,
            bytes,
            direction.as_raw().0 as u32,
        )
    };
}

/// It has ended.
pub(crate) fn complete(view: &DmaView<'_>, ticket: u64, bytes: u64) {
    // SAFETY: The device is bound.
    unsafe { shim::pindma_trace_complete(raw::device(view.device()), ticket, bytes) };
}

/// It is told to end early.
pub(crate) fn cancel(channel: u32, ticket: u64, why: Error) {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_trace_cancel(channel, ticket, why.to_errno()) };
}

/// A queue has taken a request.
pub(crate) fn submit(request: u64, user_data: u64, bytes: u64, direction: Direction) {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_trace_submit(request, user_data, bytes, direction.as_raw().0 as u32) };
}

/// It has ended, in this way.
pub(crate) fn end(request: u64, record: &pindma_completion) {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_trace_end(request, record.user_data, record.bytes, record.status) };
}
