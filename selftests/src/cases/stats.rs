// SPDX-License-Identifier: GPL-2.0

//! Statistics of an open file: exact, and its own.

use std::fs;
use std::os::fd::AsRawFd;

use crate::abi::{pindma_result, pindma_stats, OUT_BOUNCED};
use crate::check::{check, same, Outcome};
use crate::counters;
use crate::device::{copy, seg, Device, PAGE, WINDOW};
use crate::flight::Pair;
use crate::leg::Leg;
use crate::pci;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new("stats_of_a_new_file_are_zero", "every one of them", fresh),
    case("stats_count_one_transfer_exactly", "one page, one job", one),
    case(
        "stats_count_both_directions",
        "bytes and calls of each",
        directions,
    ),
    case("stats_count_a_copy_exactly", "both sides", whole_copy),
    case(
        "stats_count_pages_touched",
        "a page for each that the range touches",
        touched,
    ),
    case(
        "stats_belong_to_the_file",
        "another open file counts its own",
        own,
    ),
    case(
        "duplicated_file_shares_stats",
        "it is the same open file",
        shared,
    ),
    case(
        "result_counts_pages_and_segments",
        "as the statistics do",
        result,
    ),
    case(
        "pages_in_a_row_are_merged",
        "a huge page makes few segments",
        merged,
    ),
    case(
        "bouncing_is_told",
        "in the result and in the statistics, or nowhere",
        bounced,
    ),
    case(
        "fdinfo_tells_what_stats_tell",
        "for whoever looks at a process from outside",
        fdinfo,
    ),
    case(
        "debugfs_sums_up_all_files_of_a_device",
        "closed ones among them",
        device_sum,
    ),
    case(
        "segments_fit_their_limit",
        "no segment is longer than info says",
        segment_limit,
    ),
];

/// Bytes of a huge page, which is longer than what can be bounced in one piece.
const HUGE: usize = 2 << 20;

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Every counter but those of bounces, which depend on the leg.
fn numbers(stats: &pindma_stats) -> [u64; 10] {
    [
        stats.out_calls,
        stats.out_windows,
        stats.out_jobs,
        stats.out_bytes_to_device,
        stats.out_bytes_from_device,
        stats.out_pages,
        stats.out_segments_unmerged,
        stats.out_segments,
        stats.out_pinned_pages,
        stats.out_lost_interrupts,
    ]
}

#[track_caller]
fn expect(device: &Device, want: [u64; 10]) -> Outcome {
    let got = numbers(&device.stats()?);
    check(got == want, format!("statistics are {got:?}, not {want:?}"))
}

fn fresh(_: Leg) -> Outcome {
    let device = Device::open()?;
    expect(&device, [0; 10])?;
    same("bounced", device.stats()?.out_bounced, 0)
}

fn one(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    device
        .to_device(0, &[seg(&memory, 0, PAGE)])
        .succeeded(PAGE)?;
    expect(&device, [1, 1, 1, WINDOW as u64, 0, 1, 1, 1, 0, 0])
}

fn directions(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    device
        .to_device(0, &[seg(&memory, 5, 100)])
        .succeeded(100)?;
    device
        .from_device(9, &[seg(&memory, 1000, 30)])
        .succeeded(30)?;
    device
        .from_device(9, &[seg(&memory, 2000, 3)])
        .succeeded(3)?;
    expect(&device, [3, 3, 3, 100, 33, 3, 3, 3, 0, 0])
}

fn whole_copy(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pair = Pair::new(PAGE, 1)?;
    pair.copy(&device).succeeded(PAGE)?;
    expect(
        &device,
        [1, 1, 2, WINDOW as u64, WINDOW as u64, 2, 2, 2, 0, 0],
    )
}

fn touched(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    for (offset, len, pages) in [(0, 1, 1), (PAGE - 1, 2, 2), (PAGE, PAGE, 1), (1, PAGE, 2)] {
        let before = device.stats()?;
        device
            .to_device(0, &[seg(&memory, offset, len)])
            .succeeded(len)?;
        let after = device.stats()?;
        same("pages", after.out_pages - before.out_pages, pages)?;
        let unmerged = after.out_segments_unmerged - before.out_segments_unmerged;
        same("segments before merging", unmerged, pages)?;
    }
    Ok(())
}

fn own(_: Leg) -> Outcome {
    let (first, second) = (Device::open()?, Device::open()?);
    let memory = Mapping::anonymous(PAGE)?;
    first.to_device(0, &[seg(&memory, 0, 10)]).succeeded(10)?;
    expect(&second, [0; 10])?;
    second.to_device(0, &[seg(&memory, 0, 20)]).succeeded(20)?;
    expect(&first, [1, 1, 1, 10, 0, 1, 1, 1, 0, 0])?;
    expect(&second, [1, 1, 1, 20, 0, 1, 1, 1, 0, 0])
}

fn shared(_: Leg) -> Outcome {
    let first = Device::open()?;
    let second = first.duplicate()?;
    let memory = Mapping::anonymous(PAGE)?;
    first.to_device(0, &[seg(&memory, 0, 10)]).succeeded(10)?;
    expect(&second, [1, 1, 1, 10, 0, 1, 1, 1, 0, 0])
}

fn result(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(5 * PAGE)?, Mapping::anonymous(5 * PAGE)?);
    let (from, to) = ([seg(&src, 1, 3 * PAGE)], [seg(&dst, 0, 3 * PAGE)]);
    let out = device.copy(copy(&from, &to)).succeeded(3 * PAGE)?;
    let stats = device.stats()?;
    same("pages", out.pages, 7)?;
    same("pages", stats.out_pages, 7)?;
    same("segments", out.segments, stats.out_segments)?;
    check(
        (2..=7).contains(&out.segments),
        format!("{} segments", out.segments),
    )
}

/// Copies 32 pages from one huge page to another.
fn copy_huge(device: &Device) -> Outcome<pindma_result> {
    let (src, from) = super::memory::huge_page()?;
    let (dst, to) = super::memory::huge_page()?;
    let len = 32 * PAGE;
    let call = device.copy(copy(&[seg(&src, from, len)], &[seg(&dst, to, len)]));
    call.succeeded(len)
}

fn merged(_: Leg) -> Outcome {
    let device = Device::open()?;
    let out = copy_huge(&device)?;
    same("pages", out.pages, 64)?;
    same("before merging", device.stats()?.out_segments_unmerged, 64)?;
    check(out.segments <= 8, format!("{} segments", out.segments))
}

fn bounced(leg: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(2 * PAGE)?;
    let out = device
        .to_device(0, &[seg(&memory, 1, PAGE)])
        .succeeded(PAGE)?;
    same("flag", out.flags & OUT_BOUNCED != 0, leg.bounces())?;
    let stats = device.stats()?;
    let want = if leg.bounces() { stats.out_segments } else { 0 };
    same("bounced segments", stats.out_bounced, want)
}

fn segment_limit(_: Leg) -> Outcome {
    let device = Device::open()?;
    let limit = device.info()?.out_max_segment_bytes;
    let (src, from) = super::memory::huge_page()?;
    let (dst, to) = super::memory::huge_page()?;
    let (src, dst) = ([seg(&src, from, HUGE)], [seg(&dst, to, HUGE)]);
    let mut request = copy(&src, &dst);
    // Both sides are mapped as a whole before anybody looks at the time.
    request.deadline = 0;
    let out = device.copy(request).refused(libc::ETIMEDOUT)?;
    let least = 2 * (HUGE as u64).div_ceil(limit);
    check(
        out.segments >= least,
        format!("{} segments of {limit}", out.segments),
    )
}

fn fdinfo(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    device
        .from_device(0, &[seg(&memory, 5, 100)])
        .succeeded(100)?;
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", device.fd().as_raw_fd()))?;
    let name = pci::address()?;
    check(
        text.contains(&format!("pindma-device:\t{name}\n")),
        format!("fdinfo is {text:?}"),
    )?;
    let stats = device.stats()?;
    for (name, want) in [
        ("jobs", stats.out_jobs),
        ("bytes_from_device", stats.out_bytes_from_device),
        ("pages", stats.out_pages),
        ("bounced", stats.out_bounced),
        ("pinned_pages", 0),
    ] {
        let got = counters::after(&text, &format!("pindma-{name}:"))?;
        same(name, got, want as i64)?;
    }
    Ok(())
}

/// A number of the device's file in debugfs.
pub(super) fn of_device(name: &str) -> Outcome<i64> {
    let path = format!("/sys/kernel/debug/pindma-{}/stats", pci::address()?);
    counters::after(
        &format!("\n{}", fs::read_to_string(path)?),
        &format!("\n{name} "),
    )
}

fn device_sum(_: Leg) -> Outcome {
    let before = (of_device("jobs")?, of_device("bytes_to_device")?);
    let memory = Mapping::anonymous(PAGE)?;
    let open = Device::open()?;
    same("open files", of_device("files")?, 1)?;
    open.to_device(0, &[seg(&memory, 0, 10)]).succeeded(10)?;
    let closed = Device::open()?;
    closed.to_device(0, &[seg(&memory, 0, 20)]).succeeded(20)?;
    drop(closed);
    same("jobs", of_device("jobs")?, before.0 + 2)?;
    same("bytes", of_device("bytes_to_device")?, before.1 + 30)?;
    same("failed", of_device("failed")?, 0)
}
