// SPDX-License-Identifier: GPL-2.0

//! Who waits for a queue or a pool sleeps until there is news, by whatever way it
//! waits; and who closes something waits for nobody.

use std::thread;
use std::time::Duration;

use crate::abi;
use crate::check::{errno_name, same, Fail, Outcome};
use crate::device::{errno_of, seg, Device, PAGE};
use crate::flight;
use crate::leg::Leg;
use crate::module::pause;
use crate::os;
use crate::pool::{from_device, of_pages};
use crate::queue::{entry, Queue};
use crate::sys::aio::Context;
use crate::sys::Mapping;
use crate::table::{Case, Needs};
use crate::tracing::Probes;

use super::unbind::Unbound;

pub(crate) const CASES: &[Case] = &[
    // Kills the mutants with two wait queues.
    Case::new(
        "libaio_polls_queues_and_pools",
        "IOCB_CMD_POLL takes a file with one wait queue only",
        accepted,
    )
    .needs(Needs::Memory)
    .not_on_debug("it has no asynchronous I/O"),
    // Kills the mutant that stirs nobody.
    Case::new(
        "unbind_tells_who_polls_by_libaio",
        "a queue and a pool, both idle",
        unbound,
    )
    .needs(Needs::Race)
    .not_on_debug("it has no asynchronous I/O"),
    // Kills the mutant that looks around each second.
    Case::new(
        "blocked_reader_sleeps_until_unbind",
        "it does not look around meanwhile, and ends at once",
        reader,
    )
    .needs(Needs::Race),
    // Kills the mutant whose pools wait for a grace period.
    Case::new(
        "closing_waits_for_no_grace_period",
        "of files, queues, regions and pools",
        closing,
    )
    .not_on_debug("it has no probes"),
];

/// For hangs only.
const LONG: Duration = Duration::from_secs(200);

const TOLD: i16 = libc::POLLIN;

fn accepted(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(PAGE)?;
    let (queue, pool) = (Queue::create(&device, 4)?, of_pages(&device, 1)?);
    let context = Context::new()?;
    context.poll(queue.fd(), TOLD)?;
    let one = entry(1, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
    queue.submit(&device, &[one]).all(1)?;
    same("queue", context.told(LONG)?.unwrap_or(0), TOLD)?;
    pool.start(from_device(16))?;
    context.poll(pool.fd(), TOLD)?;
    pool.enqueue_all()?;
    same("pool", context.told(LONG)?.unwrap_or(0), TOLD)
}

fn unbound(_: Leg) -> Outcome {
    let device = Device::open()?;
    let (queue, pool) = (Queue::create(&device, 4)?, of_pages(&device, 1)?);
    pool.start(from_device(16))?;
    let (one, other) = (Context::new()?, Context::new()?);
    one.poll(queue.fd(), TOLD)?;
    other.poll(pool.fd(), TOLD)?;
    let unbound = Unbound::now()?;
    same("queue", one.told(LONG)?.unwrap_or(0), libc::POLLHUP)?;
    let dead = libc::POLLHUP | libc::POLLERR;
    same("pool", other.told(LONG)?.unwrap_or(0), dead)?;
    drop(device);
    unbound.end()
}

fn reader(_: Leg) -> Outcome {
    let device = Device::open()?;
    let queue = Queue::create(&device, 1)?;
    let reading = queue.duplicate()?;
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = thread::spawn(move || {
        // Who has started it waits for that.
        let _ = sender.send(os::thread_id());
        errno_of(reading.read(PAGE))
    });
    let id = receiver.recv().map_err(|_| Fail::new("no reader"))?;
    flight::wait_until("nobody reads", || Ok(os::sleeps_in(id, libc::SYS_read)?))?;
    let before = os::sleeps_of(id)?;
    pause(2500);
    same("times that it slept", os::sleeps_of(id)?, before)?;
    let unbound = Unbound::now()?;
    let errno = reader
        .join()
        .map_err(|_| Fail::new("the reader panicked"))?;
    same("errno", errno_name(errno), errno_name(libc::ENODEV))?;
    drop(device);
    unbound.end()
}

fn closing(_: Leg) -> Outcome {
    let functions = [
        "synchronize_rcu",
        "synchronize_rcu_expedited",
        "synchronize_srcu",
    ];
    let memory = Mapping::anonymous(PAGE)?;
    let probes = Probes::of_this_thread(&functions)?;
    for _ in 0..4 {
        let device = Device::open()?;
        let pool = of_pages(&device, 2)?;
        drop(pool.map()?);
        same("unregister", device.unregister(pool.handle), 0)?;
        drop(pool);
        drop(Queue::create(&device, 4)?);
        let region = device.register(&[seg(&memory, 0, PAGE)])?;
        same("unregister", device.unregister(region), 0)?;
    }
    same("grace periods", probes.hits()?, 0)
}
