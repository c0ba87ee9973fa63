// SPDX-License-Identifier: GPL-2.0

//! What the module holds at this moment, in all: shown in debugfs, and zero when nothing is in
//! flight. After each test the rig looks here.

use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    fmt,
    prelude::*, //
};

use crate::kapi::gauge::{
    CHARGED_PAGES,
    KERNEL_PAGES,
    MAPPED_SEGMENTS,
    PINNED_PAGES, //
};

pub(crate) use crate::kapi::gauge::{
    Gauge,
    Held, //
};

/// Transfers, copies and requests of queues under way.
pub(crate) static REQUESTS: Gauge = Gauge::new();
/// Open files.
pub(crate) static FILES: Gauge = Gauge::new();
/// Pools.
pub(crate) static POOLS: Gauge = Gauge::new();
/// Queues that are open, or that requests still end in.
pub(crate) static QUEUES: Gauge = Gauge::new();
/// Regions, registered or used by a transfer that has not ended.
pub(crate) static REGIONS: Gauge = Gauge::new();
/// Pages leaked on purpose, since the device did not stop.
pub(crate) static LEAKED_PAGES: Gauge = Gauge::new();
/// How often a device was stopped and started again; only grows.
pub(crate) static RESTARTS: Gauge = Gauge::new();
/// Jobs whose end was found by polling; only grows.
pub(crate) static LOST_INTERRUPTS: Gauge = Gauge::new();
/// Completions of jobs that nobody waits for; only grows.
pub(crate) static STRAY_COMPLETIONS: Gauge = Gauge::new();

static SHOWN: [(&CStr, &Gauge); 13] = [
    (c"charged_pages", &CHARGED_PAGES),
    (c"pinned_pages", &PINNED_PAGES),
    (c"kernel_pages", &KERNEL_PAGES),
    (c"mapped_segments", &MAPPED_SEGMENTS),
    (c"requests", &REQUESTS),
    (c"files", &FILES),
    (c"pools", &POOLS),
    (c"queues", &QUEUES),
    (c"regions", &REGIONS),
    (c"leaked_pages", &LEAKED_PAGES),
    (c"restarts", &RESTARTS),
    (c"lost_interrupts", &LOST_INTERRUPTS),
    (c"stray_completions", &STRAY_COMPLETIONS),
];

type Shown = File<&'static Gauge>;

fn show(gauge: &&'static Gauge, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "{}", gauge.get())
}

/// The files in debugfs, for as long as it lives.
///
/// Drop order: the files go before their directory.
pub(crate) struct Counters {
    _files: KVec<Pin<KBox<Shown>>>,
    _dir: Dir,
}

impl Counters {
    /// Shows the counters in the directory `name`.
    pub(crate) fn show(name: &CStr) -> Result<Self> {
        let dir = Dir::new(name);
        let mut files = KVec::with_capacity(SHOWN.len(), GFP_KERNEL)?;
        for (name, gauge) in SHOWN {
            let file = dir.read_callback_file(name, Ok::<_, Error>(gauge), &show);
            files.push(KBox::pin_init(file, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self {
            _files: files,
            _dir: dir,
        })
    }
}
