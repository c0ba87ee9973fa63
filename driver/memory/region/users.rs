// SPDX-License-Identifier: GPL-2.0

//! How many transfers use a thing, and waiting until none does.

use kernel::{
    new_condvar, new_spinlock_irq,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        CondVarTimeoutResult,
        SpinLockIrq, //
    },
};

use crate::base::deadline::Deadline;

/// How often a waiter looks at its deadline, at least.
const WAIT_SLICE_MS: u32 = 1000;

/// One of the users; dropping it says that it is done.
pub(super) struct User(Arc<Users>);

impl User {
    /// One more.
    pub(super) fn enter(users: &Arc<Users>) -> Self {
        *users.count.lock() += 1;
        Self(users.clone())
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A number of users.
#[pin_data]
pub(crate) struct Users {
    #[pin]
    count: SpinLockIrq<u32>,
    #[pin]
    idle: CondVar,
}

impl Users {
    /// None.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            count <- new_spinlock_irq!(0),
            idle <- new_condvar!(),
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        *self.count.lock()
    }

    fn leave(&self) {
        let mut count = self.count.lock();
        *count -= 1;
        if *count == 0 {
            self.idle.notify_all();
        }
    }

    /// Waits until there is none.
    ///
    /// # Errors
    ///
    /// `EINTR`, `ETIMEDOUT`.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result {
        let mut count = self.count.lock();
        while *count > 0 {
            let slice = deadline.slice(WAIT_SLICE_MS);
            let woken = self.idle.wait_interruptible_timeout(&mut count, slice);
            if *count == 0 {
                break;
            }
            if matches!(woken, CondVarTimeoutResult::Signal { .. }) {
                return Err(EINTR);
            }
            if deadline.passed() {
                return Err(ETIMEDOUT);
            }
        }
        Ok(())
    }
}
