// SPDX-License-Identifier: GPL-2.0

//! fio with the job files that we ship: it writes, reads back and verifies.

use std::fs;
use std::process::{Command, Output, Stdio};

use super::stats::of_device;
use crate::check::{check, same, Fail, Outcome};
use crate::device::{Device, WINDOW};
use crate::ktap;
use crate::leg::Leg;
use crate::rw::{fill_device, pread, pwrite, range};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "fio_psync_verifies_what_it_wrote",
        "fio/psync.fio; each request pins its memory",
        psync,
    ),
    case(
        "fio_uring_verifies_what_it_wrote",
        "fio/uring.fio; each request pins its memory",
        uring,
    ),
    case(
        "fio_uring_fixedbufs_verifies_what_it_wrote",
        "fio/uring-fixed.fio; nothing is pinned for a request",
        uring_fixed,
    ),
    case(
        "fio_verify_fails_for_one_changed_byte",
        "fio/verify.fio, until it is as it was",
        changed,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run)
        .needs(Needs::Memory)
        .not_on_debug("only the stock kernel's machine has fio")
}

const PSYNC: &str = include_str!("../../fio/psync.fio");
const URING: &str = include_str!("../../fio/uring.fio");
const URING_FIXED: &str = include_str!("../../fio/uring-fixed.fio");
const VERIFY: &str = include_str!("../../fio/verify.fio");

/// Requests of each direction in a job, which are blocks of the device's memory.
const BLOCKS: i64 = 8;

/// Runs a job.
fn fio(job: &str) -> Outcome<Output> {
    fs::write("/tmp/job.fio", job)?;
    Command::new("/bin/fio")
        .arg("job.fio")
        .current_dir("/tmp")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Fail::new(format!("/bin/fio: {e}")))
}

/// What fio has printed, on both outputs.
fn text(output: &Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout);
    format!("{printed}{}", String::from_utf8_lossy(&output.stderr))
}

/// Fails, with what fio has printed, unless `words` are part of it and it has ended well or
/// badly, as is wanted.
#[track_caller]
fn expect(output: &Output, well: bool, words: &[&str]) -> Outcome {
    let text = text(output);
    let missing = words.iter().find(|words| !text.contains(**words));
    if output.status.success() == well && missing.is_none() {
        return Ok(());
    }
    text.lines().for_each(ktap::note);
    let status = output.status;
    Err(Fail::new(format!(
        "fio ended with {status}; missing: {missing:?}"
    )))
}

/// Runs a job that writes all of the device's memory and reads it back; how many pages the
/// driver has pinned for it. That the device has moved it all is what the driver says, not fio.
fn write_and_verify(job: &str) -> Outcome<i64> {
    // Jobs write the same bytes each time: none must find those of another.
    fill_device(&Device::open()?, 1)?;
    let numbers = || -> Outcome<[i64; 3]> {
        Ok([
            of_device("bytes_to_device")?,
            of_device("bytes_from_device")?,
            of_device("pages")?,
        ])
    };
    let before = numbers()?;
    let requests = format!("issued rwts: total={BLOCKS},{BLOCKS},0,0 short=0,0,0,0");
    expect(&fio(job)?, true, &["err= 0", &requests])?;
    let [to_device, from_device, pages] = numbers()?;
    same("bytes written", to_device - before[0], WINDOW as i64)?;
    same("bytes read", from_device - before[1], WINDOW as i64)?;
    Ok(pages - before[2])
}

fn pins_each(pages: i64) -> Outcome {
    check(pages >= 2 * BLOCKS, format!("{pages} pages pinned"))
}

fn psync(_: Leg) -> Outcome {
    pins_each(write_and_verify(PSYNC)?)
}

fn uring(_: Leg) -> Outcome {
    pins_each(write_and_verify(URING)?)
}

fn uring_fixed(_: Leg) -> Outcome {
    same("pages pinned", write_and_verify(URING_FIXED)?, 0)
}

/// Flips a bit in the middle of the second block, behind its header.
fn flip_a_bit(device: &Device) -> Outcome {
    let memory = Mapping::anonymous(1)?;
    let byte = range(&memory, 0, 1);
    pread(device, byte, 777).moved(1)?;
    memory.write(0, &[memory.read(0, 1)[0] ^ 1]);
    pwrite(device, byte, 777).moved(1)
}

fn changed(_: Leg) -> Outcome {
    write_and_verify(PSYNC)?;
    let device = Device::open()?;
    let requests = format!("issued rwts: total={BLOCKS},0,0,0 short=0,0,0,0");
    let well = ["err= 0", &requests];
    expect(&fio(VERIFY)?, true, &well)?;
    flip_a_bit(&device)?;
    let complaint = "crc32c: verify failed at file /dev/pindma0 offset 512,";
    expect(&fio(VERIFY)?, false, &[complaint])?;
    flip_a_bit(&device)?;
    expect(&fio(VERIFY)?, true, &well)
}
