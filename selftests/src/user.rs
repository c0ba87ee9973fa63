// SPDX-License-Identifier: GPL-2.0

//! An ordinary user: a uid without capabilities and with a limit.

use crate::check::Outcome;
use crate::os;

/// The uid.  Nobody else in the VM has it, so that nothing else is charged to it.
pub(crate) const UID: u32 = 1000;

/// Makes the caller an ordinary user who may lock `memlock` bytes.
pub(crate) fn become_ordinary(memlock: u64) -> Outcome {
    os::limit_memlock(memlock)?;
    Ok(os::become_user(UID, false)?)
}

/// Makes the caller an ordinary user with `CAP_IPC_LOCK` and no other right.
pub(crate) fn become_exempt(memlock: u64) -> Outcome {
    os::limit_memlock(memlock)?;
    os::become_user(UID, true)?;
    Ok(os::keep_only_ipc_lock()?)
}
