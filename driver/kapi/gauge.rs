// SPDX-License-Identifier: GPL-2.0

//! What is held at this moment, in all.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// A number that goes up and down.
pub(crate) struct Gauge(Atomic<isize>);

impl Gauge {
    /// Zero.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// What it stands at.
    pub(crate) fn get(&self) -> isize {
        self.0.load(Relaxed)
    }

    /// Adds `count`.
    pub(crate) fn add(&self, count: usize) {
        self.0.add(count as isize, Relaxed);
    }

    /// Takes `count` away.
    pub(crate) fn sub(&self, count: usize) {
        self.0.add(-(count as isize), Relaxed);
    }

    /// Counts one, until the returned object is dropped.
    pub(crate) fn hold(&'static self) -> Held {
        self.add(1);
        Held(self)
    }
}

/// One that is counted for as long as it lives.
pub(crate) struct Held(&'static Gauge);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.sub(1);
    }
}

/// Pages charged to users.
pub(crate) static CHARGED_PAGES: Gauge = Gauge::new();
/// Pages pinned, leaked ones among them.
pub(crate) static PINNED_PAGES: Gauge = Gauge::new();
/// Pages of the kernel's own that were allocated for a device to work on.
pub(crate) static KERNEL_PAGES: Gauge = Gauge::new();
/// DMA segments mapped.
pub(crate) static MAPPED_SEGMENTS: Gauge = Gauge::new();
