// SPDX-License-Identifier: GPL-2.0

//! A device that does not stop when it is unbound.

use std::thread;

use crate::abi::{self, pindma_transfer};
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, transfer, Call, Device, PAGE};
use crate::flight::{self, Background, Pair};
use crate::gate;
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::os;
use crate::pattern;
use crate::pci::{self, Cleared};
use crate::queue::{ended, entry, untouched, Queue};
use crate::rw;
use crate::sys::{self, Mapping};
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    race(
        "unbind_leaks_what_the_device_does_not_let_go",
        "unbind ends, the call says ENOTRECOVERABLE",
        unbind,
    ),
    // Kills the mutant that takes this for a device that has left the bus.
    race(
        "enotrecoverable_when_registers_cannot_be_read",
        "the device is on the bus still, and may write",
        all_ones,
    ),
    race(
        "enotrecoverable_for_requests_of_a_device_that_does_not_stop",
        "the one at work, those in line, and every later one",
        request,
    ),
    race(
        "eio_for_a_read_that_the_device_has_not_begun_with",
        "its memory is not in danger",
        bystander,
    ),
    race(
        "eio_for_a_read_that_the_device_has_not_begun_with",
        "its memory is not in danger",
        bystander,
    ),
    // Kills the mutant that only says that the result could not be written.
    race(
        "enotrecoverable_when_the_result_cannot_be_written",
        "that memory may still change is told all the same",
        unwritable,
    ),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run)
        .needs(Needs::Race)
        .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error")
}

const PAGES: usize = 8;
const MS: i64 = 1_000_000;
const LEN: usize = PAGES * PAGE;

fn unbind(leg: Leg) -> Outcome {
    // A job takes 100 ms.
    with_parameters(leg, "stop_ms=1", || {
        for _ in 0..10 {
            let before = counters::pins_outstanding()?;
            unbind_in_a_job()?;
            if counters::driver("leaked_pages")? > 0 {
                leaked(before)?;
                return works_again();
            }
            // The device was between two jobs.
            works_again()?;
        }
        Err(Fail::new("the device was always idle"))
    })
}

/// Unbinds while a process copies.
fn unbind_in_a_job() -> Outcome {
    let device = Device::open()?;
    let child = flight::child(|| copy_until_unbound(&device))?;
    flight::wait()?;
    // The first job is under way, and far from its end.
    pause(20);
    pci::unbind()?;
    flight::finish(child)?;
    refuses(&device)
}

/// Copies as somebody whose pages are charged; what the call says and what
/// stays charged must agree.
fn copy_until_unbound(device: &Device) -> Outcome {
    os::limit_memlock(2 * LEN as u64)?;
    os::drop_ipc_lock()?;
    let pair = Pair::new(LEN, 1)?;
    let call = pair.copy(device);
    let charged = counters::pinned_kib("self")?;
    // The device may write to it still.
    std::mem::forget(pair);
    check(call.errno == 0, call)?;
    let leaked = match -call.out.status {
        libc::ENOTRECOVERABLE => LEN,
        libc::ENODEV => 0,
        _ => return Err(Fail::new(call)),
    };
    same("VmPin in KiB", charged, (leaked / 1024) as i64)
}

/// A file whose device is gone for good.
fn refuses(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    let call = device.to_device(0, &[seg(&memory, 0, 64)]);
    let errno = errno_name(call.errno);
    same("the next call", errno, errno_name(libc::ENODEV))
}

/// The side of the copy that the device had in hand is leaked, with its
/// charge; the other was given back, although the process has ended.
fn leaked(before: i64) -> Outcome {
    let held = (counters::pins_outstanding()? - before) as u64;
    same("pins that stay", held, PAGES as u64)?;
    for name in ["leaked_pages", "pinned_pages", "charged_pages"] {
        same(name, counters::driver(name)?, held)?;
    }
    same("requests", counters::driver("requests")?, 0)?;
    gate::declare_leak(held)
}

/// When its job is over the device can be bound again.
fn works_again() -> Outcome {
    pause(400);
    pci::bind()?;
    module::wait_for_node(true)?;
    let pair = Pair::new(PAGE, 2)?;
    pair.copy(&Device::open()?).succeeded(PAGE)?;
    pair.verify(PAGE as u64)
}

fn all_ones(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        let call = lose_registers(Device::transfer)?;
        same("errno", errno_name(call.errno), errno_name(0))?;
        let status = errno_name(-call.out.status);
        same("status", status, errno_name(libc::ENOTRECOVERABLE))?;
        same("bytes", call.out.bytes, 0)?;
        proved_at_last(before)
    })
}

fn unwritable(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        let memory = Mapping::anonymous(PAGE)?;
        let call = lose_registers(move |device, request| {
            memory.write(0, &sys::bytes_of(&request));
            let sealed = memory.protect(0, PAGE, libc::PROT_READ);
            let call = || sys::ioctl_at(device.fd(), abi::PINDMA_TRANSFER, memory.addr(0));
            Call {
                errno: errno_of(sealed.and_then(|()| call())),
                out: request.out,
            }
        })?;
        let errno = errno_name(call.errno);
        same("errno", errno, errno_name(libc::ENOTRECOVERABLE))?;
        proved_at_last(before)
    })
}

fn bystander(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        let device = Device::open()?;
        let memory = Mapping::anonymous(PAGE)?;
        let same_file = device.duplicate()?;
        let reader = thread::spawn(move || reads_in_line(&same_file));
        let segs = [seg(&memory, 0, PAGE)];
        let call = lose_registers_of(&device, transfer(abi::FROM_DEVICE, 0, &segs))?;
        // The device may write to it still.
        std::mem::forget(memory);
        let status = errno_name(-call.out.status);
        same("status", status, errno_name(libc::ENOTRECOVERABLE))?;
        let read = reader.join();
        read.map_err(|_| Fail::new("the thread panicked"))??;
        proved_at_last(before)
    })
}

/// A read that waits for the device, which works for somebody else and does not stop.
fn reads_in_line(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, pattern::GUARD);
    flight::wait_for_job(device)?;
    rw::pread(device, rw::range(&memory, 0, 512), 0).failed(libc::EIO)?;
    pattern::verify_guard(&memory, 0, PAGE)
}

/// When its job is over, and its registers are back, the device can be proved to be
/// idle.
pub(crate) fn proved_at_last(before: i64) -> Outcome {
    pause(400);
    pci::unbind()?;
    same("pins", counters::pins_outstanding()?, before)?;
    works_again()
}

/// A transfer whose deadline comes in the middle of its job, when the registers
/// cannot be read; how that ended.
fn lose_registers(
    call: impl FnOnce(&Device, pindma_transfer) -> Call + Send + 'static,
) -> Outcome<Call> {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let segs = [seg(&memory, 0, PAGE)];
    let outcome = lose_registers_in(&device, transfer(abi::FROM_DEVICE, 0, &segs), call);
    // The device may write to it still.
    std::mem::forget(memory);
    outcome
}

/// The same for a request of whoever calls, who keeps its memory.
pub(crate) fn lose_registers_of(device: &Device, request: pindma_transfer) -> Outcome<Call> {
    lose_registers_in(device, request, Device::transfer)
}

fn lose_registers_in(
    device: &Device,
    mut request: pindma_transfer,
    call: impl FnOnce(&Device, pindma_transfer) -> Call + Send + 'static,
) -> Outcome<Call> {
    let device = device.duplicate()?;
    let caller = device.duplicate()?;
    let background = Background::start(move || {
        request.deadline = os::now() + 60 * MS;
        call(&caller, request)
    });
    flight::wait_for_job(&device)?;
    // The job is under way, and far from its end.
    pause(20);
    let off = Cleared::registers()?;
    let call = background.join()?;
    drop(off);
    Ok(call)
}

fn request(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        cancel_without_registers()?;
        // The job is over, and the registers are back: now it can be proved.
        pause(400);
        pci::unbind()?;
        same("pins", counters::pins_outstanding()?, before)?;
        works_again()
    })
}

/// Cancels a request in the middle of its job, when the registers cannot be read.
fn cancel_without_registers() -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let of = |name: usize| {
        let seg = seg(&memory, name * PAGE, PAGE);
        entry(name as u64, abi::FROM_DEVICE, 0, seg)
    };
    queue.submit(&device, &[of(0), of(1)]).all(2)?;
    flight::wait_for_job(&device)?;
    let off = Cleared::registers()?;
    check(queue.cancel(0) == Ok(1), "cancel")?;
    let ends = queue.reap(2);
    drop(off);
    let ends = ends?;
    ended(&ends[0], 0, libc::ENOTRECOVERABLE)?;
    same("bytes", ends[0].bytes, 0)?;
    check(ends[0].flags & abi::OUT_STARTED != 0, "not started")?;
    untouched(&ends[1], 1, libc::ENOTRECOVERABLE)?;
    same("pages leaked", counters::driver("leaked_pages")?, 1)?;
    queue
        .submit(&device, &[of(2)])
        .only(0, libc::ENOTRECOVERABLE)?;
    let errno = device.command(abi::PINDMA_QUEUE_CREATE, &mut crate::queue::ask(1));
    let errno = errno_name(errno);
    same("create", errno, errno_name(libc::ENOTRECOVERABLE))?;
    // The device may write to it still.
    std::mem::forget(memory);
    Ok(())
}
