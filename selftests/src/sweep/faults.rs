// SPDX-License-Identifier: GPL-2.0

//! The kernel's fault injectors, and `fail-nth` and `make-it-fail`, which aim
//! them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::check::{Fail, Outcome};

const DEBUGFS: &str = "/sys/kernel/debug";

/// Injectors of memory that is not there.
const MEMORY: [&str; 2] = ["failslab", "fail_page_alloc"];

/// As they come, the injectors spare every allocation that may wait.  With
/// these they fail all allocations of a task that asks for it.
const FOR_MEMORY: [(&str, &str); 6] = [
    ("ignore-gfp-wait", "N"),
    ("task-filter", "Y"),
    ("probability", "100"),
    ("interval", "1"),
    ("times", "-1"),
    ("verbose", "0"),
];

/// Also spared are pages of a user, and single pages.
const OTHERS: [(&str, &str); 4] = [
    ("failslab/cache-filter", "Y"),
    ("fail_page_alloc/ignore-gfp-highmem", "N"),
    ("fail_page_alloc/min-order", "0"),
    ("fail_usercopy/verbose", "0"),
];

const CACHES: &str = "/sys/kernel/slab";

/// Caches whose shortage the kernel itself does not live through: files of an
/// interrupt in /proc that could not be made are removed with a WARN, and for
/// nodes see `nodes.rs`.  And what kmemleak notes of each allocation: it has some in
/// stock, so that calls had sometimes more points and sometimes fewer, and a point
/// behind them was met twice or never.
const SPARED: [&str; 3] = ["proc_dir_entry", "radix_tree_node", "kmemleak_object"];

/// Lets faults strike everywhere, without a word in the kernel's log.
pub(crate) fn let_strike() -> Outcome {
    for injector in MEMORY {
        for (knob, value) in FOR_MEMORY {
            set(&format!("{injector}/{knob}"), value)?;
        }
    }
    for cache in fs::read_dir(CACHES)?.flatten() {
        let struck = if SPARED.iter().any(|spared| cache.file_name() == *spared) {
            "0"
        } else {
            "1"
        };
        write(&cache.path().join("failslab"), struck)?;
    }
    OTHERS.iter().try_for_each(|(knob, value)| set(knob, value))
}

fn set(knob: &str, value: &str) -> Outcome {
    write(&Path::new(DEBUGFS).join(knob), value)
}

fn write(path: &Path, value: &str) -> Outcome {
    fs::write(path, value).map_err(|e| Fail::new(format!("{}: {e}", path.display())))
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It strikes once; a second attempt succeeds.
    Once,
    /// From its point on there is no memory at all, to the end of the call:
    /// the second attempts of the kernel fail as well.
    Lasting,
}

/// The files by which the calling thread aims faults at itself.
pub(crate) struct Aim {
    nth: File,
    lasting: File,
}

impl Aim {
    pub(crate) fn new() -> Outcome<Aim> {
        let aim = Aim {
            nth: open("fail-nth")?,
            lasting: open("make-it-fail")?,
        };
        // Brings in all pages of this code while there is memory.
        aim.during(Fault::Once, 1000, || 0)?;
        Ok(aim)
    }

    /// Makes `call` with a fault at its point number `nth`, counted from 1;
    /// what it returned, and whether it had so many points.
    pub(crate) fn during(
        &self,
        fault: Fault,
        nth: u32,
        call: impl FnOnce() -> i32,
    ) -> Outcome<(i32, bool)> {
        let nth = nth.to_string();
        let lasting: &[u8] = match fault {
            Fault::Once => b"0",
            Fault::Lasting => b"1",
        };
        let mut left = [0; 16];
        // From here on nothing may enter the kernel but the call.
        let armed = self.lasting.write_at(lasting, 0);
        let aimed = self.nth.write_at(nth.as_bytes(), 0);
        let value = call();
        let read = self.nth.read_at(&mut left, 0);
        let disarmed = self.disarm();
        armed.and(aimed).and(disarmed)?;
        let struck = match read {
            Ok(len) => left[..len].trim_ascii() == b"0",
            // The fault struck when this was read: it was still to come.
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => false,
            Err(error) => return Err(error.into()),
        };
        Ok((value, struck))
    }

    /// A fault that is left may strike a write, and is gone then.
    fn disarm(&self) -> io::Result<usize> {
        let _ = self.nth.write_at(b"0", 0);
        self.nth.write_at(b"0", 0)?;
        self.lasting.write_at(b"0", 0)
    }
}

fn open(name: &str) -> Outcome<File> {
    let path = format!("/proc/thread-self/{name}");
    let file = OpenOptions::new().read(true).write(true).open(&path);
    file.map_err(|e| Fail::new(format!("{path}: {e}")))
}
