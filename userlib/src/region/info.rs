// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a registration turned out to be.

use crate::{sys, Access};

/// What a registration turned out to be, from [`Region::info`](crate::Region::info).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::{Access, Buffer};
///
/// let region = device.register(Buffer::huge(64 << 20)?, Access::WRITE)?;
/// let info = region.info()?;
/// println!("{} pages in {} segments", info.pages, info.segments);
/// if info.page_sizes & (2 << 20) == 0 {
///     println!("there are no huge pages among them");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegionInfo {
    /// What the device may do with it.
    pub access: Access,
    /// Bytes, of all of its parts.
    pub len: u64,
    /// Pages pinned.
    pub pages: u64,
    /// DMA segments, after merging.
    pub segments: u64,
    /// DMA segments that go through a bounce buffer.
    pub bounced: u64,
    /// Sizes in bytes of the pages, or huge pages, that it is made of, or'ed
    /// together.
    pub page_sizes: u64,
    /// Transfers that use it now.
    pub users: u32,
    /// Whether other processes that have the device's file may use it.
    pub shared: bool,
}

impl From<&sys::pindma_region_info> for RegionInfo {
    fn from(raw: &sys::pindma_region_info) -> Self {
        Self {
            access: Access::from_bits_retain(raw.out_access),
            len: raw.out_len,
            pages: raw.out_pages,
            segments: raw.out_segments,
            bounced: raw.out_bounced,
            page_sizes: raw.out_page_sizes,
            users: raw.out_users,
            shared: raw.out_flags & sys::PINDMA_REGION_SHARED != 0,
        }
    }
}
