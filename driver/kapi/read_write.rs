// SPDX-License-Identifier: GPL-2.0

//! A call of read(2), write(2) or one of their relatives, on a file with a position.

use kernel::bindings;

use super::{
    file_ops::OpenFlags,
    iter::Iter,
    pins::Direction,
    shim, //
};

/// The call.
pub(crate) struct ReadWrite<'a> {
    /// A read is [`Direction::FromDevice`].
    pub(crate) direction: Direction,
    /// Where the data goes, or comes from.
    pub(crate) memory: Iter<'a>,
    /// The position in the file. Where the call leaves it, the next one begins.
    pub(crate) at: u64,
    /// The flags of the file now.
    pub(crate) flags: OpenFlags,
    /// The call must not sleep: `RWF_NOWAIT`, or io_uring looks whether it can do without a thread.
    pub(crate) must_not_sleep: bool,
}

impl ReadWrite<'_> {
    /// # Safety
    ///
    /// Both must be valid and not be used by anybody else, for as long as this lives.
    pub(super) unsafe fn new(
        iocb: *mut bindings::kiocb,
        iter: *mut bindings::iov_iter,
        direction: Direction,
    ) -> Self {
        // SAFETY: By the safety requirement.
        unsafe {
            Self {
                direction,
                memory: Iter::from_raw(iter),
                // The VFS lets no negative one pass.
                at: (*iocb).ki_pos as u64,
                flags: OpenFlags::of((*iocb).ki_filp),
                must_not_sleep: shim::pindma_iocb_nowait(iocb),
            }
        }
    }
}

/// Ends the process of the current task, and all of its threads with it: none of them runs a line of
/// its own any more when this returns. A thread of the kernel goes on.
pub(crate) fn kill_process() {
    // SAFETY: Called by a task, which may sleep.
    unsafe { shim::pindma_kill_process() }
}
