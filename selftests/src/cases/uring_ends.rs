// SPDX-License-Identifier: GPL-2.0

//! Requests by io_uring that end otherwise than by being done, and what is left
//! of the memory of their registered buffers.

use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::{pause, with_parameters};
use crate::pagemap::{frames, is_anonymous};
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::process::Exit;
use crate::rw::{device_holds, fill_device, range};
use crate::sys::uring::{Request, Ring};
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::uring::{failed, fixed_request, request};

pub(crate) const CASES: &[Case] = &[
    race(
        "uring_cancel_ends_a_read_early",
        "the bytes so far, or EINTR",
        canceled,
    ),
    race(
        "uring_exits_with_a_read_in_flight",
        "nothing is left",
        exits,
    ),
    race(
        "uring_fixed_pages_stay_if_the_device_does_not_stop",
        "also when the buffer is given back",
        no_stop,
    )
    .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error"),
    Case::new(
        "enxio_for_uring_fixed_beyond_the_mask",
        "there is nothing to bounce with",
        out_of_reach,
    )
    .needs(Needs::Only(
        &[Leg::Reach],
        "all memory is within the device's reach",
    )),
];

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// A read that takes two jobs.
fn long_read(memory: &Mapping) -> Request {
    fixed_request(false, range(memory, 100, WINDOW), 0)
}

fn canceled(leg: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    fill_device(&device, 6)?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    memory.fill(0, 2 * PAGE, GUARD);
    // The channel is busy for longer than anybody waits here.
    let (hog, pair) = (Device::open()?, Pair::new(16 * PAGE, 7)?);
    let busy = pair.start(&hog)?;
    flight::wait_for_job(&hog)?;
    ring.register(&[range(&memory, 0, 2 * PAGE)])?;
    ring.submit(device.fd(), long_read(&memory))?;
    wait_for_requests(&mut ring, 2)?;
    ring.cancel(7, 8)?;
    let mut results = [ring.wait()?, ring.wait()?];
    results.sort_unstable();
    let [(read, result), (cancel, told)] = results;
    check((read, cancel) == (7, 8), "other requests than those")?;
    // It is told that the worker was, and how that ends it.
    let told_in_time = told == -libc::EALREADY || told == 0;
    let ended = result == -libc::EINTR || result == -libc::ECANCELED;
    // On a slow machine its turn came before the cancel: one job or both were done.
    let moved = !leg.counts_time() && [PAGE as i32 - 100, WINDOW as i32].contains(&result);
    let right = told_in_time && ended || moved;
    check(right, format!("cancel {told}, read {result}"))?;
    let end = 100 + result.max(0) as usize;
    pattern::verify_guard(&memory, 0, 100)?;
    pattern::verify_guard(&memory, end, 2 * PAGE - end)?;
    busy.join()?.succeeded(pair.len).map(drop)
}

/// Waits until so many requests are under way, or one of the ring has ended: on a slow
/// machine that may be before anybody looks.
fn wait_for_requests(ring: &mut Ring, count: u64) -> Outcome {
    for _ in 0..60_000 {
        if ring.has_ended() || counters::driver("requests")? >= count {
            return Ok(());
        }
        pause(1);
    }
    check(false, "the request was never made")
}

fn exits(_: Leg) -> Outcome {
    let device = Device::open()?;
    fill_device(&device, 8)?;
    flight::in_child(|| {
        let mut ring = Ring::new()?;
        let memory = Mapping::anonymous(2 * PAGE)?;
        ring.register(&[range(&memory, 0, 2 * PAGE)])?;
        ring.submit(device.fd(), long_read(&memory))?;
        ring.submit(device.fd(), request(false, range(&memory, 0, PAGE), 0))?;
        wait_for_requests(&mut ring, 2)?;
        // The end of the process is its end.
        std::mem::forget(ring);
        Ok(())
    })?;
    flight::wait_for_rest()?;
    device_holds(&device, &pattern::bytes(8, WINDOW))
}

fn no_stop(leg: Leg) -> Outcome {
    with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let device = Device::open()?;
        let mut frames = None;
        for _ in 0..10 {
            fill_device(&device, 9)?;
            frames = lose_pages(&device)?;
            if frames.is_some() {
                break;
            }
        }
        // On a slow machine jobs may always be over before anybody looks.
        let found = frames.is_some() || !leg.counts_time();
        check(found, "every job was over in time")?;
        let Some(frame) = frames else { return Ok(()) };
        // The ring, its buffers and the memory are gone; the device has the page.
        same("still there", is_anonymous(frame)?, true)?;
        pause(400);
        pci::unbind()?;
        flight::wait_until("the page is still there", || Ok(!is_anonymous(frame)?))?;
        pci::bind()
    })
}

/// A fixed read that is cancelled in a job which does not stop; the frame that
/// it goes to, if that is how it ended: with its process, which sees nothing of it.
fn lose_pages(device: &Device) -> Outcome<Option<u64>> {
    let frame = Mapping::shared(PAGE)?;
    let child = flight::child(|| cancel_fixed(device, &frame))?;
    match child.wait()? {
        Exit::Code(0) => Ok(None),
        Exit::KILLED => Ok(frame
            .read(0, 8)
            .first_chunk()
            .copied()
            .map(u64::from_ne_bytes)),
        exit => Err(Fail::new(format!("the child ended with {exit}"))),
    }
}

/// Says where the memory is, and does not come back if the device goes on with it.
fn cancel_fixed(device: &Device, frame: &Mapping) -> Outcome {
    let mut ring = Ring::new()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, GUARD);
    frame.write(0, &frames(&memory)?[0].to_ne_bytes());
    ring.register(&[range(&memory, 0, PAGE)])?;
    ring.submit(device.fd(), fixed_request(false, range(&memory, 0, 512), 0))?;
    flight::wait()?;
    pause(20);
    ring.cancel(7, 8)?;
    let results = [ring.wait()?, ring.wait()?];
    let told = results.contains(&(7, -libc::ENOTRECOVERABLE));
    check(!told, "it goes on with memory that may still change")
}

fn out_of_reach(_: Leg) -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    // More than what the device reaches: some of it must lie beyond.
    let memory = Mapping::anonymous(300 << 20)?;
    memory.fill(0, memory.len(), 1);
    for (page, frame) in frames(&memory)?.into_iter().enumerate() {
        if frame < 1 << 28 {
            continue;
        }
        let far = range(&memory, page * PAGE + 5, 100);
        ring.register(&[far])?;
        failed(&mut ring, &device, fixed_request(true, far, 0), libc::ENXIO)?;
        return failed(
            &mut ring,
            &device,
            fixed_request(false, far, 0),
            libc::ENXIO,
        );
    }
    check(false, "all memory is within reach")
}
