// SPDX-License-Identifier: GPL-2.0

//! A device whose segments are shorter than a page.

use crate::check::{same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight::Pair;
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::pattern;
use crate::pool::{ask, Pool};
use crate::region::within;
use crate::sys::Mapping;
use crate::table::{Case, Needs, EDU};

pub(crate) const CASES: &[Case] = &[Case::new(
    "segments_shorter_than_a_page_are_cut_inside_of_it",
    "of windows, regions and pools; the data is right",
    cut,
)
.not_on_xdma(EDU)
.needs(Needs::Memory)];

fn cut(leg: Leg) -> Outcome {
    // 12 bits, whose largest length is one less than a page; and many in a page.
    for bytes in [4095, 1020] {
        with_parameters(leg, &format!("max_segment={bytes}"), || obeys(bytes))?;
    }
    Ok(())
}

fn obeys(bytes: usize) -> Outcome {
    let device = Device::open()?;
    let longest = device.info()?.out_max_segment_bytes;
    same("longest segment", longest, bytes as u64)?;
    let in_a_page = PAGE.div_ceil(bytes);
    let memory = Mapping::anonymous(3 * PAGE)?;
    pattern::write(&memory, 0, PAGE, 7);
    let call = device.to_device(0, &[seg(&memory, 0, PAGE)]);
    let segments = call.succeeded(PAGE)?.segments as usize;
    same("segments of a page", segments, in_a_page)?;
    let handle = device.register(&[seg(&memory, PAGE, 2 * PAGE)])?;
    let segments = device.region(handle)?.out_segments as usize;
    same("segments of a region", segments, 2 * in_a_page)?;
    let half_way = [within(handle, PAGE / 2, PAGE)];
    device.from_device(0, &half_way).succeeded(PAGE)?;
    pattern::verify(&memory, PAGE + PAGE / 2, PAGE, 7)?;
    let pool = Pool::make(&device, ask(2, PAGE))?;
    let segments = device.region(pool.handle)?.out_segments as usize;
    same("segments of a pool", segments, 2 * in_a_page)?;
    let pair = Pair::new(PAGE + 777, 3)?;
    pair.copy(&device).succeeded(pair.len)?;
    pair.verify(pair.len as u64)
}
