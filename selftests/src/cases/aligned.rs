// SPDX-License-Identifier: GPL-2.0

//! A device that needs its addresses and lengths aligned: every way to it says so.

use crate::abi::{self, pindma_channel_info, pindma_pool_start, pindma_seg, pindma_transfer};
use crate::check::{errno_name, same, Outcome};
use crate::device::{copy, seg, transfer, Device, PAGE};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern;
use crate::pool::{from_device, of_pages, record};
use crate::queue::{entry_of, Queue};
use crate::rw::{pread, pwrite, range};
use crate::sys::rw::Range;
use crate::sys::uring::Ring;
use crate::sys::Mapping;
use crate::table::{Case, Needs, EDU};

pub(crate) const CASES: &[Case] = &[
    aligned(
        "einval_for_what_a_device_cannot_align",
        "memory, lengths and device addresses of transfers, copies and requests",
        vectors,
    )
    .not_on_xdma(EDU),
    aligned(
        "einval_for_frames_that_a_device_cannot_align",
        "of a pool: where they lie, their length, that of a record",
        frames,
    )
    .not_on_xdma(EDU),
    aligned(
        "aligned_data_is_moved",
        "of several segments, of which the last is short",
        works,
    ),
    aligned(
        "copies_are_cut_where_a_device_can_go_on",
        "of many short segments, which windows would cut anywhere",
        copied,
    ),
    // Kills the mutant that has io_uring's pages end anywhere.
    aligned(
        "einval_for_parts_of_a_rings_buffer_that_do_not_fit",
        "of which only the last may be short, in whatever window it lies",
        ring,
    )
    .not_on_xdma(EDU),
];

const fn aligned(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Of memory, of lengths and of device addresses.
const ALIGN: (usize, usize, usize) = (64, 16, 32);

fn with_device(leg: Leg, body: impl FnOnce(&Device) -> Outcome) -> Outcome {
    with_parameters(leg, "aligned=1", || body(&Device::open()?))
}

fn vectors(leg: Leg) -> Outcome {
    with_device(leg, |device| {
        let mut info = pindma_channel_info {
            size: size_of::<pindma_channel_info>() as u32,
            ..pindma_channel_info::default()
        };
        same(
            "info",
            device.command(abi::PINDMA_CHANNEL_INFO, &mut info),
            0,
        )?;
        same("addresses", info.out_addr_align as usize, ALIGN.0)?;
        same("lengths", info.out_len_align as usize, ALIGN.1)?;
        same("device", info.out_dev_align as usize, ALIGN.2)?;
        let memory = Mapping::anonymous(PAGE)?;
        let at = |offset, len| seg(&memory, offset, len);
        refuse(device, &[at(32, 64)], 0, abi::FIELD_SEG_ADDR)?;
        refuse(device, &[at(0, 64), at(96, 64)], 0, abi::FIELD_SEG_ADDR)?;
        refuse(device, &[at(0, 65)], 0, abi::FIELD_SEG_LEN)?;
        refuse(device, &[at(0, 16), at(64, 48)], 0, abi::FIELD_SEG_LEN)?;
        refuse(device, &[at(0, 64)], 16, abi::FIELD_DEV_ADDR)?;
        let good = [at(0, 64)];
        for bad in [[at(1, 64)], [at(0, 63)]] {
            device.copy(copy(&bad, &good)).refused(libc::EINVAL)?;
            device.copy(copy(&good, &bad)).refused(libc::EINVAL)?;
        }
        for (offset, len, place) in [(16, 64, 0), (0, 60, 0), (0, 64, 16)] {
            pread(device, range(&memory, offset, len), place).failed(libc::EINVAL)?;
            pwrite(device, range(&memory, offset, len), place).failed(libc::EINVAL)?;
        }
        same("jobs", device.stats()?.out_jobs, 0)
    })
}

/// A transfer and a request of `segs` are refused for `field`.
fn refuse(device: &Device, segs: &[pindma_seg], dev_addr: usize, field: u32) -> Outcome {
    let call = device.to_device(dev_addr, segs);
    call.refused_for(libc::EINVAL, field)?;
    let queue = Queue::create(device, 1)?;
    let request = entry_of(1, abi::FROM_DEVICE, dev_addr, segs);
    let submitted = queue.submit(device, &[request]);
    submitted.refused_for(libc::EINVAL, field).map(drop)
}

fn frames(leg: Leg) -> Outcome {
    with_device(leg, |device| {
        let refused = |what, errno| same(what, errno_name(errno), errno_name(libc::EINVAL));
        let pool = of_pages(device, 1)?;
        refused("length", pool.try_start(from_device(24)))?;
        let shifted = pindma_pool_start {
            dev_addr: 16,
            ..from_device(64)
        };
        refused("device address", pool.try_start(shifted))?;
        let buffer = pool.buffer(0)?;
        refused("record", pool.try_enqueue(&[record(buffer, 24)]).0)?;
        same("state", pool.state(0)?, abi::POOL_OWNED)?;
        same("record", pool.try_enqueue(&[record(buffer, 48)]).0, 0)?;
        pool.start(pindma_pool_start {
            dev_addr: 32,
            ..from_device(64)
        })?;
        same("bytes", pool.dequeue(1)?[0].bytes, 48)?;
        pool.stop().map(drop)
    })
}

fn works(leg: Leg) -> Outcome {
    with_device(leg, |device| {
        let memory = Mapping::anonymous(2 * PAGE)?;
        pattern::write(&memory, 0, 208, 5);
        let src = [seg(&memory, 0, 64), seg(&memory, 64, 144)];
        device.to_device(32, &src).succeeded(208)?;
        let dst = [seg(&memory, PAGE, 208)];
        device.from_device(32, &dst).succeeded(208)?;
        pattern::verify(&memory, PAGE, 208, 5)
    })
}

/// Segments of 6 bytes of which each but the first touches two pages: a window has an odd length.
fn copied(leg: Leg) -> Outcome {
    const SEGMENTS: usize = 600;
    const BYTES: usize = 6;
    with_parameters(leg, "aligned=1", || {
        let device = Device::open()?;
        let memory = Mapping::anonymous((SEGMENTS + 1) * PAGE)?;
        let place = |index| {
            if index == 0 {
                0
            } else {
                index * PAGE - BYTES / 2
            }
        };
        let segs: Vec<pindma_seg> = (0..SEGMENTS)
            .map(|index| seg(&memory, place(index), BYTES))
            .collect();
        (0..SEGMENTS).for_each(|index| pattern::write(&memory, place(index), BYTES, index as u64));
        let request = pindma_transfer {
            flags: abi::MUST_COPY,
            ..transfer(abi::TO_DEVICE, 0, &segs)
        };
        device.transfer(request).succeeded(SEGMENTS * BYTES)?;
        let whole = Mapping::anonymous(PAGE)?;
        device
            .from_device(0, &[seg(&whole, 0, SEGMENTS * BYTES)])
            .succeeded(SEGMENTS * BYTES)?;
        (0..SEGMENTS)
            .try_for_each(|index| pattern::verify(&whole, index * BYTES, BYTES, index as u64))
    })
}

/// In one window, and in windows of two pages.
fn ring(leg: Leg) -> Outcome {
    ["aligned=1", "aligned=1 window_kib=4"]
        .into_iter()
        .try_for_each(|parameters| with_parameters(leg, parameters, by_ring))
}

fn by_ring() -> Outcome {
    let (device, mut ring) = (Device::open()?, Ring::new()?);
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, 9);
    ring.register(&[range(&memory, 0, PAGE)])?;
    let mut run = |write, parts: &[Range]| -> Outcome<i32> {
        ring.submit_fixed_vector(device.fd(), write, parts, 1)?;
        Ok(ring.wait()?.1)
    };
    let part = |offset, len| range(&memory, offset, len);
    for write in [true, false] {
        let bad: [&[Range]; 3] = [
            &[part(0, 80), part(128, 64)],
            &[part(0, 64), part(128, 72)],
            // Two of them are a window.
            &[part(0, 64), part(128, 80), part(256, 64)],
        ];
        for parts in bad {
            same("result", run(write, parts)?, -libc::EINVAL)?;
        }
    }
    let good = [part(0, 64), part(128, 80)];
    same("written", run(true, &good)?, 144)?;
    let back = [part(1024, 64), part(2048, 80)];
    same("read", run(false, &back)?, 144)?;
    let (sent, got) = (memory.read(128, 80), memory.read(2048, 80));
    pattern::expect(&memory.read(1024, 64), &memory.read(0, 64))?;
    pattern::expect(&got, &sent)
}
