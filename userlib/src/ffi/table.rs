// SPDX-License-Identifier: MIT OR GPL-2.0
//! Whose the buffers of a pool are.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whose a buffer is, as far as this process knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The program's, and nobody has claimed it; the handle, once it is known.
    Idle(Option<NonZeroU32>),
    /// Somebody's in the program.
    Claimed,
    /// The device's.
    Device,
    /// Nobody's any more: the device may write it at any later time.
    Lost,
}

/// Whose the buffers are, by index.
///
/// # Invariants
///
/// There is one claim of a buffer if it is `Claimed`, else none.
pub(super) struct Table(Mutex<Vec<Owner>>);

impl Table {
    pub(super) fn new(count: usize) -> Self {
        Self(Mutex::new(vec![Owner::Idle(None); count]))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Owner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, index: usize, owner: Owner) {
        self.lock()[index] = owner;
    }

    /// Changes the owner if it is the one expected; whether it was.
    pub(super) fn change(&self, index: usize, from: Owner, to: Owner) -> bool {
        let mut owners = self.lock();
        match owners.get_mut(index) {
            Some(owner) if *owner == from => {
                *owner = to;
                true
            }
            _ => false,
        }
    }
}
