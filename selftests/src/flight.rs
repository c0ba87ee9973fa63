// SPDX-License-Identifier: GPL-2.0

//! Calls in flight, and what happens to others meanwhile.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::abi::pindma_seg;
use crate::check::{check, Fail, Outcome};
use crate::counters;
use crate::device::{copy, seg, Call, Device};
use crate::module::pause;
use crate::os;
use crate::pattern;
use crate::process::{Exit, Process};
use crate::sys::{Mapping, Userfault};

/// A call that another thread makes.
pub(crate) struct Background(JoinHandle<Call>);

impl Background {
    /// Makes `call` in another thread.
    pub(crate) fn start(call: impl FnOnce() -> Call + Send + 'static) -> Background {
        Background(thread::spawn(call))
    }

    /// Copies in another thread, on the same open file.
    pub(crate) fn copy(device: &Device, src: pindma_seg, dst: pindma_seg) -> Outcome<Background> {
        let device = device.duplicate()?;
        let start = move || device.copy(copy(&[src], &[dst]));
        Ok(Background::start(start))
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for its end.
    pub(crate) fn join(self) -> Outcome<Call> {
        self.0.join().map_err(|_| Fail::new("the thread panicked"))
    }
}

/// Waits until the device works on something, for whomever.
pub(crate) fn wait() -> Outcome {
    let (mut mapped, mut looks) = (0, 0);
    for _ in 0..1000 {
        let now = counters::driver("mapped_segments")?;
        looks = if now == mapped { looks + 1 } else { 0 };
        mapped = now;
        // A copy maps its source and then its destination.
        if mapped > 0 && looks >= 2 {
            return Ok(());
        }
        pause(5);
    }
    // On a machine that stands still it may be over before anybody looks.
    // What a case does next then happens too late; its call tells.
    Ok(())
}

/// Waits until the device has been given a job by this open file: then all
/// memory of its window is pinned.
pub(crate) fn wait_for_job(device: &Device) -> Outcome {
    for _ in 0..60_000 {
        if device.stats()?.out_jobs > 0 {
            return Ok(());
        }
        pause(1);
    }
    Err(Fail::new("no job was ever started"))
}

/// Guest time, in ns, after which what has not happened never will: for hangs only.
const PATIENCE: i64 = 120_000_000_000;

/// Waits until something has happened; `complaint` is what to say if it does not.
#[track_caller]
pub(crate) fn wait_until(complaint: &str, mut happened: impl FnMut() -> Outcome<bool>) -> Outcome {
    let end = os::now() + PATIENCE;
    while !happened()? {
        check(os::now() < end, complaint)?;
        pause(1);
    }
    Ok(())
}

/// Waits until the device has been given so many jobs by this open file, or `child`
/// has ended, which says why.
pub(crate) fn wait_for_jobs(device: &Device, count: u64, child: &Process) -> Outcome {
    wait_until("so many jobs were never started", || {
        Ok(device.stats()?.out_jobs >= count || child.ended_within(Duration::ZERO)?)
    })
}

/// Waits until so many requests of this open file have ended, reaped or not.
pub(crate) fn wait_for_ends(device: &Device, count: u64) -> Outcome {
    for _ in 0..5000 {
        if device.stats()?.out_ended >= count {
            return Ok(());
        }
        pause(5);
    }
    Err(Fail::new(format!("no {count} requests have ended")))
}

/// Waits until somebody is stuck on a page that is missing.
pub(crate) fn wait_for_stuck(fault: &Userfault) -> Outcome {
    let stuck = os::readable_within(fault.fd(), Duration::from_secs(10))?;
    check(stuck, "the call did not get stuck")
}

/// Waits until the driver has nothing in hand any more.
pub(crate) fn wait_for_rest() -> Outcome {
    for _ in 0..2000 {
        if counters::driver("requests")? == 0 {
            return Ok(());
        }
        pause(5);
    }
    Err(Fail::new("a request never ended"))
}

/// A source full of a pattern and a destination full of guard bytes.
pub(crate) struct Pair {
    pub(crate) src: Mapping,
    pub(crate) dst: Mapping,
    pub(crate) len: usize,
    seed: u64,
}

impl Pair {
    pub(crate) fn new(len: usize, seed: u64) -> Outcome<Pair> {
        let (src, dst) = (Mapping::anonymous(len)?, Mapping::anonymous(len)?);
        pattern::write(&src, 0, len, seed);
        dst.fill(0, len, pattern::GUARD);
        Ok(Pair {
            src,
            dst,
            len,
            seed,
        })
    }

    pub(crate) fn segs(&self) -> (pindma_seg, pindma_seg) {
        (seg(&self.src, 0, self.len), seg(&self.dst, 0, self.len))
    }

    /// Copies it all, in this thread.
    pub(crate) fn copy(&self, device: &Device) -> Call {
        let (src, dst) = self.segs();
        device.copy(copy(&[src], &[dst]))
    }

    /// Starts to copy it all, in another thread.
    pub(crate) fn start(&self, device: &Device) -> Outcome<Background> {
        let (src, dst) = self.segs();
        Background::copy(device, src, dst)
    }

    /// Checks the first `bytes` of the destination.
    #[track_caller]
    pub(crate) fn verify(&self, bytes: u64) -> Outcome {
        check(
            bytes <= self.len as u64,
            format!("{bytes} of {} bytes", self.len),
        )?;
        pattern::verify(&self.dst, 0, bytes as usize, self.seed)
    }
}

/// Runs `body` in a child process.
pub(crate) fn child(body: impl FnOnce() -> Outcome) -> Outcome<Process> {
    let run = || match body() {
        Ok(()) => 0,
        Err(Fail(why)) => {
            crate::ktap::note(&format!("in a child: {why}"));
            1
        }
    };
    Ok(Process::fork(run)?)
}

/// Runs `body` in a child process, which must succeed.
pub(crate) fn in_child(body: impl FnOnce() -> Outcome) -> Outcome {
    finish(child(body)?)
}

/// Waits for a child, which must succeed.
#[track_caller]
pub(crate) fn finish(child: Process) -> Outcome {
    let exit = child.wait()?;
    check(
        exit == Exit::Code(0),
        format!("the child ended with {exit}"),
    )
}
