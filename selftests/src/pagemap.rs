// SPDX-License-Identifier: GPL-2.0

//! Where memory lies physically, as the kernel tells root.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::check::{check, Outcome};
use crate::device::PAGE;
use crate::sys::Mapping;

/// Physical addresses of the pages of `mapping`, which were all touched.
pub(crate) fn frames(mapping: &Mapping) -> Outcome<Vec<u64>> {
    let mut entries = vec![0; mapping.len() / PAGE * 8];
    let offset = mapping.addr(0) / PAGE as u64 * 8;
    File::open("/proc/self/pagemap")?.read_exact_at(&mut entries, offset)?;
    let frame = |entry: &[u8]| {
        let entry: [u8; 8] = entry.try_into().unwrap_or_default();
        (u64::from_ne_bytes(entry) & ((1 << 55) - 1)) * PAGE as u64
    };
    let frames: Vec<u64> = entries.chunks_exact(8).map(frame).collect();
    check(!frames.contains(&0), "the page map shows no frame")?;
    Ok(frames)
}

/// Whether the first page of `mapping` was written since somebody began to watch.
pub(crate) fn is_soft_dirty(mapping: &Mapping) -> Outcome<bool> {
    Ok(first_entry(mapping)? & (1 << 55) != 0)
}

/// Whether the first page of `mapping` is in swap space.
pub(crate) fn is_swapped(mapping: &Mapping) -> Outcome<bool> {
    Ok(first_entry(mapping)? & (1 << 62) != 0)
}

/// What the map of the process says of the first page of `mapping`.
fn first_entry(mapping: &Mapping) -> Outcome<u64> {
    let mut entry = [0; 8];
    let offset = mapping.addr(0) / PAGE as u64 * 8;
    File::open("/proc/self/pagemap")?.read_exact_at(&mut entry, offset)?;
    Ok(u64::from_ne_bytes(entry))
}

/// Whether the page at a physical address is anonymous memory: it is until it is freed.
pub(crate) fn is_anonymous(frame: u64) -> Outcome<bool> {
    const ANONYMOUS: u64 = 1 << 12;
    // The kernel's lists of pages have references too, for a while.
    fs::write("/proc/sys/vm/drop_caches", "1")?;
    let mut flags = [0; 8];
    let entry = frame / PAGE as u64 * 8;
    File::open("/proc/kpageflags")?.read_exact_at(&mut flags, entry)?;
    Ok(u64::from_ne_bytes(flags) & ANONYMOUS != 0)
}
