// SPDX-License-Identifier: GPL-2.0

//! The way from an open file, which may outlive the binding of its device, to what belongs to that
//! binding.
//!
//! The model is `fwctl`'s `with_registration_data`, with SRCU in place of its rwsem: readers may
//! sleep, and unbind waits only for those that are inside.

use core::ffi::c_void;

use kernel::{
    new_srcu,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Srcu, //
    },
};

/// A family of types with the lifetime of a binding.
pub(crate) trait Target: 'static {
    /// The type for the binding `'b`.
    type Of<'b>: Send + Sync + 'b;
}

/// A revocable link to a `T::Of<'_>`.
///
/// # Invariants
///
/// `target` is null, or points to a valid `T::Of<'_>` that stays so until [`Link::detach`] returns.
#[pin_data]
pub(crate) struct Link<T: Target> {
    target: Atomic<*const c_void>,
    #[pin]
    srcu: Srcu,
    _target: core::marker::PhantomData<fn(T)>,
}

impl<T: Target> Link<T> {
    /// A link that leads nowhere yet.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // INVARIANT: Null.
            target: Atomic::new(core::ptr::null()),
            srcu <- new_srcu!(),
            _target: core::marker::PhantomData,
        })
    }

    /// Calls `f` with the target, unless the link is cut.
    ///
    /// Unbind waits for `f`: it must not pin, copy from or to user memory, or wait for a device.
    /// The lifetime that `f` is called with keeps the target from escaping.
    pub(crate) fn with<R>(&self, f: impl for<'a> FnOnce(&'a T::Of<'a>) -> R) -> Option<R> {
        let _guard = self.srcu.read_lock();
        let target = self.target.load(Acquire);
        if target.is_null() {
            return None;
        }
        // SAFETY: By the type invariant it is valid, and `detach` waits for our read section.
        // Lifetimes do not change a type's layout.
        Some(f(unsafe { &*target.cast::<T::Of<'_>>() }))
    }

    /// Leads the link to `target`.
    ///
    /// # Safety
    ///
    /// `target` must stay valid until [`detach`](Self::detach) was called and has returned.
    pub(super) unsafe fn attach(&self, target: &T::Of<'_>) {
        // INVARIANT: By the safety requirement.
        self.target
            .store(core::ptr::from_ref(target).cast::<c_void>(), Release);
    }

    /// Cuts the link; when this returns, nobody is inside [`with`](Self::with) any more.
    pub(super) fn detach(&self) {
        self.target.store(core::ptr::null(), Release);
        self.srcu.synchronize();
    }
}
