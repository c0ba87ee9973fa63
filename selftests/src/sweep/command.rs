// SPDX-License-Identifier: GPL-2.0

//! What the sweep needs to know of a command.

use crate::check::{check, errno_name, same, Outcome};
use crate::compare::{flat, Bench};
use crate::counters;
use crate::device::PAGE;
use crate::module::pause;
use crate::os;

/// How a call ended that was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It did what it is for.
    Passed,
    /// It failed with this errno, as it may.
    Failed(i32),
}

/// A command of the driver, on valid input.
pub(crate) trait Command {
    /// Makes everything ready for the next call.
    fn prepare(&mut self) -> Outcome;

    /// From now on calls find a device that was used before.  Only where tables
    /// grow at their first use does it matter that it was not.
    fn on_a_used_device(&mut self) {}

    /// The call: one system call and nothing besides, as a fault would strike
    /// that.  Returns the errno.
    fn call(&mut self) -> i32;

    /// Looks at how the call ended that gave this errno.
    fn judge(&mut self, errno: i32) -> Outcome<Ended>;

    /// How many files it holds open after it was judged.
    fn files(&self) -> u64 {
        0
    }

    /// Makes the same call without a fault, which must work, and lets go of
    /// everything.  Prepares it if that was not done.
    fn works(&mut self) -> Outcome;
}

/// An errno that a fault may lead to.
#[track_caller]
pub(crate) fn failed(errno: i32, allowed: &[i32]) -> Outcome<Ended> {
    check(
        allowed.contains(&errno),
        format!("{} is no errno of a fault", errno_name(errno)),
    )?;
    Ok(Ended::Failed(errno))
}

/// Fails unless the driver has nothing in hand but `files` open files.
pub(crate) fn at_rest(files: u64) -> Outcome {
    for name in counters::AT_REST {
        let want = if name == "files" { files } else { 0 };
        same(name, counters::driver(name)?, want)?;
    }
    same("VmPin in KiB", counters::pinned_kib("self")?, 0)
}

/// Waits until no pool is left: what worked for one lets go of it as the last.
pub(crate) fn wait_for_no_pool() -> Outcome {
    for _ in 0..100 {
        if counters::driver("pools")? == 0 {
            break;
        }
        pause(5);
    }
    Ok(())
}

/// Moves a page to the device and back.
pub(crate) fn round_trip() -> Outcome {
    Bench::new(1)?.round_trip(flat(PAGE))
}

/// Enough for everything that is pinned here.
const MEMLOCK: u64 = 64 << 20;

/// Makes the limit of locked memory apply to the caller, so that its pages are
/// charged and a charge that is not given back is seen.
pub(crate) fn live_within_memlock() -> Outcome {
    os::limit_memlock(MEMLOCK)?;
    Ok(os::drop_ipc_lock()?)
}
