// SPDX-License-Identifier: GPL-2.0

//! Copy mode: memory that gets to the device by way of the kernel's own.

use crate::abi;
use crate::check::{same, Outcome};
use crate::device::{seg, transfer, Device, PAGE};
use crate::leg::Leg;
use crate::pattern;
use crate::sys::Mapping;
use crate::table::Case;

pub(crate) const CASES: &[Case] = &[Case::new(
    "must_copy_makes_a_round_trip",
    "on every leg, also where memory is out of reach",
    round_trip,
)];

fn round_trip(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (src, dst) = (Mapping::anonymous(2 * PAGE)?, Mapping::anonymous(2 * PAGE)?);
    pattern::write(&src, 5, PAGE, 1);
    dst.fill(0, 2 * PAGE, pattern::GUARD);
    for (direction, memory, at) in [(abi::TO_DEVICE, &src, 5), (abi::FROM_DEVICE, &dst, 99)] {
        let segs = [seg(memory, at, PAGE)];
        let mut request = transfer(direction, 0, &segs);
        request.flags = abi::MUST_COPY;
        let out = device.transfer(request).succeeded(PAGE)?;
        same("copied", out.flags & abi::OUT_COPIED != 0, true)?;
        same("pages", out.pages, 0)?;
    }
    pattern::verify(&dst, 99, PAGE, 1)?;
    pattern::verify_guard(&dst, 0, 99)?;
    pattern::verify_guard(&dst, PAGE + 99, PAGE - 99)
}
