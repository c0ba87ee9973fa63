// SPDX-License-Identifier: GPL-2.0

//! A work queue of the module's own.
//!
//! [`kernel::workqueue`] only has the system's, which are not flushed when a module goes: its text
//! would go from under work that runs.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use core::ptr::{
    null_mut,
    NonNull, //
};

use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        rcu, //
    },
    workqueue::{
        Queue,
        RawWorkItem, //
    }, //
};

use super::shim;

/// The one queue there is, or null.
static QUEUE: Atomic<*mut bindings::workqueue_struct> = Atomic::new(null_mut());

/// The module's queue, for as long as it lives. Work on it may sleep for long; it stands still
/// while the system is suspended, which waits for work that runs.
///
/// Dropping it waits for all work, also for what work enqueues meanwhile. Nobody else may enqueue
/// any more by then: it goes after the driver is unregistered, when no file is open.
///
/// # Invariants
///
/// `QUEUE` points to a valid work queue, which this owns.
pub(crate) struct WorkQueue(());

impl WorkQueue {
    /// Makes the queue.
    ///
    /// # Errors
    ///
    /// `EBUSY` if there is one, `ENOMEM`.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        // SAFETY: The name is copied.
        let queue = unsafe { shim::pindma_alloc_workqueue(name.as_char_ptr()) };
        let queue = NonNull::new(queue).ok_or(ENOMEM)?;
        match QUEUE.cmpxchg(null_mut(), queue.as_ptr(), Full) {
            // INVARIANT: It is there now.
            Ok(_) => Ok(Self(())),
            Err(_) => {
                // SAFETY: Made just now, nobody knows it.
                unsafe { bindings::destroy_workqueue(queue.as_ptr()) };
                Err(EBUSY)
            }
        }
    }
}

impl Drop for WorkQueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Work may enqueue work until nothing is left.
        unsafe { shim::drain_workqueue(QUEUE.load(Acquire)) };
        let queue = QUEUE.xchg(null_mut(), Full);
        rcu::synchronize_rcu();
        // SAFETY: By the type invariant it was valid; nobody can have got hold of it any more.
        unsafe { bindings::destroy_workqueue(queue) };
    }
}

/// Has `work` run on the module's queue, unless it is waiting there already.
///
/// # Errors
///
/// `ENODEV` if the queue is gone.
pub(crate) fn enqueue<W, const ID: u64>(work: W) -> Result<W::EnqueueOutput>
where
    W: RawWorkItem<ID> + Send + 'static,
{
    let guard = rcu::read_lock();
    let queue = QUEUE.load(Acquire);
    if queue.is_null() {
        // Dropped first, `work` may sleep.
        drop(guard);
        return Err(ENODEV);
    }
    // SAFETY: It is valid for as long as `guard` is held.
    let output = unsafe { Queue::from_raw(queue) }.enqueue(work);
    drop(guard);
    Ok(output)
}
