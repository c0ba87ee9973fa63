// SPDX-License-Identifier: GPL-2.0

//! What a device had mapped when it was unbound: it is unmapped at once, and given back by work.
//!
//! Unpinning may wait for whoever holds a page locked, such as a network file system, or a FUSE
//! server that does not answer. Unbind must not.

use kernel::{
    impl_has_work,
    new_mutex,
    new_work,
    prelude::*,
    sync::{
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
        event::Event,
        gfp,
        pins::cond_resched,
        workqueue, //
    }, //
};

/// Memory that is unmapped, with its share of the device's quota if it has one of its own.
///
/// Drop order: the pages are given back before they are no longer counted.
struct Left {
    _backing: Backing,
    _share: Option<Share>,
}

/// All of it. It is made with the binding, so that unbind needs no memory for it.
#[pin_data]
pub(crate) struct Remains {
    #[pin]
    left: Mutex<KVVec<Left>>,
    #[pin]
    given_back: Event,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Remains { self.work }
}

impl Remains {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            try_pin_init!(Self {
                left <- new_mutex!(KVVec::new()),
                given_back <- Event::new(),
                work <- new_work!("pindma::Remains::work"),
            }),
            GFP_KERNEL,
        )
    }

    /// Takes in what was unmapped. What there is no memory to remember is given back now.
    pub(crate) fn add(&self, backing: Backing, share: Option<Share>) {
        let left = Left {
            _backing: backing,
            _share: share,
        };
        let mut all = self.left.lock();
        // Without memory there is no room.
        let _ = all.reserve(1, gfp::for_user());
        let refused = all.push_within_capacity(left);
        drop(all);
        drop(refused);
    }

    /// Has all of it given back, and waits for that for at most `patience`.
    pub(crate) fn give_back(self: &Arc<Self>, patience: Jiffies) {
        // The queue is there for as long as the driver is.
        let _ = workqueue::enqueue(self.clone());
        self.given_back.wait(patience);
    }
}

impl WorkItem for Remains {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let left = core::mem::take(&mut *this.left.lock());
        for left in left {
            drop(left);
            cond_resched();
        }
        this.given_back.raise_for_good();
    }
}
