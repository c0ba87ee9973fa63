// SPDX-License-Identifier: GPL-2.0

//! How memory is allocated for a user.

use kernel::{
    alloc::{
        flags::{
            GFP_KERNEL_ACCOUNT,
            __GFP_NOWARN, //
        },
        Flags, //
    },
    bindings, //
};

/// For what a user's call takes, above all if the user says how much: it is charged to the user's
/// memory cgroup, and that there is none left is `ENOMEM` for the caller and no dump in the log, which
/// users could fill otherwise.
pub(crate) fn for_user() -> Flags {
    GFP_KERNEL_ACCOUNT | __GFP_NOWARN
}

/// [`for_user`] as C functions take it.
pub(super) const FOR_USER: bindings::gfp_t = bindings::GFP_KERNEL_ACCOUNT | bindings::__GFP_NOWARN;
