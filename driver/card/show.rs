// SPDX-License-Identifier: GPL-2.0

//! What people can look at: a device in debugfs, an open file in `/proc/PID/fdinfo`.

use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    fmt,
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile, //
    },
    str::CString,
    sync::Arc, //
};

use crate::card::{
    device::Device,
    stats::Stats, //
};

type Shown = File<Arc<Device>>;

/// `/sys/kernel/debug/pindma-BUS/stats`, for as long as it lives.
///
/// Drop order: the file goes before its directory.
pub(crate) struct DeviceFiles {
    _stats: Pin<KBox<Shown>>,
    _dir: Dir,
}

impl DeviceFiles {
    /// Shows `device`.
    pub(crate) fn new(device: &Arc<Device>) -> Result<Self> {
        let bus = device.facts.bus.to_str().map_err(|_| EINVAL)?;
        let name = CString::try_from_fmt(fmt!("pindma-{bus}"))?;
        let dir = Dir::new(&name);
        let stats = dir.read_callback_file(c"stats", Ok::<_, Error>(device.clone()), &show);
        let stats = KBox::pin_init(stats, GFP_KERNEL)?;
        Ok(Self {
            _stats: stats,
            _dir: dir,
        })
    }
}

fn show(device: &Arc<Device>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (sum, files) = device.totals.sum();
    sum.for_each(|name, value| writeln!(f, "{name} {value}"))?;
    writeln!(f, "files {files}")?;
    writeln!(f, "quota_pages {}", device.quota.used())?;
    writeln!(f, "quota_limit {}", device.quota.limit())?;
    writeln!(f, "leaked_pages {}", device.leaked().get())?;
    writeln!(f, "failed {}", u8::from(device.has_failed()))
}

/// Shows an open file.
pub(crate) fn file(device: &Device, stats: &Stats, out: &SeqFile) {
    seq_print!(out, "pindma-device:\t{}\n", &*device.facts.bus);
    let _ = stats.for_each(|name, value| -> Result {
        seq_print!(out, "pindma-{name}:\t{value}\n");
        Ok(())
    });
}
