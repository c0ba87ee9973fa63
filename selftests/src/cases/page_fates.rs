// SPDX-License-Identifier: GPL-2.0

//! What the kernel does with pages that nobody seems to need as they are: it merges them, gives zeroes
//! for them, swaps them out, moves them, copies them for a child, takes them from a file. The device
//! and the process go on with the same page.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::fs::MemfdFlags;

use crate::abi;
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{errno_of, seg, Device, PAGE, WINDOW};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module;
use crate::os;
use crate::pagemap;
use crate::pattern::{self, GUARD};
use crate::region::within;
use crate::rw::{device_holds, fill_device};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

use super::memory::{huge_page, HugePool};
use super::pool_guests::DISK;

pub(crate) const CASES: &[Case] = &[
    case(
        "merged_pages_are_parted_for_a_region",
        "KSM; of whatever access, and for a transfer that writes",
        merged,
    )
    .not_on_debug("it merges no pages"),
    case(
        "region_of_memory_never_written",
        "zeroes for the device, a page of its own for who writes",
        unwritten,
    ),
    case(
        "page_given_up_stays_with_a_region",
        "MADV_FREE and MADV_PAGEOUT after it was pinned",
        given_up,
    ),
    case(
        "swapped_page_comes_back",
        "for a transfer both ways and for a region; pinned, it is not swapped",
        swapped,
    )
    .not_on_debug("it has no disk"),
    case(
        "compaction_leaves_a_region_where_it_is",
        "with a transfer in flight",
        compacted,
    ),
    case(
        "soft_offline_of_a_pinned_page_changes_nothing",
        "it is refused, or the data is right",
        offlined,
    )
    .not_on_debug("it takes no pages offline"),
    race(
        "fork_leaves_a_huge_page_to_the_parent",
        "pinned by a region; whoever writes",
        forked,
    ),
    case(
        "hugetlb_file_is_truncated_under_a_region",
        "the device goes on with its page, which is given back in the end",
        truncated,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

const fn race(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Race)
}

/// The region's page and the process's are one: each sees what the other writes.
fn is_one(device: &Device, region: u32, memory: &Mapping) -> Outcome {
    pattern::write(memory, 0, PAGE, 71);
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(device, &pattern::bytes(71, WINDOW))?;
    fill_device(device, 72)?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(memory, 0, PAGE, 72)
}

/// What the device reads there now is what the process has written last.
fn is_read(device: &Device, region: u32, memory: &Mapping) -> Outcome {
    pattern::write(memory, 0, PAGE, 73);
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(device, &pattern::bytes(73, WINDOW))
}

// ---- merged ----

const MERGER: &str = "/sys/kernel/mm/ksm";

/// The kernel's merger of pages, which parts them all when dropped.
struct Merger;

impl Merger {
    fn begin() -> Outcome<Merger> {
        fs::write(format!("{MERGER}/sleep_millisecs"), "1")?;
        fs::write(format!("{MERGER}/pages_to_scan"), "1000")?;
        fs::write(format!("{MERGER}/run"), "1")?;
        Ok(Merger)
    }

    fn stop() -> Outcome {
        Ok(fs::write(format!("{MERGER}/run"), "0")?)
    }

    /// How many places show pages that are others' too.
    fn sharing() -> Outcome<u64> {
        let text = fs::read_to_string(format!("{MERGER}/pages_sharing"))?;
        Ok(text.trim().parse()?)
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        for what in ["2", "0"] {
            let _ = fs::write(format!("{MERGER}/run"), what);
        }
    }
}

fn merged(_: Leg) -> Outcome {
    const ALIKE: usize = 5;
    let device = Device::open()?;
    let pages: Vec<Mapping> = (0..ALIKE)
        .map(|_| Mapping::anonymous(PAGE))
        .collect::<Result<_, _>>()?;
    for page in &pages {
        pattern::write(page, 0, PAGE, 1);
        page.advise(0, PAGE, libc::MADV_MERGEABLE)?;
    }
    let merger = Merger::begin()?;
    flight::wait_until("the pages are not merged", || {
        Ok(Merger::sharing()? >= ALIKE as u64 - 1)
    })?;
    Merger::stop()?;
    let [both, read, once, as_source, last] = &pages[..] else {
        return check(false, "not so many pages");
    };
    device
        .to_device(0, &[seg(as_source, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(1, WINDOW))?;
    let written = device.register(&[seg(both, 0, PAGE)])?;
    is_one(&device, written, both)?;
    let only_read = device.register_for(abi::DEV_READ, &[seg(read, 0, PAGE)])?;
    is_read(&device, only_read, read)?;
    fill_device(&device, 9)?;
    device
        .from_device(0, &[seg(once, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(once, 0, PAGE, 9)?;
    for page in [as_source, last] {
        pattern::verify(page, 0, PAGE, 1)?;
    }
    drop(merger);
    is_one(&device, written, both)?;
    is_read(&device, only_read, read)
}

// ---- never written ----

fn unwritten(_: Leg) -> Outcome {
    let device = Device::open()?;
    let zeroes = [0; PAGE];
    for seen in [false, true] {
        let new = || -> Outcome<Mapping> {
            let memory = Mapping::anonymous(PAGE)?;
            if seen {
                // Now it is the page that all have who only read.
                pattern::expect(&memory.read(0, PAGE), &zeroes)?;
            }
            Ok(memory)
        };
        let (both, read, other) = (new()?, new()?, new()?);
        let written = device.register(&[seg(&both, 0, PAGE)])?;
        let only_read = device.register_for(abi::DEV_READ, &[seg(&read, 0, PAGE)])?;
        for region in [written, only_read] {
            fill_device(&device, 1)?;
            device
                .to_device(0, &[within(region, 0, PAGE)])
                .succeeded(PAGE)?;
            device_holds(&device, &zeroes)?;
        }
        is_one(&device, written, &both)?;
        is_read(&device, only_read, &read)?;
        device
            .from_device(0, &[seg(&new()?, 0, PAGE)])
            .succeeded(PAGE)?;
        for page in [other, new()?] {
            pattern::expect(&page.read(0, PAGE), &zeroes)?;
        }
    }
    Ok(())
}

// ---- given up, swapped ----

fn given_up(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, 2);
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    memory.advise(0, PAGE, libc::MADV_FREE)?;
    memory.advise(0, PAGE, libc::MADV_PAGEOUT)?;
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(2, WINDOW))?;
    pattern::verify(&memory, 0, PAGE, 2)?;
    // Given up once more, and only the device writes.
    memory.advise(0, PAGE, libc::MADV_FREE)?;
    fill_device(&device, 3)?;
    device
        .from_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    memory.advise(0, PAGE, libc::MADV_PAGEOUT)?;
    pattern::verify(&memory, 0, PAGE, 3)?;
    is_one(&device, region, &memory)?;
    same("unregister", device.unregister(region), 0)
}

/// Swap space on the RAM disk, until dropped.
struct Swap;

impl Swap {
    fn on() -> Outcome<Swap> {
        module::load_extra()?;
        for tool in ["mkswap", "swapon"] {
            let done = Command::new("/bin/busybox").args([tool, DISK]).output()?;
            check(done.status.success(), format!("{tool}: {done:?}"))?;
        }
        Ok(Swap)
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        let _ = Command::new("/bin/busybox")
            .args(["swapoff", DISK])
            .output();
    }
}

/// A page with a pattern in it, which is in the swap space.
fn swapped_out(seed: u64) -> Outcome<Mapping> {
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, seed);
    flight::wait_until("the page is not swapped out", || {
        memory.advise(0, PAGE, libc::MADV_PAGEOUT)?;
        pagemap::is_swapped(&memory)
    })?;
    Ok(memory)
}

fn swapped(_: Leg) -> Outcome {
    let device = Device::open()?;
    let swap = Swap::on()?;
    let source = swapped_out(4)?;
    device
        .to_device(0, &[seg(&source, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(4, WINDOW))?;
    let target = swapped_out(5)?;
    device
        .from_device(0, &[seg(&target, 100, 200)])
        .succeeded(200)?;
    let mut want = pattern::bytes(5, PAGE);
    want[100..300].copy_from_slice(&pattern::bytes(4, 200));
    pattern::expect(&target.read(0, PAGE), &want)?;
    let memory = swapped_out(6)?;
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(6, WINDOW))?;
    memory.advise(0, PAGE, libc::MADV_PAGEOUT)?;
    is_one(&device, region, &memory)?;
    drop((source, target));
    same("unregister", device.unregister(region), 0)?;
    drop(swap);
    pattern::verify(&memory, 0, PAGE, 72)
}

// ---- moved ----

/// A region of pages of which every other one's neighbour was given back, so that there is something
/// to compact; in flight meanwhile is a copy.
fn compacted(_: Leg) -> Outcome {
    const PAGES: usize = 32;
    let device = Device::open()?;
    let mut memory = Mapping::anonymous(PAGE)?;
    let scattered = Mapping::anonymous(64 * PAGES * PAGE)?;
    scattered.fill(0, scattered.len(), 1);
    for page in 0..32 * PAGES {
        scattered.advise(2 * page * PAGE, PAGE, libc::MADV_DONTNEED)?;
    }
    pattern::write(&memory, 0, PAGE, 7);
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let before = pagemap::frames(&memory)?;
    let pair = Pair::new(8 * PAGE, 8)?;
    let call = pair.start(&device)?;
    flight::wait_for_job(&device)?;
    for _ in 0..3 {
        fs::write("/proc/sys/vm/compact_memory", "1")?;
    }
    call.join()?.succeeded(pair.len)?;
    pair.verify(pair.len as u64)?;
    check(pagemap::frames(&memory)? == before, "the page was moved")?;
    is_one(&device, region, &memory)?;
    memory.punch(0, PAGE)?;
    fs::write("/proc/sys/vm/compact_memory", "1")?;
    device
        .to_device(0, &[within(region, 0, PAGE)])
        .succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(72, WINDOW))?;
    same("unregister", device.unregister(region), 0)
}

fn offlined(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, 1);
    let region = device.register(&[seg(&memory, 0, PAGE)])?;
    let before = pagemap::frames(&memory)?;
    let errno = errno_of(memory.advise(0, PAGE, libc::MADV_SOFT_OFFLINE));
    check(errno != 0, "a pinned page was taken offline")?;
    check(
        pagemap::frames(&memory)? == before,
        format!("moved, with {}", errno_name(errno)),
    )?;
    is_one(&device, region, &memory)?;
    same("unregister", device.unregister(region), 0)
}

// ---- copied for a child ----

fn forked(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (memory, start) = huge_page()?;
    let at = start + 5 * PAGE;
    pattern::write(&memory, at, PAGE, 1);
    let region = device.register(&[seg(&memory, at, PAGE)])?;
    let whole = [within(region, 0, PAGE)];
    let (mut here, mut there) = UnixStream::pair()?;
    let child = flight::child(|| {
        memory.fill(at, PAGE, GUARD);
        there.write_all(&[1])?;
        // Until the parent and the device have written as well.
        there.read_exact(&mut [0])?;
        pattern::verify_guard(&memory, at, PAGE)
    })?;
    here.read_exact(&mut [0])?;
    device.to_device(0, &whole).succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(1, WINDOW))?;
    pattern::write(&memory, at, PAGE, 2);
    device.to_device(0, &whole).succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(2, WINDOW))?;
    fill_device(&device, 3)?;
    device.from_device(0, &whole).succeeded(PAGE)?;
    pattern::verify(&memory, at, PAGE, 3)?;
    here.write_all(&[1])?;
    flight::finish(child)?;
    same("unregister", device.unregister(region), 0)
}

// ---- taken from a file ----

fn truncated(_: Leg) -> Outcome {
    const HUGE: usize = 2 << 20;
    let device = Device::open()?;
    let pool = HugePool::of(1)?;
    let file = os::memfd(HUGE, MemfdFlags::HUGETLB)?;
    let read_write = libc::PROT_READ | libc::PROT_WRITE;
    let memory = Mapping::new(HUGE, read_write, libc::MAP_SHARED, Some(file.as_fd()))?;
    let at = HUGE - 2 * PAGE;
    pattern::write(&memory, at, PAGE, 1);
    let region = device.register(&[seg(&memory, at, PAGE)])?;
    let whole = [within(region, 0, PAGE)];
    rustix::fs::ftruncate(&file, 0)?;
    device.to_device(0, &whole).succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(1, WINDOW))?;
    fill_device(&device, 2)?;
    device.from_device(0, &whole).succeeded(PAGE)?;
    fill_device(&device, 3)?;
    device.to_device(0, &whole).succeeded(PAGE)?;
    device_holds(&device, &pattern::bytes(2, WINDOW))?;
    // It is in no file any more.
    let out = device
        .to_device(0, &[seg(&memory, at, PAGE)])
        .refused(libc::EFAULT)?;
    same("address", out.fault_addr, memory.addr(at))?;
    same("unregister", device.unregister(region), 0)?;
    drop((memory, file));
    let free = || -> Outcome<bool> {
        let text = fs::read_to_string("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")?;
        Ok(text.trim() == "1")
    };
    flight::wait_until("the huge page is lost", free)?;
    drop(pool);
    Ok(())
}
