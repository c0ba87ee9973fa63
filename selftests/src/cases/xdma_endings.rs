// SPDX-License-Identifier: GPL-2.0

//! The engine for XDMA when a job does not end by itself, or the card does not answer any more.

use crate::abi::{self, pindma_transfer};
use crate::card::Card;
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{seg, transfer, Call, Device, PAGE};
use crate::flight::{self, Background};
use crate::gate;
use crate::leg::Leg;
use crate::module::{self, pause, with_parameters};
use crate::os;
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::queue::{done, entry, Queue};
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "xdma_deadline_ends_one_job_and_no_other",
        "the next in line and the other channel go on",
        beside,
    ),
    // Kills the mutant that takes a channel for idle that was told to stop.
    case(
        "xdma_memory_stays_mapped_until_a_channel_is_idle",
        "the card does not stop when it is told to: the model would see an unmap",
        still_busy,
    ),
    case(
        "enotrecoverable_for_a_card_that_is_never_idle",
        "a reset of the bus brings it and its memory back",
        |leg| lost(leg, "never-idle 1000"),
    )
    .not_on_debug(LEAK_IS_AN_ERROR),
    case(
        "enotrecoverable_for_a_card_that_reads_as_ones",
        "which has left the bus or not: its memory stays",
        |leg| lost(leg, "all-ones 1000"),
    )
    .not_on_debug(LEAK_IS_AN_ERROR),
    case(
        "enotrecoverable_for_a_card_that_reads_as_zeros",
        "as one whose registers are switched off",
        |leg| lost(leg, "all-zeros 1000"),
    )
    .not_on_debug(LEAK_IS_AN_ERROR),
    case(
        "xdma_strays_are_seen_by_the_model",
        "a write after the end and one beyond a buffer: only the model sees them",
        strays,
    ),
];

const LEAK_IS_AN_ERROR: &str =
    "DMA-API debugging takes a mapping that outlives its driver for an error";

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Xdma], "no XDMA card here"))
}

const MS: i64 = 1_000_000;
const LEN: usize = 1024;

/// Does something with a card that misbehaves, which it does not do any more afterwards.
fn under(mode: &str, body: impl FnOnce(&Card) -> Outcome) -> Outcome {
    let card = Card::find()?;
    card.command("seed 1")?;
    card.command(&format!("mode {mode}"))?;
    let outcome = body(&card);
    outcome.and(card.command("calm").map(|_| ()))
}

fn by(channel: u32, memory: &Mapping, deadline: i64) -> Call {
    let segs = [seg(memory, 0, LEN)];
    let device = match Device::open() {
        Ok(device) => device,
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            let out = abi::pindma_result::default();
            return Call { errno, out };
        }
    };
    device.transfer(pindma_transfer {
        channel,
        deadline,
        ..transfer(abi::FROM_DEVICE, 0, &segs)
    })
}

fn beside(_: Leg) -> Outcome {
    let device = Device::open()?;
    let memory = Mapping::anonymous(3 * PAGE)?;
    let sent = Mapping::anonymous(PAGE)?;
    pattern::write(&sent, 0, LEN, 3);
    device.to_device(0, &[seg(&sent, 0, LEN)]).succeeded(LEN)?;
    under("slow 1000 200000000 c2h0", |_| {
        let queue = Queue::create(&device, 4)?;
        let late = abi::pindma_entry {
            deadline: os::now() + 20 * MS,
            ..entry(0, abi::FROM_DEVICE, 0, seg(&memory, 0, LEN))
        };
        let next = entry(1, abi::FROM_DEVICE, 0, seg(&memory, PAGE, LEN));
        queue.submit(&device, &[late, next]).all(2)?;
        let other = Mapping::anonymous(PAGE)?;
        by(1, &other, abi::DEADLINE_NONE).succeeded(LEN)?;
        pattern::verify(&other, 0, LEN, 3)?;
        let mut ends = queue.reap(2)?;
        ends.sort_unstable_by_key(|end| end.user_data);
        // The descriptor that it works on is done all the same.
        let status = errno_name(-ends[0].status);
        let right = [0, -libc::ETIMEDOUT].contains(&ends[0].status);
        check(right, format!("the first ended with {status}"))?;
        pattern::verify(&memory, 0, ends[0].bytes as usize, 3)?;
        done(&ends[1], 1, LEN)?;
        pattern::verify(&memory, PAGE, LEN, 3)
    })
}

fn still_busy(_: Leg) -> Outcome {
    let card = Card::find()?;
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, GUARD);
    under("slow 1000 300000000", |_| {
        card.command("mode ignore-stop 1000 100000000")?;
        let call = by(0, &memory, os::now() + 20 * MS);
        check(call.errno == 0, format!("{call}"))
    })
}

/// A job during which the card is lost, in a way, until its bus is reset.
fn lost(leg: Leg, mode: &str) -> Outcome {
    with_parameters(leg, "drain_ms=50 stop_ms=50", || {
        let before = counters::pins_outstanding()?;
        let memory = Mapping::anonymous(PAGE)?;
        memory.fill(0, PAGE, GUARD);
        let call = under("slow 1000 300000000", |card| {
            let deadline = os::now() + 100 * MS;
            let device = Device::open()?;
            let segs = [seg(&memory, 0, LEN)];
            let caller = device.duplicate()?;
            let call = Background::start(move || {
                caller.transfer(pindma_transfer {
                    deadline,
                    ..transfer(abi::FROM_DEVICE, 0, &segs)
                })
            });
            flight::wait_for_job(&device)?;
            card.command(&format!("mode {mode}"))?;
            let call = call.join()?;
            let status = errno_name(-call.out.status);
            same("status", status, errno_name(libc::ENOTRECOVERABLE))?;
            check(device.info()?.out_leaked_pages > 0, "nothing was kept")?;
            drop(device);
            // It answers again, on its user's BAR as well.
            pci::reset()
        });
        // It might be written to, had the card not been reset.
        pattern::verify_guard(&memory, 0, PAGE)?;
        call?;
        pci::unbind()?;
        counters::comes_to("leaked_pages", 0)?;
        counters::pins_come_to(before)?;
        pci::bind()?;
        module::wait_for_node(true)?;
        by(0, &memory, abi::DEADLINE_NONE).succeeded(LEN)?;
        by(1, &memory, abi::DEADLINE_NONE).succeeded(LEN)?;
        Ok(())
    })?;
    gate::declare_leak(0)
}

fn strays(_: Leg) -> Outcome {
    let card = Card::find()?;
    card.command("pardon on")?;
    let struck = ["wrote-after-done 1000 200000000", "foreign-write 1000 100"];
    let outcome = struck.into_iter().try_for_each(|mode| {
        let before = card.counts(["pardoned_violations"])?[0];
        under(mode, |_| {
            let memory = Mapping::anonymous(PAGE)?;
            by(0, &memory, abi::DEADLINE_NONE).succeeded(LEN)?;
            let seen = || Ok(card.counts(["pardoned_violations"])?[0] > before);
            flight::wait_until(&format!("nobody saw {mode}"), seen)
        })
    });
    // What was put off is over.
    pause(10);
    let back = card.command("pardon off").map(|_| ());
    outcome.and(back)
}
