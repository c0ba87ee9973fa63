// SPDX-License-Identifier: GPL-2.0

//! What the kernel counts: the driver's debugfs files, pins, swiotlb, VmPin.

use std::fs;

use crate::check::{same, Fail, Outcome};
use crate::module::pause;

/// How often to look for what will come.
const PATIENCE: usize = 3000;

const DEBUGFS: &str = "/sys/kernel/debug/pindma";

/// Counters of the driver that are zero while nothing is in flight.
pub(crate) const AT_REST: [&str; 9] = [
    "charged_pages",
    "pinned_pages",
    "kernel_pages",
    "mapped_segments",
    "requests",
    "files",
    "pools",
    "regions",
    "queues",
];

/// A counter of the driver.
pub(crate) fn driver(name: &str) -> Outcome<u64> {
    number(&format!("{DEBUGFS}/{name}"))
}

/// Waits until a counter of the driver has come to `want`, as it does at some time after what
/// brings it there was told to end: work may have it in hand still.
#[track_caller]
pub(crate) fn comes_to(name: &str, want: u64) -> Outcome {
    for _ in 0..PATIENCE {
        if driver(name)? == want {
            return Ok(());
        }
        pause(10);
    }
    same(name, driver(name)?, want)
}

/// Waits until so many pins are outstanding, likewise.
#[track_caller]
pub(crate) fn pins_come_to(want: i64) -> Outcome {
    for _ in 0..PATIENCE {
        if pins_outstanding()? == want {
            return Ok(());
        }
        pause(10);
    }
    same("pins", pins_outstanding()?, want)
}

/// Waits until the caller has nothing pinned that it is charged with, likewise.
#[track_caller]
pub(crate) fn nothing_stays_pinned() -> Outcome {
    for _ in 0..PATIENCE {
        if pinned_kib("self")? == 0 {
            break;
        }
        pause(10);
    }
    same("VmPin in KiB", pinned_kib("self")?, 0)
}

fn number(path: &str) -> Outcome<u64> {
    let text = fs::read_to_string(path).map_err(|e| Fail::new(format!("{path}: {e}")))?;
    Ok(text.trim().parse()?)
}

/// Pages pinned by anybody since boot and not unpinned yet.
pub(crate) fn pins_outstanding() -> Outcome<i64> {
    // The counters are kept per CPU; this folds them.
    fs::write("/proc/sys/vm/stat_refresh", "1")?;
    let text = fs::read_to_string("/proc/vmstat")?;
    let field = |name: &str| -> Outcome<i64> { after(&text, name) };
    Ok(field("nr_foll_pin_acquired ")? - field("nr_foll_pin_released ")?)
}

const BOUNCE_POOL: &str = "/sys/kernel/debug/swiotlb";

/// Pages pinned by anybody since boot.
pub(crate) fn pins_acquired() -> Outcome<i64> {
    fs::write("/proc/sys/vm/stat_refresh", "1")?;
    after(
        &fs::read_to_string("/proc/vmstat")?,
        "nr_foll_pin_acquired ",
    )
}

/// Slots of the bounce pool in use; 0 where there is no pool.
pub(crate) fn bounce_slots() -> u64 {
    number(&format!("{BOUNCE_POOL}/io_tlb_used")).unwrap_or(0)
}

/// Bytes of the bounce pool, in use or not; 0 where there is no pool.
pub(crate) fn bounce_bytes() -> u64 {
    const SLOT: u64 = 2048;
    number(&format!("{BOUNCE_POOL}/io_tlb_nslabs")).map_or(0, |slots| slots * SLOT)
}

/// `VmPin` of a process in KiB.
pub(crate) fn pinned_kib(pid: &str) -> Outcome<i64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    after(&text, "VmPin:")
}

/// The number that follows `name` in `text`.
pub(crate) fn after(text: &str, name: &str) -> Outcome<i64> {
    let rest = text.split_once(name).map(|(_, rest)| rest);
    let word = rest.and_then(|rest| rest.split_whitespace().next());
    let word = word.ok_or_else(|| Fail::new(format!("no {name} to be seen")))?;
    Ok(word.parse()?)
}
