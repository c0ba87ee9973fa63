// SPDX-License-Identifier: GPL-2.0

//! The fault sweep: each command of the driver, with a fault at every point
//! where one can strike.
//!
//! A point is an allocation or a copy from or to user memory within the call.
//! The first call fails at its first point, the second at its second, and so
//! on until calls pass untouched.  At each point the call must end with a
//! documented errno, or succeed where the driver or the kernel has another
//! way; nothing may be left; and the same call must work right after.
//!
//! A fault strikes once, and then, in a second round, lasts to the end of the
//! call: many of the kernel's allocators try twice, so that one fault alone
//! never reaches what the driver does without memory.

use crate::check::{Fail, Outcome};
use crate::gate::Gate;
use crate::leg::Leg;
use crate::module;
use crate::table::{Case, Needs};

mod binding;
mod command;
mod direct;
mod faults;
mod files;
mod floor;
mod moves;
mod nodes;
mod opening;
mod pools;
mod queries;
mod queues;
mod regions;
mod tally;

use binding::{Bind, Unbind};
use command::Command;
use direct::Direct;
use faults::{Aim, Fault};
use files::{FileCall, Operation};
use moves::Move;
use opening::{Close, Open};
use queries::Query;
use tally::Tally;

pub(crate) const CASES: &[Case] = &[
    swept("sweep_open", "open(2)", |_| {
        sweep("open", &mut Open::shared())
    }),
    swept("sweep_open_exclusive", "open(2) with O_EXCL", |_| {
        sweep("open_exclusive", &mut Open::exclusive())
    }),
    swept("sweep_close", "close(2)", |_| {
        sweep("close", &mut Close::default())
    }),
    swept("sweep_info", "PINDMA_INFO", |_| {
        sweep("info", &mut Query::info())
    }),
    swept("sweep_channel_info", "PINDMA_CHANNEL_INFO", |_| {
        sweep("channel_info", &mut Query::channel_info())
    }),
    swept("sweep_stats", "PINDMA_STATS", |_| {
        sweep("stats", &mut Query::stats())
    }),
    swept("sweep_transfer_to_device", "one range, two pages", |_| {
        sweep("transfer_to_device", &mut Move::to_device())
    }),
    swept(
        "sweep_transfer_from_device",
        "into a page that is not there yet",
        |_| sweep("transfer_from_device", &mut Move::from_device()),
    ),
    swept("sweep_transfer_vector", "24 ranges in 24 pages", |_| {
        sweep("transfer_vector", &mut Move::vector())
    }),
    swept(
        "sweep_transfer_copied_to_device",
        "the same by way of the kernel's pages",
        |_| sweep("transfer_copied_to_device", &mut Move::to_device().copied()),
    ),
    swept(
        "sweep_transfer_copied_from_device",
        "handed out to a page that is not there yet",
        |_| {
            sweep(
                "transfer_copied_from_device",
                &mut Move::from_device().copied(),
            )
        },
    ),
    swept("sweep_read", "readv(2), 10 ranges in 10 pages", |_| {
        sweep("read", &mut Direct::read())
    }),
    swept("sweep_write", "writev(2), the same", |_| {
        sweep("write", &mut Direct::write())
    }),
    swept("sweep_copy", "two ranges into one", |_| {
        sweep("copy", &mut Move::copy())
    }),
    swept("sweep_copy_windows", "faults after a part is done", windows),
    swept(
        "sweep_copy_map",
        "4 MiB pinned and mapped, with I/O page tables of their own",
        map,
    ),
    swept("sweep_region_register", "six ranges in six pages", |_| {
        sweep("region_register", &mut regions::Call::register())
    }),
    swept(
        "sweep_region_register_chunks",
        "17 MiB, mapped in two parts",
        |_| {
            sweep(
                "region_register_chunks",
                &mut regions::Call::register_chunks(),
            )
        },
    ),
    swept("sweep_region_unregister", "it stays or it goes", |_| {
        sweep("region_unregister", &mut regions::Call::unregister())
    }),
    swept("sweep_region_sync", "of all of it", |_| {
        sweep("region_sync", &mut regions::Call::sync())
    }),
    swept("sweep_region_info", "PINDMA_REGION_INFO", |_| {
        sweep("region_info", &mut regions::Call::info())
    }),
    swept("sweep_region_transfer", "six segments by handle", |_| {
        sweep("region_transfer", &mut regions::Call::transfer())
    }),
    swept("sweep_pool_create", "two buffers of 7 pages", |_| {
        sweep("pool_create", &mut pools::Create::scattered())
    }),
    swept(
        "sweep_pool_create_contiguous",
        "two buffers of 6 pages in a row",
        |_| sweep("pool_create_contiguous", &mut pools::Create::contiguous()),
    ),
    swept("sweep_pool_enqueue", "no buffer is lost", |_| {
        sweep("pool_enqueue", &mut pools::Use::enqueue())
    }),
    swept("sweep_pool_dequeue", "no buffer is lost", |_| {
        sweep("pool_dequeue", &mut pools::Use::dequeue())
    }),
    swept("sweep_pool_start", "with memory for lost frames", |_| {
        sweep("pool_start", &mut pools::Use::start())
    }),
    swept("sweep_pool_stop", "after a frame", |_| {
        sweep("pool_stop", &mut pools::Use::stop())
    }),
    swept("sweep_queue_create", "a queue of a hundred", |_| {
        sweep("queue_create", &mut queues::Create::default())
    }),
    swept("sweep_submit", "three requests, one of 24 ranges", |_| {
        sweep("submit", &mut queues::Use::submit())
    }),
    swept("sweep_queue_wait", "no completion is lost", |_| {
        sweep("queue_wait", &mut queues::Use::wait())
    }),
    swept("sweep_queue_read", "no completion is lost", |_| {
        sweep("queue_read", &mut queues::Use::read())
    }),
    swept("sweep_queue_cancel", "of a request in line", |_| {
        sweep("queue_cancel", &mut queues::Use::cancel())
    }),
    swept("sweep_queue_eventfd", "that is signalled or not", |_| {
        sweep("queue_eventfd", &mut queues::Use::eventfd())
    }),
    swept("sweep_seek", "lseek(2)", |_| {
        sweep("seek", &mut FileCall::new(Operation::Seek))
    }),
    swept("sweep_queue_poll", "poll(2) of a queue", |_| {
        sweep("queue_poll", &mut FileCall::new(Operation::PollQueue))
    }),
    swept("sweep_pool_poll", "poll(2) of a pool", |_| {
        sweep("pool_poll", &mut FileCall::new(Operation::PollPool))
    }),
    swept("sweep_pool_map", "mmap(2) of a pool", |_| {
        sweep("pool_map", &mut FileCall::new(Operation::MapPool))
    }),
    swept("sweep_pool_buffer", "PINDMA_POOL_BUFFER", |_| {
        sweep("pool_buffer", &mut FileCall::new(Operation::AskPool))
    }),
    swept("sweep_queue_close", "close(2) of a queue", |_| {
        sweep("queue_close", &mut FileCall::new(Operation::CloseQueue))
    }),
    swept("sweep_pool_close", "close(2) of a pool", |_| {
        sweep("pool_close", &mut FileCall::new(Operation::ClosePool))
    }),
    swept("sweep_bind", "probe", |_| {
        sweep_once("bind", &mut Bind::default())
    }),
    swept("sweep_unbind", "with an open file", |_| {
        sweep_once("unbind", &mut Unbind::default())
    }),
];

const fn swept(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Faults)
}

fn windows(leg: Leg) -> Outcome {
    module::with_parameters(leg, "window_kib=16", || {
        sweep("copy_windows", &mut Move::windows())
    })
}

fn map(leg: Leg) -> Outcome {
    module::with_parameters(leg, "window_kib=16384", || {
        sweep("copy_map", &mut Move::map())
    })
}

/// Points after which a sweep is not believed to end by itself.
const ENDLESS: u32 = 3000;

/// Points after which the kernel is asked, too, what is wrong: the driver is asked
/// after each.
const LOOK: u32 = 8;

/// Calls in a row that pass untouched before a sweep is at its end: a call does not
/// always have the same number of points, as caches fill, and the last of them is
/// where its result is written.
const UNTOUCHED: u32 = 3;

/// Sweeps a command with faults that strike once.  Where the kernel makes and
/// frees interrupts it WARNs if it gets no memory at all.
fn sweep_once(name: &str, command: &mut dyn Command) -> Outcome {
    faults::let_strike()?;
    command::live_within_memlock()?;
    sweep_with(Fault::Once, name, command)
}

/// Sweeps a command, with faults of both kinds.
fn sweep(name: &str, command: &mut dyn Command) -> Outcome {
    let once = sweep_once(name, command);
    command.on_a_used_device();
    let lasting = sweep_with(Fault::Lasting, &format!("{name}_lasting"), command);
    once.and(lasting)
}

/// Sweeps a command, says what came of it, and compares that with its floor.
fn sweep_with(fault: Fault, name: &str, command: &mut dyn Command) -> Outcome {
    let aim = Aim::new()?;
    let mut gate = Gate::new()?;
    nodes::lay_up()?;
    // What is allocated once and for all is no business of the sweep.
    command.works()?;
    let mut tally = Tally::default();
    for _ in 0..walks(fault) {
        let shot = |point, call: &mut dyn FnMut() -> i32| aim.during(fault, point, call);
        walk(name, command, &mut tally, &mut gate, &shot)?;
    }
    tally.conclude(name)
}

/// How often it goes through the points.  A call has one more of them now and then, as
/// a cache of the kernel has run empty, and the walk then steps over one that lies behind;
/// where a fault lasts, that one is struck all the same.
fn walks(fault: Fault) -> u32 {
    match fault {
        Fault::Once => 2,
        Fault::Lasting => 1,
    }
}

/// Makes a call with a fault, which is at its point of that number.
type Shot<'a> = &'a dyn Fn(u32, &mut dyn FnMut() -> i32) -> Outcome<(i32, bool)>;

/// Goes through the points of a command once.
fn walk(
    name: &str,
    command: &mut dyn Command,
    tally: &mut Tally,
    gate: &mut Gate,
    shot: Shot<'_>,
) -> Outcome {
    let mut untouched = 0;
    tally.begin();
    for point in 1..ENDLESS {
        let at = |Fail(why)| Fail(format!("{name}, point {point}: {why}"));
        if strike(command, point, tally, shot).map_err(at)? {
            untouched = 0;
        } else {
            untouched += 1;
        }
        command.works().map_err(at)?;
        let end = untouched == UNTOUCHED;
        if end || point % LOOK == 0 {
            nodes::set_free()?;
            for complaint in gate.complaints() {
                tally.wrong(point, &format!("or in the {LOOK} before it: {complaint}"));
            }
        }
        if end {
            return Ok(());
        }
    }
    Err(Fail::new(format!(
        "{name} still has points after {ENDLESS}"
    )))
}

/// One call, made by `shot` with a fault at its point number `point`; false if
/// it has so many no more.
fn strike(
    command: &mut dyn Command,
    point: u32,
    tally: &mut Tally,
    shot: Shot<'_>,
) -> Outcome<bool> {
    command.prepare()?;
    let (errno, struck) = shot(point, &mut || command.call())?;
    let ended = command
        .judge(errno)
        .and_then(|ended| command::at_rest(command.files()).map(|()| ended));
    if struck {
        tally.count(point, ended);
    } else {
        tally.count_untouched(point, ended);
    }
    Ok(struck)
}
