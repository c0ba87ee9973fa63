// SPDX-License-Identifier: GPL-2.0

//! The end of a process while the device works for it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::check::{check, same, Fail, Outcome};
use crate::device::{errno_of, seg, Device, PAGE};
use crate::flight::{self, Background, Pair};
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::process::{self, Exit};
use crate::sys::{Mapping, Userfault};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "exit_during_dma_of_another_thread",
        "the process ends, nothing is left",
        exit,
    ),
    race(
        "exec_during_dma_of_another_thread",
        "the new program runs",
        exec,
    ),
    race(
        "kill_9_while_stuck_in_a_page_fault",
        "userfaultfd that nobody resolves",
        stuck,
    ),
    race(
        "memory_reused_after_kill_is_not_written",
        "the device is done with it",
        reuse,
    ),
    Case::new(
        "rmmod_of_an_open_device_is_refused",
        "EAGAIN, and the file works on",
        busy,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

const LEN: usize = 16 * PAGE;

fn exit(_: Leg) -> Outcome {
    let child = flight::child(|| {
        let pair = Pair::new(LEN, 1)?;
        let _running = pair.start(&Device::open()?)?;
        flight::wait()?;
        pause(120);
        // Returning ends the process, and with it the other thread.
        std::mem::forget(pair);
        Ok(())
    })?;
    flight::finish(child)?;
    flight::wait_for_rest()
}

fn exec(_: Leg) -> Outcome {
    flight::in_child(|| {
        let pair = Pair::new(LEN, 2)?;
        let device = Device::open()?;
        os::keep_across_exec(device.fd())?;
        let _running = pair.start(&device)?;
        flight::wait()?;
        let error = Command::new("/bin/busybox").arg("true").exec();
        Err(Fail::new(error))
    })?;
    flight::wait_for_rest()
}

fn stuck(_: Leg) -> Outcome {
    let child = flight::child(|| {
        let missing = Mapping::anonymous(PAGE)?;
        let fault = Userfault::register(&missing)?;
        let segs = [seg(&missing, 0, 100)];
        let device = Device::open()?;
        let call = Background::start(move || device.from_device(0, &segs));
        flight::wait_for_stuck(&fault)?;
        process::kill_self()?;
        call.join().map(drop)
    })?;
    same("child", child.wait()?, Exit::KILLED)
}

fn reuse(_: Leg) -> Outcome {
    let child = flight::child(|| {
        let pair = Pair::new(LEN, 3)?;
        pair.copy(&Device::open()?).succeeded(LEN).map(drop)
    })?;
    flight::wait()?;
    // Somewhere on the way out of the device.
    pause(150);
    child.kill()?;
    child.wait()?;
    // The freed pages come back here; the device must not write to them.
    let memory = Mapping::anonymous(512 * PAGE)?;
    memory.fill(0, memory.len(), crate::pattern::GUARD);
    pause(300);
    crate::pattern::verify_guard(&memory, 0, memory.len())
}

fn busy(_: Leg) -> Outcome {
    let device = Device::open()?;
    let errno = errno_of(os::unload_module("pindma"));
    let refused = errno == libc::EAGAIN || errno == libc::EBUSY;
    check(refused, format!("rmmod of an open device: errno {errno}"))?;
    device.info().map(drop)
}
