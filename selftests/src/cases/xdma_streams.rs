// SPDX-License-Identifier: GPL-2.0

//! The engine for XDMA with streams: packets both ways, by each way to move data.
//!
//! The card gives packets whose bytes count up modulo 251, and tells the lengths and digests of those that it
//! was sent.

use std::thread;

use crate::abi::{self, pindma_entry, pindma_pool_start, pindma_transfer};
use crate::card::Card;
use crate::check::{check, errno_name, same, Fail, Outcome};
use crate::device::{seg, transfer, Call, Device, PAGE};
use crate::leg::Leg;
use crate::module::with_parameters;
use crate::os;
use crate::pattern::{self, GUARD};
use crate::pci;
use crate::pool::{self, Pool};
use crate::queue::{entry, Queue};
use crate::region::within;
use crate::rw;
use crate::sys::Mapping;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    case(
        "stream_of_a_card_has_one_direction",
        "what channels say of themselves; lengths and addresses that a stream cannot have",
        kinds,
    ),
    case(
        "stream_sends_a_packet_for_each_request",
        "by address, by region, by write(2) and from a vector",
        sends,
    ),
    case(
        "stream_ends_a_request_with_its_packet",
        "shorter than the buffer, as long, and longer",
        receives,
    ),
    case(
        "stream_requests_keep_their_order",
        "32 in a queue each way, through the card and back",
        in_order,
    ),
    case(
        "stream_fills_a_pool_with_packets",
        "those that came before its buffers as well, none lost",
        into_a_pool,
    ),
    case(
        "stream_sends_what_is_enqueued",
        "a pool's buffers are a packet each",
        from_a_pool,
    ),
    case(
        "streams_go_both_ways_at_once",
        "two loops of a card, 64 packets of 16 KiB each",
        loops,
    ),
    case(
        "etimedout_for_a_stream_without_data",
        "the card lets go of the buffer, and the next packet goes into the next one",
        nothing_comes,
    ),
    case(
        "enotrecoverable_for_a_stream_that_keeps_its_buffer",
        "as PG195's cards may do; a reset of the bus brings it back",
        keeps,
    )
    .not_on_debug("DMA-API debugging takes a mapping that outlives its driver for an error"),
    case(
        "stream_lies_are_no_data",
        "records that are wrong, missing or late: right bytes or EIO, and then all is well",
        lies,
    ),
];

const fn case(name: &'static str, about: &'static str, run: fn(Leg) -> Outcome) -> Case {
    Case::new(name, about, run).needs(Needs::Only(&[Leg::Streams], "no streams here"))
}

/// The machine's channels: two to the card, then two from it.
const TO: u32 = 0;
const FROM: u32 = 2;
/// How many there are each way.
const EACH: u32 = 2;

const MS: i64 = 1_000_000;

/// Bytes of a packet that the card makes.
fn packet(first: u64, len: usize) -> Vec<u8> {
    let bytes = (first..).take(len);
    bytes.map(|byte| (byte % 251) as u8).collect()
}

/// FNV-1a of 64 bits.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Has a channel of the card keep the packets that it is sent, send them back, or drop them.
fn sink(card: &Card, way: u32, how: &str) -> Outcome {
    card.command(&format!("sink {way} {how}")).map(|_| ())
}

/// The packets that a channel of the card has got are these.
#[track_caller]
fn got(card: &Card, way: u32, wanted: &[&[u8]]) -> Outcome {
    let wanted: Vec<_> = wanted
        .iter()
        .map(|bytes| format!("{}:{:016x}", bytes.len(), digest(bytes)))
        .collect();
    same(
        "packets",
        card.command(&format!("packets {way}"))?,
        wanted.join(" "),
    )
}

/// Has a channel of the card give a packet.
fn give(card: &Card, way: u32, len: usize, first: u64) -> Outcome {
    card.command(&format!("packet {way} {len} {first}"))
        .map(|_| ())
}

fn send(device: &Device, channel: u32, segs: &[abi::pindma_seg]) -> Call {
    device.transfer(pindma_transfer {
        channel,
        ..transfer(abi::TO_DEVICE, 0, segs)
    })
}

fn receive(device: &Device, channel: u32, segs: &[abi::pindma_seg]) -> Call {
    device.transfer(pindma_transfer {
        channel,
        ..transfer(abi::FROM_DEVICE, 0, segs)
    })
}

/// A packet that ended after `bytes` of `len`. That it was shorter is told as an error, as anything is
/// that ends before its time.
#[track_caller]
fn ended(call: Call, bytes: usize, len: usize) -> Outcome {
    if bytes == len {
        return call.succeeded(len).map(|_| ());
    }
    same("bytes", call.stopped(libc::EIO)?.bytes, bytes as u64)
}

fn kinds(_: Leg) -> Outcome {
    let device = Device::open()?;
    for channel in 0..2 * EACH {
        let info = device.channel(channel)?;
        same("kind", info.out_kind, abi::CHANNEL_STREAM)?;
        same("memory", info.out_mem_bytes, 0)?;
        let way = if channel < FROM {
            abi::CHANNEL_TO_DEVICE
        } else {
            abi::CHANNEL_FROM_DEVICE
        };
        same("caps", info.out_caps, way | abi::CHANNEL_WHEN_TOLD)?;
    }
    same("alignment", device.channel(FROM)?.out_len_align, 64)?;
    let memory = Mapping::anonymous(PAGE)?;
    let segs = [seg(&memory, 0, 100)];
    receive(&device, FROM, &segs).refused(libc::EINVAL)?;
    receive(&device, TO, &segs).refused(libc::EOPNOTSUPP)?;
    send(&device, FROM, &segs).refused(libc::EOPNOTSUPP)?;
    device
        .to_device(64, &segs)
        .refused_for(libc::ERANGE, abi::FIELD_DEV_ADDR)?;
    // What is read and written is the first channel, which goes to the card.
    rw::read(&device, rw::range(&memory, 0, 64)).failed(libc::EOPNOTSUPP)?;
    let nowhere = -i64::from(libc::ESPIPE);
    same("lseek", rw::seek(&device, 0, libc::SEEK_END), nowhere)
}

fn sends(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(16 * PAGE)?;
    pattern::write(&memory, 0, memory.len(), 1);
    sink(&card, 0, "keep")?;
    let all = memory.read(0, memory.len());
    for len in [1, 63, 64, 4096, 4097, 65536] {
        send(&device, TO, &[seg(&memory, 0, len)]).succeeded(len)?;
    }
    let lens = [1, 63, 64, 4096, 4097, 65536].map(|len| &all[..len]);
    got(&card, 0, &lens)?;
    // A vector is one packet.
    let segs = [seg(&memory, 100, 1000), seg(&memory, 2 * PAGE, 24)];
    send(&device, TO, &segs).succeeded(1024)?;
    let whole = [&all[100..1100], &all[2 * PAGE..2 * PAGE + 24]].concat();
    got(&card, 0, &[&whole])?;
    let region = device.register(&[seg(&memory, 0, memory.len())])?;
    send(&device, TO, &[within(region, 5, 500)]).succeeded(500)?;
    rw::write(&device, rw::range(&memory, 7, 300)).moved(300)?;
    got(&card, 0, &[&all[5..505], &all[7..307]])?;
    same("unregister", device.unregister(region), 0)
}

fn receives(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(2 * PAGE)?;
    for (len, buffer) in [(1, 64), (100, 4096), (4096, 4096), (4000, 8192)] {
        memory.fill(0, memory.len(), GUARD);
        give(&card, 0, len, 3)?;
        let call = receive(&device, FROM, &[seg(&memory, 0, buffer)]);
        ended(call, len, buffer)?;
        pattern::expect(&memory.read(0, len), &packet(3, len))?;
        pattern::verify_guard(&memory, len, memory.len() - len)?;
    }
    // What is left of a longer one comes with the next request.
    give(&card, 0, 5000, 0)?;
    let first = receive(&device, FROM, &[seg(&memory, 0, PAGE)]);
    ended(first, PAGE, PAGE)?;
    let second = receive(&device, FROM, &[seg(&memory, PAGE, PAGE)]);
    ended(second, 5000 - PAGE, PAGE)?;
    pattern::expect(&memory.read(0, 5000), &packet(0, 5000))
}

/// A request of a queue.
fn of(name: u64, direction: u32, channel: u32, part: abi::pindma_seg) -> pindma_entry {
    pindma_entry {
        channel,
        ..entry(name, direction, 0, part)
    }
}

fn in_order(_: Leg) -> Outcome {
    const COUNT: usize = 32;
    let (card, device) = (Card::find()?, Device::open()?);
    sink(&card, 0, "loopback")?;
    let (src, dst) = (
        Mapping::anonymous(COUNT * PAGE)?,
        Mapping::anonymous(COUNT * PAGE)?,
    );
    pattern::write(&src, 0, src.len(), 2);
    let (to, from) = (Queue::create(&device, 64)?, Queue::create(&device, 64)?);
    let part = |memory: &Mapping, number: usize| seg(memory, number * PAGE, PAGE);
    let sent: Vec<_> = (0..COUNT)
        .map(|number| of(number as u64, abi::TO_DEVICE, TO, part(&src, number)))
        .collect();
    let wanted: Vec<_> = (0..COUNT)
        .map(|number| of(number as u64, abi::FROM_DEVICE, FROM, part(&dst, number)))
        .collect();
    from.submit(&device, &wanted).all(COUNT)?;
    to.submit(&device, &sent).all(COUNT)?;
    for (end, number) in from.reap(COUNT)?.iter().zip(0..) {
        same("name", end.user_data, number)?;
        same("status", end.status, 0)?;
    }
    for end in to.reap(COUNT)? {
        same("status", end.status, 0)?;
    }
    sink(&card, 0, "keep")?;
    pattern::verify(&dst, 0, dst.len(), 2)
}

/// A start of a pool on a channel.
fn on(channel: u32, direction: u32) -> pindma_pool_start {
    pindma_pool_start {
        channel,
        direction,
        ..pool::from_device(0)
    }
}

fn into_a_pool(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let pool = pool::of_pages(&device, 4)?;
    let memory = pool.map()?;
    // More than it has buffers, and all before it starts.
    for number in 0..8u64 {
        give(&card, 0, PAGE, number)?;
    }
    same("enqueued", pool.enqueue_all()?, 4)?;
    pool.start(on(FROM, abi::FROM_DEVICE))?;
    for number in 0..8u64 {
        let record = pool.dequeue(1)?[0];
        same("status", record.status, 0)?;
        same("number", record.seq, number)?;
        same("lost", record.overruns, 0)?;
        let at = record.index as usize * pool.stride;
        pattern::expect(&memory.read(at, PAGE), &packet(number, PAGE))?;
        pool.enqueue(record.buffer)?;
    }
    let totals = pool.stop()?;
    same("lost", totals.overruns, 0)
}

fn from_a_pool(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    sink(&card, 0, "keep")?;
    let pool: Pool = pool::of_pages(&device, 4)?;
    let memory = pool.map()?;
    pattern::write(&memory, 0, memory.len(), 5);
    pool.start(on(TO, abi::TO_DEVICE))?;
    same("enqueued", pool.enqueue_all()?, 4)?;
    for record in pool.dequeue(4)? {
        same("status", record.status, 0)?;
    }
    pool.stop()?;
    let all = memory.read(0, memory.len());
    let buffers: Vec<_> = all.chunks(PAGE).collect();
    got(&card, 0, &buffers)
}

fn loops(_: Leg) -> Outcome {
    let card = Card::find()?;
    (0..EACH).try_for_each(|way| sink(&card, way, "loopback"))?;
    let outcome = thread::scope(|scope| {
        let running: Vec<_> = (0..EACH)
            .flat_map(|way| {
                let sender = scope.spawn(move || send_many(way));
                [sender, scope.spawn(move || receive_many(way))]
            })
            .collect();
        running.into_iter().try_for_each(|thread| {
            let panicked = |_| Err(Fail::new("a thread panicked"));
            thread.join().unwrap_or_else(panicked)
        })
    });
    let back = (0..EACH).try_for_each(|way| sink(&card, way, "keep"));
    outcome.and(back)
}

/// Packets of a loop, and bytes of each.
const MANY: u64 = 64;
const LONG: usize = 4 * PAGE;

fn send_many(way: u32) -> Outcome {
    let (device, memory) = (Device::open()?, Mapping::anonymous(LONG)?);
    for number in 0..MANY {
        pattern::write(&memory, 0, LONG, number);
        send(&device, TO + way, &[seg(&memory, 0, LONG)]).succeeded(LONG)?;
    }
    Ok(())
}

fn receive_many(way: u32) -> Outcome {
    let (device, memory) = (Device::open()?, Mapping::anonymous(LONG)?);
    let region = device.register(&[seg(&memory, 0, LONG)])?;
    for number in 0..MANY {
        memory.fill(0, LONG, GUARD);
        receive(&device, FROM + way, &[within(region, 0, LONG)]).succeeded(LONG)?;
        pattern::verify(&memory, 0, LONG, number)?;
    }
    same("unregister", device.unregister(region), 0)
}

/// A request that nothing comes for in time.
fn in_vain(device: &Device, memory: &Mapping) -> Call {
    let segs = [seg(memory, 0, PAGE)];
    device.transfer(pindma_transfer {
        channel: FROM,
        deadline: os::now() + 50 * MS,
        ..transfer(abi::FROM_DEVICE, 0, &segs)
    })
}

fn nothing_comes(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(PAGE)?;
    memory.fill(0, PAGE, GUARD);
    let call = in_vain(&device, &memory);
    same("bytes", call.stopped(libc::ETIMEDOUT)?.bytes, 0)?;
    give(&card, 0, PAGE, 9)?;
    let after = Mapping::anonymous(PAGE)?;
    receive(&device, FROM, &[seg(&after, 0, PAGE)]).succeeded(PAGE)?;
    pattern::expect(&after.read(0, PAGE), &packet(9, PAGE))?;
    pattern::verify_guard(&memory, 0, PAGE)
}

fn keeps(leg: Leg) -> Outcome {
    let card = Card::find()?;
    card.command("switch starved-stream=stays-busy")?;
    card.command("switch bus-master-off=hold")?;
    let kept = with_parameters(leg, "drain_ms=1 stop_ms=1", || {
        let memory = Mapping::anonymous(PAGE)?;
        let call = in_vain(&Device::open()?, &memory);
        check(call.out.status == -libc::ENOTRECOVERABLE, format!("{call}"))?;
        // The card may write to it still.
        std::mem::forget(memory);
        pci::reset()?;
        pci::unbind()?;
        crate::counters::comes_to("leaked_pages", 0)?;
        pci::bind()?;
        crate::module::wait_for_node(true)?;
        let (device, memory) = (Device::open()?, Mapping::anonymous(PAGE)?);
        give(&card, 0, PAGE, 4)?;
        receive(&device, FROM, &[seg(&memory, 0, PAGE)]).succeeded(PAGE)?;
        pattern::expect(&memory.read(0, PAGE), &packet(4, PAGE))
    });
    card.command("switch starved-stream=gives-up")?;
    card.command("switch bus-master-off=hold-until-stopped")?;
    kept
}

/// Names of modes, and their amounts.
const LIES: &[(&str, u64)] = &[
    ("short-record", 0),
    ("empty-record", 0),
    ("long-record", 0),
    ("missing-record", 0),
    ("blank-record", 0),
    ("extra-end", 0),
    ("early-message", 100_000),
    ("lost-message", 0),
    ("wrong-count", 0),
    ("wrong-word", 0),
    ("missing-word", 0),
    ("busy-lag", 20),
];

fn lies(_: Leg) -> Outcome {
    let (card, device) = (Card::find()?, Device::open()?);
    let memory = Mapping::anonymous(PAGE)?;
    for (mode, amount) in LIES {
        let named = |Fail(why)| Fail::new(format!("{mode}: {why}"));
        card.command("seed 1")?;
        card.command(&format!("mode {mode} 300 {amount}"))?;
        for first in 0..6 {
            right_or_eio(&card, &device, &memory, first).map_err(named)?;
        }
        card.command("calm")?;
        for first in 0..2 {
            let whole = right_or_eio(&card, &device, &memory, first).map_err(named)?;
            check(whole, format!("an error after {mode}"))?;
        }
    }
    Ok(())
}

/// Receives a packet; whether all of it is told, which is right then. Of an error no byte is told that is
/// not right.
fn right_or_eio(card: &Card, device: &Device, memory: &Mapping, first: u64) -> Outcome<bool> {
    memory.fill(0, PAGE, GUARD);
    give(card, 0, PAGE, first)?;
    let call = receive(device, FROM, &[seg(memory, 0, PAGE)]);
    check(call.errno == 0, format!("{call}"))?;
    let status = errno_name(-call.out.status);
    check([0, -libc::EIO].contains(&call.out.status), status)?;
    let told = call.out.bytes as usize;
    pattern::expect(&memory.read(0, told), &packet(first, PAGE)[..told])?;
    Ok(call.out.status == 0)
}
