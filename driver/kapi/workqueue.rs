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
    container_of,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        rcu,
        Arc, //
    },
    time::Jiffies,
    workqueue::{
        self,
        HasDelayedWork,
        HasWork,
        Queue,
        RawDelayedWorkItem,
        RawWorkItem,
        Work,
        WorkItem, //
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
    with_queue(work, |queue, work| queue.enqueue(work))
}

/// The same after `delay`. Dropping the queue does not wait for that: [`cancel`] it.
///
/// # Errors
///
/// `ENODEV` if the queue is gone.
pub(crate) fn enqueue_after<W, const ID: u64>(work: W, delay: Jiffies) -> Result<W::EnqueueOutput>
where
    W: RawDelayedWorkItem<ID> + Send + 'static,
{
    with_queue(work, |queue, work| queue.enqueue_delayed(work, delay))
}

/// Has `work` run on the module's queue after `delay`, or earlier if it was to run earlier; if it is
/// waiting there for later, no longer. Dropping the queue does not wait for that: [`cancel`] it.
///
/// If the queue is gone, it does not run. May be called anywhere.
pub(crate) fn enqueue_by<T>(work: &Arc<T>, delay: Jiffies)
where
    T: HasDelayedWork<T> + WorkItem<Pointer = Arc<T>> + Send + Sync + 'static,
{
    let raw = Arc::into_raw(work.clone());
    let waits = with_queue((), |queue, ()| {
        let queue = core::ptr::from_ref(queue).cast_mut().cast();
        // SAFETY: It is valid, and such work lies in a `struct delayed_work`, of which the queue has a
        // reference as long as it waits.
        unsafe {
            let item = Work::raw_get(T::raw_get_work(raw.cast_mut()));
            let delayed = container_of!(item, bindings::delayed_work, work);
            bindings::mod_delayed_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
                queue,
                delayed,
                delay as c_ulong,
            )
        }
    });
    if waits != Ok(false) {
        // SAFETY: Made above, and not for the queue, which has one already or is gone.
        drop(unsafe { Arc::from_raw(raw) });
    }
}

/// Has `work` run in a bottom half, unless it is waiting for that already. May be called anywhere.
/// [Cancel](cancel_bottom) it before the module goes.
pub(crate) fn enqueue_bottom<T, const ID: u64>(work: Arc<T>)
where
    Arc<T>: RawWorkItem<ID, EnqueueOutput = core::result::Result<(), Arc<T>>> + Send + 'static,
{
    // If it waits already, the reference is not needed.
    let _ = workqueue::system_bh().enqueue(work);
}

/// Takes back what is to run in a bottom half, and waits for it if it runs.
pub(crate) fn cancel_bottom<T, const ID: u64>(work: &Arc<T>)
where
    T: HasWork<T, ID> + WorkItem<ID, Pointer = Arc<T>>,
{
    // SAFETY: It is valid.
    let pending = unsafe {
        let item = Work::raw_get(T::raw_get_work(Arc::as_ptr(work).cast_mut()));
        bindings::cancel_work_sync(item)
    };
    if pending {
        // SAFETY: The queue had a reference, and will not give it back any more.
        drop(unsafe { Arc::from_raw(Arc::as_ptr(work)) });
    }
}

/// Takes back what is to run after a delay, and waits for it if it runs.
pub(crate) fn cancel<T>(work: &Arc<T>)
where
    T: HasDelayedWork<T> + WorkItem<Pointer = Arc<T>>,
{
    // SAFETY: It is valid, and such work lies in a `struct delayed_work`.
    let pending = unsafe {
        let item = Work::raw_get(T::raw_get_work(Arc::as_ptr(work).cast_mut()));
        bindings::cancel_delayed_work_sync(container_of!(item, bindings::delayed_work, work))
    };
    if pending {
        // SAFETY: The queue had a reference, and will not give it back any more.
        drop(unsafe { Arc::from_raw(Arc::as_ptr(work)) });
    }
}

fn with_queue<W, R>(work: W, f: impl FnOnce(&Queue, W) -> R) -> Result<R> {
    let guard = rcu::read_lock();
    let queue = QUEUE.load(Acquire);
    if queue.is_null() {
        // Dropped first, `work` may sleep.
        drop(guard);
        return Err(ENODEV);
    }
    // SAFETY: It is valid for as long as `guard` is held.
    let output = f(unsafe { Queue::from_raw(queue) }, work);
    drop(guard);
    Ok(output)
}
