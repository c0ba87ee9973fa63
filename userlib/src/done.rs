// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a call has done.

use crate::sys;

/// What a transfer or a copy has done, from [`Request`](crate::Request)'s calls
/// or, as far as it came, from [`Error::done`](crate::Error::done).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// let done = device.send(&[7; 10_000], 0)?;
/// println!("{} pages in {} segments, bounced: {}", done.pages, done.segments, done.bounced);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// Bytes moved: a contiguous prefix, counted from the start of the first slice.
    pub bytes: u64,
    /// Pages pinned, over the whole call; a copy counts both sides.
    pub pages: u64,
    /// DMA segments mapped, after merging, over the whole call; a copy counts
    /// both sides.
    pub segments: u64,
    /// Whether anything went through a bounce buffer, that is, was copied by
    /// the CPU after all.
    pub bounced: bool,
    /// Whether any memory was copied by the CPU instead of being pinned, as
    /// [`Request::may_copy`](crate::Request::may_copy) allows.
    pub copied: bool,
}

impl Done {
    /// Both, one after the other.
    pub(crate) fn and(self, next: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(next.bytes),
            pages: self.pages.saturating_add(next.pages),
            segments: self.segments.saturating_add(next.segments),
            bounced: self.bounced || next.bounced,
            copied: self.copied || next.copied,
        }
    }
}

impl From<&sys::pindma_result> for Done {
    fn from(result: &sys::pindma_result) -> Self {
        Self {
            bytes: result.bytes,
            pages: result.pages,
            segments: result.segments,
            bounced: result.flags & sys::PINDMA_OUT_BOUNCED != 0,
            copied: result.flags & sys::PINDMA_OUT_COPIED != 0,
        }
    }
}
