// SPDX-License-Identifier: GPL-2.0

//! The kernel's watch over DMA mappings.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::check::{check, Fail, Outcome};
use crate::module;
use crate::pci;

const FOLDER: &str = "/sys/kernel/debug/dma-api";

/// Whether this kernel watches mappings.
pub(super) fn offered() -> bool {
    Path::new(FOLDER).exists()
}

/// Has every error reported, not only the first.
pub(super) fn start() -> Outcome {
    let path = format!("{FOLDER}/all_errors");
    fs::write(&path, "1").map_err(|e| Fail::new(format!("{path}: {e}")))?;
    watches()
}

/// Misuse so far; none is forgiven.
pub(super) fn errors() -> Outcome<Vec<String>> {
    watches()?;
    let count = read("error_count")?;
    Ok(match count.trim() {
        "0" => Vec::new(),
        count => vec![format!("{count} errors")],
    })
}

/// The mappings that our device has.  Listing them takes as long as a whole case;
/// so they are only counted first, with what others have.
pub(super) fn mappings() -> Outcome<Vec<String>> {
    if watched()? == OTHERS.load(Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let ours = list()?;
    OTHERS.store(
        watched()?.saturating_sub(ours.len() as u64),
        Ordering::Relaxed,
    );
    Ok(ours)
}

/// How many mappings of other devices there are, as far as known.
static OTHERS: AtomicU64 = AtomicU64::new(u64::MAX);

/// How many mappings there are.
fn watched() -> Outcome<u64> {
    let count = |name| -> Outcome<u64> { Ok(read(name)?.trim().parse()?) };
    Ok(count("nr_total_entries")? - count("num_free_entries")?)
}

fn list() -> Outcome<Vec<String>> {
    let address = pci::address()?;
    let all = read("dump")?;
    // What a card works with itself is mapped for as long as it has a driver.
    let loaded = module::loaded();
    let stays = |line: &str| loaded && line.contains(" coherent ");
    let ours = all
        .lines()
        .filter(|line| line.contains(&address) && !stays(line));
    Ok(ours.map(|line| format!("still mapped: {line}")).collect())
}

/// It gives up when it has no memory.
fn watches() -> Outcome {
    check(read("disabled")?.trim() == "N", "it is switched off")
}

fn read(name: &str) -> Outcome<String> {
    let path = format!("{FOLDER}/{name}");
    fs::read_to_string(&path).map_err(|e| Fail::new(format!("{path}: {e}")))
}
