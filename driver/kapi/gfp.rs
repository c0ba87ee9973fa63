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

/// For memory that a device works on: zeroed. That there is none left must not wake the OOM killer,
/// which would hit others.
pub(super) const FOR_DEVICE: bindings::gfp_t = FOR_USER | bindings::__GFP_ZERO | RETRY_MAYFAIL;

/// [`FOR_DEVICE`] for what is only tried, as there is another way: without much effort.
pub(super) const TRY_FOR_DEVICE: bindings::gfp_t =
    FOR_USER | bindings::__GFP_ZERO | bit(bindings::___GFP_NORETRY_BIT);

/// [`FOR_DEVICE`] for `alloc_contig_pages`, which knows no memory cgroups: it fails if asked to
/// charge them.
pub(super) const CONTIGUOUS_FOR_DEVICE: bindings::gfp_t =
    bindings::GFP_KERNEL | bindings::__GFP_NOWARN | bindings::__GFP_ZERO | RETRY_MAYFAIL;

/// Memory below 4 GiB.
pub(super) const BELOW_4_GIB: bindings::gfp_t = bit(bindings::___GFP_DMA32_BIT);

/// Memory below what old ISA devices reach: 16 MiB on x86.
pub(super) const LOWEST: bindings::gfp_t = bit(bindings::___GFP_DMA_BIT);

const RETRY_MAYFAIL: bindings::gfp_t = bit(bindings::___GFP_RETRY_MAYFAIL_BIT);

// bindgen makes no constants of the flags themselves.
const fn bit(number: u32) -> bindings::gfp_t {
    1 << number
}
