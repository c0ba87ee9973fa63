// SPDX-License-Identifier: GPL-2.0

//! A device that does not stop when it is unbound.

use std::io;
use std::mem::ManuallyDrop;
use std::thread;
use std::time::Duration;

use rustix::event::PollFlags;

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
use crate::queue::{ended, entry, entry_of, untouched, Queue};
use crate::rw;
use crate::sys::{self, Mapping, Userfault};
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
    )
    .needs(Needs::Memory),
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
        .stubborn()
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
            unbind_in_a_job(leg)?;
            if counters::driver("leaked_pages")? > 0 {
                leaked(before)?;
                return works_again();
            }
            // The device was between two jobs; on a slow machine they may always be over.
            works_again()?;
        }
        check(!leg.counts_time(), "the device was always idle")
    })
}

/// Unbinds while a process copies.
fn unbind_in_a_job(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let child = flight::child(|| copy_until_unbound(leg, &device))?;
    flight::wait_for_job(&device)?;
    // The first job is under way, and far from its end.
    pause(20);
    pci::unbind()?;
    flight::finish(child)?;
    refuses(&device)
}

/// Copies as somebody whose pages are charged; what the call says and what
/// stays charged must agree.
fn copy_until_unbound(leg: Leg, device: &Device) -> Outcome {
    os::limit_memlock(2 * LEN as u64)?;
    os::drop_ipc_lock()?;
    let pair = Pair::new(LEN, 1)?;
    let call = pair.copy(device);
    // The device may write to it still.
    std::mem::forget(pair);
    check(call.errno == 0, call)?;
    let leaked = match -call.out.status {
        libc::ENOTRECOVERABLE => LEN,
        libc::ENODEV => 0,
        // All of it was copied before.
        0 if !leg.counts_time() => 0,
        _ => return Err(Fail::new(call)),
    };
    // The call waits for what is given back, but not for ever.
    flight::wait_until("VmPin is not what is leaked", || {
        Ok(counters::pinned_kib("self")? == (leaked / 1024) as i64)
    })
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
    counters::pins_come_to(before + PAGES as i64)?;
    for name in ["leaked_pages", "pinned_pages", "charged_pages"] {
        counters::comes_to(name, PAGES as u64)?;
    }
    same("requests", counters::driver("requests")?, 0)?;
    gate::declare_leak(PAGES as u64)
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
        let Some(call) = lose_registers(leg, Device::transfer)? else {
            return Ok(());
        };
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
        let Some(call) = lose_registers(leg, transfer_unwritable)? else {
            return Ok(());
        };
        let errno = errno_name(call.errno);
        same("errno", errno, errno_name(libc::ENOTRECOVERABLE))?;
        proved_at_last(before)
    })
}

/// A transfer whose struct cannot be written any more when it ends.
fn transfer_unwritable(device: &Device, request: pindma_transfer) -> Call {
    let call = || {
        // The device may write to it still.
        let missing = ManuallyDrop::new(Mapping::anonymous(PAGE)?);
        let fault = Userfault::register(&missing)?;
        let segs = [seg(&missing, 0, PAGE)];
        let request = pindma_transfer {
            segs: segs.as_ptr() as u64,
            ..request
        };
        let memory = Mapping::anonymous(PAGE)?;
        memory.write(0, &sys::bytes_of(&request));
        thread::scope(|scope| {
            let transfer = || sys::ioctl_at(device.fd(), abi::PINDMA_TRANSFER, memory.addr(0));
            let transfer = scope.spawn(transfer);
            // Stuck there, it has found that the struct can be written.
            os::readable_within(fault.fd(), Duration::from_secs(10))?;
            memory.protect(0, PAGE, libc::PROT_READ)?;
            fault.resolve()?;
            let ended = transfer.join();
            ended.unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
        })
    };
    Call {
        errno: errno_of(call()),
        out: request.out,
    }
}

fn bystander(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let before = counters::pins_outstanding()?;
        let device = Device::open()?;
        let memory = Mapping::anonymous(PAGE)?;
        let same_file = device.duplicate()?;
        let reader = thread::spawn(move || reads_in_line(&same_file));
        let segs = [seg(&memory, 0, PAGE)];
        let request = transfer(abi::FROM_DEVICE, 0, &segs);
        let call = lose_registers_of(leg, &device, request)?;
        // The device may write to it still.
        std::mem::forget(memory);
        let call = call.ok_or_else(|| Fail::new("it was always too late"))?;
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
    counters::pins_come_to(before)?;
    works_again()
}

/// A way to make a transfer.
type Transfer = fn(&Device, pindma_transfer) -> Call;

/// A transfer whose deadline comes in the middle of its job, when the registers
/// cannot be read; how that ended. None if a slow machine was always too late.
fn lose_registers(leg: Leg, call: Transfer) -> Outcome<Option<Call>> {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let segs = [seg(&memory, 0, PAGE)];
    let request = transfer(abi::FROM_DEVICE, 0, &segs);
    let outcome = try_to_lose_registers(leg, &device, request, call);
    // The device may write to it still.
    std::mem::forget(memory);
    outcome
}

/// The same for a request of whoever calls, who keeps its memory.
pub(crate) fn lose_registers_of(
    leg: Leg,
    device: &Device,
    request: pindma_transfer,
) -> Outcome<Option<Call>> {
    try_to_lose_registers(leg, device, request, Device::transfer)
}

fn try_to_lose_registers(
    leg: Leg,
    device: &Device,
    request: pindma_transfer,
    transfer: Transfer,
) -> Outcome<Option<Call>> {
    for _ in 0..10 {
        let call = lose_registers_in(device, request, transfer)?;
        // It is told by one or the other.
        let told = [call.errno, -call.out.status];
        if leg.counts_time() || told.contains(&libc::ENOTRECOVERABLE) {
            return Ok(Some(call));
        }
    }
    Ok(None)
}

fn lose_registers_in(
    device: &Device,
    mut request: pindma_transfer,
    call: Transfer,
) -> Outcome<Call> {
    let caller = device.duplicate()?;
    let jobs = device.stats()?.out_jobs;
    let background = Background::start(move || {
        request.deadline = os::now() + 60 * MS;
        call(&caller, request)
    });
    // On a slow machine the deadline may come before the job.
    while device.stats()?.out_jobs == jobs && !background.is_over() {
        pause(1);
    }
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
        for _ in 0..10 {
            if cancel_without_registers(leg)? {
                break;
            }
        }
        // The job is over, and the registers are back: now it can be proved.
        pause(400);
        pci::unbind()?;
        counters::pins_come_to(before)?;
        works_again()
    })
}

/// Bytes of each job of a request that has many: each is in a page of its own.
const PART: usize = 512;

/// Cancels a request in the middle of a job, when the registers cannot be read; whether
/// it was in the middle of one: on a slow machine it may not be.
fn cancel_without_registers(leg: Leg) -> Outcome<bool> {
    let device = Device::open()?;
    let queue = Queue::create(&device, 4)?;
    let memory = Mapping::anonymous(LEN)?;
    let parts: Vec<_> = (0..PAGES)
        .map(|page| seg(&memory, page * PAGE, PART))
        .collect();
    let long = entry_of(0, abi::FROM_DEVICE, 0, &parts);
    let next = entry(1, abi::FROM_DEVICE, 0, parts[0]);
    queue.submit(&device, &[long, next]).all(2)?;
    flight::wait_for_job(&device)?;
    let off = Cleared::registers()?;
    let canceled = queue.cancel(0);
    let ends = queue.reap(2);
    drop(off);
    // The device may write to it still.
    std::mem::forget(memory);
    let ends = ends?;
    if !leg.counts_time() && ends[0].status != -libc::ENOTRECOVERABLE {
        return Ok(false);
    }
    check(canceled == Ok(1), "cancel")?;
    failed_at_work(&device, &ends)?;
    takes_nothing(&device, &queue, next)?;
    Ok(true)
}

/// The first request failed at work, and the second in line.
fn failed_at_work(device: &Device, ends: &[abi::pindma_completion]) -> Outcome {
    ended(&ends[0], 0, libc::ENOTRECOVERABLE)?;
    check(ends[0].flags & abi::OUT_STARTED != 0, "not started")?;
    // All but its last job were over.
    let done = (device.stats()?.out_jobs - 1) * PART as u64;
    same("bytes", ends[0].bytes, done)?;
    untouched(&ends[1], 1, libc::ENOTRECOVERABLE)?;
    let leaked = counters::driver("leaked_pages")?;
    same("pages leaked", leaked, PAGES as u64)
}

/// Neither a request nor another queue is taken, and nobody waits for what will not
/// come.
fn takes_nothing(device: &Device, queue: &Queue, next: abi::pindma_entry) -> Outcome {
    let submitted = queue.submit(device, &[next]);
    submitted.only(0, libc::ENOTRECOVERABLE)?;
    let errno = device.command(abi::PINDMA_QUEUE_CREATE, &mut crate::queue::ask(1));
    let errno = errno_name(errno);
    same("create", errno, errno_name(libc::ENOTRECOVERABLE))?;
    let polled = os::poll(queue.fd(), std::time::Duration::ZERO)?;
    check(polled.contains(PollFlags::HUP), format!("{polled:?}"))?;
    let errno = errno_name(errno_of(queue.read(PAGE)));
    same("read", errno, errno_name(libc::ENOTRECOVERABLE))?;
    let waited = queue.wait(1, 1, abi::DEADLINE_NONE);
    waited.nothing(libc::ENOTRECOVERABLE)
}
