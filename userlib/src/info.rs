// SPDX-License-Identifier: MIT OR GPL-2.0
//! What a device is and can do.

use std::time::Duration;

use bitflags::bitflags;

use crate::sys;

bitflags! {
    /// What a device can do.  Bits that this version of the crate does not know
    /// are kept.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), pindma::Error> {
    /// # let device = pindma::Device::open("/dev/pindma0")?;
    /// use pindma::Capabilities;
    ///
    /// let info = device.info()?;
    /// let wanted = Capabilities::POOL | Capabilities::RESET;
    /// if !info.capabilities.contains(wanted) {
    ///     println!("{:?} are missing", wanted - info.capabilities);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Capabilities: u64 {
        /// Transfers between user memory and device memory.
        const TRANSFER = sys::PINDMA_CAP_TRANSFER as u64;
        /// Copies from user memory to user memory through the device.
        const COPY = sys::PINDMA_CAP_COPY as u64;
        /// Work in flight can be aborted; without this it is waited for.
        const ABORT = sys::PINDMA_CAP_ABORT as u64;
        /// The device can be reset when it does not stop.
        const RESET = sys::PINDMA_CAP_RESET as u64;
        /// Memory can be registered.
        const REGION = sys::PINDMA_CAP_REGION as u64;
        /// Requests can be submitted to a queue.
        const QUEUE = sys::PINDMA_CAP_QUEUE as u64;
        /// `read(2)` and `write(2)` work.
        const READ_WRITE = sys::PINDMA_CAP_READ_WRITE as u64;
        /// Transfers may be copied by the CPU.
        const MAY_COPY = sys::PINDMA_CAP_MAY_COPY as u64;
        /// Pools can be made.
        const POOL = sys::PINDMA_CAP_POOL as u64;
        const _ = !0;
    }
}

bitflags! {
    /// How a device stands, and how the caller stands to it.  Bits that this
    /// version of the crate does not know are kept.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), pindma::Error> {
    /// # let device = pindma::Device::open("/dev/pindma0")?;
    /// use pindma::State;
    ///
    /// if device.info()?.state.contains(State::FAILED) {
    ///     println!("bind it again, or power-cycle it");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct State: u32 {
        /// An IOMMU translates the device's addresses: all memory is in reach,
        /// and the device can touch nothing but what is mapped for it.
        const IOMMU = sys::PINDMA_STATE_IOMMU;
        /// Memory may be bounced: because it is out of reach, or by force.
        const BOUNCE = sys::PINDMA_STATE_BOUNCE;
        /// The device sees the CPU's caches.
        const COHERENT = sys::PINDMA_STATE_COHERENT;
        /// The device did not stop when told to; it must be bound again.
        const FAILED = sys::PINDMA_STATE_FAILED;
        /// The caller has `CAP_IPC_LOCK`: no limit of locked memory applies.
        const MEMLOCK_EXEMPT = sys::PINDMA_STATE_MEMLOCK_EXEMPT;
        const _ = !0;
    }
}

/// The caller's account of locked memory, in bytes.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// match device.info()?.memlock.available() {
///     Some(bytes) => println!("{bytes} bytes may still be registered"),
///     None => println!("there is no limit"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memlock {
    /// Charged to the calling user, by whatever driver.
    pub used: u64,
    /// The caller's `RLIMIT_MEMLOCK`; `None` if unlimited.
    pub limit: Option<u64>,
    /// Whether the limit does not apply, since the caller has `CAP_IPC_LOCK`.
    pub exempt: bool,
}

impl Memlock {
    /// Bytes that may still be pinned; `None` if there is no limit.
    #[must_use]
    pub fn available(&self) -> Option<u64> {
        let limit = self.limit.filter(|_| !self.exempt)?;
        Some(limit.saturating_sub(self.used))
    }
}

/// What a device is and can do, from [`Device::info`](crate::Device::info).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// use pindma::State;
///
/// let info = device.info()?;
/// println!("{} at {}, {} channels", info.engine, info.bus, info.channels);
/// if info.state.contains(State::BOUNCE) {
///     println!("memory may be bounced");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// What the device can do.
    pub capabilities: Capabilities,
    /// How it stands now.
    pub state: State,
    /// Number of channels; they are counted from 0.
    pub channels: u32,
    /// Address bits that the device drives (its DMA mask).
    pub address_bits: u32,
    /// Most segments in one vector.
    pub max_segments: u32,
    /// Most bytes that one call has pinned at a time, both sides of a copy
    /// together; a longer call is worked through in such windows.
    pub window_bytes: u64,
    /// Most bytes in one DMA segment.
    pub max_segment_bytes: u64,
    /// Longest time that one window may be in work, whatever the deadline.
    pub max_timeout: Duration,
    /// The caller's account of locked memory.
    pub memlock: Memlock,
    /// Pages that the device has pinned now, for all files.
    pub pinned_pages: u64,
    /// Most pages that the device may have pinned.
    pub pinned_limit: u64,
    /// Pages that could not be given back, because the device did not stop.
    pub leaked_pages: u64,
    /// Bytes of a page.
    pub page_size: u32,
    /// Bytes of a cache line for DMA; only matters without [`State::COHERENT`].
    pub cache_align: u32,
    /// Bytes below which a transfer that may be copied is copied.
    pub copy_below: u64,
    /// Most regions and pools that an open file may have at a time.
    pub max_regions: u32,
    /// Most queues that an open file may have at a time.
    pub max_queues: u32,
    /// Most requests of a queue.
    pub max_depth: u32,
    /// Most requests, completions or pool buffers that one system call takes.
    pub max_batch: u32,
    /// Most buffers in a pool.
    pub max_buffers: u32,
    /// Most pools of an open file that may be started at a time.
    pub max_runs: u32,
    /// Most of `pinned_limit` that one open file may have, and all together that one user opened
    /// without `CAP_SYS_RESOURCE`.
    pub file_pinned_limit: u64,
    /// Most mappings that an open file may have at a time, and all together that one user opened
    /// without `CAP_SYS_RESOURCE`: windows of transfers, buffers of pools, and parts of regions.
    pub max_mappings: u64,
    /// How often the device was reset since it was bound, or lost power. A file that was opened
    /// before the last is of no use any more: `ESTALE`.
    pub resets: u64,
    /// Name of the engine, such as `edu`.
    pub engine: String,
    /// Address on the bus, such as `0000:00:03.0`.
    pub bus: String,
}

impl From<&sys::pindma_info> for Info {
    fn from(raw: &sys::pindma_info) -> Self {
        let state = State::from_bits_retain(raw.out_state);
        Self {
            capabilities: Capabilities::from_bits_retain(raw.out_caps),
            state,
            channels: raw.out_channels,
            address_bits: raw.out_addr_bits,
            max_segments: raw.out_max_segs,
            window_bytes: raw.out_window_bytes,
            max_segment_bytes: raw.out_max_segment_bytes,
            max_timeout: Duration::from_nanos(raw.out_max_timeout_ns),
            memlock: Memlock {
                used: raw.out_memlock_used,
                limit: Some(raw.out_memlock_limit).filter(|limit| *limit != u64::MAX),
                exempt: state.contains(State::MEMLOCK_EXEMPT),
            },
            pinned_pages: raw.out_pinned_pages,
            pinned_limit: raw.out_pinned_limit,
            leaked_pages: raw.out_leaked_pages,
            page_size: raw.out_page_size,
            cache_align: raw.out_cache_align,
            copy_below: raw.out_copy_below,
            max_regions: raw.out_max_regions,
            max_queues: raw.out_max_queues,
            max_depth: raw.out_max_depth,
            max_batch: raw.out_max_batch,
            max_buffers: raw.out_max_buffers,
            max_runs: raw.out_max_runs,
            file_pinned_limit: raw.out_file_pinned_limit,
            max_mappings: raw.out_max_mappings,
            resets: raw.out_resets,
            engine: text(&raw.out_engine),
            bus: text(&raw.out_bus),
        }
    }
}

/// The text up to the first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_at_the_first_nul_or_at_the_end() {
        assert_eq!(text(b"edu\0rubbish"), "edu");
        assert_eq!(text(b"full"), "full");
    }

    #[test]
    fn all_ones_is_no_limit() {
        let mut raw = sys::pindma_info {
            out_memlock_limit: u64::MAX,
            ..Default::default()
        };
        assert_eq!(Info::from(&raw).memlock.limit, None);
        raw.out_memlock_limit = 4096;
        assert_eq!(Info::from(&raw).memlock.limit, Some(4096));
    }

    #[test]
    fn available_counts_only_where_the_limit_applies() {
        let mut memlock = Memlock {
            used: 10,
            limit: Some(4),
            exempt: false,
        };
        assert_eq!(memlock.available(), Some(0));
        memlock.exempt = true;
        assert_eq!(memlock.available(), None);
    }

    #[test]
    fn unknown_bits_are_kept() {
        let raw = sys::pindma_info {
            out_caps: 1 << 63,
            ..Default::default()
        };
        assert_eq!(Info::from(&raw).capabilities.bits(), 1 << 63);
    }
}
