// SPDX-License-Identifier: GPL-2.0

//! Mappings of files, and memory that may only be read.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;

use crate::abi;
use crate::check::{same, Outcome};
use crate::compare::{flat, Bench};
use crate::device::{copy, seg, Device, PAGE};
use crate::leg::Leg;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "shared_file_mapping_works",
        "tmpfs; what arrives is in the file",
        shared,
    ),
    case(
        "private_file_mapping_works",
        "the file keeps its content",
        private,
    ),
    // Kills the mutant that pins with FOLL_WRITE always.
    case(
        "read_only_memory_works_as_source",
        "mprotect'ed anonymous memory",
        ro_source,
    ),
    // Kills the mutant that pins with FOLL_WRITE always.
    case(
        "read_only_file_works_as_source",
        "opened and mapped read-only",
        ro_file,
    ),
    case(
        "source_pages_are_not_copied",
        "a private file page stays the file's",
        no_cow,
    ),
    Case::new(
        "efault_for_read_only_destination",
        "with its address",
        ro_destination,
    ),
    Case::new(
        "efault_for_read_only_file_as_destination",
        "not writable at all",
        ro_file_dst,
    ),
    case(
        "efault_for_destination_that_turns_read_only",
        "two pages in",
        ro_part,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;
const LEN: usize = 5 * PAGE;

/// A file on tmpfs with a pattern in it.
fn file(name: &str, seed: u64) -> Outcome<File> {
    let path = format!("/tmp/{name}");
    fs::write(&path, pattern::bytes(seed, LEN))?;
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

fn map(file: &File, protection: i32, flags: i32) -> Outcome<Mapping> {
    Ok(Mapping::new(LEN, protection, flags, Some(file.as_fd()))?)
}

fn shared(_: Leg) -> Outcome {
    let src = map(&file("src", 1)?, READ_WRITE, libc::MAP_SHARED)?;
    let dst = map(&file("dst", 2)?, READ_WRITE, libc::MAP_SHARED)?;
    let mut bench = Bench::with(src, dst)?;
    bench.round_trip(flat(PAGE))?;
    bench.copy(9, 4001, 2 * PAGE + 5)?;
    pattern::expect(&fs::read("/tmp/dst")?, &bench.dst.read(0, LEN))
}

fn private(_: Leg) -> Outcome {
    let src = map(&file("src", 1)?, READ_WRITE, libc::MAP_PRIVATE)?;
    let dst = map(&file("dst", 2)?, READ_WRITE, libc::MAP_PRIVATE)?;
    let mut bench = Bench::with(src, dst)?;
    bench.copy(9, 4001, 2 * PAGE + 5)?;
    pattern::expect(&fs::read("/tmp/src")?, &pattern::bytes(1, LEN))?;
    pattern::expect(&fs::read("/tmp/dst")?, &pattern::bytes(2, LEN))
}

/// Copies it all out of `src` and checks that the pattern `seed` arrives.
fn as_source(src: &Mapping, seed: u64) -> Outcome {
    let device = Device::open()?;
    let dst = Mapping::anonymous(LEN)?;
    let call = device.copy(copy(&[seg(src, 0, LEN)], &[seg(&dst, 0, LEN)]));
    call.succeeded(LEN)?;
    pattern::verify(&dst, 0, LEN, seed)
}

fn ro_source(_: Leg) -> Outcome {
    let src = Mapping::anonymous(LEN)?;
    pattern::write(&src, 0, LEN, 8);
    src.protect(0, LEN, libc::PROT_READ)?;
    as_source(&src, 8)
}

fn ro_file(_: Leg) -> Outcome {
    file("src", 3)?;
    let read_only = File::open("/tmp/src")?;
    as_source(&map(&read_only, libc::PROT_READ, libc::MAP_SHARED)?, 3)?;
    as_source(&map(&read_only, libc::PROT_READ, libc::MAP_PRIVATE)?, 3)
}

fn no_cow(_: Leg) -> Outcome {
    use std::os::unix::fs::FileExt;
    let file = file("src", 3)?;
    let src = map(&file, READ_WRITE, libc::MAP_PRIVATE)?;
    as_source(&src, 3)?;
    // A page that was never written still shows what comes into the file.
    file.write_all_at(&pattern::bytes(4, LEN), 0)?;
    pattern::verify(&src, 0, LEN, 4)
}

/// A transfer of 100 bytes into `dst` at `offset` must fail there.
fn refused_at(dst: &Mapping, offset: usize) -> Outcome {
    let device = Device::open()?;
    let call = device.from_device(0, &[seg(dst, offset, 100)]);
    let out = call.refused(libc::EFAULT)?;
    let flags = abi::OUT_FAULT | abi::OUT_FAULT_DST;
    same("flags", out.flags & flags, abi::OUT_FAULT)?;
    same("address", out.fault_addr, dst.addr(offset))?;
    same("index", out.fault_index, 0)?;
    same("pages pinned", out.pages_pinned, 0)
}

fn ro_destination(_: Leg) -> Outcome {
    let dst = Mapping::anonymous(LEN)?;
    pattern::write(&dst, 0, LEN, 8);
    dst.protect(0, LEN, libc::PROT_READ)?;
    refused_at(&dst, 0)?;
    refused_at(&dst, 777)?;
    pattern::verify(&dst, 0, LEN, 8)
}

fn ro_file_dst(_: Leg) -> Outcome {
    file("dst", 3)?;
    let read_only = File::open("/tmp/dst")?;
    for flags in [libc::MAP_SHARED, libc::MAP_PRIVATE] {
        let dst = map(&read_only, libc::PROT_READ, flags)?;
        refused_at(&dst, 0)?;
        pattern::verify(&dst, 0, LEN, 3)?;
    }
    Ok(())
}

fn ro_part(_: Leg) -> Outcome {
    let (src, dst) = (Mapping::anonymous(LEN)?, Mapping::anonymous(LEN)?);
    dst.fill(0, LEN, pattern::GUARD);
    dst.protect(2 * PAGE, PAGE, libc::PROT_READ)?;
    let (from, to) = ([seg(&src, 0, LEN - 50)], [seg(&dst, 50, LEN - 50)]);
    let out = Device::open()?
        .copy(copy(&from, &to))
        .refused(libc::EFAULT)?;
    let flags = abi::OUT_FAULT | abi::OUT_FAULT_DST;
    same("flags", out.flags & flags, flags)?;
    same("address", out.fault_addr, dst.addr(2 * PAGE))?;
    same("pages pinned", out.pages_pinned, 2)?;
    pattern::verify_guard(&dst, 0, LEN)
}
