// SPDX-License-Identifier: GPL-2.0

//! Charging pinned pages to the user who asked for them.
//!
//! The limit is on the user's `locked_vm`, as io_uring has it: a limit on the mm alone could be got
//! round by a child that pins, passes the file on and exits. The mm's `pinned_vm` is raised
//! beside it, so that `VmPin` in `/proc/PID/status` tells.

use core::ptr::NonNull;

use kernel::{
    bindings,
    mm::Mm,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
    },
};

use super::{
    gauge,
    shim, //
};

/// A reference to the user that the current task runs as.
///
/// # Invariants
///
/// It owns one reference to the `struct user_struct`.
#[derive(PartialEq, Eq)]
pub(crate) struct User(NonNull<bindings::user_struct>);

// SAFETY: A `struct user_struct` is refcounted and may be released from any thread.
unsafe impl Send for User {}
// SAFETY: What is used of it is atomic.
unsafe impl Sync for User {}

impl User {
    /// The real user of the current task, the same in all user namespaces.
    pub(crate) fn current() -> Result<Self> {
        // SAFETY: Called by a task, which has credentials and so a user.
        let user = unsafe { shim::pindma_get_current_user() };
        // INVARIANT: The reference that the shim took.
        Ok(Self(NonNull::new(user).ok_or(EINVAL)?))
    }

    /// One more reference to it.
    fn share(&self) -> Self {
        // SAFETY: By the type invariant it is valid; the shim returns what it is given.
        unsafe { shim::pindma_get_user(self.0.as_ptr()) };
        // INVARIANT: The reference that the shim took.
        Self(self.0)
    }

    fn locked_vm(&self) -> &Atomic<i64> {
        // SAFETY: Valid by the type invariant; everybody accesses the field atomically.
        unsafe { Atomic::from_ptr(&raw mut (*self.0.as_ptr()).locked_vm.counter) }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // SAFETY: By the type invariant there is a reference to give back.
        unsafe { bindings::free_uid(self.0.as_ptr()) };
    }
}

fn pinned_vm(mm: &Mm) -> &Atomic<i64> {
    // SAFETY: `mm` is valid; everybody accesses the field atomically.
    unsafe { Atomic::from_ptr(&raw mut (*mm.as_raw()).__bindgen_anon_1.pinned_vm.counter) }
}

/// What the limit stood at; all in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memlock {
    /// What was to be charged.
    pub(crate) needed: u64,
    /// What the user had charged already, by whatever driver.
    pub(crate) used: u64,
    /// `RLIMIT_MEMLOCK` of the caller; all ones if there is none.
    pub(crate) limit: u64,
    /// The caller has `CAP_IPC_LOCK`: the limit does not apply.
    pub(crate) exempt: bool,
}

impl Memlock {
    /// The limit as it stands for the current task.
    pub(crate) fn current() -> Result<Self> {
        let used = User::current()?.locked_vm().load(Relaxed);
        Ok(Self::of(used, 0, exempt()))
    }

    fn of(used: i64, pages: usize, exempt: bool) -> Self {
        // SAFETY: Called by a task.
        let limit = unsafe { shim::pindma_rlimit_memlock() } as u64;
        Self {
            needed: bytes(pages),
            used: bytes(used.max(0) as usize),
            limit,
            exempt,
        }
    }

    fn allows(&self) -> bool {
        self.exempt || self.needed.saturating_add(self.used) <= self.limit
    }
}

fn bytes(pages: usize) -> u64 {
    (pages as u64).saturating_mul(PAGE_SIZE as u64)
}

/// Whether no limit applies. Nothing is written to the audit log: who has not got this right is told of
/// the limit, and has done nothing wrong.
fn exempt() -> bool {
    // SAFETY: Called by a task.
    unsafe { shim::pindma_has_capability(bindings::CAP_IPC_LOCK as c_int) }
}

/// Whether the current task may take memory that no limit of resources counts.
pub(crate) fn may_exceed_resources() -> bool {
    // SAFETY: Called by a task.
    unsafe { bindings::capable(bindings::CAP_SYS_RESOURCE as c_int) }
}

/// Why pages could not be charged.
pub(crate) enum ChargeError {
    /// The limit is reached.
    Memlock(Memlock),
    /// The caller has no memory of its own: a kernel thread.
    NoMm,
}

/// Pages charged to a user and shown in an mm, both kept with it: who drops the charge may be
/// anybody, and has perhaps no mm at all.
///
/// # Invariants
///
/// `pages` are added to the mm's `pinned_vm` and, if `limited`, to the user's `locked_vm`.
pub(crate) struct Charge {
    user: User,
    mm: ARef<Mm>,
    pages: usize,
    limited: bool,
}

impl Charge {
    /// Charges `pages` to the current task.
    pub(crate) fn new(pages: usize) -> Result<Self, ChargeError> {
        let task = current!();
        let mm: &Mm = task.mm().ok_or(ChargeError::NoMm)?;
        let user = User::current().map_err(|_| ChargeError::NoMm)?;
        // Security modules have no say in what is within the limit anyway, which is nearly all.
        let limited = match add_within_limit(&user, pages) {
            Err(_) if exempt() => false,
            end => end.map(|()| true)?,
        };
        pinned_vm(mm).fetch_add(pages as i64, Full);
        gauge::CHARGED_PAGES.add(pages);
        // INVARIANT: Both were just added.
        Ok(Self {
            user,
            mm: mm.into(),
            pages,
            limited,
        })
    }

    /// To whom they are charged.
    pub(super) fn user(&self) -> &User {
        &self.user
    }

    /// Takes `pages` of it, or all that is left, as a charge of their own.
    pub(crate) fn split(&mut self, pages: usize) -> Self {
        let pages = pages.min(self.pages);
        self.pages -= pages;
        // INVARIANT: What is added here was taken off the other.
        Self {
            user: self.user.share(),
            mm: self.mm.clone(),
            pages,
            limited: self.limited,
        }
    }
}

/// Adds to the user's `locked_vm`, unless that would exceed the limit of the current task.
fn add_within_limit(user: &User, pages: usize) -> Result<(), ChargeError> {
    let add = pages as i64;
    let mut seen = user.locked_vm().load(Relaxed);
    loop {
        let memlock = Memlock::of(seen, pages, false);
        if !memlock.allows() {
            return Err(ChargeError::Memlock(memlock));
        }
        match user.locked_vm().cmpxchg(seen, seen.wrapping_add(add), Full) {
            Ok(_) => return Ok(()),
            Err(other) => seen = other,
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.limited {
            self.user.locked_vm().fetch_sub(self.pages as i64, Full);
        }
        pinned_vm(&self.mm).fetch_sub(self.pages as i64, Full);
        gauge::CHARGED_PAGES.sub(self.pages);
    }
}

/// Pages of RAM in the machine.
pub(crate) fn total_pages() -> usize {
    // SAFETY: May be called anywhere.
    unsafe { shim::pindma_total_pages() }
}

#[kunit_tests(pindma_charge)]
mod tests {
    use super::*;

    fn memlock(needed: u64, used: u64, limit: u64) -> Memlock {
        Memlock {
            needed,
            used,
            limit,
            exempt: false,
        }
    }

    #[test]
    fn a_limit_is_reached_exactly() {
        assert!(memlock(6, 4, 10).allows());
        assert!(!memlock(7, 4, 10).allows());
        assert!(memlock(0, 0, 0).allows());
        assert!(!memlock(1, 0, 0).allows());
    }

    #[test]
    fn sums_do_not_wrap() {
        assert!(!memlock(u64::MAX, 2, 10).allows());
        assert!(memlock(u64::MAX, u64::MAX, u64::MAX).allows());
        assert_eq!(bytes(usize::MAX), u64::MAX);
    }

    #[test]
    fn who_is_exempt_has_no_limit() {
        let memlock = Memlock {
            exempt: true,
            ..memlock(100, 100, 0)
        };
        assert!(memlock.allows());
    }
}
