// SPDX-License-Identifier: GPL-2.0

//! Whose turn it is on a channel: fair between users, then between the files of a user, and first
//! come first served within a file.
//!
//! Turns go in rounds, and each user has at most one turn in a round. So a user with a hundred
//! files gets no more of the channel than one with a single file. Turns of a user go in rounds of
//! its files in the same way: a file with a hundred threads, or a long queue, gets no more of them
//! than one with a single thread. Who is new, or comes back after a pause, joins the round after the
//! one that is under way: it is owed nothing for the pause, and no number of new files keeps those
//! waiting that were there before.

use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    }, //
};

use crate::kapi::gfp;

/// The round of somebody's next turn; 0 before the first.
struct Round(Atomic<u64>);

impl Round {
    const fn new() -> Self {
        Self(Atomic::new(0))
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn set(&self, round: u64) {
        self.0.store(round, Relaxed);
    }

    /// Waits for a turn among those whose last one was in round `last`.
    fn join(&self, last: u64) {
        // It has had its turn in the round before, and comes back for that of this one.
        let on_time = self.get() != 0 && self.get() >= last;
        if !on_time {
            self.set(last + 1);
        }
    }
}

/// How fast a user gets turns on one channel. Only used by that channel's [`Turns`].
pub(crate) struct UserPace {
    round: Round,
    /// The round of the last turn among its files.
    last: Round,
    /// How many files it has.
    files: Atomic<usize>,
}

impl UserPace {
    /// That of a user who had no turn yet.
    pub(crate) const fn new() -> Self {
        Self {
            round: Round::new(),
            last: Round::new(),
            files: Atomic::new(0),
        }
    }

    /// Whether it is the pace of a file's user.
    pub(crate) fn has_files(&self) -> bool {
        self.files.load(Acquire) > 0
    }
}

/// How fast a file gets its user's turns on one channel. Only used by that channel's [`Turns`].
pub(crate) struct Pace {
    user: Arc<UserPace>,
    round: Round,
}

impl Pace {
    /// That of a file of `user` which had no turn yet.
    pub(crate) fn new(user: &Arc<UserPace>) -> Self {
        user.files.fetch_add(1, Full);
        Self {
            user: user.clone(),
            round: Round::new(),
        }
    }

    fn join(&self, last: u64) {
        self.user.round.join(last);
        self.round.join(self.user.last.get());
    }

    /// Takes a turn; returns its round among those of users.
    fn take(&self) -> u64 {
        let (round, of_file) = (self.user.round.get(), self.round.get());
        self.user.round.set(round + 1);
        self.user.last.set(of_file);
        self.round.set(of_file + 1);
        round
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        self.user.files.fetch_sub(1, Full);
    }
}

/// A waiter's name. Those of a user are neighbours, and so are those of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiter {
    user: usize,
    file: usize,
    number: u64,
}

impl Waiter {
    const LEAST: Self = Self {
        user: 0,
        file: 0,
        number: 0,
    };

    /// Before all of the files that come after its own.
    fn next_file(self) -> Self {
        Self {
            file: self.file + 1,
            number: 0,
            ..self
        }
    }
}

/// The first waiter of a file, and whose turn it is when.
#[derive(Clone, Copy)]
struct Head {
    waiter: Waiter,
    user_round: u64,
    file_round: u64,
}

/// Room for one who waits: made where nothing is locked.
pub(crate) struct Room(RBTreeNodeReservation<Waiter, Arc<Pace>>);

impl Room {
    /// Room for one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(RBTreeNodeReservation::new(gfp::for_user())?))
    }
}

/// Who waits for a channel, and whether somebody has it.
pub(crate) struct Turns {
    waiting: RBTree<Waiter, Arc<Pace>>,
    /// Whose turn is next, if that was looked up since it last changed.
    first: Option<Waiter>,
    next: u64,
    /// The round of the last turn.
    round: u64,
    held: bool,
    closed: bool,
}

impl Turns {
    /// Nobody waits so far.
    pub(crate) fn new() -> Self {
        Self {
            waiting: RBTree::new(),
            first: None,
            next: 0,
            round: 0,
            held: false,
            closed: false,
        }
    }

    /// Waits, for the file with `pace`.
    pub(crate) fn join(&mut self, pace: &Arc<Pace>, room: Room) -> Waiter {
        let waiter = Waiter {
            user: Arc::as_ptr(&pace.user).addr(),
            file: Arc::as_ptr(pace).addr(),
            number: self.next,
        };
        self.next += 1;
        pace.join(self.round);
        self.waiting.insert(room.0.into_node(waiter, pace.clone()));
        self.first = None;
        waiter
    }

    /// Waits no longer. Who leaves without a turn has lost nothing by it.
    pub(crate) fn leave(&mut self, waiter: Waiter) {
        if self.waiting.remove(&waiter).is_some() {
            self.first = None;
        }
    }

    /// The first waiter of each file, those of a user one after the other.
    fn heads(&self) -> impl Iterator<Item = Head> + '_ {
        let mut from = Waiter::LEAST;
        core::iter::from_fn(move || {
            let cursor = self.waiting.cursor_lower_bound(&from)?;
            let (waiter, pace) = cursor.current();
            from = waiter.next_file();
            Some(Head {
                waiter: *waiter,
                user_round: pace.user.round.get(),
                file_round: pace.round.get(),
            })
        })
    }

    /// Of the users of the earliest round the one that waits longest, and of its files likewise.
    fn look_up(&self) -> Option<Waiter> {
        let of_user = |head: &Head| (head.user_round, head.waiter.number);
        let user = self.heads().min_by_key(of_user)?.waiter.user;
        let of_file = |head: &Head| (head.file_round, head.waiter.number);
        let files = self.heads().filter(|head| head.waiter.user == user);
        files.min_by_key(of_file).map(|head| head.waiter)
    }

    /// Takes the turn, if it is that of `waiter` now.
    pub(crate) fn take(&mut self, waiter: Waiter) -> bool {
        if self.held {
            return false;
        }
        self.first = self.first.or_else(|| self.look_up());
        if self.first != Some(waiter) {
            return false;
        }
        let Some(pace) = self.waiting.remove(&waiter) else {
            return false;
        };
        self.first = None;
        self.round = pace.take();
        self.held = true;
        true
    }

    /// Takes the turn for the file with `pace`, if nobody has it or waits for it.
    pub(crate) fn take_free(&mut self, pace: &Pace) -> bool {
        if self.busy() {
            return false;
        }
        pace.join(self.round);
        self.round = pace.take();
        self.held = true;
        true
    }

    /// Ends the turn.
    pub(crate) fn give_back(&mut self) {
        self.held = false;
    }

    /// Whether a newcomer would have to wait.
    pub(crate) fn busy(&self) -> bool {
        self.held || !self.waiting.is_empty()
    }

    /// There are no more turns.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether there are no more turns.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }
}

#[kunit_tests(pindma_turns)]
mod tests {
    use super::*;

    fn user() -> Result<Arc<UserPace>> {
        Ok(Arc::new(UserPace::new(), GFP_KERNEL)?)
    }

    fn file_of(user: &Arc<UserPace>) -> Result<Arc<Pace>> {
        Ok(Arc::new(Pace::new(user), GFP_KERNEL)?)
    }

    /// The paces of some files of one user.
    fn files<const N: usize>() -> Result<[Arc<Pace>; N]> {
        let user = user()?;
        let mut files = KVec::new();
        for _ in 0..N {
            files.push(file_of(&user)?, GFP_KERNEL)?;
        }
        Ok(core::array::from_fn(|i| files[i].clone()))
    }

    fn join(turns: &mut Turns, pace: &Arc<Pace>) -> Result<Waiter> {
        Ok(turns.join(pace, Room::new()?))
    }

    /// Serves the first of `waiters` whose turn it is, and says which of them that was.
    fn serve(turns: &mut Turns, waiters: &[Waiter]) -> Option<usize> {
        let served = waiters.iter().position(|waiter| turns.take(*waiter));
        turns.give_back();
        served
    }

    /// Has each of `paces` wait all the time, for `count` turns; how many each of them gets.
    fn rush<const N: usize>(paces: &[Arc<Pace>; N], count: usize) -> Result<[usize; N]> {
        let (mut turns, mut served) = (Turns::new(), [0; N]);
        let mut waiters = KVec::new();
        for pace in paces {
            waiters.push(join(&mut turns, pace)?, GFP_KERNEL)?;
        }
        for _ in 0..count {
            let place = serve(&mut turns, &waiters).ok_or(EBUSY)?;
            served[place] += 1;
            waiters[place] = join(&mut turns, &paces[place])?;
        }
        Ok(served)
    }

    #[test]
    fn a_user_with_many_files_gets_no_more_turns() -> Result {
        let (one, many) = (file_of(&user()?)?, files::<4>()?);
        let [a, b, c, d] = many;
        assert_eq!(rush(&[a, one, b, c, d], 40)?, [5, 20, 5, 5, 5]);
        Ok(())
    }

    #[test]
    fn a_user_who_comes_back_at_once_misses_no_turn() -> Result {
        let (mut turns, one) = (Turns::new(), file_of(&user()?)?);
        let many = files::<4>()?;
        let mut waiters = KVec::new();
        for place in 0..8 {
            waiters.push(join(&mut turns, &many[place % 4])?, GFP_KERNEL)?;
        }
        for _ in 0..4 {
            let waiter = join(&mut turns, &one)?;
            // The user with many may be first, but only once.
            if let Some(place) = serve(&mut turns, &waiters) {
                waiters.remove(place).map_err(|_| EINVAL)?;
            }
            assert!(turns.take(waiter));
            turns.give_back();
        }
        Ok(())
    }

    #[test]
    fn a_new_file_of_a_user_earns_it_nothing() -> Result {
        let (mut turns, one) = (Turns::new(), file_of(&user()?)?);
        let other = user()?;
        let mut waiting = join(&mut turns, &one)?;
        for _ in 0..4 {
            let fresh = join(&mut turns, &file_of(&other)?)?;
            assert_eq!(serve(&mut turns, &[waiting, fresh]), Some(0));
            waiting = join(&mut turns, &one)?;
            assert_eq!(serve(&mut turns, &[waiting, fresh]), Some(1));
        }
        Ok(())
    }

    #[test]
    fn a_user_has_files_for_as_long_as_one_has_a_pace() -> Result {
        let user = user()?;
        assert!(!user.has_files());
        let files = [file_of(&user)?, file_of(&user)?];
        let mut turns = Turns::new();
        let waiter = join(&mut turns, &files[0])?;
        drop(files);
        assert!(user.has_files());
        turns.leave(waiter);
        assert!(!user.has_files());
        Ok(())
    }

    #[test]
    fn who_comes_back_at_once_misses_no_turn() -> Result {
        let mut turns = Turns::new();
        let [many, one] = files()?;
        let mut waiters = KVec::new();
        for _ in 0..10 {
            waiters.push(join(&mut turns, &many)?, GFP_KERNEL)?;
        }
        for _ in 0..4 {
            let waiter = join(&mut turns, &one)?;
            // The file with many may be first, but only once.
            let before = waiters.iter().position(|waiter| turns.take(*waiter));
            turns.give_back();
            if let Some(place) = before {
                waiters.remove(place).map_err(|_| EINVAL)?;
            }
            assert!(turns.take(waiter));
            turns.give_back();
            // Somebody else is faster than it.
            let next = waiters.iter().position(|waiter| turns.take(*waiter));
            turns.give_back();
            waiters.remove(next.ok_or(EBUSY)?).map_err(|_| EINVAL)?;
        }
        Ok(())
    }

    #[test]
    fn turns_of_a_file_come_in_order() -> Result {
        let (mut turns, [file]) = (Turns::new(), files()?);
        let (first, second) = (join(&mut turns, &file)?, join(&mut turns, &file)?);
        assert!(!turns.take(second));
        assert!(turns.take(first));
        assert!(!turns.take(second));
        assert!(turns.busy());
        turns.give_back();
        assert!(turns.take(second));
        turns.give_back();
        assert!(!turns.busy());
        Ok(())
    }

    #[test]
    fn a_file_with_many_waiters_gets_no_more_turns() -> Result {
        let mut turns = Turns::new();
        let [many, one] = files()?;
        let mut waiters = KVec::new();
        for _ in 0..10 {
            waiters.push(join(&mut turns, &many)?, GFP_KERNEL)?;
        }
        for _ in 0..5 {
            waiters.push(join(&mut turns, &one)?, GFP_KERNEL)?;
            let served = serve(&mut turns, &waiters).ok_or(EINVAL)?;
            waiters.remove(served).map_err(|_| EINVAL)?;
            let served = serve(&mut turns, &waiters).ok_or(EINVAL)?;
            waiters.remove(served).map_err(|_| EINVAL)?;
        }
        // Ten turns: five for each file.
        assert_eq!(waiters.len(), 5);
        assert_eq!(many.round.get(), one.round.get());
        Ok(())
    }

    #[test]
    fn a_pause_earns_nothing() -> Result {
        let mut turns = Turns::new();
        let [busy, idle] = files()?;
        for _ in 0..100 {
            let waiter = join(&mut turns, &busy)?;
            assert!(turns.take(waiter));
            turns.give_back();
        }
        let first = [join(&mut turns, &idle)?, join(&mut turns, &busy)?];
        assert_eq!(serve(&mut turns, &first), Some(0));
        let second = [join(&mut turns, &idle)?, first[1]];
        assert_eq!(serve(&mut turns, &second), Some(1));
        Ok(())
    }

    #[test]
    fn new_files_do_not_go_before_old_ones() -> Result {
        let (mut turns, user) = (Turns::new(), user()?);
        let old = file_of(&user)?;
        let waiter = join(&mut turns, &old)?;
        assert!(turns.take(waiter));
        turns.give_back();
        // One is new whenever a turn ends, and is there first.
        let mut fresh = join(&mut turns, &file_of(&user)?)?;
        let waiter = join(&mut turns, &old)?;
        for _ in 0..3 {
            if turns.take(waiter) {
                return Ok(());
            }
            assert!(turns.take(fresh));
            fresh = join(&mut turns, &file_of(&user)?)?;
            turns.give_back();
        }
        Err(EBUSY)
    }

    #[test]
    fn who_gives_up_loses_nothing() -> Result {
        let mut turns = Turns::new();
        let [patient, hasty] = files()?;
        for _ in 0..100 {
            let waiter = join(&mut turns, &hasty)?;
            turns.leave(waiter);
        }
        let waiters = [join(&mut turns, &hasty)?, join(&mut turns, &patient)?];
        assert_eq!(serve(&mut turns, &waiters), Some(0));
        Ok(())
    }
}
