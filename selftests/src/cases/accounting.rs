// SPDX-License-Identifier: GPL-2.0

//! What the kernel allocates for a call: on whose account, and that it is given
//! back.
//!
//! The caller lives in a memory cgroup of its own, so that nobody else's
//! allocations are counted.

use crate::cgroup::Cgroup;
use crate::check::{check, Outcome};
use crate::device::{copy, seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::{pause, with_parameters};
use crate::process::Process;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    // Kills the mutant that allocates on nobody's account.
    case(
        "kernel_memory_of_a_call_is_charged_to_its_cgroup",
        "a copy of 2 x 256 MiB takes at least 1 MiB",
        charged,
    ),
    // Kills mutants that leak a table: the debug kernel's kmemleak aside, only
    // this sees them.
    case(
        "kernel_memory_of_a_call_is_given_back",
        "by 200 copies of 1024 segments each",
        given_back,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run)
        .needs(Needs::Only(&[Leg::Direct], "the same on every leg"))
        .not_on_debug("it has no memory cgroups")
}

const MIB: usize = 1 << 20;

fn charged(leg: Leg) -> Outcome {
    // All of it in one window, and no limit before that.
    with_parameters(
        leg,
        "window_kib=1048576 max_pinned_pages=1000000 max_file_pages=1000000",
        || {
            let (cgroup, device) = (Cgroup::new("charged")?, Device::open()?);
            let child = flight::child(|| {
                cgroup.enter()?;
                let memory = Mapping::anonymous(MIB)?;
                memory.fill(0, MIB, 1);
                let segs = vec![seg(&memory, 0, MIB); 256];
                check(false, device.copy(copy(&segs, &segs)))
            })?;
            let outcome = watch(&cgroup, &device);
            end(child)?;
            outcome
        },
    )
}

/// The lists of the pages alone are 2 x 65536 pointers; without them the child has
/// about a tenth of that.
fn watch(cgroup: &Cgroup, device: &Device) -> Outcome {
    flight::wait_for_job(device)?;
    cgroup.wait(|bytes| bytes >= MIB as i64)
}

fn end(child: Process) -> Outcome {
    child.kill()?;
    child.wait()?;
    flight::wait_for_rest()
}

fn given_back(_: Leg) -> Outcome {
    let (cgroup, device) = (Cgroup::new("given-back")?, Device::open()?);
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    // No two segments are merged: each takes its place in a table.
    let segs = vec![seg(&memory, 0, 1); 1024];
    let mut request = copy(&segs, &segs);
    // It ends when all is mapped.
    request.deadline = 0;
    let call = || device.copy(request).refused(libc::ETIMEDOUT).map(drop);
    cgroup.enter()?;
    call()?;
    // Long enough for the kernel to have counted it.
    pause(3_000);
    let before = cgroup.kernel_memory()?;
    for _ in 0..200 {
        call()?;
    }
    pause(3_000);
    let more = cgroup.kernel_memory()? - before;
    check(
        more < MIB as i64,
        format!("{more} bytes are not given back"),
    )
}
