// SPDX-License-Identifier: GPL-2.0

//! The driver as a module: loading, unloading, other parameters for one case.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use crate::check::{check, Fail, Outcome};
use crate::device::NODE;
use crate::leg::Leg;
use crate::os;

const FILE: &str = "/pindma.ko";
/// There while the module has other parameters than the leg's.
const CHANGED: &str = "/tmp/module-changed";

/// Parameters of the module on this leg.
pub(crate) fn parameters(leg: Leg) -> String {
    // Most cases have one job at work and others in line. Those with many at work are
    // run by the legs of other cards.
    let jobs = match leg {
        Leg::Xdma => " channel_jobs=1",
        _ => "",
    };
    format!("dma_bits={}{jobs}", leg.dma_bits())
}

/// What the module says about the kernel that it was built for.
pub(crate) fn vermagic() -> Outcome<String> {
    let bytes = fs::read(FILE)?;
    let key = b"vermagic=";
    let start = bytes.windows(key.len()).position(|window| window == key);
    let start = start.ok_or_else(|| Fail::new("no vermagic in the module"))?;
    let text = bytes[start + key.len()..].split(|byte| *byte == 0).next();
    Ok(String::from_utf8_lossy(text.unwrap_or_default()).into_owned())
}

/// Whether the module is loaded.
pub(crate) fn loaded() -> bool {
    Path::new("/sys/module/pindma").exists()
}

/// Loads the module and waits for its node.
pub(crate) fn load(parameters: &str) -> Outcome {
    let file = File::open(FILE)?;
    os::load_module(file.as_fd(), parameters)
        .map_err(|e| Fail::new(format!("insmod pindma.ko {parameters}: {e}")))?;
    wait_for_node(true)
}

/// Waits until the node is there, or is gone.
pub(crate) fn wait_for_node(there: bool) -> Outcome {
    for _ in 0..500 {
        if Path::new(NODE).exists() == there {
            return Ok(());
        }
        pause(10);
    }
    check(false, format!("{NODE} exists: {}", !there))
}

/// Unloads the module.  The kernel lets go of closed files a little late, and
/// of processes that were killed, so this is tried for some seconds.
pub(crate) fn unload() -> Outcome {
    let mut last = String::new();
    for _ in 0..500 {
        match os::unload_module("pindma") {
            Ok(()) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
        pause(10);
    }
    Err(Fail::new(format!("rmmod pindma: {last}")))
}

/// Loads the module anew with the leg's parameters and `more`.
pub(crate) fn reload(leg: Leg, more: &str) -> Outcome {
    if loaded() {
        unload()?;
    }
    load(format!("{} {more}", parameters(leg)).trim_end())
}

/// Runs `body` with the module loaded anew with `more` parameters.
pub(crate) fn with_parameters(leg: Leg, more: &str, body: impl FnOnce() -> Outcome) -> Outcome {
    fs::write(CHANGED, more)?;
    reload(leg, more)?;
    let outcome = body();
    let restored = restore(leg);
    outcome.and(restored)
}

/// Undoes whatever a case left behind, even one that was killed.
pub(crate) fn restore(leg: Leg) -> Outcome {
    if Path::new(CHANGED).exists() || !loaded() || !Path::new(NODE).exists() {
        reload(leg, "")?;
        let _ = fs::remove_file(CHANGED);
    }
    Ok(())
}

/// Loads the stock modules that came along, once: few cases need them.
pub(crate) fn load_extra() -> Outcome {
    const FOLDER: &str = "/lib/modules-extra";
    const LOADED: &str = "/tmp/modules-extra-loaded";
    if Path::new(LOADED).exists() {
        return Ok(());
    }
    let order = fs::read_to_string(format!("{FOLDER}/load.order"))?;
    for name in order.split_whitespace() {
        let file = File::open(format!("{FOLDER}/{name}"))?;
        os::load_module(file.as_fd(), "")
            .map_err(|error| Fail::new(format!("insmod {name}: {error}")))?;
    }
    Ok(fs::write(LOADED, "")?)
}

/// Sleeps for `ms` of guest time.
pub(crate) fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
