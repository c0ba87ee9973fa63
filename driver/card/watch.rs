// SPDX-License-Identifier: GPL-2.0

//! Files that wait for what a device does, and must be told when it does nothing any more.
//!
//! Each of them has one wait queue, which this wakes as well: some who poll can take only one, such
//! as libaio.
//!
//! Lock order: `watchers`, then the lock of a watcher.

use kernel::{
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    }, //
};

use crate::kapi::gfp;

/// A file that waits.
pub(crate) trait Watcher: Send + Sync {
    /// Makes everybody who waits look around.
    fn stir(&self);
}

/// The files that watch a device.
#[pin_data]
pub(crate) struct Watch {
    #[pin]
    watchers: Mutex<RBTree<u64, Arc<dyn Watcher>>>,
    /// The number of the next one.
    next: Atomic<u64>,
}

impl Watch {
    /// None so far.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            watchers <- new_mutex!(RBTree::new()),
            next: Atomic::new(0),
        })
    }

    /// Stirs all of them.
    pub(crate) fn stir(&self) {
        self.watchers.lock().values().for_each(|one| one.stir());
    }
}

/// Says that a file watches a device. Dropping it ends that.
pub(crate) struct Watching {
    watch: Arc<Watch>,
    number: u64,
}

impl Watching {
    /// Has `watcher` told of what becomes of the device that `watch` is about.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(watch: &Arc<Watch>, watcher: Arc<dyn Watcher>) -> Result<Self> {
        let number = watch.next.fetch_add(1, Relaxed);
        let node = RBTreeNode::new(number, watcher, gfp::for_user())?;
        watch.watchers.lock().insert(node);
        Ok(Self {
            watch: watch.clone(),
            number,
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let node = self.watch.watchers.lock().remove_node(&self.number);
        // Dropped without the lock.
        drop(node);
    }
}
