// SPDX-License-Identifier: GPL-2.0

//! Who may use a thing that a handle or a descriptor names.

use kernel::{
    mm::Mm,
    prelude::*,
    sync::aref::ARef, //
};

/// The process that made a thing, known by its memory.
///
/// It holds a reference, so that no later process can be taken for it.
pub(crate) struct Maker {
    mm: ARef<Mm>,
    shared: bool,
}

impl Maker {
    /// The calling process; with `shared`, others may use the thing as well.
    ///
    /// # Errors
    ///
    /// `EFAULT` if it has no memory: a kernel thread.
    pub(crate) fn current(shared: bool) -> Result<Self> {
        let task = current!();
        let mm: &Mm = task.mm().ok_or(EFAULT)?;
        Ok(Self {
            mm: mm.into(),
            shared,
        })
    }

    /// Whether others may use it.
    pub(crate) fn shared(&self) -> bool {
        self.shared
    }

    /// Fails with `EPERM` if the calling process may not use it.
    pub(crate) fn admit(&self) -> Result {
        let task = current!();
        let same = |mm: &Mm| core::ptr::eq(mm.as_raw(), self.mm.as_raw());
        if self.shared || task.mm().is_some_and(|mm| same(mm)) {
            Ok(())
        } else {
            Err(EPERM)
        }
    }
}
