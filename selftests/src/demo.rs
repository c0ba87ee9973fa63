// SPDX-License-Identifier: GPL-2.0

//! `make demo`: a file through the device and back, and what that took.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::abi::{self, pindma_transfer};
use crate::boot::program;
use crate::card::Card;
use crate::check::{Fail, Outcome};
use crate::device::{seg, transfer, Device};
use crate::ktap::note;
use crate::leg::Leg;
use crate::load::{Load, AT_ONCE};
use crate::module;
use crate::pattern;
use crate::sys::Mapping;

const IN: &str = "/tmp/in";
const OUT: &str = "/tmp/out";

/// Bytes of edu's file: more than 1 MiB, and no round number.
const SMALL: usize = (1 << 20) + 13;
/// Bytes of the card's file, as much as it has memory.
const LARGE: usize = 64 << 20;

/// Shows the device of this leg.
pub(crate) fn run(leg: Leg) -> Outcome {
    // With as many jobs at a time as the card takes.
    let shown = if leg.is_fast() { Leg::XdmaSmp } else { leg };
    module::load(&module::parameters(shown))?;
    if leg.is_fast() {
        card()?;
    } else {
        edu()?;
    }
    module::unload()
}

fn edu() -> Outcome {
    fs::write(IN, pattern::bytes(7, SMALL))?;
    let status = program("/bin/pindma", &["copy", "--offset", "1", IN, OUT])?;
    note(&format!("demo: pindma copy ended with {status}"));
    let equal = fs::read(IN)? == fs::read(OUT).unwrap_or_default();
    let equal = if equal { "equal" } else { "NOT equal" };
    note(&format!("demo: the files are {equal}"));
    Ok(())
}

fn card() -> Outcome {
    through_all_channels()?;
    let digests = (digest(IN)?, digest(OUT)?);
    note(&format!("demo: SHA-256 of what went  {}", digests.0));
    note(&format!("demo: SHA-256 of what came  {}", digests.1));
    let equal = digests.0 == digests.1;
    let equal = if equal { "equal" } else { "NOT equal" };
    note(&format!("demo: the files are {equal}"));
    short_requests()?;
    let [violations, faults] = Card::find()?.counts(["violations", "faults"])?;
    note(&format!(
        "demo: violations {violations}: accesses outside of what was mapped"
    ));
    note(&format!(
        "demo: faults {faults}: rules of the engine that were broken"
    ));
    Ok(())
}

fn digest(path: &str) -> Outcome<String> {
    let mut busybox = Command::new("/bin/busybox");
    let said = busybox.args(["sha256sum", path]).output()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let sum = said.split_whitespace().next();
    sum.map(str::to_owned)
        .ok_or_else(|| Fail::new(format!("no digest of {path}")))
}

/// A file in memory.
fn mapped(file: &File) -> Outcome<Mapping> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    Ok(Mapping::new(
        LARGE,
        protection,
        libc::MAP_SHARED,
        Some(file.as_fd()),
    )?)
}

fn created(path: &str) -> Outcome<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(path)?;
    file.set_len(LARGE as u64)?;
    Ok(file)
}

/// The file goes from the pages of one to the card, and from there to those of another.
fn through_all_channels() -> Outcome {
    let channels = Device::open()?.info()?.out_channels as usize;
    let (from, to) = (mapped(&created(IN)?)?, mapped(&created(OUT)?)?);
    for at in (0..LARGE).step_by(1 << 20) {
        pattern::write(&from, at, 1 << 20, at as u64 + 7);
    }
    let mib = LARGE >> 20;
    note(&format!(
        "demo: {mib} MiB through {channels} channels at once"
    ));
    let there = on_all(channels, abi::TO_DEVICE, &from)?;
    let back = on_all(channels, abi::FROM_DEVICE, &to)?;
    for (way, took) in [("to the card", there), ("and back", back)] {
        let rate = mib as f64 / took.as_secs_f64();
        let took = took.as_millis();
        note(&format!("demo: {way:11} {took} ms, {rate:.0} MiB/s"));
    }
    Ok(())
}

/// Each channel moves its part of the memory; how long all took.
fn on_all(channels: usize, direction: u32, memory: &Mapping) -> Outcome<Duration> {
    let part = LARGE / channels;
    let ready = Barrier::new(channels + 1);
    thread::scope(|scope| {
        let running: Vec<_> = (0..channels)
            .map(|channel| {
                let ready = &ready;
                scope.spawn(move || {
                    let device = Device::open();
                    ready.wait();
                    let segs = [seg(memory, channel * part, part)];
                    let request = pindma_transfer {
                        channel: channel as u32,
                        ..transfer(direction, channel * part, &segs)
                    };
                    device?.transfer(request).succeeded(part).map(|_| ())
                })
            })
            .collect();
        ready.wait();
        let begin = Instant::now();
        for thread in running {
            let ended = thread.join();
            ended.map_err(|_| Fail::new("a thread panicked"))??;
        }
        Ok(begin.elapsed())
    })
}

/// Requests that are made on a channel, and how many with each call.
const REQUESTS: usize = 4000;
const EACH: usize = 8;

/// Requests of 4 KiB by handle: nothing is pinned or mapped for them.
fn short_requests() -> Outcome {
    let card = Card::find()?;
    let names = ["reads", "writes", "interrupts"];
    let before = card.counts(names)?;
    let took = busy(1)?;
    let after = card.counts(names)?;
    let rate = REQUESTS as f64 / took.as_secs_f64();
    note(&format!(
        "demo: {REQUESTS} requests of 4 KiB by handle, {AT_ONCE} in flight, {EACH} with a call: {rate:.0} a second"
    ));
    let each = |index: usize| (after[index] - before[index]) as f64 / REQUESTS as f64;
    note(&format!(
        "demo: for each, {:.2} reads and {:.2} writes of registers, {:.2} interrupts",
        each(0),
        each(1),
        each(2)
    ));
    let channels = Device::open()?.info()?.out_channels;
    let rate = f64::from(channels) * REQUESTS as f64 / busy(channels)?.as_secs_f64();
    note(&format!(
        "demo: on {channels} channels at once: {rate:.0} a second"
    ));
    Ok(())
}

/// Makes the requests on each of so many channels; how long that took.
fn busy(channels: u32) -> Outcome<Duration> {
    let loads: Vec<Load> = (0..channels).map(Load::new).collect::<Outcome<_>>()?;
    let begin = Instant::now();
    thread::scope(|scope| {
        let running: Vec<_> = loads
            .iter()
            .map(|load| scope.spawn(|| load.run(REQUESTS, EACH)))
            .collect();
        running.into_iter().try_for_each(|thread| {
            let ended = thread.join();
            ended.map_err(|_| Fail::new("a thread panicked"))?
        })
    })?;
    let took = begin.elapsed();
    loads.into_iter().try_for_each(Load::end)?;
    Ok(took)
}
