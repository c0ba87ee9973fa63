// SPDX-License-Identifier: GPL-2.0

//! Pages of blocks that are gone, but which others hold still: a pipe, a socket, whoever has pinned
//! them.
//!
//! No mapping and no file says so any more. They stay on the account of the user who had them
//! allocated for as long as they are there; else a user could have any number of them. Nothing tells
//! when the others let go of them, so that is looked at from time to time.

use kernel::{
    impl_has_delayed_work,
    new_delayed_work,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::Arc,
    time::msecs_to_jiffies,
    workqueue::{
        DelayedWork,
        WorkItem, //
    }, //
};

use super::{
    block::Block,
    gfp,
    workqueue, //
};

/// How often to look, as long as there are such pages.
const LOOK_MS: u32 = 200;

kernel::sync::global_lock! {
    // SAFETY: `Keeper::new` initialises it, before the first block is made.
    unsafe(uninit) static KEPT: Mutex<Option<Kept>> = None;
}

/// What is left of blocks, by running numbers. Addresses would not do: a page that was given back is
/// perhaps the first of the next block, while others of its own are still held.
struct Kept {
    blocks: RBTree<u64, Block>,
    next: u64,
    sweeper: Arc<Sweeper>,
}

impl Kept {
    fn keep(&mut self, room: Room, block: Block) {
        self.blocks.insert(room.0.into_node(self.next, block));
        self.next += 1;
        self.sweeper.clone().look_later();
    }
}

/// Room for what may be left of a block.
pub(super) struct Room(RBTreeNodeReservation<u64, Block>);

impl Room {
    /// Makes room, so that none has to be found later.
    pub(super) fn new() -> Result<Self> {
        Ok(Self(RBTreeNodeReservation::new(gfp::for_user())?))
    }

    /// Keeps `block`, which has pages, until nobody else holds any of them.
    pub(super) fn keep(self, block: Block) {
        if block.len() == 0 {
            return;
        }
        let mut kept = KEPT.lock();
        match &mut *kept {
            Some(kept) => kept.keep(self, block),
            // The module goes: they are nobody's from now on.
            None => {
                drop(kept);
                drop(block);
            }
        }
    }
}

/// Gives back what others have let go of; whether there is more that they hold.
pub(crate) fn sweep() -> bool {
    let mut kept = KEPT.lock();
    let Some(kept) = &mut *kept else {
        return false;
    };
    let mut cursor = kept.blocks.cursor_front_mut();
    while let Some(mut at) = cursor {
        let (_, block) = at.current_mut();
        block.give_back_unshared();
        cursor = match block.len() {
            0 => at.remove_current().0,
            _ => at.move_next(),
        };
    }
    !kept.blocks.is_empty()
}

/// Looks from time to time.
#[pin_data]
struct Sweeper {
    #[pin]
    work: DelayedWork<Sweeper>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Sweeper { self.work }
}

impl WorkItem for Sweeper {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        if sweep() {
            this.look_later();
        }
    }
}

impl Sweeper {
    fn look_later(self: Arc<Self>) {
        // If it waits already, or the module goes, there is nothing to be done.
        let _ = workqueue::enqueue_after(self, msecs_to_jiffies(LOOK_MS));
    }
}

/// Keeps such pages for as long as the module lives. What is held by then is on nobody's account any
/// more.
pub(crate) struct Keeper(());

impl Keeper {
    /// The one there is. The module's initialisation makes it, once.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: By the comment above this is called once, and nobody uses it before.
        unsafe { KEPT.init() };
        let sweeper = Arc::pin_init(
            pin_init!(Sweeper {
                work <- new_delayed_work!("pindma::kapi::held::Sweeper::work"),
            }),
            GFP_KERNEL,
        )?;
        *KEPT.lock() = Some(Kept {
            blocks: RBTree::new(),
            next: 0,
            sweeper,
        });
        Ok(Self(()))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let kept = KEPT.lock().take();
        if let Some(kept) = kept {
            workqueue::cancel(&kept.sweeper);
        }
    }
}
