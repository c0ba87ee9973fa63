// SPDX-License-Identifier: GPL-2.0

//! The crate `pindma`, as programs use it: what it promises to be safe, with the real driver. The
//! leak gate sees whether each drop has given everything back.

use std::io::{IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use pindma::{
    Access, Block, Buffer, Completion, Deadline, Destination, Device, ErrorKind, Memory, Queue,
    Region, Source, Start, Transfer,
};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::check::{check, same, Fail, Outcome};
use crate::device::{NODE, WINDOW};
use crate::flight;
use crate::leg::Leg;
use crate::os;
use crate::pattern;
use crate::sys::signals;
use crate::table::{Case, Needs};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "library_opens_nothing_that_it_does_not_know",
        "no call of another driver's where sysfs is not mounted",
        unidentified,
    ),
    Case::new(
        "library_region_is_transferred_in_place",
        "there and back, and its memory returned",
        region,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_parts_of_a_region_go_through_a_queue",
        "each its own way, then joined",
        parts,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_queue_gives_buffers_back",
        "a batch, more than fits, one after the other",
        queue,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_calls_for_all_go_on_after_signals",
        "both ways and as a copy, by address and by handle",
        signalled,
    )
    .needs(Needs::Race),
    Case::new(
        "library_queue_takes_a_range_of_a_region",
        "and nothing else of it changes",
        range,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_queue_cannot_be_read",
        "whoever tries has no completion, and takes none",
        unread,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_queue_cancels",
        "one by its number, the rest by close",
        cancel,
    )
    .needs(Needs::Memory)
    .slow(),
    Case::new(
        "library_dropped_queue_drains",
        "buffers in flight are freed after the device is done",
        drained,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_pool_goes_round",
        "enqueued, filled, looked at, again",
        pool,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_stream_tells_what_was_lost",
        "a consumer that holds all buffers for a while",
        stream,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_block_is_transferred_in_place",
        "by a call, and by a queue",
        block,
    )
    .needs(Needs::Memory),
    Case::new(
        "library_device_is_a_file",
        "read, write, seek, and their errors at the end",
        file,
    )
    .needs(Needs::Memory),
    Case::new("library_copies_where_allowed", "the result says so", copied).needs(Needs::Memory),
    Case::new(
        "library_regions_of_two_files_are_kept_apart",
        "the handle of another file is refused before the kernel sees it",
        apart,
    )
    .needs(Needs::Memory),
];

/// Bytes of the device's memory that the cases use.
pub(super) const LEN: usize = 3000;

pub(super) fn failed(error: impl Into<pindma::Error>) -> Fail {
    Fail::new(error.into())
}

pub(super) fn open() -> Outcome<Device> {
    Device::open(NODE).map_err(failed)
}

/// A device whose memory begins with a pattern.
pub(super) fn prepared(seed: u64) -> Outcome<Device> {
    let device = open()?;
    device.send(&pattern::bytes(seed, LEN), 0).map_err(failed)?;
    Ok(device)
}

pub(super) fn buffer(len: usize) -> Outcome<Buffer> {
    Buffer::zeroed(len).map_err(failed)
}

/// Registered memory that may be bounced, so that it works on every leg.
pub(super) fn registered(device: &Device, len: usize) -> Outcome<Region> {
    Region::options()
        .may_bounce(true)
        .register(device, buffer(len)?, Access::BOTH)
        .map_err(failed)
}

pub(super) fn queue_of<M: Memory>(device: &Device, depth: u32) -> Outcome<Queue<M>> {
    device.queue(depth).map_err(failed)
}

/// The next completion, which there must be.
pub(super) fn next<M: Memory>(queue: &Queue<M>) -> Outcome<Completion<M>> {
    let next = queue.next(Deadline::NONE).map_err(failed)?;
    next.ok_or_else(|| Fail::new("no request is in flight"))
}

pub(super) fn expect_kind(error: &pindma::Error, kind: &ErrorKind) -> Outcome {
    check(error.kind() == kind, format!("{error}: not {kind:?}"))
}

fn unidentified(_: Leg) -> Outcome {
    flight::in_child(|| {
        // The nodes and nothing else.
        rustix::process::chroot("/dev")?;
        refused_as("/pindma0", |kind| {
            matches!(kind, ErrorKind::Unidentified { .. })
        })?;
        refused_as("/null", |kind| matches!(kind, ErrorKind::NotADevice { .. }))
    })
}

fn refused_as(path: &str, right: fn(&ErrorKind) -> bool) -> Outcome {
    match Device::open(path) {
        Err(error) => check(right(error.kind()), error),
        Ok(_) => check(false, format!("{path} was opened")),
    }
}

/// A process that gets a signal every few jobs, for as long as it moves data.
fn signalled(_: Leg) -> Outcome {
    let device = open()?;
    let child = flight::child(|| {
        signals::catch(libc::SIGUSR1)?;
        move_all(&device)
    })?;
    let mut last = 0;
    while !child.ended_within(Duration::from_millis(1))? {
        let jobs = device.stats().map_err(failed)?.jobs;
        // A copy begins with a chunk anew, of two jobs, if a signal comes before its end.
        if jobs >= last + 4 {
            child.signal(Signal::USR1)?;
            last = jobs;
        }
    }
    flight::finish(child)
}

/// Each call has many jobs, and so ends early if a signal comes.
fn move_all(device: &Device) -> Outcome {
    let sent = pattern::bytes(7, WINDOW);
    let mut scattered = vec![0; 16 * WINDOW];
    for chunk in 0..4 {
        device
            .send_all(&sent[chunk * 1024..][..1024], chunk as u64 * 1024)
            .map_err(failed)?;
    }
    let done = device
        .copy_all(&vec![5; 16 * WINDOW], &mut scattered)
        .map_err(failed)?;
    same("bytes", done.bytes, 16 * WINDOW as u64)?;
    check(
        scattered.iter().all(|byte| *byte == 5),
        "not all was copied",
    )?;
    device.send_all(&sent, 0).map_err(failed)?;
    let mut back = vec![0; WINDOW];
    device.receive_all(&mut back, 0).map_err(failed)?;
    pattern::expect(&back, &sent)?;
    move_all_by_handle(device, &sent)?;
    check(signals::caught() > 0, "no signal came")
}

/// A vector of many jobs, of which signals end calls in the middle.
fn move_all_by_handle(device: &Device, sent: &[u8]) -> Outcome {
    let mut region = registered(device, WINDOW)?;
    let (head, tail) = sent.split_at(1000);
    let (mut first, mut last) = (vec![0; 100], vec![0; sent.len() - 100]);
    let to = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut last)];
    let request = device.request();
    let from = [IoSlice::new(head), IoSlice::new(tail)];
    request.copy_all_vectored(&from, to).map_err(failed)?;
    pattern::expect(&[first, last].concat(), sent)?;
    let from = [Source::from(head), Source::from(tail)];
    request.send_all_parts(&from).map_err(failed)?;
    request.receive_all_into(&mut region, ..).map_err(failed)?;
    pattern::expect(&region, sent)?;
    let to = &mut [Destination::new(&mut region, 1..)];
    request.receive_all_parts(to).map_err(failed)?;
    pattern::expect(&region[1..], &sent[..WINDOW - 1])
}

fn range(_: Leg) -> Outcome {
    let device = prepared(6)?;
    let queue = queue_of::<Region>(&device, 2)?;
    let part = Transfer::from_device().range(1000..1000 + LEN);
    let submitted = queue.submit(part, registered(&device, 2 * LEN)?);
    submitted.map_err(failed)?;
    let completion = next(&queue)?;
    same("bytes", completion.bytes, LEN as u64)?;
    let region = completion.finish().map_err(failed)?;
    pattern::expect(&region[1000..1000 + LEN], &pattern::bytes(6, LEN))?;
    let untouched = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let around = untouched(&region[..1000]) && untouched(&region[1000 + LEN..]);
    check(around, "bytes around it changed")
}

fn unread(_: Leg) -> Outcome {
    let device = prepared(5)?;
    let queue = queue_of::<Buffer>(&device, 2)?;
    let submitted = queue.submit(Transfer::from_device(), buffer(LEN)?);
    submitted.map_err(failed)?;
    let readable = os::readable_within(queue.as_fd(), Duration::from_secs(60))?;
    check(readable, "the request never ended")?;
    let read = rustix::io::read(&queue, &mut [0; 64]);
    check(read == Err(Errno::BADF), format!("{read:?}"))?;
    pattern::expect(
        &next(&queue)?.finish().map_err(failed)?,
        &pattern::bytes(5, LEN),
    )
}

fn region(_: Leg) -> Outcome {
    let device = prepared(1)?;
    let mut region = registered(&device, 3 * LEN)?;
    region.receive(LEN..2 * LEN, 0).map_err(failed)?;
    pattern::expect(&region[LEN..2 * LEN], &pattern::bytes(1, LEN))?;
    check(
        region[..LEN].iter().all(|byte| *byte == 0),
        "bytes before it changed",
    )?;
    check(
        region[2 * LEN..].iter().all(|byte| *byte == 0),
        "bytes behind it changed",
    )?;
    region[..LEN].copy_from_slice(&pattern::bytes(2, LEN));
    let done = region.send(..LEN, 0).map_err(failed)?;
    same("pages pinned for it", done.pages, 0)?;
    let mut back = vec![0; LEN];
    device.receive(&mut back, 0).map_err(failed)?;
    pattern::expect(&back, &pattern::bytes(2, LEN))?;
    let info = region.info().map_err(failed)?;
    same("bytes registered", info.len, 3 * LEN as u64)?;
    same("regions", device.stats().map_err(failed)?.regions, 1)?;
    let buffer = region.unregister().map_err(failed)?;
    pattern::expect(&buffer[..LEN], &pattern::bytes(2, LEN))?;
    same("regions", device.stats().map_err(failed)?.regions, 0)
}

fn parts(_: Leg) -> Outcome {
    let device = prepared(3)?;
    let region = registered(&device, LEN)?;
    let queue = queue_of(&device, 4)?;
    for part in region.split_into(1000) {
        let at = part.offset() as u64;
        let read = Transfer::from_device().dev_addr(at);
        queue.submit(read, part).map_err(failed)?;
    }
    let mut whole = next(&queue)?.finish().map_err(failed)?;
    for _ in 1..3 {
        let part = next(&queue)?.finish().map_err(failed)?;
        let joined = whole.join(part);
        whole = joined.map_err(|_| Fail::new("requests of a file ended out of order"))?;
    }
    pattern::expect(&whole, &pattern::bytes(3, LEN))?;
    whole.unregister().map(drop).map_err(failed)
}

fn queue(_: Leg) -> Outcome {
    let device = prepared(4)?;
    let queue = queue_of(&device, 4)?;
    let mut batch = Vec::new();
    for index in 0..6 {
        let read = Transfer::from_device().dev_addr(100 * index);
        batch.push((read, buffer(100)?));
    }
    let mut taken = Vec::new();
    let expected = pattern::bytes(4, LEN);
    while !batch.is_empty() {
        let submitted = queue.submit_all(&mut batch);
        if let Some(error) = submitted.stopped {
            expect_kind(&error, &ErrorKind::QueueFull)?;
        }
        taken.extend(submitted.ids);
        let completion = next(&queue)?;
        check_chunk(completion, &taken, &expected)?;
    }
    while queue.in_flight() > 0 {
        check_chunk(next(&queue)?, &taken, &expected)?;
    }
    same("requests", taken.len(), 6)?;
    let none = queue.next(Deadline::NONE).map_err(failed)?;
    check(none.is_none(), "a completion of nothing")
}

/// Checks that a request of 100 bytes has what lies at its place.
fn check_chunk(
    completion: Completion<Buffer>,
    taken: &[pindma::RequestId],
    expected: &[u8],
) -> Outcome {
    let at = taken.iter().position(|id| *id == completion.id);
    let at = 100 * at.ok_or_else(|| Fail::new("an unknown request"))?;
    same("bytes", completion.bytes, 100)?;
    let buffer = completion.finish().map_err(failed)?;
    pattern::expect(&buffer, &expected[at..at + 100])
}

fn cancel(_: Leg) -> Outcome {
    let device = open()?;
    let queue = queue_of(&device, 8)?;
    let mut ids = Vec::new();
    for _ in 0..6 {
        let submitted = queue.submit(Transfer::from_device(), buffer(LEN)?);
        ids.push(submitted.map_err(failed)?);
    }
    check(
        queue.cancel(ids[5]).map_err(failed)?,
        "the last was not in flight",
    )?;
    let completions = queue.close();
    same("completions", completions.len(), 6)?;
    for completion in &completions {
        check(completion.memory.is_some(), "a buffer is missing")?;
        if let Err(error) = &completion.result {
            expect_kind(error, &ErrorKind::Cancelled)?;
        }
    }
    let last = completions
        .iter()
        .find(|completion| completion.id == ids[5]);
    check(
        last.is_some_and(|last| last.result.is_err()),
        "the last was not cancelled",
    )
}

fn drained(_: Leg) -> Outcome {
    let device = open()?;
    let queue = queue_of(&device, 8)?;
    for _ in 0..8 {
        let submitted = queue.submit(Transfer::from_device(), buffer(LEN)?);
        submitted.map_err(failed)?;
    }
    drop(queue);
    let stats = device.stats().map_err(failed)?;
    same("requests that have ended", stats.ended, stats.submitted)?;
    same("pages pinned", stats.pinned_pages, 0)
}

fn pool(_: Leg) -> Outcome {
    let device = prepared(5)?;
    let pool = device.pool(LEN, 3, Access::WRITE).map_err(failed)?;
    same("buffers", pool.enqueue_all().map_err(failed)?, 3)?;
    let start = Start::from_device().frame_bytes(LEN as u64);
    pool.start(start).map_err(failed)?;
    for sequence in 0..8 {
        let frame = pool.dequeue(Deadline::NONE).map_err(failed)?;
        let frame = frame.ok_or_else(|| Fail::new("nothing to wait for"))?;
        same("sequence", frame.sequence, sequence)?;
        pattern::expect(frame.data(), &pattern::bytes(5, LEN))?;
        let mut block = frame.finish().map_err(failed)?;
        block.fill(0);
        pool.enqueue(block).map_err(failed)?;
    }
    let stopped = pool.stop().map_err(failed)?;
    same("frames lost", stopped.overruns, 0)?;
    check(stopped.frames >= 8, "fewer frames than were seen")
}

fn stream(_: Leg) -> Outcome {
    let device = prepared(6)?;
    let pool = device.pool(LEN, 2, Access::WRITE).map_err(failed)?;
    let start = Start::from_device().frame_bytes(LEN as u64).lossy(true);
    let mut frames = pool.frames(start).map_err(failed)?;
    let (mut seen, mut lost) = (0, 0);
    let mut held = Vec::new();
    while lost == 0 || seen < 6 {
        match frames.next() {
            Some(Ok(frame)) => {
                pattern::expect(frame.data(), &pattern::bytes(6, LEN))?;
                same("sequence", frame.sequence, seen + lost + frame.overruns)?;
                seen += 1;
                lost += frame.overruns;
                held.push(frame);
            }
            Some(Err(error)) => {
                // Both buffers are held, so frames are being lost.
                expect_kind(&error, &ErrorKind::NothingEnqueued)?;
                std::thread::sleep(Duration::from_millis(300));
                held.clear();
            }
            None => return Err(Fail::new("it has stopped")),
        }
    }
    let stopped = frames.stop().map_err(failed)?;
    check(stopped.overruns >= lost, "fewer lost than were told")
}

fn block(_: Leg) -> Outcome {
    let device = prepared(7)?;
    let pool = device.pool(LEN, 2, Access::BOTH).map_err(failed)?;
    let blocks = pool.take_all().map_err(failed)?;
    let [mut one, two]: [Block; 2] = blocks
        .try_into()
        .map_err(|_| Fail::new("there are not two of them"))?;
    one.receive(..LEN, 0).map_err(failed)?;
    pattern::expect(&one[..LEN], &pattern::bytes(7, LEN))?;
    one[..LEN].copy_from_slice(&pattern::bytes(8, LEN));
    one.send(..LEN, 0).map_err(failed)?;
    let queue = queue_of(&device, 1)?;
    queue.submit(Transfer::from_device(), two).map_err(failed)?;
    let two = next(&queue)?.finish().map_err(failed)?;
    pattern::expect(&two[..LEN], &pattern::bytes(8, LEN))
}

fn file(_: Leg) -> Outcome {
    let mut device = prepared(9)?;
    let mut middle = vec![0; 500];
    device.seek(SeekFrom::Start(700))?;
    device.read_exact(&mut middle)?;
    pattern::expect(&middle, &pattern::bytes(9, LEN)[700..1200])?;
    same("position", device.stream_position()?, 1200)?;
    let end = device.seek(SeekFrom::End(0))?;
    same("bytes at the end", device.read(&mut middle)?, 0)?;
    let error = device.write(b"x").expect_err("there is no room");
    same(
        "kind",
        error.kind().to_string(),
        std::io::ErrorKind::StorageFull.to_string(),
    )?;
    same(
        "bytes up to the end",
        device.write_at(&middle, end - 20).map_err(failed)?,
        20,
    )?;
    device.write_all(b"").map_err(Fail::from)?;
    same(
        "bytes read",
        device.read_at(&mut middle, 0).map_err(failed)?,
        500,
    )
}

fn copied(_: Leg) -> Outcome {
    let device = open()?;
    let source = pattern::bytes(10, LEN);
    let done = device.request().must_copy().send(&source).map_err(failed)?;
    check(done.copied, "it was not copied")?;
    same("pages pinned", done.pages, 0)?;
    let mut back = vec![0; LEN];
    let done = device.receive(&mut back, 0).map_err(failed)?;
    check(!done.copied, "it was copied although nobody asked for that")?;
    pattern::expect(&back, &source)?;
    let copy_below = device.info().map_err(failed)?.copy_below;
    let done = device
        .request()
        .may_copy()
        .send(&source[..1])
        .map_err(failed)?;
    check(
        done.copied == (copy_below > 1),
        "one byte went the other way",
    )
}

fn apart(_: Leg) -> Outcome {
    let (device, other) = (open()?, open()?);
    let mut region = registered(&device, LEN)?;
    let queue = queue_of(&other, 1)?;
    let error = other.request().receive_into(&mut region, ..);
    expect_kind(&error.expect_err("of another file"), &ErrorKind::OtherFile)?;
    let refused = queue.submit(Transfer::from_device(), region);
    let refused = refused.expect_err("of another file");
    expect_kind(refused.error(), &ErrorKind::OtherFile)
}
