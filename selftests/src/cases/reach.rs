// SPDX-License-Identifier: GPL-2.0

//! Memory that the device's address lines do not reach.
//!
//! These kill the mutant that ignores the mask: edu clamps such addresses
//! silently, so that the call succeeds and other memory is read or written.

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::device::{copy, seg, seg_at, transfer, Call, Device, PAGE};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pagemap::frames;
use crate::pattern;
use crate::rw::{preadv, pwritev, range};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "enxio_for_source_beyond_the_mask",
        "with index and address",
        source,
    ),
    case(
        "enxio_for_destination_beyond_the_mask",
        "and it is not written",
        destination,
    ),
    case(
        "enxio_names_the_first_page_out_of_reach",
        "behind pages within reach",
        later,
    ),
    case(
        "enxio_in_a_copy_names_the_side",
        "source or destination",
        sides,
    ),
    case(
        "enxio_counts_as_nothing_started",
        "no job in the statistics",
        no_job,
    ),
    case(
        "enxio_for_readv_beyond_the_mask_comes_after_a_short_count",
        "what is within reach is moved first",
        vector,
    ),
    case(
        "may_copy_of_memory_beyond_the_mask",
        "what is within reach is pinned",
        copied,
    ),
    case(
        "memory_within_the_mask_works",
        "picked by its physical address",
        within,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    let reason = "all memory is within the device's reach";
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Reach], reason))
}

/// First physical address that 28 bits do not reach.
const END: u64 = 1 << 28;
/// Bytes taken at a time in the search for memory.
const CHUNK: usize = 16 << 20;

/// Pages of both kinds, in memory that is held as long as this lives.
pub(crate) struct Pages {
    chunks: Vec<Mapping>,
    device: Device,
    near: Vec<Spot>,
    far: Vec<Spot>,
}

/// One page: its chunk is kept by `Pages`.
#[derive(Clone, Copy)]
struct Spot {
    chunk: usize,
    offset: usize,
}

impl Pages {
    pub(crate) fn find() -> Outcome<Pages> {
        let mut pages = Pages {
            chunks: Vec::new(),
            device: Device::open()?,
            near: Vec::new(),
            far: Vec::new(),
        };
        while pages.near.len() < 2 || pages.far.len() < 2 {
            check(pages.chunks.len() < 50, "memory of only one kind")?;
            pages.take_chunk()?;
        }
        Ok(pages)
    }

    fn take_chunk(&mut self) -> Outcome {
        let mapping = Mapping::anonymous(CHUNK)?;
        mapping.fill(0, CHUNK, pattern::GUARD);
        let chunk = self.chunks.len();
        for (page, frame) in frames(&mapping)?.into_iter().enumerate() {
            let offset = page * PAGE;
            let spot = Spot { chunk, offset };
            if frame + PAGE as u64 <= END {
                self.near.push(spot);
            } else {
                self.far.push(spot);
            }
        }
        self.chunks.push(mapping);
        Ok(())
    }

    fn mapping(&self, spot: Spot) -> &Mapping {
        &self.chunks[spot.chunk]
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// `len` bytes at `at` of a page within reach.
    pub(crate) fn near(&self, index: usize, at: usize, len: usize) -> abi::pindma_seg {
        self.seg(self.near[index], at, len)
    }

    /// The same of one beyond.
    pub(crate) fn far(&self, index: usize, at: usize, len: usize) -> abi::pindma_seg {
        self.seg(self.far[index], at, len)
    }

    /// `len` bytes at `at` of a page.
    fn seg(&self, spot: Spot, at: usize, len: usize) -> abi::pindma_seg {
        seg(self.mapping(spot), spot.offset + at, len)
    }
}

#[track_caller]
pub(crate) fn out_of_reach(call: Call, index: u32, addr: u64, dst: bool) -> Outcome {
    let out = call.refused(libc::ENXIO)?;
    same("marked as fault", out.flags & abi::OUT_FAULT != 0, true)?;
    same(
        "marked as destination",
        out.flags & abi::OUT_FAULT_DST != 0,
        dst,
    )?;
    same("index", out.fault_index, index)?;
    same("address", out.fault_addr, addr)
}

fn source(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    for at in [0, 1, 4000] {
        let far = pages.seg(pages.far[0], at, 96);
        out_of_reach(pages.device.to_device(0, &[far]), 0, far.addr, false)?;
    }
    Ok(())
}

fn destination(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let spot = pages.far[0];
    let far = pages.seg(spot, 5, 96);
    out_of_reach(pages.device.from_device(0, &[far]), 0, far.addr, false)?;
    pattern::verify_guard(pages.mapping(spot), spot.offset, PAGE)
}

fn later(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let far = pages.seg(pages.far[0], 7, 50);
    let segs = [
        pages.seg(pages.near[0], 0, 50),
        pages.seg(pages.near[1], 4046, 50),
        far,
        pages.seg(pages.near[0], 0, 50),
        pages.seg(pages.far[1], 0, 50),
    ];
    out_of_reach(pages.device.to_device(0, &segs), 2, far.addr, false)
}

fn sides(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let near = [pages.seg(pages.near[0], 0, 64)];
    let far = [pages.seg(pages.far[0], 0, 64)];
    out_of_reach(pages.device.copy(copy(&far, &near)), 0, far[0].addr, false)?;
    out_of_reach(pages.device.copy(copy(&near, &far)), 0, far[0].addr, true)
}

fn no_job(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let far = [pages.seg(pages.far[0], 0, 64)];
    pages.device.to_device(0, &far).refused(libc::ENXIO)?;
    let stats = pages.device.stats()?;
    same("jobs", stats.out_jobs, 0)?;
    same("pinned now", stats.out_pinned_pages, 0)
}

fn vector(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let parts: Vec<_> = [pages.near[0], pages.near[1], pages.far[0], pages.near[0]]
        .into_iter()
        .map(|spot| range(pages.mapping(spot), spot.offset + 9, 100))
        .collect();
    for spot in &pages.near[..2] {
        pattern::write(pages.mapping(*spot), spot.offset + 9, 100, 5);
    }
    pwritev(&pages.device, &parts, 0, 0).moved(200)?;
    pwritev(&pages.device, &parts[2..], 0, 0).failed(libc::ENXIO)?;
    for spot in &pages.near[..2] {
        pages.mapping(*spot).fill(spot.offset, PAGE, pattern::GUARD);
    }
    preadv(&pages.device, &parts, 0, 0).moved(200)?;
    preadv(&pages.device, &parts[2..], 0, 0).failed(libc::ENXIO)?;
    for spot in &pages.near[..2] {
        pattern::verify(pages.mapping(*spot), spot.offset + 9, 100, 5)?;
    }
    let far = pages.far[0];
    pattern::verify_guard(pages.mapping(far), far.offset, PAGE)
}

fn copied(leg: Leg) -> Outcome {
    with_parameters(leg, "copy_below=0", || {
        let pages = Pages::find()?;
        let (near, far) = (pages.near[0], pages.far[0]);
        let segs = [
            pages.seg(near, 5, 300),
            pages.seg(far, 77, 1000),
            pages.seg(near, 2000, 400),
        ];
        pattern::write(pages.mapping(near), near.offset, PAGE, 6);
        pattern::write(pages.mapping(far), far.offset, PAGE, 7);
        for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
            let mut request = transfer(direction, 0, &segs);
            request.flags = abi::MAY_COPY;
            let out = pages.device.transfer(request).succeeded(1700)?;
            same("copied", out.flags & abi::OUT_COPIED != 0, true)?;
            // The second page that is near lies behind the one that is far.
            same("pages", out.pages, 1)?;
            if direction == abi::TO_DEVICE {
                pages.mapping(near).fill(near.offset, PAGE, pattern::GUARD);
                pages.mapping(far).fill(far.offset, PAGE, pattern::GUARD);
            }
        }
        let bytes = pattern::bytes(6, PAGE);
        let got = pages.mapping(near).read(near.offset, PAGE);
        pattern::expect(&got[5..305], &bytes[5..305])?;
        pattern::expect(&got[2000..2400], &bytes[2000..2400])?;
        let got = pages.mapping(far).read(far.offset, PAGE);
        pattern::expect(&got[77..1077], &pattern::bytes(7, PAGE)[77..1077])
    })
}

fn within(_: Leg) -> Outcome {
    let pages = Pages::find()?;
    let (from, to) = (pages.near[0], pages.near[1]);
    pattern::write(pages.mapping(from), from.offset, PAGE, 3);
    pages
        .device
        .to_device(0, &[pages.seg(from, 0, PAGE)])
        .succeeded(PAGE)?;
    pages
        .device
        .from_device(0, &[pages.seg(to, 0, PAGE)])
        .succeeded(PAGE)?;
    pattern::verify(pages.mapping(to), to.offset, PAGE, 3)?;
    // The last byte within reach may be the last byte of a page.
    let edge = seg_at(pages.seg(to, PAGE - 1, 1).addr, 1);
    pages.device.to_device(0, &[edge]).succeeded(1).map(drop)
}
