// SPDX-License-Identifier: GPL-2.0

//! A frame on its way between the device and a buffer.

use kernel::{
    new_spinlock_irq,
    prelude::*,
    sync::{
        Arc,
        SpinLockIrq, //
    }, //
};

use super::Pool;
use crate::{
    card::entry::{
        self,
        Context,
        End,
        Entry, //
    },
    kapi::gfp, //
};

/// A frame; it can be used again.
#[pin_data]
pub(super) struct Frame {
    pool: Arc<Pool>,
    /// What waits for the channel.
    pub(super) entry: Arc<Entry>,
    #[pin]
    end: SpinLockIrq<Option<End>>,
}

impl Frame {
    /// One of `pool`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(pool: &Arc<Pool>) -> Result<Arc<Self>> {
        Arc::pin_init(
            try_pin_init!(Self {
                pool: pool.clone(),
                entry: Entry::new()?,
                end <- new_spinlock_irq!(None),
            }),
            gfp::for_user(),
        )
    }

    /// How it has ended, once.
    pub(super) fn take_end(&self) -> Option<End> {
        self.end.lock().take()
    }

    /// It has ended so.
    pub(super) fn set_end(&self, end: End) {
        *self.end.lock() = Some(end);
    }
}

impl entry::Owner for Frame {
    fn ended(self: Arc<Self>, end: End, _context: Context) {
        self.set_end(end);
        Pool::pump(&self.pool);
    }
}

/// A frame that the channel has.
pub(super) struct Flying {
    /// It.
    pub(super) frame: Arc<Frame>,
    /// The buffer; none if the frame finds no buffer and is lost.
    pub(super) index: Option<usize>,
}
