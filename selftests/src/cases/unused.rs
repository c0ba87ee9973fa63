// SPDX-License-Identifier: GPL-2.0

//! Inputs that a call does not use, since others make them meaningless: not zero, they are refused,
//! so that they can get a meaning.

use crate::abi::{
    self, pindma_entry, pindma_pool_enqueue, pindma_pool_record, pindma_queue_cancel,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::leg::Leg;
use crate::pool::{of_pages, record};
use crate::queue::{entry, entry_of, Queue};
use crate::region::BOTH;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "einval_for_unused_field",
        "of an entry: the one segment beside a vector, a vector of none",
        entries,
    ),
    Case::new(
        "einval_for_unused_deadline_of_an_unregistration",
        "which does not wait; the region is still there",
        unregistration,
    )
    .needs(Needs::Memory),
    Case::new(
        "einval_for_unused_name_of_a_cancel",
        "of all requests",
        cancel,
    ),
    Case::new(
        "einval_for_unused_fields_of_an_enqueue",
        "what a record tells, and records beside all; the buffer is the application's",
        enqueue,
    ),
];

fn refused(what: &str, errno: i32) -> Outcome {
    same(what, errno_name(errno), errno_name(libc::EINVAL))
}

fn entries(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 16)];
    let refuse = |entry: pindma_entry, field| {
        let submitted = queue.submit(&device, &[entry]);
        submitted.refused_for(libc::EINVAL, field).map(drop)
    };
    let vector = entry_of(1, abi::TO_DEVICE, 0, &segs);
    for spoil in [
        |e: &mut pindma_entry| e.seg.addr = 1,
        |e: &mut pindma_entry| e.seg.len = 1,
        |e: &mut pindma_entry| e.seg.handle = 1,
        |e: &mut pindma_entry| e.seg.flags = 1,
    ] {
        let mut bad = vector;
        spoil(&mut bad);
        refuse(bad, abi::FIELD_SEG)?;
    }
    let one = entry(1, abi::TO_DEVICE, 0, segs[0]);
    let bad = pindma_entry {
        segs: vector.segs,
        ..one
    };
    refuse(bad, abi::FIELD_SEGS)
}

fn unregistration(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let handle = device.register_for(BOTH, &[seg(&memory, 0, PAGE)])?;
    for deadline in [1, -1, abi::DEADLINE_NONE] {
        let mut request = abi::pindma_region_unregister {
            size: size_of::<abi::pindma_region_unregister>() as u32,
            handle,
            deadline,
            ..abi::pindma_region_unregister::default()
        };
        let errno = device.command(abi::PINDMA_REGION_UNREGISTER, &mut request);
        refused("unregister", errno)?;
    }
    same("unregister", device.unregister(handle), 0)
}

fn cancel(_: Leg) -> Outcome {
    let queue = Queue::create(&Device::open()?, 1)?;
    let all = pindma_queue_cancel {
        flags: abi::CANCEL_ALL,
        ..pindma_queue_cancel::default()
    };
    let none = queue.cancel_with(all);
    check(none == Err(libc::ENOENT), format!("{none:?}"))?;
    let named = queue.cancel_with(pindma_queue_cancel {
        user_data: 1,
        ..all
    });
    check(named == Err(libc::EINVAL), format!("{named:?}"))
}

fn enqueue(_: Leg) -> Outcome {
    let device = Device::open()?;
    let pool = of_pages(&device, 1)?;
    let good = record(pool.buffer(0)?, 16);
    for spoil in [
        |r: &mut pindma_pool_record| r.index = 1,
        |r: &mut pindma_pool_record| r.seq = 1,
        |r: &mut pindma_pool_record| r.time_ns = -1,
        |r: &mut pindma_pool_record| r.overruns = 1,
        |r: &mut pindma_pool_record| r.status = -1,
    ] {
        let mut bad = good;
        spoil(&mut bad);
        let (errno, taken) = pool.try_enqueue(&[bad]);
        refused("a record", errno)?;
        same("taken", taken, 0)?;
    }
    for (records, nr_records) in [(1, 0), (0, 1)] {
        let mut all = pindma_pool_enqueue {
            size: size_of::<pindma_pool_enqueue>() as u32,
            flags: abi::ENQUEUE_ALL,
            records,
            nr_records,
            ..pindma_pool_enqueue::default()
        };
        let errno = pool.file().command(abi::PINDMA_POOL_ENQUEUE, &mut all);
        refused("all", errno)?;
    }
    same("state", pool.state(0)?, abi::POOL_OWNED)?;
    same("taken", pool.enqueue_all()?, 1)
}
