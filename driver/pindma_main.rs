// SPDX-License-Identifier: GPL-2.0

//! pindma: a device's DMA straight to and from an application's own memory.
//!
//! The floors, from the top: `file`, the calls of an open file; `queue` and `pool`, the other kinds of file; `request`, what
//! is moved; `memory`, what is pinned and mapped; `card`, the bound device; `engine`, the code for a card; `base`, vocabulary;
//! `kapi`, the kernel. Each uses only those below it. `docs/inside.md` follows one request through them.

#![crate_name = "pindma"]

use kernel::{
    driver,
    prelude::*,
    InPlaceModule, //
};

mod base;
mod card;
mod engine;
mod file;
mod kapi;
mod memory;
mod pci;
mod pool;
mod queue;
mod request;

/// The module.
///
/// Drop order: the driver is unregistered first, and with it every device is unbound; then the pages that
/// others hold are let go of; then the work that is left ends.
#[pin_data]
struct PindmaModule {
    #[pin]
    _driver: driver::Registration<kapi::outages::Registered<card::device::Pindma>>,
    _held: kapi::held::Keeper,
    _work: kapi::workqueue::WorkQueue,
    _counters: base::counters::Counters,
}

impl InPlaceModule for PindmaModule {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _counters: base::counters::Counters::show(c"pindma")?,
            _work: kapi::workqueue::WorkQueue::new(c"pindma")?,
            _held: kapi::held::Keeper::new()?,
            _driver <- driver::Registration::new(<LocalModule as kernel::ModuleMetadata>::NAME, module),
        })
    }
}

module! {
    type: PindmaModule,
    name: "pindma",
    authors: ["The pindma developers"],
    description: "Zero-copy DMA to and from user memory",
    license: "GPL",
    params: {
        dma_bits: u32 {
            default: 28,
            description: "Address bits that an edu device drives; must match its dma_mask",
        },
        aligned: u32 {
            default: 0,
            description: "1: an edu device is taken to need addresses, lengths and device addresses aligned to 64, 16 and 32 bytes",
        },
        max_segment: u32 {
            default: 0,
            description: "Longest DMA segment in bytes that an edu device is given; 0: as they come",
        },
        channel_jobs: u32 {
            default: 0,
            description: "Most jobs that a channel is given at a time; 0: as many as its engine takes",
        },
        xdma_memory_mib: u32 {
            default: 64,
            description: "Memory in MiB of a card with XDMA, which does not say how much it has",
        },
        xdma_bar: u32 {
            default: 6,
            description: "BAR with the registers of XDMA; 6: the one with the table of MSI-X vectors",
        },
        window_kib: u32 {
            default: 4096,
            description: "Most memory in KiB that one call has pinned at a time",
        },
        copy_below: u32 {
            default: 4096,
            description: "Bytes below which a transfer that may be copied is copied",
        },
        drain_ms: u32 {
            default: 2000,
            description: "How long a job may take to end once it was told to, in ms",
        },
        stop_ms: u32 {
            default: 1000,
            description: "How long a stopped device may take to be idle, in ms",
        },
        max_timeout_ms: u32 {
            default: 600000,
            description: "How long memory may stay pinned for one window, in ms",
        },
        short_pin_ms: u32 {
            default: 1000,
            description: "How far away the deadline of a queue's request may be that may write to mappings of files, in ms",
        },
        max_pinned_pages: u32 {
            default: 0,
            description: "Most pages that a device may have pinned; 0: half of the RAM, or of what it reaches",
        },
        max_file_pages: u32 {
            default: 0,
            description: "Most of these pages that one open file may have, or all of a user without CAP_SYS_RESOURCE; 0: three quarters of what 0 means there",
        },
    },
}
