// SPDX-License-Identifier: GPL-2.0

//! `PINDMA_SUBMIT`: requests that end in a queue.

use core::{
    mem::offset_of,
    ops::Range, //
};

use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use crate::{
    base::{
        batch,
        counters,
        deadline::Deadline,
        failure::{
            restartable,
            Failure,
            Side, //
        },
        params,
        progress::Progress, //
    },
    card::entry::{
        Name,
        Route, //
    },
    engine::Chan,
    kapi::{
        abi::{
            self,
            pindma_entry,
            pindma_seg,
            pindma_submit,
            Call, //
        },
        pins::{
            self,
            Direction,
            Term, //
        },
        trace, //
    },
    memory::{
        client::Client,
        fit,
        piece::Piece,
        vector::{
            Cursor,
            Source,
            Vector, //
        },
        window::Window, //
    },
    queue::{
        backlog::Backlog,
        Queue,
        QUEUES, //
    },
    request::{
        Load,
        Pieces,
        Request, //
    }, //
};

/// What is told after each entry.
const SUBMITTED: Range<usize> = {
    let start = offset_of!(pindma_submit, out_submitted);
    start..start + size_of::<u32>()
};

/// Submits a batch. It succeeds once a request was taken; why the next one was not stands in its
/// result.
pub(crate) fn run(client: &Arc<Client>, backlog: &Arc<Backlog>, arg: UserPtr) -> Result<isize> {
    let mut call = Call::<pindma_submit>::read(arg)?;
    call.arg.out_submitted = 0;
    let mut progress = Progress::default();
    let end = submit(client, backlog, &mut call, &mut progress);
    call.arg.out = progress.result(&end);
    let written = call.write_back();
    match end {
        Err(failure) if call.arg.out_submitted == 0 => {
            written.and(Err(restartable(failure.error())))
        }
        _ => Ok(0),
    }
}

fn submit(
    client: &Arc<Client>,
    backlog: &Arc<Backlog>,
    call: &mut Call<pindma_submit>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let arg = &call.arg;
    check(arg)?;
    let field = |error| Failure::field(error, abi::PINDMA_FIELD_QUEUE);
    let open = QUEUES.get(arg.queue).map_err(field)?;
    if !open.queue().belongs_to(backlog) {
        return Err(field(EBADF));
    }
    client.check_usable()?;
    let end = submit_all(client, open.queue(), call, progress);
    // Also if the next one was not taken.
    client.kick();
    end
}

fn submit_all(
    client: &Arc<Client>,
    queue: &Arc<Queue>,
    call: &mut Call<pindma_submit>,
    progress: &mut Progress,
) -> Result<(), Failure> {
    while call.arg.out_submitted < call.arg.nr_entries {
        if pins::killed() {
            return Err(EINTR.into());
        }
        let entry = abi::read_element(call.arg.entries, call.arg.out_submitted)
            .map_err(|_| Failure::field(EFAULT, abi::PINDMA_FIELD_ENTRIES))?;
        let ready = Ready::new(client, queue, &entry, progress)?;
        // What cannot be told must not be started.
        call.arg.out_submitted += 1;
        call.write_back_part(SUBMITTED)
            .inspect_err(|_| call.arg.out_submitted -= 1)?;
        ready.start()?;
    }
    Ok(())
}

fn check(arg: &pindma_submit) -> Result<(), Failure> {
    if arg.flags != 0 {
        return Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_FLAGS));
    }
    if arg.reserved != 0 {
        return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_RESERVED));
    }
    batch::check(arg.nr_entries)
        .map_err(|error| Failure::field(error, abi::PINDMA_FIELD_NR_ENTRIES))
}

/// What an entry asks for, found to be in order.
struct Asked {
    route: Route,
    deadline: Deadline,
    vector: Vector,
}

impl Asked {
    fn check(client: &Client, entry: &pindma_entry) -> Result<Self, Failure> {
        if entry.flags != 0 {
            return Err(Failure::field(EOPNOTSUPP, abi::PINDMA_FIELD_FLAGS));
        }
        if entry.reserved != 0 {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_RESERVED));
        }
        let limits = client.channel_limits(entry.channel)?;
        let direction = fit::direction(entry.direction, limits)?;
        client
            .mode()
            .admit(direction, abi::PINDMA_FIELD_DIRECTION)?;
        let dev_fixed = fit::dev_fixed(entry.dev_flags, limits)?;
        let deadline = Deadline::from_abi(entry.deadline)
            .ok_or_else(|| Failure::field(EINVAL, abi::PINDMA_FIELD_DEADLINE))?;
        let vector = vector(client, entry, direction)?;
        let cache_align = client.device().facts.cache_align;
        fit::check_memory(limits, &vector, direction, cache_align)?;
        fit::check_device(limits, entry.dev_addr, vector.total(), dev_fixed)?;
        let route = Route {
            ch: Chan(entry.channel),
            direction,
            dev_addr: entry.dev_addr,
            dev_fixed,
        };
        Ok(Self {
            route,
            deadline,
            vector,
        })
    }

    /// Pins and maps all of it that is not mapped already, in windows.
    fn pin(&self, client: &Arc<Client>, progress: &mut Progress) -> Result<Pieces, Failure> {
        let mut pieces = Pieces::new();
        let mut cursor = Cursor::new(&self.vector);
        let (direction, term) = (self.route.direction, self.term());
        while !cursor.at_end() {
            if let Some(segment) = cursor.take_named() {
                let piece = self.vector.piece(&segment)?;
                progress.bounced |= piece.bounced();
                pieces.push(Some(piece))?;
                continue;
            }
            let ranges = cursor.take(cursor.reach(params::window_pages()))?;
            let window = Window::open_for(client, &self.vector, ranges, direction, term, progress)?;
            client.stats().windows.add(1);
            pieces.push(Some(Piece::Window(window)))?;
        }
        Ok(pieces)
    }

    /// A request may wait for others for as long as its deadline is away, and its memory is in the way of
    /// whoever wants to write it back or to move it.
    fn term(&self) -> Term {
        let short = params::short_pin_ns().min(params::max_timeout_ns());
        if self.deadline > Deadline::after(short) {
            Term::Long
        } else {
            Term::Short
        }
    }
}

fn vector(client: &Client, entry: &pindma_entry, direction: Direction) -> Result<Vector, Failure> {
    if entry.nr_segs == 0 {
        if entry.segs != 0 {
            return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_SEGS));
        }
        return Vector::one_named(entry.seg, client.names(), direction);
    }
    if entry.seg != pindma_seg::default() {
        return Err(Failure::field(EINVAL, abi::PINDMA_FIELD_SEG));
    }
    let source = Source {
        addr: entry.segs,
        count: entry.nr_segs,
        side: Side::First,
    };
    Vector::read_named(source, client.names(), direction)
}

/// A request that is pinned and mapped.
struct Ready {
    request: Arc<Request>,
    load: Load,
}

impl Ready {
    fn new(
        client: &Arc<Client>,
        queue: &Arc<Queue>,
        entry: &pindma_entry,
        sum: &mut Progress,
    ) -> Result<Self, Failure> {
        let (slot, request) = Queue::reserve(queue)?;
        let asked = Asked::check(client, entry)?;
        let mut progress = Progress::default();
        let pieces = asked.pin(client, &mut progress)?;
        sum.pages += progress.pages;
        sum.segments += progress.segments;
        sum.bounced |= progress.bounced;
        let load = Load {
            name: Name {
                queue: queue.id(),
                user_data: entry.user_data,
            },
            client: client.clone(),
            slot,
            finisher: queue.finisher().clone(),
            route: asked.route,
            total: asked.vector.total(),
            deadline: asked.deadline,
            pieces,
            holds: asked.vector.into_holds(),
            progress,
            counted: counters::REQUESTS.hold(),
        };
        Ok(Self { request, load })
    }

    /// From here on it ends by itself.
    fn start(self) -> Result {
        let Self { request, load } = self;
        load.client.stats().submitted.add(1);
        trace::submit(
            load.slot.number(),
            load.name.user_data,
            load.total,
            load.route.direction,
        );
        Request::start(&request, load)
    }
}
