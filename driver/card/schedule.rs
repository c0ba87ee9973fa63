// SPDX-License-Identifier: GPL-2.0

//! Whose job is next on a channel: fair between users, then between the files of a user, and first
//! come first served within a file.
//!
//! Turns go in rounds, and each user has at most one turn in a round. So a user with a hundred
//! files gets no more of the channel than one with a single file. Turns of a user go in rounds of
//! its files in the same way: a file with a hundred threads, or a long queue, gets no more of them
//! than one with a single thread. Who is new, or comes back after a pause, joins the round after the
//! one that is under way: it is owed nothing for the pause, and no number of new files keeps those
//! waiting that were there before.
//!
//! Nothing is scanned and nothing allocated: users, files and entries wait in trees, of which each
//! brings its node along.
//!
//! Lock order: that of the channel, a user's, a file's, an entry's.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        Arc,
        SpinLockIrq, //
    }, //
};

use crate::{
    card::entry::Entry,
    kapi::gfp, //
};

/// The round of somebody's next turn, and when it has joined that.
type Place = (u64, u64);

type Node<T> = RBTreeNodeReservation<Place, Arc<T>>;

/// The round for somebody whose own next one is `own`, or 0 before the first, among those of whom the
/// last turn was in round `last`.
fn joined(own: u64, last: u64) -> u64 {
    // It has had its turn in the round before, and comes back for that of this one.
    let on_time = own != 0 && own >= last;
    if on_time {
        own
    } else {
        last + 1
    }
}

/// Takes the first out of a tree, with its node.
fn pop<T>(tree: &mut RBTree<Place, Arc<T>>) -> Option<(Place, Arc<T>, Node<T>)> {
    let cursor = tree.cursor_front_mut()?;
    let (place, first) = cursor.current();
    let (place, first) = (*place, first.clone());
    let (_, node) = cursor.remove_current();
    Some((place, first, node.into_reservation()))
}

struct UserState {
    /// The round of its next turn.
    round: u64,
    /// The round of the last turn among its files.
    last: u64,
    /// Files that wait.
    files: RBTree<Place, Arc<Pace>>,
    /// Where it waits.
    place: Option<Place>,
    /// Unless it waits.
    node: Option<Node<UserPace>>,
}

/// How fast a user gets turns on one channel. Only used by that channel's [`Schedule`].
#[pin_data]
pub(crate) struct UserPace {
    #[pin]
    state: SpinLockIrq<UserState>,
    /// How many files it has.
    files: Atomic<usize>,
}

impl UserPace {
    /// That of a user who had no turn yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let state = UserState {
            round: 0,
            last: 0,
            files: RBTree::new(),
            place: None,
            node: Some(Node::new(gfp::for_user())?),
        };
        let init = pin_init!(Self {
            state <- new_spinlock_irq!(state),
            files: Atomic::new(0),
        });
        Arc::pin_init(init, gfp::for_user())
    }

    /// Whether it is the pace of a file's user.
    pub(crate) fn has_files(&self) -> bool {
        self.files.load(Acquire) > 0
    }
}

struct FileState {
    /// The round of its next turn, among those of its user.
    round: u64,
    /// What waits, by numbers.
    entries: RBTree<u64, Arc<Entry>>,
    /// Where it waits.
    place: Option<Place>,
    /// Unless it waits.
    node: Option<Node<Pace>>,
}

/// How fast a file gets its user's turns on one channel, and what it waits for. Only used by that
/// channel's [`Schedule`].
#[pin_data(PinnedDrop)]
pub(crate) struct Pace {
    user: Arc<UserPace>,
    #[pin]
    state: SpinLockIrq<FileState>,
}

impl Pace {
    /// That of a file of `user` which had no turn yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(user: &Arc<UserPace>) -> Result<Arc<Self>> {
        let state = FileState {
            round: 0,
            entries: RBTree::new(),
            place: None,
            node: Some(Node::new(gfp::for_user())?),
        };
        let init = pin_init!(Self {
            user: user.clone(),
            state <- new_spinlock_irq!(state),
        });
        let pace = Arc::pin_init(init, gfp::for_user())?;
        user.files.fetch_add(1, Full);
        Ok(pace)
    }
}

#[pinned_drop]
impl PinnedDrop for Pace {
    fn drop(self: Pin<&mut Self>) {
        self.user.files.fetch_sub(1, Full);
    }
}

/// Who waits for a channel.
pub(super) struct Schedule {
    users: RBTree<Place, Arc<UserPace>>,
    /// The round of the last turn.
    round: u64,
    /// The number of what joins next.
    next: u64,
    /// Entries that wait.
    count: usize,
}

impl Schedule {
    /// Nobody so far.
    pub(super) fn new() -> Self {
        Self {
            users: RBTree::new(),
            round: 0,
            next: 1,
            count: 0,
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A number for an entry, which is higher than all before.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Lets an entry of the file with `pace` wait, which has a number.
    pub(super) fn push(&mut self, entry: &Arc<Entry>, pace: &Arc<Pace>) {
        let mut state = entry.state.lock();
        let number = state.number;
        let Some(node) = state.node.take() else {
            return;
        };
        drop(state);
        let node = node.into_node(number, entry.clone());
        pace.state.lock().entries.insert(node);
        self.count += 1;
        self.join(pace);
    }

    /// Lets a file wait, and its user.
    fn join(&mut self, pace: &Arc<Pace>) {
        let mut user = pace.user.state.lock();
        let number = self.number();
        let mut file = pace.state.lock();
        if let Some(node) = file.node.take() {
            file.round = joined(file.round, user.last);
            let place = (file.round, number);
            file.place = Some(place);
            user.files.insert(node.into_node(place, pace.clone()));
        }
        drop(file);
        self.join_user(&pace.user, &mut user, number);
    }

    fn join_user(&mut self, user: &Arc<UserPace>, state: &mut UserState, number: u64) {
        if let Some(node) = state.node.take() {
            state.round = joined(state.round, self.round);
            let place = (state.round, number);
            state.place = Some(place);
            self.users.insert(node.into_node(place, user.clone()));
        }
    }

    /// Takes the next turn, and says for what: [`end`](Self::end) it.
    pub(super) fn begin(&mut self) -> Option<Arc<Entry>> {
        loop {
            let (place, user, node) = pop(&mut self.users)?;
            let mut state = user.state.lock();
            (state.place, state.node) = (None, Some(node));
            while let Some((of_file, pace, node)) = pop(&mut state.files) {
                let mut file = pace.state.lock();
                (file.place, file.node) = (None, Some(node));
                let first = file.entries.cursor_front();
                let Some(entry) = first.map(|first| first.current().1.clone()) else {
                    continue;
                };
                file.round = of_file.0 + 1;
                (state.round, state.last) = (place.0 + 1, of_file.0);
                self.round = place.0;
                return Some(entry);
            }
        }
    }

    /// Ends the turn of an entry of the file with `pace`. It has left by then, or goes on waiting.
    pub(super) fn end(&mut self, pace: &Arc<Pace>) {
        let waits = !pace.state.lock().entries.is_empty();
        if waits {
            self.join(pace);
            return;
        }
        let number = self.number();
        let mut user = pace.user.state.lock();
        if !user.files.is_empty() {
            self.join_user(&pace.user, &mut user, number);
        }
    }

    /// An entry waits no longer; whether it did.
    pub(super) fn leave(&mut self, entry: &Entry, pace: &Pace) -> bool {
        let number = entry.state.lock().number;
        let removed = pace.state.lock().entries.remove_node(&number);
        let Some(node) = removed else {
            return false;
        };
        self.count -= 1;
        entry.state.lock().node = Some(node.into_reservation());
        self.leave_empty(pace);
        true
    }

    /// A file without entries waits no longer, nor does a user without files. Without a turn they have
    /// lost nothing.
    fn leave_empty(&mut self, pace: &Pace) {
        let mut user = pace.user.state.lock();
        let mut file = pace.state.lock();
        if !file.entries.is_empty() {
            return;
        }
        if let Some(node) = file
            .place
            .take()
            .and_then(|place| user.files.remove_node(&place))
        {
            file.node = Some(node.into_reservation());
        }
        if !user.files.is_empty() {
            return;
        }
        if let Some(node) = user
            .place
            .take()
            .and_then(|place| self.users.remove_node(&place))
        {
            user.node = Some(node.into_reservation());
        }
    }

    /// The first entry of a file from `number` on that waits.
    pub(super) fn from(&self, number: u64, pace: &Pace) -> Option<Arc<Entry>> {
        let file = pace.state.lock();
        let cursor = file.entries.cursor_lower_bound(&number)?;
        Some(cursor.current().1.clone())
    }
}

#[kunit_tests(pindma_schedule)]
mod tests {
    use super::*;

    fn file_of(user: &Arc<UserPace>) -> Result<Arc<Pace>> {
        Pace::new(user)
    }

    /// The paces of some files of one user.
    fn files<const N: usize>() -> Result<[Arc<Pace>; N]> {
        let user = UserPace::new()?;
        let mut files = KVec::new();
        for _ in 0..N {
            files.push(file_of(&user)?, GFP_KERNEL)?;
        }
        Ok(core::array::from_fn(|i| files[i].clone()))
    }

    /// Lets an entry of a file wait.
    fn join(schedule: &mut Schedule, pace: &Arc<Pace>) -> Result<Arc<Entry>> {
        let entry = Entry::new()?;
        entry.state.lock().number = schedule.number();
        schedule.push(&entry, pace);
        Ok(entry)
    }

    /// Gives the next entry its turn, after which it leaves; says which of `paces` it is one of.
    fn serve(schedule: &mut Schedule, paces: &[Arc<Pace>]) -> Option<usize> {
        let entry = schedule.begin()?;
        let served = paces.iter().position(|pace| schedule.leave(&entry, pace));
        schedule.end(&paces[served?]);
        served
    }

    /// Has each of `paces` wait all the time, for `count` turns; how many each of them gets.
    fn rush<const N: usize>(paces: &[Arc<Pace>; N], count: usize) -> Result<[usize; N]> {
        let (mut schedule, mut served) = (Schedule::new(), [0; N]);
        for pace in paces {
            join(&mut schedule, pace)?;
        }
        for _ in 0..count {
            let place = serve(&mut schedule, paces).ok_or(EBUSY)?;
            served[place] += 1;
            join(&mut schedule, &paces[place])?;
        }
        drain(&mut schedule, paces);
        Ok(served)
    }

    /// Lets nothing wait any more: what waits knows its file, and that what waits.
    fn drain(schedule: &mut Schedule, paces: &[Arc<Pace>]) {
        while serve(schedule, paces).is_some() {}
        assert!(schedule.is_empty() && schedule.users.is_empty());
    }

    #[test]
    fn a_user_with_many_files_gets_no_more_turns() -> Result {
        let (one, many) = (file_of(&UserPace::new()?)?, files::<4>()?);
        let [a, b, c, d] = many;
        assert_eq!(rush(&[a, one, b, c, d], 40)?, [5, 20, 5, 5, 5]);
        Ok(())
    }

    #[test]
    fn a_file_with_much_that_waits_gets_no_more_turns() -> Result {
        let paces = files::<2>()?;
        let mut schedule = Schedule::new();
        for _ in 0..10 {
            join(&mut schedule, &paces[0])?;
        }
        let mut served = [0; 2];
        for _ in 0..10 {
            join(&mut schedule, &paces[1])?;
            served[serve(&mut schedule, &paces).ok_or(EBUSY)?] += 1;
        }
        assert_eq!(served, [5, 5]);
        drain(&mut schedule, &paces);
        Ok(())
    }

    #[test]
    fn who_comes_back_at_once_misses_no_turn() -> Result {
        let paces = [file_of(&UserPace::new()?)?, file_of(&UserPace::new()?)?];
        let mut schedule = Schedule::new();
        for _ in 0..10 {
            join(&mut schedule, &paces[0])?;
        }
        for _ in 0..4 {
            join(&mut schedule, &paces[1])?;
            // The file with many may be first, but only once.
            if serve(&mut schedule, &paces) == Some(0) {
                assert_eq!(serve(&mut schedule, &paces), Some(1));
            }
        }
        drain(&mut schedule, &paces);
        Ok(())
    }

    #[test]
    fn a_new_file_of_a_user_earns_it_nothing() -> Result {
        let (one, other) = (file_of(&UserPace::new()?)?, UserPace::new()?);
        let mut schedule = Schedule::new();
        join(&mut schedule, &one)?;
        for _ in 0..4 {
            let paces = [one.clone(), file_of(&other)?];
            join(&mut schedule, &paces[1])?;
            assert_eq!(serve(&mut schedule, &paces), Some(0));
            join(&mut schedule, &one)?;
            assert_eq!(serve(&mut schedule, &paces), Some(1));
        }
        drain(&mut schedule, &[one]);
        Ok(())
    }

    #[test]
    fn new_files_do_not_go_before_old_ones() -> Result {
        let user = UserPace::new()?;
        let mut schedule = Schedule::new();
        let old = file_of(&user)?;
        join(&mut schedule, &old)?;
        assert_eq!(serve(&mut schedule, &[old.clone()]), Some(0));
        // One is new whenever a turn ends, and is there first.
        let mut fresh = file_of(&user)?;
        join(&mut schedule, &fresh)?;
        join(&mut schedule, &old)?;
        for _ in 0..3 {
            if serve(&mut schedule, &[old.clone(), fresh.clone()]) == Some(0) {
                drain(&mut schedule, &[fresh]);
                return Ok(());
            }
            fresh = file_of(&user)?;
            join(&mut schedule, &fresh)?;
        }
        Err(EBUSY)
    }

    #[test]
    fn what_a_file_waits_for_comes_in_order() -> Result {
        let (mut schedule, [file]) = (Schedule::new(), files()?);
        let (first, second) = (join(&mut schedule, &file)?, join(&mut schedule, &file)?);
        for entry in [first, second] {
            let next = schedule.begin().ok_or(EBUSY)?;
            assert!(Arc::ptr_eq(&next, &entry));
            assert!(schedule.leave(&next, &file) && !schedule.leave(&next, &file));
            schedule.end(&file);
        }
        assert!(schedule.is_empty() && schedule.begin().is_none());
        Ok(())
    }

    #[test]
    fn a_pause_earns_nothing() -> Result {
        let paces = files::<2>()?;
        let mut schedule = Schedule::new();
        for _ in 0..100 {
            join(&mut schedule, &paces[0])?;
            assert_eq!(serve(&mut schedule, &paces), Some(0));
        }
        join(&mut schedule, &paces[1])?;
        join(&mut schedule, &paces[0])?;
        assert_eq!(serve(&mut schedule, &paces), Some(1));
        join(&mut schedule, &paces[1])?;
        assert_eq!(serve(&mut schedule, &paces), Some(0));
        drain(&mut schedule, &paces);
        Ok(())
    }

    #[test]
    fn who_gives_up_loses_nothing() -> Result {
        let [patient, hasty] = files()?;
        let mut schedule = Schedule::new();
        for _ in 0..100 {
            let entry = join(&mut schedule, &hasty)?;
            assert!(schedule.leave(&entry, &hasty));
        }
        join(&mut schedule, &hasty)?;
        join(&mut schedule, &patient)?;
        let paces = [hasty, patient];
        assert_eq!(serve(&mut schedule, &paces), Some(0));
        drain(&mut schedule, &paces);
        Ok(())
    }

    #[test]
    fn a_user_has_files_for_as_long_as_one_has_a_pace() -> Result {
        let user = UserPace::new()?;
        assert!(!user.has_files());
        let file = file_of(&user)?;
        let mut schedule = Schedule::new();
        let entry = join(&mut schedule, &file)?;
        assert!(user.has_files());
        assert!(schedule.leave(&entry, &file));
        assert!(schedule.begin().is_none());
        drop(file);
        assert!(!user.has_files());
        Ok(())
    }
}
