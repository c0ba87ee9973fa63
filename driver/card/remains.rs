// SPDX-License-Identifier: GPL-2.0

//! What a device had mapped when it was unbound: it is unmapped at once, and given back by work.
//!
//! Unpinning may wait for whoever holds a page locked, such as a network file system, or a FUSE
//! server that does not answer. Unbind must not; nor must one user's pages wait for another's.
//!
//! Lock order: nothing is done with `first` held but to link what is there.

use kernel::{
    impl_has_work,
    new_mutex,
    new_work,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc,
        Mutex, //
    },
    time::Jiffies,
    workqueue::{
        Work,
        WorkItem, //
    }, //
};

use crate::{
    base::quota::Share,
    kapi::{
        backing::Backing,
        charge::User,
        event::Event,
        gfp,
        pins::cond_resched,
        workqueue, //
    }, //
};

/// Memory that is unmapped, with its share of the device's quota if it has one of its own.
///
/// Drop order: the pages are given back before they are no longer counted.
struct Memory {
    backing: Backing,
    _share: Option<Share>,
}

/// Room for what is left of a mapping. It is made with the mapping, so that unbind needs no memory
/// for it.
pub(crate) type Room = Pin<KBox<Left>>;

/// One of several, which has the others.
type Chain = Option<Room>;

/// What is left of a mapping, and of others of the same user.
#[pin_data(PinnedDrop)]
pub(crate) struct Left {
    memory: Option<Memory>,
    /// Of the same user.
    more: Chain,
    /// Of the other users.
    others: Chain,
    /// Whom to tell.
    remains: Option<Arc<Remains>>,
    /// Of the first of a user only: as many of them wait as users.
    #[pin]
    work: Work<Left>,
}

impl_has_work! {
    impl HasWork<Self> for Left { self.work }
}

impl Left {
    /// Room for it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn room() -> Result<Room> {
        let left = pin_init!(Self {
            memory: None,
            more: None,
            others: None,
            remains: None,
            work <- new_work!("pindma::Left::work"),
        });
        KBox::pin_init(left, gfp::for_user())
    }

    /// Who waits if the memory cannot be given back at once.
    fn user(&self) -> Option<&User> {
        self.memory.as_ref()?.backing.user()
    }

    /// Puts `left` behind the first of the same user, or behind all that are first.
    fn link(mut at: &mut Chain, mut left: Room) {
        while let Some(first) = at {
            let theirs = first.user() == left.user();
            let first = first.as_mut().project();
            if theirs {
                *left.as_mut().project().more = first.more.take();
                *first.more = Some(left);
                return;
            }
            at = first.others;
        }
        *at = Some(left);
    }
}

#[pinned_drop]
impl PinnedDrop for Left {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        *this.memory = None;
        // One by one: for one within the other the stack is too small.
        let mut next = this.more.take();
        while let Some(mut left) = next {
            next = left.as_mut().project().more.take();
            drop(left);
            cond_resched();
        }
    }
}

impl WorkItem for Left {
    type Pointer = Room;

    fn run(mut this: Room) {
        let remains = this.as_mut().project().remains.take();
        drop(this);
        if let Some(remains) = remains {
            remains.end_one();
        }
    }
}

/// All of it.
#[pin_data]
pub(crate) struct Remains {
    #[pin]
    first: Mutex<Chain>,
    /// Users whose memory is not given back, and one until all are known.
    users: Atomic<usize>,
    #[pin]
    given_back: Event,
}

impl Remains {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                first <- new_mutex!(None),
                users: Atomic::new(1),
                given_back <- Event::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Takes in what was unmapped.
    pub(crate) fn add(&self, mut room: Room, backing: Backing, share: Option<Share>) {
        *room.as_mut().project().memory = Some(Memory {
            backing,
            _share: share,
        });
        Left::link(&mut self.first.lock(), room);
    }

    /// Has all of it given back, once, and waits for that for at most `patience`.
    pub(crate) fn give_back(self: &Arc<Self>, patience: Jiffies) {
        let mut next = self.first.lock().take();
        while let Some(mut first) = next {
            let left = first.as_mut().project();
            next = left.others.take();
            *left.remains = Some(self.clone());
            self.users.fetch_add(1, Full);
            // The queue is there for as long as the driver is.
            let _ = workqueue::enqueue(first);
        }
        self.end_one();
        self.given_back.wait(patience);
    }

    fn end_one(&self) {
        if self.users.fetch_sub(1, Full) == 1 {
            self.given_back.raise_for_good();
        }
    }
}
