// SPDX-License-Identifier: GPL-2.0

//! How far a call has got, whatever becomes of it.

use kernel::prelude::*;

use crate::{
    base::failure::Failure,
    kapi::abi::{
        self,
        pindma_result, //
    }, //
};

/// The progress of a call.
#[derive(Default)]
pub(crate) struct Progress {
    /// The device was told to work.
    pub(crate) started: bool,
    /// The device works on memory of the call, and was not seen to end.
    pub(crate) at_work: bool,
    /// Bytes moved, from the start of the vector.
    pub(crate) bytes: u64,
    /// Pages pinned.
    pub(crate) pages: u64,
    /// Segments mapped.
    pub(crate) segments: u64,
    /// Something went through a bounce buffer.
    pub(crate) bounced: bool,
    /// Something was copied by the CPU.
    pub(crate) copied: bool,
}

impl Progress {
    /// How a call of `total` bytes ends that must end now because of `why`. If all of it is done
    /// already, then it is done: a signal or a deadline during the last job takes nothing back.
    pub(crate) fn cut_short(&self, why: Error, total: u64) -> Result<(), Failure> {
        if self.bytes < total {
            Err(why.into())
        } else {
            Ok(())
        }
    }

    /// The ABI's result of a call that got so far, and ended as it did.
    pub(crate) fn result(&self, end: &Result<(), Failure>) -> pindma_result {
        let mut out = pindma_result {
            bytes: self.bytes,
            pages: self.pages,
            segments: self.segments,
            ..pindma_result::default()
        };
        if self.started {
            out.flags |= abi::PINDMA_OUT_STARTED;
        }
        if self.bounced {
            out.flags |= abi::PINDMA_OUT_BOUNCED;
        }
        if self.copied {
            out.flags |= abi::PINDMA_OUT_COPIED;
        }
        if let Err(failure) = end {
            failure.report(&mut out);
        }
        out
    }
}
