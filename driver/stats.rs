// SPDX-License-Identifier: GPL-2.0

//! What an open file has done.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

use crate::kapi::{
    abi::pindma_stats,
    pins::Direction, //
};

/// A number that only grows, or one that also shrinks.
pub(crate) struct Count(Atomic<u64>);

impl Count {
    const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Adds to it.
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// Takes away from it.
    pub(crate) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The numbers of `struct pindma_stats`, which says what they are.
pub(crate) struct Stats {
    pub(crate) calls: Count,
    pub(crate) windows: Count,
    pub(crate) jobs: Count,
    bytes_to_device: Count,
    bytes_from_device: Count,
    pub(crate) pages: Count,
    pub(crate) segments: Count,
    pub(crate) bounced: Count,
    pub(crate) pinned_pages: Count,
    pub(crate) lost_interrupts: Count,
}

impl Stats {
    /// All zero.
    pub(crate) const fn new() -> Self {
        Self {
            calls: Count::new(),
            windows: Count::new(),
            jobs: Count::new(),
            bytes_to_device: Count::new(),
            bytes_from_device: Count::new(),
            pages: Count::new(),
            segments: Count::new(),
            bounced: Count::new(),
            pinned_pages: Count::new(),
            lost_interrupts: Count::new(),
        }
    }

    /// Bytes that the device has moved in one direction.
    pub(crate) fn bytes(&self, direction: Direction) -> &Count {
        match direction {
            Direction::ToDevice => &self.bytes_to_device,
            Direction::FromDevice | Direction::Both => &self.bytes_from_device,
        }
    }

    /// Writes them into the ABI's struct.
    pub(crate) fn report(&self, out: &mut pindma_stats) {
        out.out_calls = self.calls.get();
        out.out_windows = self.windows.get();
        out.out_jobs = self.jobs.get();
        out.out_bytes_to_device = self.bytes_to_device.get();
        out.out_bytes_from_device = self.bytes_from_device.get();
        out.out_pages = self.pages.get();
        // Before merging, each page is a segment of its own.
        out.out_segments_unmerged = self.pages.get();
        out.out_segments = self.segments.get();
        out.out_bounced = self.bounced.get();
        out.out_pinned_pages = self.pinned_pages.get();
        out.out_lost_interrupts = self.lost_interrupts.get();
    }
}
