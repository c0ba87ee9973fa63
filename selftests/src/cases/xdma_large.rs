// SPDX-License-Identifier: GPL-2.0

//! A card with XDMA and memory in plenty: jobs of many MiB, at the end of that memory, on four channels at
//! once, from two CPUs.

use std::thread;

use crate::abi::{self, pindma_entry, pindma_transfer};
use crate::check::{check, same, Fail, Outcome};
use crate::device::{copy, seg, transfer, Call, Device, PAGE};
use crate::leg::Leg;
use crate::pattern;
use crate::queue::{done, entry, Queue};
use crate::region::within;
use crate::rw;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "xdma_memory_is_what_the_parameter_says",
        "64 MiB by default, of four channels; its last byte and none beyond",
        to_the_end,
    ),
    case(
        "xdma_moves_more_than_a_job_takes",
        "24 MiB with 4 MiB at a time pinned, and as a region, which is cut into jobs",
        many_jobs,
    ),
    case(
        "xdma_copies_through_its_own_memory",
        "5 MiB from memory to memory, with more than a staging window",
        copied,
    ),
    case(
        "xdma_four_channels_move_at_once",
        "each its part of 32 MiB, there and back",
        four,
    ),
    case(
        "xdma_requests_of_two_cpus_end_once",
        "four threads with a queue each, on all channels, 1024 requests in all",
        queues,
    ),
    case(
        "xdma_runs_of_pages_are_few_descriptors",
        "what the IOMMU puts next to each other is one segment",
        merged,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(&[Leg::XdmaSmp], "no large card here"))
}

const MIB: usize = 1 << 20;
/// Bytes of the card's memory.
const MEMORY: usize = 64 * MIB;
const CHANNELS: u32 = 4;

fn move_part(
    device: &Device,
    channel: u32,
    direction: u32,
    at: usize,
    part: abi::pindma_seg,
) -> Call {
    let segs = [part];
    device.transfer(pindma_transfer {
        channel,
        ..transfer(direction, at, &segs)
    })
}

/// Sends and fetches `len` bytes through a channel, from and to `at`.
fn there_and_back(device: &Device, channel: u32, at: usize, len: usize, seed: u64) -> Outcome {
    let (src, dst) = (Mapping::anonymous(len)?, Mapping::anonymous(len)?);
    pattern::write(&src, 0, len, seed);
    move_part(device, channel, abi::TO_DEVICE, at, seg(&src, 0, len)).succeeded(len)?;
    move_part(device, channel, abi::FROM_DEVICE, at, seg(&dst, 0, len)).succeeded(len)?;
    pattern::verify(&dst, 0, len, seed)
}

fn to_the_end(_: Leg) -> Outcome {
    let device = Device::open()?;
    same("channels", device.info()?.out_channels, CHANNELS)?;
    for channel in 0..CHANNELS {
        let info = device.channel(channel)?;
        same("memory", info.out_mem_bytes, MEMORY as u64)?;
        there_and_back(
            &device,
            channel,
            MEMORY - PAGE - 1,
            PAGE + 1,
            channel.into(),
        )?;
    }
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, 1);
    let last = [seg(&memory, 0, 2)];
    device
        .to_device(MEMORY - 1, &last)
        .refused_for(libc::ERANGE, abi::FIELD_DEV_ADDR)?;
    let end = MEMORY as i64;
    rw::pwrite(&device, rw::range(&memory, 0, 100), end - 60).moved(60)?;
    rw::pread(&device, rw::range(&memory, 0, 100), end - 40).moved(40)?;
    rw::pread(&device, rw::range(&memory, 0, 100), end).moved(0)?;
    rw::pwrite(&device, rw::range(&memory, 0, 100), end).failed(libc::ENOSPC)
}

fn many_jobs(_: Leg) -> Outcome {
    const LEN: usize = 24 * MIB + 13;
    let device = Device::open()?;
    there_and_back(&device, 0, 5, LEN, 1)?;
    let memory = Mapping::anonymous(LEN)?;
    pattern::write(&memory, 0, LEN, 2);
    let region = device.register(&[seg(&memory, 0, LEN)])?;
    let jobs = device.stats()?.out_jobs;
    let whole = within(region, 0, LEN);
    move_part(&device, 1, abi::TO_DEVICE, 0, whole).succeeded(LEN)?;
    memory.fill(0, LEN, 0);
    move_part(&device, 2, abi::FROM_DEVICE, 0, whole).succeeded(LEN)?;
    pattern::verify(&memory, 0, LEN, 2)?;
    let jobs = device.stats()?.out_jobs - jobs;
    check((4..=64).contains(&jobs), format!("{jobs} jobs"))?;
    same("unregister", device.unregister(region), 0)
}

fn copied(_: Leg) -> Outcome {
    const LEN: usize = 5 * MIB + 3;
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(LEN)?, Mapping::anonymous(LEN)?);
    pattern::write(&src, 0, LEN, 3);
    device
        .copy(copy(&[seg(&src, 0, LEN)], &[seg(&dst, 0, LEN)]))
        .succeeded(LEN)?;
    pattern::verify(&dst, 0, LEN, 3)
}

/// Has a thread for each channel do something.
fn for_each_channel(work: fn(u32) -> Outcome) -> Outcome {
    thread::scope(|scope| {
        let running: Vec<_> = (0..CHANNELS)
            .map(|channel| scope.spawn(move || work(channel)))
            .collect();
        running.into_iter().try_for_each(|thread| {
            let panicked = |_| Err(Fail::new("a thread panicked"));
            thread.join().unwrap_or_else(panicked)
        })
    })
}

fn four(_: Leg) -> Outcome {
    const PART: usize = 8 * MIB;
    for_each_channel(|channel| {
        let at = channel as usize * PART;
        there_and_back(&Device::open()?, channel, at, PART, channel.into())
    })
}

fn queues(_: Leg) -> Outcome {
    for_each_channel(|channel| {
        const AT_ONCE: usize = 32;
        let (device, memory) = (Device::open()?, Mapping::anonymous(AT_ONCE * PAGE)?);
        let at = channel as usize * MIB;
        pattern::write(&memory, 0, memory.len(), 7);
        move_part(
            &device,
            channel,
            abi::TO_DEVICE,
            at,
            seg(&memory, 0, memory.len()),
        )
        .succeeded(memory.len())?;
        let region = device.register(&[seg(&memory, 0, memory.len())])?;
        let queue = Queue::create(&device, AT_ONCE as u32)?;
        let of = |number: usize| pindma_entry {
            channel,
            ..entry(
                number as u64,
                abi::FROM_DEVICE,
                at + number * PAGE,
                within(region, number * PAGE, PAGE),
            )
        };
        for round in 0..8u64 {
            memory.fill(0, memory.len(), 0);
            let entries: Vec<_> = (0..AT_ONCE).map(of).collect();
            queue.submit(&device, &entries).all(AT_ONCE)?;
            for (end, number) in queue.reap(AT_ONCE)?.iter().zip(0..) {
                done(end, number, PAGE)?;
                same("number", end.seq, round * AT_ONCE as u64 + number)?;
            }
            pattern::verify(&memory, 0, memory.len(), 7)?;
        }
        same("unregister", device.unregister(region), 0)
    })
}

fn merged(_: Leg) -> Outcome {
    let card = crate::card::Card::find()?;
    let device = Device::open()?;
    let memory = Mapping::anonymous(MIB)?;
    memory.fill(0, MIB, 1);
    let before = card.counts(["descriptors"])?[0];
    device
        .to_device(0, &[seg(&memory, 0, MIB)])
        .succeeded(MIB)?;
    let count = card.counts(["descriptors"])?[0] - before;
    check(count <= 2, format!("{count} descriptors for a MiB"))
}
