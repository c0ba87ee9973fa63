// SPDX-License-Identifier: GPL-2.0

//! Frames: what the device does with the buffers of a pool, and what is told of it.

use crate::abi;
use crate::check::{check, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::pattern::{self, GUARD};
use crate::pool::{self, Pool};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[case(
    "pool_is_filled_in_order",
    "content, lengths, numbers, times",
    in_order,
)];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Puts the pattern `seed` into the device's memory.
fn load(device: &Device, seed: u64) -> Outcome {
    let memory = Mapping::anonymous(PAGE)?;
    pattern::write(&memory, 0, PAGE, seed);
    device
        .to_device(0, &[seg(&memory, 0, PAGE)])
        .succeeded(PAGE)
        .map(drop)
}

fn in_order(leg: Leg) -> Outcome {
    let device = Device::open()?;
    load(&device, 5)?;
    let pool = pool::of_pages(&device, 4)?;
    let memory = pool.map()?;
    memory.fill(0, pool.len(), GUARD);
    for index in [2, 0, 3, 1] {
        pool.enqueue(pool.buffer(index)?)?;
        same("state", pool.state(index)?, abi::POOL_QUEUED)?;
    }
    pool.start(pool::from_device(0))?;
    let mut before = 0;
    for (seq, index) in [2, 0, 3, 1].into_iter().enumerate() {
        let record = pool.dequeue(1)?[0];
        same("index", record.index, index)?;
        same("seq", record.seq, seq as u64)?;
        same("bytes", record.bytes, PAGE as u64)?;
        same("status", record.status, 0)?;
        same("overruns", record.overruns, 0)?;
        let bounced = if leg.bounces() { abi::OUT_BOUNCED } else { 0 };
        same("flags", record.flags, abi::OUT_STARTED | bounced)?;
        check(record.time_ns > before, "time goes backwards")?;
        before = record.time_ns;
        same("handle", record.buffer, pool.buffer(index as usize)?)?;
        pattern::verify(&memory, index as usize * pool.stride, PAGE, 5)?;
    }
    let totals = pool.stop()?;
    same("frames", totals.frames, 4)?;
    same("overruns", totals.overruns, 0)
}
