// SPDX-License-Identifier: GPL-2.0

//! Kinds of memory that belong to no file of a file system.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{MemfdFlags, SealFlags};

use crate::check::{check, Outcome};
use crate::compare::{flat, Bench, Shape};
use crate::device::{copy, seg, Device, PAGE, WINDOW};
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "anonymous_memory_works",
        "private, touched and untouched",
        anonymous,
    ),
    case(
        "untouched_destination_works",
        "no page of it exists before",
        untouched,
    ),
    case(
        "untouched_source_reads_as_zeroes",
        "the zero page",
        zero_page,
    ),
    case("shared_anonymous_memory_works", "MAP_SHARED", shared),
    case(
        "transparent_huge_pages_work",
        "2 MiB, across its 4 KiB pages",
        thp,
    ),
    case(
        "hugetlb_2_mib_works",
        "across the pages of one and over two",
        hugetlb,
    ),
    case("hugetlb_memfd_works", "shared huge pages", hugetlb_memfd),
    Case::new(
        "hugetlb_1_gib_works",
        "at the start, the middle and the end",
        gigantic,
    )
    .needs(Needs::Only(
        &[Leg::Wide],
        "only this machine has a page of 1 GiB",
    )),
    case("memfd_works", "shared, and seen by read(2)", memfd),
    case(
        "memfd_seen_through_another_mapping",
        "one file, two mappings",
        memfd_twice,
    ),
    case("sealed_memfd_works_as_source", "F_SEAL_WRITE", sealed),
    case("stack_memory_works", "a local variable of ours", stack),
    case(
        "locked_memory_works",
        "mlock'ed memory is charged elsewhere",
        locked,
    ),
    case(
        "memory_without_read_ahead_works",
        "MADV_RANDOM and MADV_HUGEPAGE off",
        no_thp,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;
/// Bytes of a huge page.
const HUGE: usize = 2 << 20;
/// A length over several pages that is no multiple of anything.
const ODD: usize = 3 * PAGE + 77;

/// A round trip and a copy.
fn both(bench: &mut Bench) -> Outcome {
    bench.round_trip(flat(WINDOW))?;
    bench.copy(5, 3, ODD)
}

fn anonymous(_: Leg) -> Outcome {
    both(&mut Bench::new(5)?)
}

fn untouched(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(5 * PAGE)?, Mapping::anonymous(5 * PAGE)?);
    pattern::write(&src, 0, ODD, 3);
    let call = device.copy(copy(&[seg(&src, 0, ODD)], &[seg(&dst, 100, ODD)]));
    call.succeeded(ODD)?;
    pattern::verify(&dst, 100, ODD, 3)?;
    pattern::expect(&dst.read(0, 100), &[0; 100])
}

fn zero_page(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(2 * PAGE)?, Mapping::anonymous(2 * PAGE)?);
    dst.fill(0, 2 * PAGE, pattern::GUARD);
    // Read but never written, so that the zero page is mapped.
    pattern::expect(&src.read(0, 2 * PAGE), &[0; 2 * PAGE])?;
    let (from, to) = ([seg(&src, 0, 2 * PAGE)], [seg(&dst, 0, 2 * PAGE)]);
    device.copy(copy(&from, &to)).succeeded(2 * PAGE)?;
    pattern::expect(&dst.read(0, 2 * PAGE), &[0; 2 * PAGE])
}

fn shared(_: Leg) -> Outcome {
    let (src, dst) = (Mapping::shared(5 * PAGE)?, Mapping::shared(5 * PAGE)?);
    both(&mut Bench::with(src, dst)?)
}

/// Memory whose second half is surely a huge page, or an error.
pub(crate) fn huge_page() -> Outcome<(Mapping, usize)> {
    // The kernel switches them off by itself where there is little memory.
    fs::write("/sys/kernel/mm/transparent_hugepage/enabled", "madvise")?;
    let mapping = Mapping::anonymous(2 * HUGE)?;
    mapping.advise(0, 2 * HUGE, libc::MADV_HUGEPAGE)?;
    let start = (mapping.addr(0) as usize).next_multiple_of(HUGE) - mapping.addr(0) as usize;
    mapping.fill(start, HUGE, 0);
    let text = fs::read_to_string("/proc/self/smaps")?;
    let huge = text.lines().any(|line| {
        line.starts_with("AnonHugePages:") && crate::counters::after(line, ":").unwrap_or(0) > 0
    });
    check(huge, "the kernel gave no huge page")?;
    Ok((mapping, start))
}

fn thp(_: Leg) -> Outcome {
    let (src, from) = huge_page()?;
    let (dst, to) = huge_page()?;
    let mut bench = Bench::with(src, dst)?;
    bench.round_trip(Shape {
        from: from + 4000,
        to: to + 100,
        len: WINDOW,
        dev: 0,
    })?;
    bench.copy(from + HUGE - ODD, to + 1, ODD)
}

/// Huge pages of the kernel's pool, given back when dropped.
pub(crate) struct HugePool;

impl HugePool {
    const FILE: &'static str = "/proc/sys/vm/nr_hugepages";

    pub(crate) fn of(pages: u32) -> Outcome<HugePool> {
        fs::write("/proc/sys/vm/compact_memory", "1")?;
        fs::write(HugePool::FILE, pages.to_string())?;
        let got: u32 = fs::read_to_string(HugePool::FILE)?.trim().parse()?;
        check(got >= pages, format!("{got} huge pages, not {pages}"))?;
        Ok(HugePool)
    }
}

impl Drop for HugePool {
    fn drop(&mut self) {
        let _ = fs::write(HugePool::FILE, "0");
    }
}

fn huge_mapping(len: usize, flags: i32, fd: Option<BorrowedFd<'_>>) -> Outcome<Mapping> {
    Ok(Mapping::new(len, READ_WRITE, flags, fd)?)
}

fn hugetlb(_: Leg) -> Outcome {
    let _pool = HugePool::of(4)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB;
    let src = huge_mapping(2 * HUGE, flags, None)?;
    let dst = huge_mapping(2 * HUGE, flags, None)?;
    let mut bench = Bench::with(src, dst)?;
    both(&mut bench)?;
    bench.copy(HUGE - 5000, HUGE - 7001, ODD)
}

fn hugetlb_memfd(_: Leg) -> Outcome {
    let _pool = HugePool::of(2)?;
    let map = || {
        let file = os::memfd(HUGE, MemfdFlags::HUGETLB)?;
        huge_mapping(HUGE, libc::MAP_SHARED, Some(file.as_fd()))
    };
    let mut bench = Bench::with(map()?, map()?)?;
    both(&mut bench)?;
    bench.copy(HUGE - ODD, 4095, ODD)
}

fn gigantic(_: Leg) -> Outcome {
    const GIGA: usize = 1 << 30;
    let size = 30 << libc::MAP_HUGE_SHIFT;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB | size;
    let giant = huge_mapping(GIGA, flags, None)?;
    let device = Device::open()?;
    let small = Mapping::anonymous(5 * PAGE)?;
    for (seed, start) in [(1, 0), (2, GIGA / 2 - 4000), (3, GIGA - ODD)] {
        pattern::write(&small, 0, ODD, seed);
        let (from, to) = ([seg(&small, 0, ODD)], [seg(&giant, start, ODD)]);
        device.copy(copy(&from, &to)).succeeded(ODD)?;
        pattern::verify(&giant, start, ODD, seed)?;
        small.fill(0, ODD, pattern::GUARD);
        device.copy(copy(&to, &from)).succeeded(ODD)?;
        pattern::verify(&small, 0, ODD, seed)?;
    }
    Ok(())
}

fn memfd_mapping(len: usize) -> Outcome<(std::fs::File, Mapping)> {
    let file = os::memfd(len, MemfdFlags::empty())?;
    let mapping = Mapping::new(len, READ_WRITE, libc::MAP_SHARED, Some(file.as_fd()))?;
    Ok((file.into(), mapping))
}

fn memfd(_: Leg) -> Outcome {
    use std::os::unix::fs::FileExt;
    let (_, src) = memfd_mapping(5 * PAGE)?;
    let (file, dst) = memfd_mapping(5 * PAGE)?;
    let mut bench = Bench::with(src, dst)?;
    both(&mut bench)?;
    let mut seen = vec![0; ODD];
    file.read_exact_at(&mut seen, 3)?;
    pattern::expect(&seen, &bench.dst.read(3, ODD))
}

fn memfd_twice(_: Leg) -> Outcome {
    let (file, first) = memfd_mapping(2 * PAGE)?;
    let second = Mapping::new(2 * PAGE, READ_WRITE, libc::MAP_SHARED, Some(file.as_fd()))?;
    let device = Device::open()?;
    let src = Mapping::anonymous(2 * PAGE)?;
    pattern::write(&src, 0, 2 * PAGE, 9);
    let call = device.copy(copy(&[seg(&src, 0, 2 * PAGE)], &[seg(&first, 0, 2 * PAGE)]));
    call.succeeded(2 * PAGE)?;
    pattern::verify(&second, 0, 2 * PAGE, 9)
}

fn sealed(_: Leg) -> Outcome {
    let file = os::memfd(PAGE, MemfdFlags::ALLOW_SEALING)?;
    {
        let writable = Mapping::new(PAGE, READ_WRITE, libc::MAP_SHARED, Some(file.as_fd()))?;
        pattern::write(&writable, 0, PAGE, 4);
    }
    os::seal(file.as_fd(), SealFlags::WRITE)?;
    let src = Mapping::new(PAGE, libc::PROT_READ, libc::MAP_SHARED, Some(file.as_fd()))?;
    let dst = Mapping::anonymous(PAGE)?;
    let device = Device::open()?;
    device.to_device(0, &[seg(&src, 0, PAGE)]).succeeded(PAGE)?;
    device
        .from_device(0, &[seg(&dst, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(&dst, 0, PAGE, 4)
}

fn stack(_: Leg) -> Outcome {
    let device = Device::open()?;
    let mut source = [0; 300];
    source.copy_from_slice(&pattern::bytes(5, 300));
    let source = std::hint::black_box(source);
    let dst = Mapping::anonymous(PAGE)?;
    let from = [crate::device::seg_at(source.as_ptr() as u64, 300)];
    device.to_device(7, &from).succeeded(300)?;
    device
        .from_device(7, &[seg(&dst, 11, 300)])
        .succeeded(300)?;
    pattern::verify(&dst, 11, 300, 5)
}

fn locked(_: Leg) -> Outcome {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_LOCKED;
    let map = || Mapping::new(5 * PAGE, READ_WRITE, flags, None);
    both(&mut Bench::with(map()?, map()?)?)
}

fn no_thp(_: Leg) -> Outcome {
    let mut bench = Bench::new(5)?;
    for mapping in [&bench.src, &bench.dst] {
        mapping.advise(0, 5 * PAGE, libc::MADV_NOHUGEPAGE)?;
        mapping.advise(0, 5 * PAGE, libc::MADV_RANDOM)?;
    }
    both(&mut bench)
}
