// SPDX-License-Identifier: GPL-2.0

//! What waits for a channel: memory that is mapped, and where its data is to go. A channel cuts it into
//! jobs, of which many may be under way, and ends it once.
//!
//! Lock order: `state` lies within that of a channel and its schedule. Nothing is taken inside of it.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    rbtree::RBTreeNodeReservation,
    sync::{
        Arc,
        SpinLockIrq, //
    },
    time::Jiffies, //
};

use crate::{
    base::{
        deadline::Deadline,
        few::Few, //
    },
    card::{
        flight::Mapping,
        schedule::Pace,
        stats::Stats, //
    },
    engine::{
        Chan,
        Side, //
    },
    kapi::{
        event::{
            Event,
            Woken, //
        },
        gfp,
        pins::Direction, //
    }, //
};

/// Which way data goes, and the device's side of it.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// The channel.
    pub(crate) ch: Chan,
    /// Which way.
    pub(crate) direction: Direction,
    /// Device address of the first byte.
    pub(crate) dev_addr: u64,
    /// The device address does not advance.
    pub(crate) dev_fixed: bool,
}

impl Route {
    /// That of what comes after `done` bytes.
    pub(crate) fn after(self, done: u64) -> Self {
        let Side { dev_addr, .. } = self.side(done);
        Self { dev_addr, ..self }
    }

    /// The device's side of a job that begins `done` bytes from the start.
    fn side(&self, done: u64) -> Side {
        Side {
            direction: self.direction,
            dev_addr: match self.dev_fixed {
                true => self.dev_addr,
                false => self.dev_addr + done,
            },
            dev_fixed: self.dev_fixed,
        }
    }
}

/// What a request is called. There may be several with one name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// Its queue.
    pub(crate) queue: usize,
    /// What its application calls it.
    pub(crate) user_data: u64,
}

/// Which requests of a client.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    /// All.
    All,
    /// All of the queue with this id.
    Queue(usize),
    /// Those with this name.
    Request(Name),
}

impl Which {
    /// Whether the one with `name` is one of them.
    fn includes(self, name: Name) -> bool {
        match self {
            Self::All => true,
            Self::Queue(id) => name.queue == id,
            Self::Request(wanted) => name == wanted,
        }
    }
}

/// A part of a mapping.
#[derive(Clone)]
pub(crate) struct Part {
    /// The mapping.
    pub(crate) mapping: Arc<Mapping>,
    /// Bytes from its start.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) len: u64,
}

/// Parts, one after the other.
pub(crate) type Parts = Few<Option<Part>>;

/// Where somebody is when an entry has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// A process, which may sleep.
    Process,
    /// A bottom half, which may not.
    Bottom,
}

/// How an entry is handed to its channel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It may wait for its turn.
    Patient,
    /// It must not wait for others.
    Hasty,
    /// More is about to follow: the card is told of all of it [together](super::Card::kick).
    InBatch,
}

/// Whom to tell that an entry has ended.
pub(crate) trait Owner: Send + Sync {
    /// It has, so. Its parts were let go of.
    fn ended(self: Arc<Self>, end: End, context: Context);
}

/// How an entry has ended.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// Bytes moved, from the start.
    pub(crate) bytes: u64,
    /// Why that is not all, if it is not.
    pub(crate) why: Option<Error>,
    /// The device was told to work.
    pub(crate) started: bool,
    /// The device may still work on it, as it does not stop.
    pub(crate) at_work: bool,
}

impl End {
    /// Of an entry that was not begun, because of `why`.
    pub(crate) fn unbegun(why: Error) -> Self {
        Self {
            bytes: 0,
            why: Some(why),
            started: false,
            at_work: false,
        }
    }
}

/// What is asked of a channel.
pub(crate) struct Order {
    /// Where the data goes.
    pub(crate) route: Route,
    /// The memory.
    pub(crate) parts: Parts,
    /// The parts are used over and over.
    pub(crate) repeats: bool,
    /// Bytes. With none, the channel is wanted for its owner alone.
    pub(crate) total: u64,
    /// Until when it may take; the owner may see to that itself.
    pub(crate) deadline: Deadline,
    /// Once it is begun, others wait for it: that is bounded, whatever the deadline is.
    pub(crate) bounded: bool,
    /// It belongs to the owner of the channel.
    pub(crate) reserved: bool,
    /// Resets of the device that it knows of.
    pub(crate) resets: u32,
    /// Whose turn it uses.
    pub(crate) pace: Arc<Pace>,
    /// Where it is counted.
    pub(crate) stats: Arc<Stats>,
    /// What it is called, if it is a request.
    pub(crate) name: Option<Name>,
    /// Whom to tell; without one, somebody [waits](Entry::wait).
    pub(crate) owner: Option<Arc<dyn Owner>>,
}

/// What a job is cut of.
pub(super) struct Cut {
    pub(super) mapping: Arc<Mapping>,
    /// Where it starts, in bytes from the start of the mapping.
    pub(super) offset: u64,
    pub(super) side: Side,
    /// Where it starts, in bytes from the start of the entry.
    pub(super) start: u64,
    pub(super) len: u64,
}

/// A node of the tree of entries of a file, by their numbers.
pub(super) type Node = RBTreeNodeReservation<u64, Arc<Entry>>;

/// A node of the tree of deadlines.
pub(super) type Alarm = RBTreeNodeReservation<(Deadline, u64), Arc<Entry>>;

/// What changes. But for the order, which is there from submission to end, a channel changes it with its
/// own lock held.
pub(super) struct State {
    order: Option<Order>,
    /// The part where the next job begins, and how far into it that is.
    part: usize,
    within: u64,
    /// Bytes that jobs were made of.
    cut: u64,
    /// Bytes before which all is moved, or under way, once that is not all.
    short: Option<u64>,
    /// Jobs under way.
    jobs: u32,
    started: bool,
    why: Option<Error>,
    at_work: bool,
    /// It was not submitted, or has ended, though its owner may not have been told.
    over: bool,
    /// What the channel calls it; none has two of them.
    pub(super) number: u64,
    /// Unless it is in the tree.
    pub(super) node: Option<Node>,
    /// Likewise, and the deadline by which it is there.
    pub(super) alarm: Option<Alarm>,
    pub(super) alarmed: Option<Deadline>,
    /// The next in a list of those that have ended.
    next: Option<Arc<Entry>>,
    /// How it has ended, once its owner was told.
    end: Option<End>,
}

/// An entry, which can be used again after it has ended.
#[pin_data]
pub(crate) struct Entry {
    #[pin]
    pub(super) state: SpinLockIrq<State>,
    #[pin]
    ended: Event,
}

impl Entry {
    /// One that asks for nothing yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let state = State {
            order: None,
            part: 0,
            within: 0,
            cut: 0,
            short: None,
            jobs: 0,
            started: false,
            why: None,
            at_work: false,
            over: true,
            number: 0,
            node: Some(Node::new(gfp::for_user())?),
            alarm: Some(Alarm::new(gfp::for_user())?),
            alarmed: None,
            next: None,
            end: None,
        };
        let init = pin_init!(Self {
            state <- new_spinlock_irq!(state),
            ended <- Event::new(),
        });
        Arc::pin_init(init, gfp::for_user())
    }

    /// Says what is asked for. It was not submitted yet, or has ended.
    pub(crate) fn fill(&self, order: Order) {
        let mut state = self.state.lock();
        let before = state.order.replace(order);
        (state.part, state.within, state.cut) = (0, 0, 0);
        (state.short, state.why, state.end) = (None, None, None);
        (state.jobs, state.started, state.at_work) = (0, false, false);
        drop(state);
        drop(before);
    }

    /// It is submitted, and called `number`.
    pub(super) fn join(&self, number: u64) {
        let mut state = self.state.lock();
        (state.number, state.over) = (number, false);
    }

    /// It was not submitted after all.
    pub(crate) fn clear(&self) {
        let order = self.state.lock().order.take();
        drop(order);
    }

    /// Waits until it has ended, for at most `timeout`, or until a signal is pending. Others may be
    /// told first: [look](Self::end).
    pub(crate) fn wait_interruptible(&self, timeout: Jiffies) -> Woken {
        self.ended.wait_interruptible(timeout)
    }

    /// As above, whatever signals are pending.
    pub(crate) fn wait(&self, timeout: Jiffies) -> Woken {
        self.ended.wait(timeout)
    }

    /// How it has ended, if it has.
    pub(crate) fn end(&self) -> Option<End> {
        self.state.lock().end
    }

    /// Whose turn it uses, until it has ended.
    pub(super) fn pace(&self) -> Option<Arc<Pace>> {
        let state = self.state.lock();
        state.order.as_ref().map(|order| order.pace.clone())
    }

    /// Something of its order.
    pub(super) fn with<R>(&self, f: impl FnOnce(&Order) -> R) -> Option<R> {
        self.state.lock().order.as_ref().map(f)
    }

    /// Whether the device was reset since it was asked for, as it has been `resets` times.
    pub(super) fn is_stale(&self, resets: u32) -> bool {
        self.with(|order| order.resets != resets).unwrap_or(false)
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self) -> bool {
        let late = |order: &Order| order.deadline != Deadline::NONE && order.deadline.passed();
        self.with(late).unwrap_or(false)
    }

    /// Whether it is one of `which`.
    pub(super) fn is(&self, which: Which) -> bool {
        let included = |order: &Order| order.name.is_some_and(|name| which.includes(name));
        self.with(included).unwrap_or(false)
    }

    /// What the next job is cut of; `None` if there is nothing left.
    pub(super) fn cut(&self) -> Option<Cut> {
        self.state.lock().cut()
    }

    /// Says that a job was made of the next `len` bytes; whether that was the last.
    pub(super) fn take(&self, len: u64) -> bool {
        let mut state = self.state.lock();
        state.jobs += 1;
        state.advance(len);
        state.is_cut_up()
    }

    /// Says that the device was told to work; whether that is the first time.
    pub(super) fn start(&self) -> bool {
        let mut state = self.state.lock();
        state
            .order
            .as_ref()
            .inspect(|order| order.stats.jobs.add(1));
        !core::mem::replace(&mut state.started, true)
    }

    /// Whether the device was told to work, or is about to be.
    pub(super) fn is_begun(&self) -> bool {
        let state = self.state.lock();
        state.started || state.jobs > 0
    }

    /// Says that a job on the bytes of `cut` has moved the first `moved`, and what is to be told if that
    /// is not all. Whether the entry is over.
    pub(super) fn retire(&self, cut: &Cut, moved: u64, why: Error) -> bool {
        let mut state = self.state.lock();
        state.jobs -= 1;
        if let Some(order) = &state.order {
            order.stats.bytes(cut.side.direction).add(moved);
        }
        if moved < cut.len {
            state.fall_short(cut.start + moved);
            state.why.get_or_insert(why);
        }
        state.is_over()
    }

    /// Nothing more is to be begun of it, because of `why`. Whether it is over.
    pub(super) fn stop(&self, why: Error) -> bool {
        let mut state = self.state.lock();
        state.why.get_or_insert(why);
        state.is_over()
    }

    /// Whether it was not submitted, or has ended.
    pub(super) fn is_done(&self) -> bool {
        self.state.lock().over
    }

    /// Says that it has ended; whether nobody has before.
    pub(super) fn finish(&self) -> bool {
        !core::mem::replace(&mut self.state.lock().over, true)
    }

    /// What it was stopped by is `why`, whatever it was before.
    pub(super) fn spoil(&self, why: Error) {
        self.state.lock().why = Some(why);
    }

    /// Whether something has stopped it.
    pub(super) fn is_stopped(&self) -> bool {
        self.state.lock().why.is_some()
    }

    /// Gives up the job that has the bytes of `cut`, on which the device may be at work. Whether the
    /// entry is over.
    pub(super) fn give_up(&self, cut: &Cut) -> bool {
        let mut state = self.state.lock();
        state.at_work = true;
        state.jobs -= 1;
        state.fall_short(cut.start);
        state.is_over()
    }

    /// Lets go of what it was about, and tells its owner.
    fn tell(&self, context: Context) {
        let mut state = self.state.lock();
        let order = state.order.take();
        let end = state.summary(order.as_ref().map_or(0, |order| order.total));
        drop(state);
        let owner = order.and_then(|mut order| order.owner.take());
        self.state.lock().end = Some(end);
        match owner {
            Some(owner) => owner.ended(end, context),
            None => self.ended.raise(),
        }
    }
}

impl State {
    fn cut(&self) -> Option<Cut> {
        let order = self.order.as_ref()?;
        let part = order.parts.get(self.part)?.as_ref()?;
        let left = order.total.checked_sub(self.cut).filter(|left| *left > 0)?;
        Some(Cut {
            mapping: part.mapping.clone(),
            offset: part.offset + self.within,
            side: order.route.side(self.cut),
            start: self.cut,
            len: left.min(part.len - self.within),
        })
    }

    fn advance(&mut self, len: u64) {
        self.cut += len;
        self.within += len;
        let Some(order) = &self.order else {
            return;
        };
        let part = order.parts.get(self.part).and_then(Option::as_ref);
        if part.is_some_and(|part| self.within >= part.len) {
            self.within = 0;
            self.part += 1;
            if order.repeats {
                self.part %= order.parts.len();
            }
        }
    }

    fn is_cut_up(&self) -> bool {
        self.order
            .as_ref()
            .is_none_or(|order| self.cut >= order.total)
    }

    fn fall_short(&mut self, at: u64) {
        self.short = Some(self.short.map_or(at, |short| short.min(at)));
    }

    fn is_over(&self) -> bool {
        !self.over && self.jobs == 0 && (self.why.is_some() || self.is_cut_up())
    }

    fn summary(&self, total: u64) -> End {
        let bytes = self.short.unwrap_or(self.cut);
        End {
            bytes,
            why: self.why.filter(|_| bytes < total || total == 0),
            started: self.started,
            at_work: self.at_work,
        }
    }
}

/// Entries that have ended, in that order, of which nobody was told yet.
pub(crate) struct Ends {
    first: Option<Arc<Entry>>,
    last: Option<Arc<Entry>>,
}

impl Ends {
    /// None.
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            last: None,
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Adds others.
    pub(super) fn append(&mut self, mut others: Self) {
        while let Some(entry) = others.first.take() {
            others.first = entry.state.lock().next.take();
            self.push(entry);
        }
    }

    /// One more.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        match self.last.replace(entry.clone()) {
            Some(last) => last.state.lock().next = Some(entry),
            None => self.first = Some(entry),
        }
    }

    /// Tells the owners, with no lock held. Whoever may sleep must not be within the guard of a device:
    /// they may give memory back.
    pub(crate) fn tell(mut self, context: Context) {
        self.last = None;
        while let Some(entry) = self.first.take() {
            self.first = entry.state.lock().next.take();
            entry.tell(context);
        }
    }
}

#[kunit_tests(pindma_entry)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_submitted_has_no_end() -> Result {
        let entry = Entry::new()?;
        assert!(entry.is_done() && !entry.stop(ECANCELED));
        entry.join(1);
        assert!(!entry.is_done() && entry.stop(ECANCELED));
        assert!(entry.finish() && entry.is_done() && !entry.stop(ECANCELED));
        Ok(())
    }
}
