// SPDX-License-Identifier: GPL-2.0

//! No room left to map: I/O addresses of an IOMMU, or bounce buffers.
//!
//! Both are used up with little memory: a vector may name the same memory many
//! times, and each time is mapped anew.

use crate::abi::pindma_seg;
use crate::check::{check, same, Fail, Outcome};
use crate::counters;
use crate::device::{copy, seg, Device, PAGE};
use crate::flight::{self, Pair};
use crate::leg::Leg;
use crate::module::{pause, with_parameters};
use crate::process::Process;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    addresses(
        "enomem_without_addresses_for_the_source",
        "and with little less it is mapped",
        source,
    )
    .not_on_debug(BOTH),
    addresses(
        "enomem_without_addresses_for_the_destination",
        "the source is unmapped again",
        destination,
    ),
    addresses(
        "enomem_while_others_hold_the_addresses",
        "who fits in works on, and so do they",
        others,
    )
    .not_on_debug(BOTH),
    bounce(
        "enospc_without_bounce_buffers_for_the_source",
        "and with little less it is mapped",
        source,
    ),
    bounce(
        "enospc_without_bounce_buffers_for_the_destination",
        "the source is unmapped again",
        destination,
    ),
    bounce(
        "enospc_while_others_hold_the_bounce_buffers",
        "who fits in works on, and so do they",
        others,
    ),
];

/// Why one of these is enough on the debug kernel, where using up all addresses takes long.
const BOTH: &str = "that of the destination has the source given back as well";

const fn addresses(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    let reason = "no IOMMU of few addresses here";
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Iommu], reason))
}

const fn bounce(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Bounce], "nothing is bounced here"))
}

/// Bytes of the memory that is mapped many times.
const CHUNK: usize = 1 << 20;

/// Windows as long as any call here, and no limit of pinned pages before that
/// of the room.
const PARAMETERS: &str = "window_kib=1048576 max_pinned_pages=1000000 max_file_pages=1000000";

/// Numbers of chunks.
struct Room {
    /// One side of a copy alone is too much.
    beyond: usize,
    /// One side can be mapped, both cannot.
    one_side: usize,
    /// Both sides can be mapped.
    both_sides: usize,
    /// Both sides can be mapped, but not beside `both_sides`.
    beside: usize,
}

/// I/O addresses of 28 bits, of which the first page is never given out; a
/// range of them lies at a multiple of its own length.
const ADDRESSES: Room = Room {
    beyond: 257,
    one_side: 128,
    both_sides: 64,
    beside: 64,
};

/// A pool of bounce buffers for so many chunks.
fn buffers(chunks: usize) -> Room {
    Room {
        beyond: chunks + 1,
        one_side: chunks * 5 / 8,
        both_sides: chunks * 3 / 8,
        beside: chunks / 4,
    }
}

fn room(leg: Leg) -> Room {
    if leg.bounces() {
        buffers(counters::bounce_bytes() as usize / CHUNK)
    } else {
        ADDRESSES
    }
}

/// An IOMMU does not say whether addresses or memory for its tables are short.
fn refusal(leg: Leg) -> i32 {
    if leg.has_iommu() {
        libc::ENOMEM
    } else {
        libc::ENOSPC
    }
}

/// Memory, and vectors of any length of it.
struct Chunk(Mapping);

impl Chunk {
    fn new() -> Outcome<Chunk> {
        let memory = Mapping::anonymous(CHUNK)?;
        memory.fill(0, CHUNK, 1);
        Ok(Chunk(memory))
    }

    fn times(&self, count: usize) -> Vec<pindma_seg> {
        vec![seg(&self.0, 0, CHUNK); count]
    }
}

/// A copy of so many chunks, whose deadline has passed when all is mapped.
#[track_caller]
fn map(device: &Device, chunk: &Chunk, count: usize, errno: i32) -> Outcome {
    let segs = chunk.times(count);
    let mut request = copy(&segs, &segs);
    request.deadline = 0;
    device.copy(request).refused(errno).map(drop)
}

/// Nothing is left of a call that failed, and the next one works.
fn as_before(device: &Device, slots: u64) -> Outcome {
    for name in ["pinned_pages", "charged_pages", "mapped_segments"] {
        same(name, counters::driver(name)?, 0)?;
    }
    same("bounce slots", counters::bounce_slots(), slots)?;
    small(device)
}

fn small(device: &Device) -> Outcome {
    let pair = Pair::new(PAGE + 1, 7)?;
    pair.copy(device).succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}

fn source(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        let (device, chunk) = (Device::open()?, Chunk::new()?);
        let slots = counters::bounce_slots();
        map(&device, &chunk, room(leg).beyond, refusal(leg))?;
        as_before(&device, slots)?;
        map(&device, &chunk, room(leg).both_sides, libc::ETIMEDOUT)?;
        as_before(&device, slots)
    })
}

fn destination(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        let (device, chunk) = (Device::open()?, Chunk::new()?);
        let slots = counters::bounce_slots();
        for _ in 0..3 {
            map(&device, &chunk, room(leg).one_side, refusal(leg))?;
            as_before(&device, slots)?;
        }
        Ok(())
    })
}

/// A process that has both sides of a long copy mapped until it is killed.
fn holder(leg: Leg, device: &Device) -> Outcome<Process> {
    let child = flight::child(|| {
        let chunk = Chunk::new()?;
        let segs = chunk.times(room(leg).both_sides);
        check(false, device.copy(copy(&segs, &segs)))
    })?;
    for _ in 0..2000 {
        // Its first job comes after the last mapping.
        if device.stats()?.out_jobs > 0 {
            return Ok(child);
        }
        pause(5);
    }
    Err(Fail::new("the other copy never began"))
}

fn others(leg: Leg) -> Outcome {
    with_parameters(leg, PARAMETERS, || {
        let (device, chunk) = (Device::open()?, Chunk::new()?);
        let slots = counters::bounce_slots();
        let holder = holder(leg, &device)?;
        let (pinned, mapped) = held()?;
        map(&device, &chunk, room(leg).beside, refusal(leg))?;
        same("pages pinned by others", held()?.0, pinned)?;
        same("segments mapped by others", held()?.1, mapped)?;
        small(&device)?;
        holder.kill()?;
        holder.wait()?;
        flight::wait_for_rest()?;
        map(&device, &chunk, room(leg).beside, libc::ETIMEDOUT)?;
        as_before(&device, slots)
    })
}

fn held() -> Outcome<(u64, u64)> {
    Ok((
        counters::driver("pinned_pages")?,
        counters::driver("mapped_segments")?,
    ))
}
