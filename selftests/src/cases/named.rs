// SPDX-License-Identifier: GPL-2.0

//! Requests of a queue whose memory is by handle: regions, and buffers of pools.

use crate::abi::{self, pindma_entry};
use crate::check::{check, errno_name, same, Outcome};
use crate::device::{seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::pattern;
use crate::pool::{of_pages, record, Pool};
use crate::queue::{done, entry, entry_of, untouched, Queue};
use crate::region::{register, within, BOTH};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "requests_move_regions_and_pool_buffers",
        "beside memory of our own, which alone is pinned",
        moves,
    ),
    case(
        "ebusy_for_unregister_of_region_in_a_request",
        "in line or at work, by whomever; ETIMEDOUT with WAIT",
        busy,
    )
    .slow()
    .not_on_debug("it looks faster than requests end"),
    Case::new(
        "unregister_waits_for_requests",
        "of a region and of a pool; each of them is done",
        waits,
    )
    .needs(Needs::Race),
    case(
        "region_of_a_canceled_request_is_free_at_once",
        "while another is at work on its own",
        canceled,
    )
    .slow(),
    case(
        "eperm_for_request_by_region_of_another_process",
        "or by its pool, with the index; a shared region is for everybody",
        strangers,
    ),
    case(
        "ebusy_for_enqueue_of_buffer_in_a_request",
        "until the last that uses it has ended",
        lent,
    )
    .slow(),
    case(
        "ebusy_for_request_of_enqueued_buffer",
        "and ERANGE across buffers or beyond",
        not_owned,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Memory)
}

/// Bytes of a small request.
const SMALL: usize = 64;

/// A region and a pool of two pages each, and a queue.
struct Named {
    device: Device,
    queue: Queue,
    memory: Mapping,
    region: u32,
    pool: Pool,
}

impl Named {
    /// The region has the pattern `seed` in it.
    fn new(seed: u64) -> Outcome<Named> {
        let device = Device::open()?;
        let memory = Mapping::anonymous(2 * PAGE)?;
        pattern::write(&memory, 0, 2 * PAGE, seed);
        Ok(Named {
            queue: Queue::create(&device, 16)?,
            region: device.register(&[seg(&memory, 0, 2 * PAGE)])?,
            pool: of_pages(&device, 2)?,
            device,
            memory,
        })
    }

    /// A request out of the region.
    fn of_region(&self, name: u64) -> pindma_entry {
        entry(name, abi::TO_DEVICE, 0, within(self.region, 100, SMALL))
    }

    /// A request into the second buffer.
    fn of_buffer(&self, name: u64) -> pindma_entry {
        let seg = within(self.pool.handle, self.pool.stride, SMALL);
        entry(name, abi::FROM_DEVICE, 0, seg)
    }

    #[track_caller]
    fn submit(&self, entries: &[pindma_entry]) -> Outcome<abi::pindma_result> {
        self.queue.submit(&self.device, entries).all(entries.len())
    }

    #[track_caller]
    fn refuses(&self, entry: pindma_entry, errno: i32, field: u32) -> Outcome<abi::pindma_result> {
        let submitted = self.queue.submit(&self.device, &[entry]);
        submitted.refused_for(errno, field)
    }

    #[track_caller]
    fn unregister(&self, handle: u32, want: i32) -> Outcome {
        let errno = self.device.unregister(handle);
        same("unregister", errno_name(errno), errno_name(want))
    }

    #[track_caller]
    fn unregister_by(&self, handle: u32, deadline: i64, want: i32) -> Outcome {
        let errno = self.device.unregister_by(handle, deadline);
        same("unregister", errno_name(errno), errno_name(want))
    }

    fn users(&self, handle: u32) -> Outcome<u32> {
        Ok(self.device.region(handle)?.out_users)
    }
}

fn moves(leg: Leg) -> Outcome {
    let named = Named::new(1)?;
    let own = Mapping::anonymous(PAGE)?;
    pattern::write(&own, 9, 96, 2);
    let (handle, stride) = (named.pool.handle, named.pool.stride);
    let from = [
        within(named.region, 50, 1000),
        seg(&own, 9, 96),
        within(named.region, PAGE - 7, 500),
    ];
    let to = [
        within(handle, stride + 100, 700),
        within(handle, 3, 200),
        within(handle, stride + 2000, 696),
    ];
    let out = named.submit(&[
        entry_of(0, abi::TO_DEVICE, 11, &from),
        entry_of(1, abi::FROM_DEVICE, 11, &to),
    ])?;
    same("pages pinned", out.pages, 1)?;
    for (end, name) in named.queue.reap(2)?.iter().zip(0..) {
        done(end, name, 1596)?;
        let bounced = end.flags & abi::OUT_BOUNCED != 0;
        same("bounced", bounced, leg.bounces())?;
    }
    let buffers = named.pool.map()?;
    let source = [
        named.memory.read(50, 1000),
        own.read(9, 96),
        named.memory.read(PAGE - 7, 500),
    ];
    let got = [
        buffers.read(stride + 100, 700),
        buffers.read(3, 200),
        buffers.read(stride + 2000, 696),
    ];
    pattern::expect(&got.concat(), &source.concat())
}

fn busy(_: Leg) -> Outcome {
    let named = Named::new(3)?;
    named.submit(&[0, 1, 2].map(|name| named.of_region(name)))?;
    flight::in_child(|| named.unregister(named.region, libc::EBUSY))?;
    for name in 0..3 {
        same("users", named.users(named.region)?, 3 - name)?;
        named.unregister(named.region, libc::EBUSY)?;
        named.unregister_by(named.region, 0, libc::ETIMEDOUT)?;
        done(&named.queue.reap_one()?, name.into(), SMALL)?;
    }
    same("users", named.users(named.region)?, 0)?;
    named.unregister(named.region, 0)?;
    let stale = named.of_region(4);
    named
        .refuses(stale, libc::ENOENT, abi::FIELD_SEG_HANDLE)
        .map(drop)
}

fn waits(_: Leg) -> Outcome {
    let named = Named::new(4)?;
    named.submit(&[
        named.of_region(0),
        named.of_buffer(1),
        named.of_region(2),
        named.of_buffer(3),
    ])?;
    // The last of each is the job before the last, and the last.
    for (handle, least) in [(named.region, 3), (named.pool.handle, 4)] {
        named.unregister_by(handle, abi::DEADLINE_NONE, 0)?;
        named.unregister(handle, libc::ENOENT)?;
        let jobs = named.device.stats()?.out_jobs;
        check(jobs >= least, format!("after {jobs} jobs"))?;
    }
    for (end, name) in named.queue.reap(4)?.iter().zip(0..) {
        done(end, name, SMALL)?;
    }
    // The pool itself is as good as before.
    named.pool.enqueue(named.pool.buffer(1)?)
}

fn canceled(_: Leg) -> Outcome {
    let named = Named::new(5)?;
    let other = named.device.register(&[seg(&named.memory, 0, PAGE)])?;
    let in_line = entry(1, abi::TO_DEVICE, 0, within(other, 0, SMALL));
    named.submit(&[named.of_region(0), in_line])?;
    flight::wait_for_job(&named.device)?;
    named.unregister(other, libc::EBUSY)?;
    let answer = named.queue.cancel(1);
    check(answer == Ok(1), format!("cancel: {answer:?}"))?;
    named.unregister(other, 0)?;
    named.unregister(named.region, libc::EBUSY)?;
    let ends = named.queue.reap(2)?;
    untouched(&ends[0], 1, libc::ECANCELED)?;
    done(&ends[1], 0, SMALL)?;
    named.unregister(named.region, 0)
}

/// Every request by this handle is EPERM.
#[track_caller]
fn is_not_ours(named: &Named, handle: u32) -> Outcome {
    let segs = [seg(&named.memory, 0, 8), within(handle, 0, 16)];
    for direction in [abi::TO_DEVICE, abi::FROM_DEVICE] {
        for (index, request) in [
            (1, entry_of(0, direction, 0, &segs)),
            (0, entry(0, direction, 0, segs[1])),
        ] {
            let out = named.refuses(request, libc::EPERM, abi::FIELD_SEG_HANDLE)?;
            same("index", out.fault_index, index)?;
        }
    }
    Ok(())
}

fn strangers(_: Leg) -> Outcome {
    let named = Named::new(6)?;
    let segs = [seg(&named.memory, 0, PAGE)];
    let mut request = register(BOTH, &segs);
    request.flags = abi::REGION_SHARED | abi::REGION_MAY_BOUNCE;
    let shared = named.device.register_with(request).succeeded()?;
    flight::in_child(|| {
        is_not_ours(&named, named.region)?;
        is_not_ours(&named, named.pool.handle)?;
        named.submit(&[entry(8, abi::TO_DEVICE, 0, within(shared, 0, 16))])?;
        done(&named.queue.reap_one()?, 8, 16)
    })?;
    for handle in [named.region, named.pool.handle, shared] {
        same("users", named.users(handle)?, 0)?;
    }
    same("submitted", named.device.stats()?.out_submitted, 1)?;
    // They are the maker's still.
    named.submit(&[named.of_region(0), named.of_buffer(1)])?;
    for (end, name) in named.queue.reap(2)?.iter().zip(0..) {
        done(end, name, SMALL)?;
    }
    Ok(())
}

fn lent(_: Leg) -> Outcome {
    let named = Named::new(7)?;
    let pool = &named.pool;
    let buffer = pool.buffer(1)?;
    named.submit(&[named.of_buffer(0), named.of_buffer(1)])?;
    for name in 0..2 {
        let (errno, taken) = pool.try_enqueue(&[record(buffer, 0)]);
        same("enqueue", errno_name(errno), errno_name(libc::EBUSY))?;
        same("taken", taken, 0)?;
        same("state", pool.state(1)?, abi::POOL_OWNED)?;
        // The other one is free, once.
        same("others", pool.enqueue_all()?, u32::from(name == 0))?;
        named.unregister(pool.handle, libc::EBUSY)?;
        done(&named.queue.reap_one()?, name, SMALL)?;
    }
    same("users", named.users(pool.handle)?, 0)?;
    pool.enqueue(buffer)
}

fn not_owned(_: Leg) -> Outcome {
    let named = Named::new(8)?;
    let (handle, stride) = (named.pool.handle, named.pool.stride);
    named.pool.enqueue(named.pool.buffer(1)?)?;
    let enqueued = named.of_buffer(0);
    named.refuses(enqueued, libc::EBUSY, abi::FIELD_SEG_HANDLE)?;
    for (offset, len, field) in [
        (stride - 1, 2, abi::FIELD_SEG_LEN),
        (0, 2 * stride, abi::FIELD_SEG_LEN),
        (2 * stride, 1, abi::FIELD_SEG_ADDR),
        (1 << 60, 1, abi::FIELD_SEG_ADDR),
    ] {
        let outside = entry(0, abi::FROM_DEVICE, 0, within(handle, offset, len));
        named.refuses(outside, libc::ERANGE, field)?;
    }
    same("users", named.users(handle)?, 0)?;
    same("submitted", named.device.stats()?.out_submitted, 0)
}
